// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package panelauth

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyevents"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

func init() {
	caddy.RegisterModule(eventRecorder{})
}

// eventRecorder is an event handler that remembers what it is told.
type eventRecorder struct{}

// recorded is what all of them were told.
var recorded struct {
	sync.Mutex
	events []caddy.Event
}

func (eventRecorder) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "events.handlers.test_recorder",
		New: func() caddy.Module { return new(eventRecorder) },
	}
}

func (*eventRecorder) Handle(_ context.Context, event caddy.Event) error {
	recorded.Lock()
	defer recorded.Unlock()
	recorded.events = append(recorded.events, event)
	return nil
}

func (*eventRecorder) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	return nil
}

var (
	_ caddyevents.Handler   = (*eventRecorder)(nil)
	_ caddyfile.Unmarshaler = (*eventRecorder)(nil)
)

// takeEvents returns what was recorded since it was last called.
func takeEvents() []caddy.Event {
	recorded.Lock()
	defer recorded.Unlock()
	events := recorded.events
	recorded.events = nil
	return events
}

const operatedSite = `{
	events {
		on panelauth.login test_recorder
		on panelauth.login_failed test_recorder
		on panelauth.logout test_recorder
		on panelauth.revoked test_recorder
	}
}

http://localhost:8080 {
	tracing {
		span the-request
	}
	handle_path /panelauth-metrics {
		metrics
	}
	panelauth {
		cookie_secret a-cookie-secret-of-the-tests
		basic_auth open-sesame
		oauth_provider oidc corp {
			key "{env.TEST_CLIENT}"
			secret "{env.TEST_SECRET}"
			extra_params {
				ISSUER {env.TEST_ISSUER}
			}
		}
	}
	respond "the application"
}
`

// operated is a Caddy with an admin endpoint, logs and a provider.
type operated struct {
	*testSite
	admin    string
	provider *providertest.Server
	audit    string // the file, as JSON
	console  string // the file, for people
}

func operate(t *testing.T) *operated {
	t.Helper()
	p := providertest.Start(t)
	file := filepath.Join(t.TempDir(), "Caddyfile")
	text := strings.NewReplacer("{env.TEST_CLIENT}", p.ClientID, "{env.TEST_SECRET}", p.ClientSecret, "{env.TEST_ISSUER}", p.URL).Replace(operatedSite)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	takeEvents()
	o := &operated{testSite: serve(t, file), provider: p, admin: freeAddress(t)}
	folder := t.TempDir()
	o.audit, o.console = filepath.Join(folder, "audit.json"), filepath.Join(folder, "audit.log")
	o.reload(t, func(config map[string]any) {
		config["admin"] = map[string]any{"listen": o.admin, "config": map[string]any{"persist": false}}
		auditLog := func(file, format string) map[string]any {
			return map[string]any{
				"writer":  map[string]any{"output": "file", "filename": file},
				"encoder": map[string]any{"format": format},
				"include": []string{"http.handlers.panelauth.audit"},
			}
		}
		config["logging"] = map[string]any{"logs": map[string]any{
			"default": map[string]any{"writer": map[string]any{"output": "discard"}},
			"json":    auditLog(o.audit, "json"),
			"console": auditLog(o.console, "console"),
		}}
	})
	return o
}

// reload loads the configuration again, with changes.
func (o *operated) reload(t *testing.T, change func(config map[string]any)) {
	t.Helper()
	var config map[string]any
	if err := json.Unmarshal(o.config, &config); err != nil {
		t.Fatal(err)
	}
	change(config)
	changed, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	o.config = changed
	load(t, changed)
}

func (o *operated) signIn(t *testing.T, user, password string) response {
	t.Helper()
	return o.post(t, o.get(t, "/login"), url.Values{"username": {user}, "password": {password}})
}

// signInAtProvider goes there and back.
func (o *operated) signInAtProvider(t *testing.T) {
	t.Helper()
	away := o.get(t, "/login?provider=corp")
	back := o.get(t, "/login?"+o.provider.Visit(t, away.location).Encode())
	if back.status != http.StatusSeeOther {
		t.Fatalf("coming back from the provider: got %d\n%s", back.status, back.body)
	}
}

func (o *operated) askAdmin(t *testing.T, method, uri string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "http://"+o.admin+uri, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode >= 300 {
		t.Fatalf("%s %s: got %d, %v\n%s", method, uri, answer.StatusCode, err, body)
	}
	return string(body)
}

