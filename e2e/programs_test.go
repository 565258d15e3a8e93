// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// outputDir keeps what the tests leave to look at: logs and screenshots.
const outputDir = "output"

// The programs under test, found or built once by TestMain.
var caddyProgram, panelProgram, pythonProgram, chromiumProgram, nodeProgram, keycloakFolder, redisProgram string

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

// run prepares everything that all tests need. A missing part fails the run:
// tests that skip themselves prove nothing.
func run(m *testing.M) (int, error) {
	if err := findPanel(); err != nil {
		return 1, err
	}
	if err := findChromium(); err != nil {
		return 1, err
	}
	if err := findProviders(); err != nil {
		return 1, err
	}
	if err := findRedis(); err != nil {
		return 1, err
	}
	if err := os.RemoveAll(outputDir); err != nil {
		return 1, err
	}
	if err := os.MkdirAll(outputDir, 0o755); err != nil {
		return 1, err
	}
	built, err := os.MkdirTemp("", "panelauth-e2e-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(built)
	if err := buildCaddy(built); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// buildCaddy takes the program that CADDY names, or else builds the one of
// this repository.
func buildCaddy(folder string) error {
	if named := os.Getenv("CADDY"); named != "" {
		var err error
		caddyProgram, err = filepath.Abs(named)
		return err
	}
	caddyProgram = filepath.Join(folder, "caddy")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", caddyProgram, "./cmd/caddy")
	build.Dir = ".."
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building caddy: %w\n%s", err, output)
	}
	return nil
}

// findPanel takes the program that PANEL names, or else the one that .ci/run
// installs.
func findPanel() error {
	panelProgram = os.Getenv("PANEL")
	if panelProgram == "" {
		panelProgram = filepath.Join(".venv", "bin", "panel")
	}
	var err error
	if panelProgram, err = filepath.Abs(panelProgram); err != nil {
		return err
	}
	pythonProgram = filepath.Join(filepath.Dir(panelProgram), "python")
	for _, program := range []string{panelProgram, pythonProgram} {
		if _, err := os.Stat(program); err != nil {
			return fmt.Errorf("finding Panel, which .ci/run installs and PANEL may name: %w", err)
		}
	}
	return nil
}

// findProviders looks for the two that .ci/run installs.
func findProviders() error {
	var err error
	if nodeProgram, err = exec.LookPath("node"); err != nil {
		return fmt.Errorf("finding Node, which oidc-provider needs: %w", err)
	}
	if keycloakFolder, err = filepath.Abs(filepath.Join("keycloak", "server")); err != nil {
		return err
	}
	for _, installed := range []string{filepath.Join("oidc", "node_modules"), keycloakFolder} {
		if _, err := os.Stat(installed); err != nil {
			return fmt.Errorf("finding a provider, which .ci/run installs: %w", err)
		}
	}
	return nil
}

// findRedis looks for the server and for redis-cli, which comes with it.
func findRedis() error {
	var err error
	if redisProgram, err = exec.LookPath("redis-server"); err == nil {
		_, err = exec.LookPath("redis-cli")
	}
	if err != nil {
		return fmt.Errorf("finding Redis, which \"apt-get install redis-server\" brings: %w", err)
	}
	return nil
}

func findChromium() error {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			chromiumProgram = path
			return nil
		}
	}
	return fmt.Errorf("finding a browser: neither chromium nor google-chrome is installed")
}

// process is a running program whose output goes to a file in outputDir.
type process struct {
	t       *testing.T
	name    string
	command *exec.Cmd
	log     string
	ended   chan struct{}
}

// start runs a program until the test ends.
func start(t *testing.T, name string, command *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, name: name, command: command, ended: make(chan struct{})}
	file, err := os.CreateTemp(outputDir, fileName(t)+"-"+name+"-*.log")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	p.log = file.Name()
	command.Stdout, command.Stderr = file, file
	if err := command.Start(); err != nil {
		t.Fatalf("starting %s: %v", name, err)
	}
	go func() {
		defer close(p.ended)
		_ = command.Wait() // how it ended is in the log, and a test that needs it alive notices
	}()
	t.Cleanup(p.stop)
	return p
}

// stop asks the program to end, and kills it when it does not listen.
func (p *process) stop() {
	_ = p.command.Process.Signal(os.Interrupt)
	select {
	case <-p.ended:
	case <-time.After(20 * time.Second): // browsers keep spare connections, which Caddy gives five seconds
		_ = p.command.Process.Kill()
		<-p.ended
	}
}

// listens waits until the program accepts connections.
func (p *process) listens(address string) {
	p.t.Helper()
	eventually(p.t, 60*time.Second, p.name+" listens on "+address, func() bool {
		select {
		case <-p.ended:
			p.t.Fatalf("%s ended:\n%s", p.name, p.output())
		default:
		}
		connection, err := net.Dial("tcp", address)
		if err != nil {
			return false
		}
		return connection.Close() == nil
	})
}

// output is what the program has printed so far.
func (p *process) output() string {
	p.t.Helper()
	printed, err := os.ReadFile(p.log)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(printed)
}

// eventually waits until something real has happened.
func eventually(t *testing.T, limit time.Duration, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if happened() {
			return
		}
	}
	t.Fatalf("not within %v: %s", limit, what)
}

// freePort finds a port on loopback that nobody uses. Ports are given out by
// the system in turn, so the next caller gets another one.
func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// fileName makes a file name of the test's name.
func fileName(t *testing.T) string {
	return strings.NewReplacer("/", "-", " ", "-", "#", "").Replace(t.Name())
}

// write puts a file into a new folder and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
