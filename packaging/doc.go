// Package packaging holds what becomes a package; its tests install it.
package packaging
