// Command audit says whether a published container image was really built from
// the recipe that it carries, whether anyone can build it again, and what in
// it no recipe explains.
//
//	audit [flags] IMAGE              the whole line; the same as audit run
//	audit inspect IMAGE              what it is: layers, digests, store items, evidence
//	audit provenance IMAGE           the recipe, as files that its build system takes
//	audit plan IMAGE                 the rebuild plan, running nothing
//	audit rebuild IMAGE | PLAN       runs the builder
//	audit compare A B                any two images
//	audit sbom IMAGE | A B           SPDX or CycloneDX; of two images, what changed
//	audit report REPORT.json         renders a stored report again
//	audit attest REPORT.json         makes a statement of one, signed where that is asked for
//	audit verify IMAGE               asks whether enough rebuilders, who signed, agree
//	audit keygen NAME                makes a key pair for that
//	audit batch LIST                 many images, resumable, a shard of them on each worker
//	audit summary DIR...             one page of many reports
//	audit policy check | show        reads a policy, or prints one that is ready
//	audit ci github | gitlab         files with which a CI service runs this as a gate
//	audit config                     what each flag is set to, and by what
//	audit version                    which audit this is
//	audit completion SHELL           a script with which bash, zsh or fish completes all this
//
// The main flow is in [line.run]: inspect, recover the recipe, plan, rebuild,
// compare, judge, report. Each verb has a file of its name.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"syscall"

	"audit/report"
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

func main() { os.Exit(Main(os.Args, os.Stdin, os.Stdout, os.Stderr)) }

// Main runs audit with its arguments and streams and returns its exit status.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup
		ends = append(ends, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	defer stop()
	collectLate(softMemory(args))
	app := newApp(stdin, stdout, stderr)
	if last := len(args) - 1; args[last] == completionFlag {
		writeOffer(stdout, app, args[1:last])
		return 0
	}
	line := newWords(app, args[1:])
	set := readSettings(line, os.Environ())
	addresses, all := newSecrets(append(slices.Clone(args), set.args()...))
	stderr = hiding(stderr, all)
	app.ErrWriter = stderr
	fetched := new(scratch)
	defer fetched.remove()
	app.Metadata = map[string]any{secretsKey: addresses, allSecretsKey: all, settingsKey: set, wordsKey: line, scratchKey: fetched}
	err := line.mistake()
	if text := set.unheeded(); text != "" && err == nil {
		fmt.Fprintln(stderr, "audit: "+report.Printable(text))
	}
	if err == nil {
		err = app.RunContext(ctx, line.line(args[0]))
	}
	if exit, ok := errors.AsType[*exitError](err); ctx.Err() != nil && (!ok || exit.status != exitAgain) {
		err = errInterrupted()
	}
	status, message := exitStatus(err)
	if message != "" {
		fmt.Fprintln(stderr, "audit: "+message)
	}
	return status
}
