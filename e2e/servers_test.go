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

// cookieSecret is what Panel and panelauth share in these tests.
const cookieSecret = "the-cookie-secret-of-these-tests"

// caddyServer is a Caddy with one site.
type caddyServer struct {
	*process
	url     string
	admin   string
	port    int
	storage string
	folder  string // where it runs, if not here
	file    string
}

// caddy serves the site, which is the inside of a site block of a Caddyfile, on
// plain HTTP, with its own storage and debug logs.
func caddy(t *testing.T, site string) *caddyServer {
	t.Helper()
	return caddySharing(t, t.TempDir(), site)
}

// caddySharing does the same with a storage folder that others may use too.
func caddySharing(t *testing.T, storage, site string) *caddyServer {
	t.Helper()
	return serve(t, "http", storage, site)
}

// secureCaddy serves the site on HTTPS, with a certificate of its own making.
func secureCaddy(t *testing.T, site string) *caddyServer {
	t.Helper()
	return serve(t, "https", t.TempDir(), "tls internal\n"+site)
}

// caddyOn serves the site on a port that was chosen before, because a provider
// has to know it.
func caddyOn(t *testing.T, port int, site string) *caddyServer {
	t.Helper()
	return serveOn(t, port, "http", t.TempDir(), site)
}

func serve(t *testing.T, scheme, storage, site string) *caddyServer {
	t.Helper()
	return serveOn(t, freePort(t), scheme, storage, site)
}

func serveOn(t *testing.T, port int, scheme, storage, site string) *caddyServer {
	t.Helper()
	c := &caddyServer{
		url:     fmt.Sprintf("%s://localhost:%d", scheme, port),
		admin:   fmt.Sprintf("127.0.0.1:%d", freePort(t)),
		port:    port,
		storage: storage,
		file:    filepath.Join(t.TempDir(), "Caddyfile"),
	}
	c.configure(t, site)
	c.run(t)
	return c
}

// configure writes the Caddyfile.
func (c *caddyServer) configure(t *testing.T, site string) {
	t.Helper()
	accessLog := "log"
	if strings.Contains(site, "log {") {
		accessLog = "" // the site has its own
	}
	text := fmt.Sprintf(`{
	debug
	admin %s
	default_bind 127.0.0.1
	storage file_system %q
	skip_install_trust
	auto_https disable_redirects
}
%s {
	%s
	%s
}
`, c.admin, c.storage, c.url, accessLog, site)
	if err := os.WriteFile(c.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run starts Caddy with the Caddyfile as it is.
func (c *caddyServer) run(t *testing.T) {
	t.Helper()
	command := exec.Command(caddyProgram, "run", "--config", c.file, "--adapter", "caddyfile")
	command.Dir = c.folder
	home := t.TempDir()
	command.Env = append(os.Environ(), "XDG_DATA_HOME="+home, "XDG_CONFIG_HOME="+home)
	command.Env = append(command.Env, clientSecrets()...)
	c.process = start(t, "caddy", command)
	c.listens(fmt.Sprintf("127.0.0.1:%d", c.port))
}

// restart ends the process and starts another in its place.
func (c *caddyServer) restart(t *testing.T) {
	t.Helper()
	c.stop()
	c.run(t)
}

// reload gives the running process a new site.
func (c *caddyServer) reload(t *testing.T, site string) {
	t.Helper()
	c.configure(t, site)
	output, err := exec.Command(caddyProgram, "reload", "--config", c.file, "--adapter", "caddyfile",
		"--address", c.admin, "--force").CombinedOutput()
	if err != nil {
		t.Fatalf("reloading: %v\n%s", err, output)
	}
}

// inFrontOf is the inside of the usual site: panelauth with the given lines,
// and a Panel server behind it.
func inFrontOf(p *panelServer, lines ...string) string {
	return fmt.Sprintf("panelauth {\n\tcookie_secret %s\n\twebsocket_origin %s\n\t%s\n}\nreverse_proxy %s\n",
		cookieSecret, p.url, strings.Join(lines, "\n\t"), p.address)
}

// panelServer is a Panel that listens on loopback.
type panelServer struct {
	*process
	url     string
	address string
}

// panel runs `panel serve` with the arguments.
func panel(t *testing.T, arguments ...string) *panelServer {
	t.Helper()
	return panelFrom(t, exec.Command(panelProgram, append([]string{"serve"}, arguments...)...))
}

// panelFrom runs a command that takes the options of `panel serve` for its
// address, port and cookie secret.
func panelFrom(t *testing.T, command *exec.Cmd) *panelServer {
	t.Helper()
	return panelWithSecret(t, cookieSecret, command)
}

func panelWithSecret(t *testing.T, secret string, command *exec.Cmd) *panelServer {
	t.Helper()
	port := freePort(t)
	p := &panelServer{
		url:     fmt.Sprintf("http://localhost:%d", port),
		address: fmt.Sprintf("127.0.0.1:%d", port),
	}
	command.Args = append(command.Args, "--address", "127.0.0.1", "--port", fmt.Sprint(port), "--cookie-secret", secret)
	p.process = start(t, "panel", command)
	p.listens(p.address)
	return p
}

// examplePanel serves the two pages of example/panel.
func examplePanel(t *testing.T, arguments ...string) *panelServer {
	t.Helper()
	example := filepath.Join("..", "example", "panel")
	pages := []string{filepath.Join(example, "app.py"), filepath.Join(example, "admin.py")}
	return panel(t, append(pages, arguments...)...)
}
