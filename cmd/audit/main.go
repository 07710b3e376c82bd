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
	"os"
	"os/signal"
	"slices"
	"syscall"

	"audit/report"
)

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
	typed := newCommandLine(app, args[1:])
	set := readSettings(typed, os.Environ())
	addresses, all := newSecrets(append(slices.Clone(args), set.args()...))
	stderr = hiding(stderr, all)
	app.ErrWriter = stderr
	fetched := new(scratch)
	defer fetched.remove()
	app.Metadata = map[string]any{secretsKey: addresses, allSecretsKey: all, settingsKey: set, commandLineKey: typed, scratchKey: fetched}
	err := typed.mistake()
	if text := set.ignoredText(); text != "" && err == nil {
		fmt.Fprintln(stderr, "audit: "+report.Printable(text))
	}
	if err == nil {
		err = app.RunContext(ctx, typed.line(args[0]))
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
