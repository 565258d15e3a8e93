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

// TestImport does what `caddy panelauth import` prints: it sets the variables,
// starts Panel with the command and Caddy with the file, and signs in.
func TestImport(t *testing.T) {
	const secret = "the-cookie-secret-of-somebody"
	panelPort, sitePort := freePort(t), freePort(t)
	folder := t.TempDir()
	for name, text := range map[string]string{"my-app.py": markdownUser, "users.json": `{"test_user": "Some-Password"}`} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	line := fmt.Sprintf("%s serve 'my-app.py' --port=%d --basic-auth users.json --cookie-secret \"%s\" \\\n\t--allow-websocket-origin example.com",
		panelProgram, panelPort, secret)
	imported := exec.Command(caddyProgram, "panelauth", "import", line, "--domain", fmt.Sprintf("http://localhost:%d", sitePort))
	output, err := imported.Output()
	if err != nil {
		t.Fatalf("importing: %v\n%s", err, output)
	}
	if strings.Contains(string(output), secret) {
		t.Errorf("the secret is printed:\n%s", output)
	}
	variables := append(os.Environ(), "PANEL_COOKIE_SECRET="+secret, "XDG_DATA_HOME="+t.TempDir(), "XDG_CONFIG_HOME="+t.TempDir())
	address := fmt.Sprintf("127.0.0.1:%d", panelPort)

	app := exec.Command("sh", "-c", "exec "+panelCommand(t, string(output)))
	app.Dir, app.Env = folder, variables
	start(t, "panel", app).listens(address)

	global := fmt.Sprintf("{\n\tadmin 127.0.0.1:%d\n\tdefault_bind 127.0.0.1\n}\n", freePort(t))
	file := filepath.Join(folder, "Caddyfile")
	if err := os.WriteFile(file, []byte(global+string(output)), 0o600); err != nil {
		t.Fatal(err)
	}
	server := exec.Command(caddyProgram, "run", "--config", file)
	server.Dir, server.Env = folder, variables
	start(t, "caddy", server).listens(fmt.Sprintf("127.0.0.1:%d", sitePort))

	visitor := browser(t)
	site := fmt.Sprintf("http://localhost:%d", sitePort)
	visitor.open(site + "/my-app")
	visitor.signIn("test_user", "Some-Password")
	visitor.sees("test_user")
}

// panelCommand is the command in the comments of what was imported.
func panelCommand(t *testing.T, text string) string {
	t.Helper()
	for line := range strings.Lines(text) {
		if command, found := strings.CutPrefix(line, "#      "+panelProgram); found {
			return panelProgram + strings.TrimSuffix(command, "\n")
		}
	}
	t.Fatalf("no command in\n%s", text)
	return ""
}

// examine runs `caddy panelauth doctor` on a running site's Caddyfile.
func (c *caddyServer) examine(t *testing.T) string {
	t.Helper()
	output, _ := exec.Command(caddyProgram, "panelauth", "doctor", "--config", c.file, "--adapter", "caddyfile").CombinedOutput()
	return string(output)
}

// TestDoctorWithPanel asks real Panels.
func TestDoctorWithPanel(t *testing.T) {
	inFront := func(app *panelServer, lines ...string) string {
		return fmt.Sprintf("panelauth {\n\tbasic_auth Some-Password\n\t%s\n}\nreverse_proxy %s\n", strings.Join(lines, "\n\t"), app.address)
	}
	const ours = "cookie_secret " + cookieSecret
	pages := []string{write(t, "app.py", markdownUser), write(t, "other.py", markdownUser)}
	open := panel(t, pages[0])
	several := panel(t, append([]string{"--prefix", "pre", "--basic-auth", "x"}, pages...)...)
	own := panel(t, "--basic-auth", "x", pages[0])
	root := panel(t, "--basic-auth", "x", "--index", "app", pages[0])
	tests := map[string]struct {
		site, says string
	}{
		"an origin that Panel refuses":  {inFront(open, ours, "websocket_origin http://elsewhere.example.com"), "--allow-websocket-origin elsewhere.example.com"},
		"the origin that Panel expects": {inFront(open, ours, "websocket_origin "+open.url), "Panel answers. Whether"},
		"several pages and a sign-in":   {inFront(several, ours, "websocket_origin "+several.url, "login_endpoint /pre/login", "logout_endpoint /pre/logout"), "Panel accepts the cookies"},
		"one page and a sign-in":        {inFront(own, ours, "websocket_origin "+own.url), "Panel accepts the cookies"},
		"a page at the root":            {inFront(root, ours, "websocket_origin "+root.url), "Panel accepts the cookies"},
		"a page at the root, refused":   {inFront(root, "cookie_secret another-secret-than-panels", "websocket_origin "+root.url), "it has another secret"},
		"another secret":                {inFront(own, "cookie_secret another-secret-than-panels", "websocket_origin "+own.url), "it has another secret"},
		"a sign-in and another origin":  {inFront(own, ours, "websocket_origin http://elsewhere.example.com"), "Panel refuses websockets from pages of http://elsewhere"},
		"another host for Panel": {strings.Replace(inFront(own, ours), "reverse_proxy "+own.address, "reverse_proxy "+own.address+" {\n\theader_up Host {upstream_hostport}\n}", 1),
			"Panel refuses websockets from pages of http://localhost:1"},
		"a sign-in and no cookie secret": {inFront(own, "websocket_origin "+own.url), "once more"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := &caddyServer{url: "http://localhost:1", admin: "127.0.0.1:1", storage: t.TempDir(), file: filepath.Join(t.TempDir(), "Caddyfile")}
			c.configure(t, test.site)
			if said := c.examine(t); !strings.Contains(said, test.says) {
				t.Errorf("it does not say %q but\n%s", test.says, said)
			}
		})
	}
	for _, app := range []*panelServer{open, several, own, root} {
		if strings.Contains(app.output(), "Traceback") || strings.Contains(app.output(), "WebSocket connection opened") {
			t.Errorf("Panel was upset:\n%s", app.output())
		}
	}
}
