package main

import (
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// trimPeriod is how often it is looked whether memory lies idle.
const trimPeriod = 15 * time.Second

// A trimmer gives memory back that a fit, a new model or a burst has left behind: Go by
// itself does so only while lines allocate, which in a quiet stream they do not. It may
// take a while, but not from the stream.
type trimmer struct {
	one        sync.Mutex
	idle, used uint64 // bytes after the last time, or less: what lay idle after all, and what was in use
}

func (t *trimmer) trim() {
	if !t.one.TryLock() {
		return
	}
	defer t.one.Unlock()
	idle, used := memory()
	t.idle, t.used = min(t.idle, idle), min(t.used, used)
	// Each processor keeps up to half a megabyte of free pages that cannot be had.
	slack := uint64(runtime.GOMAXPROCS(0))<<19 + used/16
	if idle > t.idle+slack || used > t.used+slack {
		debug.FreeOSMemory()
		t.idle, t.used = memory()
	}
}

// memory returns how many bytes of the heap lie idle, and how many are in use.
func memory() (idle, used uint64) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapIdle - m.HeapReleased, m.HeapInuse
}
