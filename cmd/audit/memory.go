package main

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// softMemory returns the memory above which the garbage collector works harder, in bytes.
// An image of a million entries needs a little less, and so does a summary of 5,000
// reports, of which it reads one at a time; GOMEMLIMIT overrides it.
func softMemory(args []string) int64 {
	if len(args) > 1 && args[1] == "summary" {
		return 28 << 20
	}
	return 229 << 20
}

// firstHeap is the heap at which the garbage collector runs for the first time, in
// percents of 4 MiB, and usualHeap what it lets the heap grow by after that, in percents
// of what is in use; GOGC overrides both.
const firstHeap, usualHeap = 1000, 100

// collectLate has the garbage collector run when there is something to gain: a short
// run would spend a tenth of its time on heaps of a few MiB, and one that needs more
// than the soft limit all of it on collecting again what is in use. After its first time it
// runs as usual.
func collectLate(soft int64) {
	if debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(soft)
		var before int64
		afterCollection(func() bool {
			now := inUse() // with what came while the collector ran, which is no need yet
			if need := min(before, now); need > soft*15/16 {
				debug.SetMemoryLimit(need * 3 / 2)
			}
			before = now
			return true
		})
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(firstHeap)
		afterCollection(func() bool {
			debug.SetGCPercent(usualHeap)
			return false
		})
	}
}

// afterCollection calls f after each run of the garbage collector, as long as it returns
// true.
func afterCollection(f func() (again bool)) {
	runtime.AddCleanup(new([]byte), func(f func() bool) {
		if f() {
			afterCollection(f)
		}
	}, f)
}

// inUse is what the collector found in use, in bytes.
func inUse() int64 {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	return int64(live[0].Value.Uint64())
}
