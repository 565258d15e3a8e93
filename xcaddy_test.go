// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package panelauth

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestXcaddy does with the arguments in xcaddy.txt what "xcaddy build" does
// with them, and looks for the module in the result.
func TestXcaddy(t *testing.T) {
	version, module := xcaddyArguments(t)
	repository, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("main.go", `package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "`+module+`"
)

func main() { caddycmd.Main() }
`)
	write("go.mod", goMod(t, module, version, repository))
	write("go.sum", read(t, "go.sum"))

	run(t, folder, "go", "build", "-mod=mod", "-o", "caddy", ".")
	modules := run(t, folder, filepath.Join(folder, "caddy"), "list-modules", "--versions")
	if !slices.Contains(strings.Split(modules, "\n"), "http.handlers.panelauth v0.0.0") {
		t.Errorf("no http.handlers.panelauth in:\n%s", modules)
	}
}

// xcaddyArguments reads the version of Caddy and the module that xcaddy.txt
// names.
func xcaddyArguments(t *testing.T) (version, module string) {
	t.Helper()
	text := strings.TrimSpace(read(t, "xcaddy.txt"))
	arguments := regexp.MustCompile(`^(v\S+) --with (\S+)=\.$`).FindStringSubmatch(text)
	if arguments == nil {
		t.Fatalf("xcaddy.txt says %q", text)
	}
	return arguments[1], arguments[2]
}

// goMod starts from the module's own file, whose versions are known to go.sum,
// so that nothing has to be looked up. Caddy's version must be the one in it.
func goMod(t *testing.T, module, version, repository string) string {
	t.Helper()
	own := read(t, "go.mod")
	if !regexp.MustCompile(`(?m)^\s*(require )?github\.com/caddyserver/caddy/v2 ` + regexp.QuoteMeta(version) + `( // indirect)?$`).MatchString(own) {
		t.Fatalf("xcaddy.txt names Caddy %s, which is not the version in go.mod", version)
	}
	_, rest, _ := strings.Cut(own, "\n")
	return fmt.Sprintf("module caddy\n%s\nrequire %s v0.0.0\n\nreplace %s => %s\n", rest, module, module, repository)
}

func read(t testing.TB, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func run(t *testing.T, folder, program string, arguments ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), program, arguments...)
	command.Dir = folder
	command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("running %s: %v\n%s", command, err, output)
	}
	return string(output)
}
