package main

import (
	"runtime"
	"runtime/debug"
	"time"
)

// trimPeriod is how often it is looked whether memory lies idle.
const trimPeriod = 15 * time.Second

// trim gives memory back that a fit or a burst has left behind: Go by itself does
// so only while the collector runs, which in a quiet stream it does not. It may
// take a while, but not from the stream.
func trim() {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	// Each processor keeps up to half a megabyte of free pages that cannot be had.
	kept := uint64(runtime.GOMAXPROCS(0)) << 20
	if idle := m.HeapIdle - m.HeapReleased; idle > kept+m.HeapInuse/16 {
		debug.FreeOSMemory()
	}
}