// TestOperations is what an operator sees of people who come and go.
func TestOperations(t *testing.T) {
	o := operate(t)
	const forged = "eve\n2026/11/02 08:00:00.000\tINFO\thttp.handlers.panelauth.audit\tsigned in\t{\"event\": \"login\"}"
	o.signIn(t, forged, "wrong")
	o.signIn(t, "maria", "open-sesame")
	o.reload(t, func(map[string]any) {})
	o.get(t, "/logout")
	o.signInAtProvider(t)

	t.Run("metrics", func(t *testing.T) {
		for from, text := range map[string]string{
			"admin":     o.askAdmin(t, http.MethodGet, "/metrics"),
			"directive": o.get(t, "/panelauth-metrics").body,
		} {
			for _, line := range []string{
				`caddy_panelauth_sign_ins_total{outcome="success",provider="password"} `,
				`caddy_panelauth_sign_ins_total{outcome="success",provider="corp"} `,
				`caddy_panelauth_sign_ins_total{outcome="wrong_credentials",provider="password"} `,
				`caddy_panelauth_sessions_ended_total{reason="logout"} `,
				`caddy_panelauth_sessions 1`,
				`caddy_panelauth_connections `,
				`caddy_panelauth_provider_call_duration_seconds_count{call="token",outcome="success",provider="corp"} `,
				`caddy_panelauth_store_call_duration_seconds_count{call="save",outcome="success",store="storage"} `,
				`caddy_panelauth_hashes{state="waiting"} 0`,
			} {
				if !strings.Contains(text, "\n"+line) {
					t.Errorf("%s: there is no %s", from, line)
				}
			}
			if strings.Contains(text, "maria") || strings.Contains(text, "eve") && strings.Contains(text, `="eve`) {
				t.Errorf("%s: a user is a label", from)
			}
		}
	})

	t.Run("status", func(t *testing.T) {
		text := o.askAdmin(t, http.MethodGet, "/panelauth/status")
		for _, want := range []string{`"kind":"storage","working":true`, `"sessions":1`, `"id":"corp","name":"oidc","ready":true,"reachable":true`} {
			if !strings.Contains(text, want) {
				t.Errorf("it does not say %s: %s", want, text)
			}
		}
		for _, secret := range []string{"open-sesame", "a-cookie-secret", o.provider.ClientSecret} {
			if strings.Contains(text, secret) {
				t.Errorf("it says %s", secret)
			}
		}
	})

	o.askAdmin(t, http.MethodDelete, "/panelauth/sessions?user="+url.QueryEscape(o.onlyUser(t)))

	t.Run("events", func(t *testing.T) {
		var names []string
		for _, event := range takeEvents() {
			names = append(names, event.Name())
			if origin := event.Origin(); origin == nil || origin.CaddyModule().ID != "http.handlers.panelauth" {
				t.Errorf("%s is of %v", event.Name(), origin)
			}
		}
		want := []string{"panelauth.login_failed", "panelauth.login", "panelauth.logout", "panelauth.login", "panelauth.revoked"}
		if !slices.Equal(names, want) {
			t.Errorf("told of %q, want %q", names, want)
		}
	})

	t.Run("audit", func(t *testing.T) {
		var events []string
		for line := range strings.Lines(read(t, o.audit)) {
			var entry struct{ Logger, Event string }
			if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Logger != "http.handlers.panelauth.audit" {
				t.Errorf("a line is %s", line)
			}
			events = append(events, entry.Event)
		}
		want := []string{"login_failed", "login", "logout", "login", "revoked"}
		if !slices.Equal(events, want) {
			t.Errorf("logged are %q, want %q", events, want)
		}
		if n := strings.Count(read(t, o.console), "\n"); n != len(want) {
			t.Errorf("the console's log has %d lines, want %d:\n%s", n, len(want), read(t, o.console))
		}
	})
}

// onlyUser is who has the one session.
func (o *operated) onlyUser(t *testing.T) string {
	t.Helper()
	var sessions []struct{ User string }
	if err := json.Unmarshal([]byte(o.askAdmin(t, http.MethodGet, "/panelauth/sessions")), &sessions); err != nil || len(sessions) != 1 {
		t.Fatalf("sessions are %v, %v", sessions, err)
	}
	return sessions[0].User
}

// collector takes what Caddy exports of traces, as OTLP.
type collector struct {
	mu       sync.Mutex
	received bytes.Buffer
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = io.Copy(&c.received, r.Body)
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func (c *collector) has(text string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Contains(c.received.Bytes(), []byte(text))
}

// TestTracing lets Caddy export the spans of a sign-in. Their names stand in
// what it sends as they are.
func TestTracing(t *testing.T) {
	c := new(collector)
	receiver := httptest.NewServer(c)
	defer receiver.Close()
	for name, value := range map[string]string{
		"OTEL_TRACES_EXPORTER":        "otlp",
		"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
		"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.URL,
		"OTEL_BSP_SCHEDULE_DELAY":     "10",
	} {
		t.Setenv(name, value)
	}
	o := operate(t)
	o.signInAtProvider(t)
	for _, span := range []string{"the-request", "panelauth provider token", "panelauth store save"} {
		deadline := time.Now().Add(30 * time.Second)
		for !c.has(span) && time.Now().Before(deadline) {
			time.Sleep(10 * time.Millisecond)
		}
		if !c.has(span) {
			t.Errorf("no span %q was exported", span)
		}
	}
	for _, secret := range []string{o.provider.ClientSecret, o.sessionCookie(t)} {
		if c.has(secret) {
			t.Errorf("a trace has the secret %q", secret)
		}
	}
	for _, request := range o.provider.Requests(providertest.Token) {
		if request.Header.Get("Traceparent") != "" {
			t.Error("the provider was sent a traceparent")
		}
	}
}
