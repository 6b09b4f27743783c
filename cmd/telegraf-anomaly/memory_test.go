package main

import (
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

// litter leaves so many bytes of idle memory behind.
func litter(bytes int) {
	held := make([]byte, bytes)
	for i := range held {
		held[i] = 1
	}
	runtime.KeepAlive(held)
	runtime.GC()
}

func TestTrimGivesIdleMemoryBack(t *testing.T) {
	var trimmed trimmer
	for range 2 {
		litter(64 << 20)
		trimmed.trim()
		idle, _ := memory()
		require.Less(t, idle, uint64(16<<20))
	}
}

// What nobody uses any more is in use until it is collected, which a quiet stream never
// makes happen.
func TestTrimCollects(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	var trimmed trimmer
	trimmed.trim()
	before := trimmed.used
	runtime.KeepAlive(make([]byte, 64<<20))
	_, used := memory()
	require.Greater(t, used, before+32<<20)
	trimmed.trim()
	require.Less(t, trimmed.used, before+32<<20)
}

// What could not be given back is not asked for again: each attempt would be a
// collection.
func TestTrimDoesNotInsist(t *testing.T) {
	litter(64 << 20)
	idle, used := memory()
	trimmed := trimmer{idle: idle, used: used}
	trimmed.trim()
	still, _ := memory()
	require.Greater(t, still, uint64(32<<20), "as if it had been in vain before")
	require.LessOrEqual(t, trimmed.idle, idle)
}
