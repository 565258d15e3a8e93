// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

// Command bench measures what panelauth adds to a request, beside a bare Caddy
// and other ways to have a front door, all on loopback:
//
//	go run ./bench                 # everything, about ten minutes
//	go run ./bench -only 'store'   # what matches, with what it is compared to
//	go run ./bench -steps          # the Go benchmarks beside the code
//	go run ./bench -write          # puts the table into docs/performance.md
//
// What is compared is measured in turns, in an order that is shuffled each
// round, so that whatever else the machine does disturbs all alike. The figure
// to quote is the processor time of the server for one request, as the system
// accounts for it, as a difference within a round. Two bare Caddys are compared
// as well: what differs between them is noise.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"time"
)

// options are the flags.
type options struct {
	rounds      int
	connections int
	duration    time.Duration
	only        *regexp.Regexp
	panel       string
	json        string
	write       bool
	steps       bool
}

func main() {
	if serveRole(os.Args[1:]) {
		return
	}
	if err := run(readFlags()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// serveRole makes this process what the one that measures has started it for.
func serveRole(arguments []string) bool {
	if len(arguments) != 1 {
		return false
	}
	switch arguments[0] {
	case upstreamRole:
		exitIf(serveUpstream())
	case loadRole:
		exitIf(serveLoad(os.Stdin, os.Stdout))
	default:
		return false
	}
	return true
}

func exitIf(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func readFlags() options {
	var o options
	only := flag.String("only", "", "measure what matches this regular expression, with what it is compared to")
	flag.IntVar(&o.rounds, "rounds", 40, "how often everything is measured")
	flag.IntVar(&o.connections, "connections", 8, "how many connections ask at the same time")
	flag.DurationVar(&o.duration, "duration", 500*time.Millisecond, "how long each is measured in a round")
	flag.StringVar(&o.panel, "panel", "panel", "the program that serves Panel applications")
	flag.StringVar(&o.json, "json", "", "a file for the figures of every round")
	flag.BoolVar(&o.write, "write", false, "put the table into "+document)
	flag.BoolVar(&o.steps, "steps", false, "run the Go benchmarks instead")
	flag.Parse()
	o.only = regexp.MustCompile(*only)
	return o
}

func run(o options) error {
	if o.steps {
		return runSteps(o)
	}
	folder, err := os.MkdirTemp("", "panelauth-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder) //nolint:errcheck // nothing depends on it
	stage := &stage{folder: folder, panel: o.panel}
	defer stage.stop()
	if err := stage.build(); err != nil {
		return err
	}
	subjects, err := stage.subjects(o.only)
	if err != nil {
		return err
	}
	results, err := measure(subjects, o)
	if err != nil {
		return err
	}
	return report(results, o)
}

func report(results []*result, o options) error {
	table := comparison(results, o)
	fmt.Print(table)
	var errs []error
	if o.json != "" {
		text, err := json.MarshalIndent(results, "", "\t")
		errs = append(errs, err, os.WriteFile(o.json, text, 0o600))
	}
	if o.write {
		errs = append(errs, writeBetween(document, "side by side", table))
	}
	return errors.Join(errs...)
}

// say tells who waits, without getting into the table.
func say(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", arguments...)
}

// installed reports whether a program is there, and says so if it is not.
func installed(program, forWhat string) bool {
	if _, err := exec.LookPath(program); err == nil {
		return true
	}
	say("NOT MEASURED: %s, because %s is not installed", forWhat, program)
	return false
}
