//go:build !linux

package retrain

// yield does nothing where a thread has no priority of its own.
func yield() {}
