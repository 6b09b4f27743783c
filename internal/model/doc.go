// Package model keeps fitted models: the bundle of everything that scoring
// needs, its file format, and a directory of versions with a current one.
package model
