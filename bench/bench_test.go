// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/panelauth/caddy-panelauth"
)

// TestMain lets the test start itself as application and as load, as the
// program does, and as Caddy, which would take long to build.
func TestMain(m *testing.M) {
	switch {
	case serveRole(os.Args[1:]):
	case len(os.Args) > 1 && os.Args[1] == "run":
		caddycmd.Main()
	default:
		os.Exit(m.Run())
	}
}

// TestBench measures nearly nothing, to see that everything works.
func TestBench(t *testing.T) {
	itself, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	stage := &stage{folder: t.TempDir(), panel: "no-panel", caddy: itself}
	defer stage.stop()
	subjects, err := stage.subjects(regexp.MustCompile(""))
	if err != nil {
		t.Fatal(err)
	}
	o := options{rounds: 1, connections: 2, duration: 10 * time.Millisecond}
	results, err := measure(subjects, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if len(r.Throughput) != 1 || r.Throughput[0] <= 0 || r.CPUMicroseconds[0] <= 0 {
			t.Errorf("%s: nothing was measured: %+v", r.Name, r)
		}
	}
	table := comparison(results, o)
	for _, name := range []string{bare, signedInName, "panelauth, session_store cookie", "forward_auth", "sign-ins a second"} {
		if !strings.Contains(table, name) {
			t.Errorf("the table lacks %q:\n%s", name, table)
		}
	}
	if _, err := json.Marshal(results); err != nil {
		t.Error(err)
	}
}

func TestWanted(t *testing.T) {
	c := &cast{only: regexp.MustCompile("cookie$"), subjects: []*subject{
		{name: "a"}, {name: "b cookie", baseline: "a"}, {name: "c", baseline: "b cookie"},
	}}
	wanted := c.wanted()
	if len(wanted) != 2 || wanted[0].name != "a" || wanted[1].name != "b cookie" {
		t.Errorf("%d subjects", len(wanted))
	}
}

func TestStartFails(t *testing.T) {
	_, err := start("127.0.0.1:1", exec.Command("sh", "-c", "echo no such option >&2; exit 1"))
	if err == nil || !strings.Contains(err.Error(), "no such option") {
		t.Errorf("%v", err)
	}
}

func TestStepTable(t *testing.T) {
	table := stepTable("pkg: " + module + "/caddyauth\n" +
		"BenchmarkX/a     \t 10\t 12.5 ns/op\t 8 B/op\t 1 allocs/op\n" +
		"BenchmarkX/a-2   \t 10\t 6.5 ns/op\t 8 B/op\t 1 allocs/op\n" +
		"pkg: " + module + "/caddyauth/session\n" +
		"BenchmarkX/a-8   \t 10\t 3 ns/op\t 5.00 MB/s\t 0 B/op\t 0 allocs/op\n" +
		"BenchmarkQuiet   \t 10\t 3 ns/op\nPASS\n")
	for _, row := range []string{"| caddyauth X/a | 12.5, 6.5 | 8 | 1 |\n", "| caddyauth/session X/a | 3 | 0 | 0 |\n"} {
		if !strings.Contains(table, row) {
			t.Errorf("the table lacks %q:\n%s", row, table)
		}
	}
}

func TestWriteBetween(t *testing.T) {
	file := filepath.Join(t.TempDir(), "page.md")
	const around = "# A\n\n<!-- x -->\nold\n<!-- end of x -->\n\nmore\n"
	if err := os.WriteFile(file, []byte(around), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := writeBetween(file, "x", "new\n"); err != nil {
			t.Fatal(err)
		}
	}
	got, _ := os.ReadFile(file)
	if want := "# A\n\n<!-- x -->\n\nnew\n\n<!-- end of x -->\n\nmore\n"; string(got) != want {
		t.Errorf("%q, want %q", got, want)
	}
	if err := writeBetween(file, "y", "new"); err == nil {
		t.Error("markers that are not there are no error")
	}
}

// TestDocument: both tables have their place.
func TestDocument(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("..", document))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"side by side", "steps"} {
		if _, err := replaced(string(content), name, ""); err != nil {
			t.Error(err)
		}
	}
}
