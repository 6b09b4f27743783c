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
	collections := m.NumGC
	const times = 10
	for range times {
		trim()
	}
	runtime.ReadMemStats(&m)
	require.Less(t, m.NumGC-collections, uint32(times), "where nothing is idle nothing is done; Go may have collected meanwhile")
}
