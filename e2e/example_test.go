// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The examples do what their READMEs say. They run as they are written, from
// the root of the repository, but for their ports.

func TestExamplePassword(t *testing.T) {
	site := example(t, "password")
	visitor := browser(t)
	visitor.open(site.url)
	visitor.signIn("anybody", "open-sesame")
	visitor.sees("Hello, anybody!")
	visitor.photographAll("example-password")
	visitor.click("Log out")
	visitor.arrives(site.url + "/logout")
	visitor.open(site.url)
	visitor.seesForm()
}

func TestExampleCredentials(t *testing.T) {
	site := example(t, "credentials")
	visitor := browser(t)
	visitor.open(site.url)
	visitor.signIn("ada", "wrong")
	visitor.sees("Invalid username or password!")
	visitor.signIn("ada", "analytical-engine")
	visitor.sees("Hello, ada!")
	visitor.photographAll("example-credentials")
}

func TestExampleGuests(t *testing.T) {
	site := example(t, "guests")
	visitor := browser(t)
	visitor.open(site.url + "/welcome")
	visitor.sees("Hello, guest!")
	visitor.photographAll("example-guests")
	visitor.open(site.url + "/elsewhere")
	visitor.seesForm()
	visitor.open(site.url + "/welcome")
	visitor.click("Log in")
	visitor.signIn("anybody", "open-sesame")
	visitor.arrives(site.url + "/welcome")
	visitor.sees("Hello, anybody!")
}

func TestExamplePanel(t *testing.T) {
	app := documentedPanel(t)
	site := example(t, "panel", "localhost:5006", strings.TrimPrefix(app.url, "http://"))
	visitor := browser(t)
	visitor.open(site.url + "/app")
	visitor.sees("Hello guest")
	visitor.hasLiveWidget()
	visitor.photograph("example-panel-guest")
	visitor.open(site.url + "/admin")
	visitor.signIn("bob", "bobs-password")
	visitor.sees("you are bob")
	visitor.photograph("example-panel-admin")
	visitor.open(site.url + "/app")
	visitor.sees("Hello bob")
	visitor.hasLiveWidget()
	visitor.photograph("example-panel-bob")
	visitor.press("Log out")
	visitor.arrives(site.url + "/logout")
	visitor.open(site.url + "/app")
	visitor.sees("Hello guest")
	visitor.press("Log in")
	visitor.seesForm()
	visitor.signIn("alice", "alices-password")
	visitor.arrives(site.url + "/app")
	visitor.sees("Hello alice")
}

// documentedPanel runs the command of example/panel/README.md.
func documentedPanel(t *testing.T) *panelServer {
	t.Helper()
	commands := documented(t, "panel", "panel serve ")
	return documentedServer(t, panelProgram, append([]string{"serve"}, commands[0]...))
}

// documented are the arguments of the commands in the README of an example that
// begin like this.
func documented(t *testing.T, name, beginning string) (commands [][]string) {
	t.Helper()
	readme, err := os.ReadFile(filepath.Join("..", "example", name, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(readme)) {
		if arguments, ok := strings.CutPrefix(line, "    "+beginning); ok {
			commands = append(commands, strings.Fields(arguments))
		}
	}
	if len(commands) == 0 {
		t.Fatalf("the README of %s does not say %s", name, beginning)
	}
	return commands
}

// documentedServer runs a documented command for one of the pages in
// example/panel, on a port of its own.
func documentedServer(t *testing.T, program string, arguments []string) *panelServer {
	t.Helper()
	port := freePort(t)
	command := exec.Command(program, append(arguments, "--port", fmt.Sprint(port))...)
	command.Dir = filepath.Join("..", "example", "panel")
	p := &panelServer{url: fmt.Sprintf("http://localhost:%d", port), address: fmt.Sprintf("localhost:%d", port)}
	p.process = start(t, "panel", command)
	p.listens(p.address)
	return p
}

// example runs an example, with replacements in its Caddyfile.
func example(t *testing.T, name string, replacements ...string) *caddyServer {
	t.Helper()
	return exampleOn(t, freePort(t), t.TempDir(), name, replacements...)
}

// exampleOn does the same on a port and with a storage that others know.
func exampleOn(t *testing.T, port int, storage, name string, replacements ...string) *caddyServer {
	t.Helper()
	folder, err := filepath.Abs(filepath.Join("..", "example"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(folder, name, "Caddyfile"))
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("http://localhost:%d", port)
	replacements = append(replacements, ":{$PORT:8080}", address, ":8080", address, "import ../", "import "+folder+"/")
	site := strings.NewReplacer(replacements...).Replace(string(text))
	server := &caddyServer{
		url:    address,
		port:   port,
		folder: filepath.Dir(folder),
		file:   write(t, "Caddyfile", fmt.Sprintf("{\n\tadmin off\n\tdefault_bind 127.0.0.1\n\tstorage file_system %q\n}\n", storage)+site),
	}
	server.run(t)
	return server
}
