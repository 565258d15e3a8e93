// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package panelauth

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

func init() {
	caddy.RegisterModule(panicking{})
}

// panicking is an application within Caddy that fails in the worst way.
type panicking struct {
	Body string `json:"body,omitempty"`
}

func (panicking) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.test_panic", New: func() caddy.Module { return new(panicking) }}
}

func (panicking) ServeHTTP(http.ResponseWriter, *http.Request, caddyhttp.Handler) error {
	panic("the application fails")
}

// logging serves the inside of a site block with all logs at debug level in a
// file, and returns that. Logs are encoded as the site says.
func logging(t *testing.T, inside string, edit func(config []byte) []byte) (s *testSite, logs string) {
	t.Helper()
	folder := t.TempDir()
	logs = filepath.Join(folder, "caddy.log")
	file := filepath.Join(folder, "Caddyfile")
	text := caddyfile.Format([]byte(":8080 {\n" + inside + "\n}\n"))
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	s = serve(t, file)
	var adapted, config map[string]any
	whole, _, err := caddyconfig.GetAdapter("caddyfile").Adapt(text, nil)
	if err := errors.Join(err, json.Unmarshal(whole, &adapted), json.Unmarshal(s.config, &config)); err != nil {
		t.Fatal(err)
	}
	config["logging"] = adapted["logging"]
	if config["logging"] == nil {
		config["logging"] = map[string]any{"logs": map[string]any{"default": map[string]any{}}}
	}
	for _, log := range config["logging"].(map[string]any)["logs"].(map[string]any) {
		log.(map[string]any)["level"] = "DEBUG"
		log.(map[string]any)["writer"] = map[string]any{"output": "file", "filename": logs}
	}
	if s.config, err = json.Marshal(config); err != nil {
		t.Fatal(err)
	}
	s.config = edit(s.config)
	load(t, s.config)
	return s, logs
}

// eventuallyLogged waits for a log to have something, and returns all of it.
func eventuallyLogged(t *testing.T, logs, something string) (text string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(text, something); time.Sleep(10 * time.Millisecond) {
		if content, err := os.ReadFile(logs); err == nil {
			text = string(content)
		}
		if time.Now().After(deadline) {
			t.Fatalf("the log lacks %q:\n%s", something, text)
		}
	}
	return text
}

// TestPanicsTellNoSecrets: what Caddy logs of an application that panics holds
// nothing of who asked.
func TestPanicsTellNoSecrets(t *testing.T) {
	site, logs := logging(t, "log\npanelauth {\n\tbasic_auth {env.TEST_PASSWORD}\n\tbasic_auth_header\n}\nrespond hello", func(config []byte) []byte {
		return bytes.Replace(config, []byte(`"handler":"static_response"`), []byte(`"handler":"test_panic"`), 1)
	})
	site.post(t, site.get(t, "/login"), url.Values{"username": {"maria"}, "password": {os.Getenv("TEST_PASSWORD")}})
	cookies := site.client.Jar.Cookies(site.origin)
	if len(cookies) == 0 {
		t.Fatal("not signed in")
	}
	if _, err := site.client.Get(site.origin.String() + "/page"); err == nil {
		t.Error("the application did not fail")
	}
	text := eventuallyLogged(t, logs, "the application fails")
	for _, cookie := range cookies {
		if strings.Contains(text, cookie.Value) {
			t.Errorf("the log holds the cookie %s", cookie.Name)
		}
	}
	if strings.Contains(text, os.Getenv("TEST_PASSWORD")) {
		t.Error("the log holds the password")
	}
	if site.get(t, "/login").status != http.StatusOK {
		t.Error("Caddy does not go on")
	}
}

// documentedLog is the log directive of docs/logs.md that keeps what is secret
// out of Caddy's access log.
func documentedLog(t *testing.T) string {
	t.Helper()
	_, after, _ := strings.Cut(read(t, "docs/logs.md"), "## Caddy's access log")
	_, block, ok := strings.Cut(after, "\tlog {\n")
	block, _, ended := strings.Cut(block, "\n\t}\n")
	if !ok || !ended {
		t.Fatal("docs/logs.md has no log directive")
	}
	return "log {\n" + block + "\n}\n"
}

// TestDocumentedLog: with it no code, state or websocket token is in the access
// log, and without it they are.
func TestDocumentedLog(t *testing.T) {
	for name, directive := range map[string]string{"documented": documentedLog(t), "Caddy's own": "log\n"} {
		t.Run(name, func(t *testing.T) {
			site, logs := logging(t, directive+"panelauth {\n\tbasic_auth open-sesame\n}\nrespond hello", func(config []byte) []byte { return config })
			secrets := []string{"a-secret-code", "a-secret-state", "a-secret-token", "a-secret-referer"}
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, site.origin.String()+"/login?code=a-secret-code&kept=1&state=a-secret-state", nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Referer", site.origin.String()+"/login?state=a-secret-referer")
			request.Header.Set("Sec-WebSocket-Protocol", "bokeh, a-secret-token")
			response, err := site.client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			text := eventuallyLogged(t, logs, "kept=1")
			for _, secret := range secrets {
				if strings.Contains(text, secret) != (name == "Caddy's own") {
					t.Errorf("the log has %s: %v", secret, strings.Contains(text, secret))
				}
			}
		})
	}
}

var logDirective = regexp.MustCompile(`(?m)^\s*log(\s.*)?\{?$`)

// TestExamplesThatLog: an example with an access log has the documented filter.
func TestExamplesThatLog(t *testing.T) {
	files, err := filepath.Glob("example/*/Caddyfile")
	more, moreErr := filepath.Glob("example/*.caddyfile")
	if err != nil || moreErr != nil || len(files) == 0 {
		t.Fatalf("finding examples: %v, %v", err, moreErr)
	}
	for _, file := range append(files, more...) {
		text := read(t, file)
		if !logDirective.MatchString(text) {
			continue
		}
		for line := range strings.Lines(documentedLog(t)) {
			if !strings.Contains(text, strings.TrimSpace(line)) {
				t.Errorf("%s logs without %q of docs/logs.md", file, strings.TrimSpace(line))
			}
		}
	}
}
