package main

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTrimGivesIdleMemoryBack(t *testing.T) {
	held := make([]byte, 64<<20)
	for i := range held {
		held[i] = 1
	}
	runtime.KeepAlive(held)
	held = nil
	runtime.GC()
	trim()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	require.Less(t, m.HeapIdle-m.HeapReleased, uint64(16<<20))
}
