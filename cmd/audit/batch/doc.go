// Package batch audits the images of a list into one folder, of which package
// audit/report/fleet has the layout.
//
// Any number of workers may use one folder, on any number of machines: there is no
// lock, no queue and no leader. A result is written beside its place, and moved there
// whole; where two workers have made the same result, the first stays. What a worker
// that was killed has left behind is removed by its age alone.
//
// A worker does a shard of the list, which is a function of the list and of nothing
// else: workers that see a registry differently, or at another time, still agree who
// does what.
package batch
