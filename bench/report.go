// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// document is where results are published.
const document = "docs/performance.md"

// comparison is the table of all results, in Markdown.
func comparison(results []*result, o options) string {
	byName := make(map[string]*result, len(results))
	for _, r := range results {
		byName[r.Name] = r
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%s; %d rounds of %s each, %d connections. In brackets: 95 %% intervals of the median, "+
		"paired within a round; ± is half of where the middle half lies.\n\n", machine(), o.rounds, o.duration, o.connections)
	out.WriteString("| | a second | CPU, µs each | p50, ms | p99, ms | compared to | CPU more, µs | throughput |\n")
	out.WriteString("|---|---:|---:|---:|---:|---|---:|---:|\n")
	for _, r := range results {
		out.WriteString(r.row(byName[r.Baseline]))
	}
	for _, r := range results {
		out.WriteString(r.remark())
	}
	return out.String()
}

func (r *result) row(baseline *result) string {
	speed, cpu := estimateOf(r.Throughput), estimateOf(r.CPUMicroseconds)
	row := fmt.Sprintf("| %s | %.0f ± %.0f %s | %.1f ± %.1f |", r.Name, speed.Median, (speed.Q3-speed.Q1)/2, unit(r), cpu.Median, (cpu.Q3-cpu.Q1)/2)
	if r.Counts == volume {
		row += " | |"
	} else {
		row += fmt.Sprintf(" %.2f | %.2f |", estimateOf(r.P50).Median, estimateOf(r.P99).Median)
	}
	if baseline == nil {
		return row + " | | |\n"
	}
	more := estimateOf(combined(r.CPUMicroseconds, baseline.CPUMicroseconds, difference))
	share := estimateOf(combined(r.Throughput, baseline.Throughput, ratio))
	return row + fmt.Sprintf(" %s | %+.1f [%+.1f, %+.1f] | %.3f [%.3f, %.3f] |\n", baseline.Name,
		more.Median, more.Low, more.High, share.Median, share.Low, share.High)
}

func unit(r *result) string {
	if r.Counts == requests {
		return ""
	}
	return r.Counts
}

func (r *result) remark() string {
	if r.Note == "" && len(r.BesideThroughput) == 0 {
		return ""
	}
	return fmt.Sprintf("\n*%s*: %s Meanwhile %.1f sign-ins a second, each in %.0f ms (medians).\n", r.Name, r.Note,
		estimateOf(r.BesideThroughput).Median, estimateOf(r.BesideP50).Median)
}

// machine says what was measured on, as far as it matters.
func machine() string {
	return fmt.Sprintf("%s, %d cores, %s/%s, %s", processor(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}

func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "a processor that does not say its name"
}

// writeBetween replaces what is between two markers of a document.
func writeBetween(file, name, text string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	changed, err := replaced(string(content), name, text)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, []byte(changed), 0o644)
}

func replaced(content, name, text string) (string, error) {
	begin, end := "<!-- "+name+" -->\n", "<!-- end of "+name+" -->"
	before, rest, found := strings.Cut(content, begin)
	_, after, ends := strings.Cut(rest, end)
	if !found || !ends {
		return "", fmt.Errorf("it lacks %q and %q", begin, end)
	}
	return before + begin + "\n" + strings.TrimSpace(text) + "\n\n" + end + after, nil
}
