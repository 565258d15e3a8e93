// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

// stepPackages have the Go benchmarks of what every request goes through.
var stepPackages = []string{"caddyauth", "caddyauth/session", "caddyauth/tornado"}

// stepProcessors are for how many threads at once they are run.
var stepProcessors = []string{"1", "2", "8"}

// slowSteps are no steps on the way of a request, and take long to prepare or
// much memory.
const slowSteps = "^Benchmark(Find|Search)$/^10+$|^BenchmarkScale"

// runSteps runs the Go benchmarks beside the code and prints a table of them.
func runSteps(o options) error {
	arguments := []string{"test", "-run", "^$", "-bench", o.only.String(), "-benchmem", "-cpu", strings.Join(stepProcessors, ","), "-benchtime", "100ms", "-skip", slowSteps, "-timeout", "30m"}
	if o.only.String() == "" {
		arguments[4] = "."
	}
	for _, name := range stepPackages {
		arguments = append(arguments, module+"/"+name)
	}
	command := exec.Command("go", arguments...)
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("running benchmarks: %w\n%s", err, output.String())
	}
	table := machine() + ".\n\n" + stepTable(output.String())
	fmt.Print(table)
	if o.write {
		return writeBetween(document, "steps", table)
	}
	return nil
}

// benchmarkLine is a line such as
// "BenchmarkGuestMatch/page-2  1000000  712.4 ns/op  0 B/op  0 allocs/op".
var benchmarkLine = regexp.MustCompile(`^Benchmark(\S+?)(-\d+)?\s+\d+\s+([\d.]+) ns/op.*?\s(\d+) B/op\s+(\d+) allocs/op`)

// step is a benchmark with its time on each number of processors.
type step struct {
	name          string
	times         []string
	bytes, allocs string
}

// stepTable turns the output of benchmarks into Markdown.
func stepTable(output string) string {
	var steps []*step
	in := ""
	for line := range strings.Lines(output) {
		if path, ok := strings.CutPrefix(line, "pkg: "+module+"/"); ok {
			in = strings.TrimSpace(path)
		}
		found := benchmarkLine.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		name := in + " " + found[1]
		at := slices.IndexFunc(steps, func(s *step) bool { return s.name == name })
		if at < 0 {
			at = len(steps)
			steps = append(steps, &step{name: name})
		}
		steps[at].times = append(steps[at].times, found[3])
		steps[at].bytes, steps[at].allocs = found[4], found[5]
	}
	var table strings.Builder
	fmt.Fprintf(&table, "| benchmark | ns on %s threads | bytes | allocations |\n|---|---:|---:|---:|\n", strings.Join(stepProcessors, ", "))
	for _, s := range steps {
		fmt.Fprintf(&table, "| %s | %s | %s | %s |\n", s.name, strings.Join(s.times, ", "), s.bytes, s.allocs)
	}
	return table.String()
}
