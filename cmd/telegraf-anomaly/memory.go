package main

import (
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// trimPeriod is how often it is looked whether memory lies idle.
const trimPeriod = 15 * time.Second

// A trimmer gives memory back that a fit or a burst has left behind: Go by itself
// does so only while the collector runs, which in a quiet stream it does not. It
// may take a while, but not from the stream.
type trimmer struct {
	one  sync.Mutex
	kept uint64 // bytes that lay idle after all and are not asked for again
}

func (t *trimmer) trim() {
	if !t.one.TryLock() {
		return
	}
	defer t.one.Unlock()
	idle, used := memory()
	t.kept = min(t.kept, idle)
	// Each processor keeps up to half a megabyte of free pages that cannot be had.
	slack := uint64(runtime.GOMAXPROCS(0))<<19 + used/16
	if idle > t.kept+slack {
		debug.FreeOSMemory()
		t.kept, _ = memory()
	}
}

// memory returns how many bytes of the heap lie idle, and how many are in use.
func memory() (idle, used uint64) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapIdle - m.HeapReleased, m.HeapInuse
}
