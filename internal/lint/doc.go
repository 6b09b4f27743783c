// Package lint holds the rules of the house as tests: who may import whom, and
// what every file must look like.
package lint
