// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// everything is a Caddy that uses all there is, with every log turned up as far
// as it goes, and what took part that nobody may read.
type everything struct {
	t *testing.T
	*caddyServer
	provider *openIDProvider
	redis    *redisServer
	app      *recorder
	key      string // an API key
	secrets  map[string]string
	told     []string // what else Caddy said, beside its logs
}

const (
	redisPassword  = "the-password-of-the-redis-of-these-tests"
	websocketToken = "a-websocket-token-of-these-tests"
	bobsPassword   = "bobs-battery-staple"
)

// documentedLog is the log directive of docs/logs.md that keeps secrets out of
// Caddy's own logs.
func documentedLog(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/logs.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "## Caddy's access log")
	_, block, ok := strings.Cut(after, "\tlog {\n")
	block, _, ended := strings.Cut(block, "\n\t}\n")
	if !ok || !ended {
		t.Fatal("docs/logs.md has no log directive")
	}
	return "log {\n" + block + "\n\t}\n"
}

func startEverything(t *testing.T) *everything {
	t.Helper()
	port := freePort(t)
	e := &everything{
		t: t, provider: shortLived(t, 6, port), app: notPanel(t),
		redis: redis(t, "--requirepass", redisPassword, "--save", ""),
		secrets: map[string]string{
			"my_old_cookie_secret_of_these_tests":          "older cookie secret",
			cookieSecret:                                   "cookie secret",
			"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=": "encryption key",
			clientSecret(clientBasic):                      "client secret",
			redisPassword:                                  "password of Redis",
			"alices-horse-battery":                         "password",
			bobsPassword:                                   "hashed password",
			"a-password-that-is-wrong":                     "wrong password",
			"a-code-that-was-made-up":                      "forged code",
			"a-state-that-was-made-up":                     "forged state",
			"a-session-that-was-made-up":                   "forged session",
			"a-bearer-token-that-was-made-up":              "forged token",
			websocketToken:                                 "websocket token",
		},
	}
	for name, value := range map[string]string{
		"A_SECRET": cookieSecret, "AN_OLD_SECRET": "my_old_cookie_secret_of_these_tests", "A_REDIS_PASSWORD": redisPassword,
		"AN_ENCRYPTION_KEY": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "OTEL_TRACES_EXPORTER": "console",
		"OTEL_BSP_SCHEDULE_DELAY": "100",
	} {
		t.Setenv(name, value)
	}
	e.caddyServer = &caddyServer{
		url: fmt.Sprintf("http://localhost:%d", port), admin: fmt.Sprintf("127.0.0.1:%d", freePort(t)),
		port: port, storage: t.TempDir(), file: filepath.Join(t.TempDir(), "Caddyfile"),
	}
	if err := os.WriteFile(e.file, []byte(e.caddyfile()), 0o600); err != nil {
		t.Fatal(err)
	}
	e.run(t)
	return e
}

// caddyfile has the documented log for all there is to say, since at debug level
// Caddy's proxy prints headers as well.
func (e *everything) caddyfile() string {
	log := documentedLog(e.t)
	return fmt.Sprintf(`{
	debug
	admin %s
	default_bind 127.0.0.1
	storage file_system %q
	metrics
	%s
	servers {
		trace
	}
}
%s {
	%s
	tracing {
		span everything
	}
	panelauth {
		cookie_secret {env.A_SECRET} {env.AN_OLD_SECRET}
		basic_auth %s
		basic_auth_header
		%s
		bearer corp {
			audience %s
		}
		oauth_encryption_key {env.AN_ENCRYPTION_KEY}
		oauth_refresh_tokens
		token_endpoint
		panel_cookies encrypted user id_token access_token refresh_token oauth_expiry
		identity_headers
		session_store redis redis://:{env.A_REDIS_PASSWORD}@%s
		session_idle 1h
		login_attempts 3 2m
	}
	reverse_proxy %s
}
`, e.admin, e.storage, log, e.url, log, e.accounts(), strings.Replace(e.provider.block("corp"), "ISSUER", "prompt consent\n\t\t\tISSUER", 1), clientBasic, e.redis.address(), e.app.address)
}

// accounts writes the credentials file.
func (e *everything) accounts() string {
	e.t.Helper()
	hash, err := exec.Command(caddyProgram, "hash-password", "--plaintext", bobsPassword).Output()
	if err != nil {
		e.t.Fatal(err)
	}
	made, err := exec.Command(caddyProgram, "panelauth", "api-key", "robot").Output()
	if err != nil {
		e.t.Fatal(err)
	}
	key, line, _ := strings.Cut(strings.TrimSpace(string(made)), "\n")
	e.key = key
	e.secrets[key] = "API key"
	e.secrets[strings.TrimSpace(string(hash))] = "password hash"
	return write(e.t, "users.json", fmt.Sprintf(`{"alice": "alices-horse-battery", "bob": %q, "robot": {%s}}`, strings.TrimSpace(string(hash)), line))
}

// TestNothingTellsSecrets: after everything was done that there is to do, no
// secret, token, code or cookie that took part is in any log, at any level, in
// the configuration, the status, the metrics, the traces, a page, or readable in
// a store.
func TestNothingTellsSecrets(t *testing.T) {
	e := startEverything(t)
	e.passwords()
	e.programs()
	e.providers()
	e.hears("what an operator asks for", e.asOperator()...)
	e.keepsToItself()
	e.troubles()
	e.stop()

	log := e.output()
	for _, part := range []string{`"level":"debug"`, "http.log.access", "panelauth.audit", "http.handlers.reverse_proxy", "panelauth provider token", "panelauth store save", `"user_id":"robot"`} {
		if !strings.Contains(log, part) {
			t.Errorf("%q is not in the log, so this test proves less than it says", part)
		}
	}
	for value, name := range e.spellings() {
		if strings.Contains(log, value) {
			t.Errorf("the log holds the %s: %.600s", name, lineWith(log, value))
		}
		for _, text := range e.told {
			if strings.Contains(text, value) {
				t.Errorf("the %s is told: %.300s", name, lineWith(text, value))
			}
		}
	}
	for _, name := range []string{"code", "state", "nonce", "code_verifier", "access_token", "refresh_token", "id_token"} {
		if !contains(e.secrets, name) {
			t.Errorf("no %s took part, so this test proves less than it says", name)
		}
	}
}

func contains(values map[string]string, wanted string) bool {
	for _, value := range values {
		if value == wanted {
			return true
		}
	}
	return false
}

// spellings are the secrets as they are, as in addresses, and as in Basic.
func (e *everything) spellings() map[string]string {
	all := maps.Clone(e.secrets)
	for value, name := range e.secrets {
		all[url.QueryEscape(value)] = name
	}
	for _, user := range []string{"alice", "bob", "robot"} {
		for value, name := range e.secrets {
			if strings.Contains(name, "password") || name == "API key" {
				all[base64.StdEncoding.EncodeToString([]byte(user+":"+value))] = name + " in a header"
			}
		}
	}
	return all
}

// hears takes down what Caddy said.
func (e *everything) hears(what string, texts ...string) {
	e.t.Helper()
	for _, text := range texts {
		if text == "" {
			e.t.Errorf("nothing is said: %s", what)
		}
	}
	e.told = append(e.told, texts...)
}

// shown is an answer, headers without cookies and body.
func (e *everything) shown(request *http.Request) string {
	e.t.Helper()
	client := &http.Client{Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		e.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		e.t.Fatal(err)
	}
	response.Header.Del("Set-Cookie")
	return fmt.Sprint(response.Status, " ", response.Header, " ", string(body))
}

func (e *everything) passwords() {
	t := e.t
	visitor := browser(t)
	visitor.open(e.url + "/page")
	visitor.signIn("alice", "a-password-that-is-wrong")
	visitor.signIn("alice", "alices-horse-battery")
	visitor.sees("not Panel")
	maps.Copy(e.secrets, secretCookies(t, visitor, e.app))
	e.hears("a failed sign-in", e.shown(form(t, e.url+"/login", "bob", "a-password-that-is-wrong")))
	post(t, e.url+"/login", "bob", bobsPassword)
	socket := with(websocket(t, e.url+"/page/ws"), visitor.cookies())
	socket.Header.Set("Sec-WebSocket-Protocol", "bokeh, "+websocketToken)
	answer(t, socket)
	forged := navigation(t, e.url+"/page")
	forged.Header.Set("Cookie", "panelauth=a-session-that-was-made-up; user=a-session-that-was-made-up")
	e.hears("a forged session", e.shown(forged))
	e.hears("a forged answer", e.shown(navigation(t, e.url+"/login?code=a-code-that-was-made-up&state=a-state-that-was-made-up")))
	// Sent with the form, not in the address.
	crossing := form(t, e.url+"/login", "alice", "alices-horse-battery")
	crossing.Header.Set("Origin", "http://elsewhere.example")
	e.hears("a form of another site", e.shown(crossing))
	for range 4 {
		e.hears("too many attempts", e.shown(form(t, e.url+"/login", "mallory", "a-password-that-is-wrong")))
	}
	visitor.open(e.url + "/logout")
}

func (e *everything) programs() {
	t := e.t
	for _, show := range []func(*http.Request){
		func(r *http.Request) { r.SetBasicAuth("alice", "alices-horse-battery") },
		func(r *http.Request) { r.SetBasicAuth("alice", "a-password-that-is-wrong") },
		func(r *http.Request) { r.SetBasicAuth("robot", e.key) },
		func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+e.key) },
		func(r *http.Request) { r.Header.Set("Authorization", "Bearer a-bearer-token-that-was-made-up") },
		func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+e.key+"x") },
	} {
		for _, path := range []string{"/page", "/login/me"} {
			e.hears("a program", shows(t, e.url+path, show))
		}
	}
}

func (e *everything) providers() {
	t := e.t
	visitor := browser(t)
	visitor.open(e.url + "/login?next=%2Fpage")
	visitor.click("Continue with corp")
	visitor.signInAt(e.provider, "alice")
	visitor.sees("not Panel")
	visitor.fetches("/login/token")
	maps.Copy(e.secrets, secretCookies(t, visitor, e.app))
	time.Sleep(6 * time.Second) // the provider's clock is the real one
	visitor.open(e.url + "/page")
	eventually(t, patience, "a renewal", func() bool { return e.provider.renewals() > 0 })
	visitor.open(e.url + "/page")
	maps.Copy(e.secrets, secretCookies(t, visitor, e.app))
	maps.Copy(e.secrets, e.provider.report().Secrets)
	for value, name := range e.secrets {
		if name == "id_token" {
			shows(t, e.url+"/page", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+value) })
		}
	}
	e.hears("a provider's sign-in", e.shown(with(navigation(t, e.url+"/login/me"), visitor.cookies())))
}

// asOperator asks for everything that there is to ask for.
func (e *everything) asOperator() (texts []string) {
	for _, path := range []string{"/config/", "/metrics", "/panelauth/status", "/panelauth/sessions"} {
		texts = append(texts, shows(e.t, "http://"+e.admin+path, func(*http.Request) {}))
	}
	config := texts[0]
	for _, placeholder := range []string{"{env.A_SECRET}", "{env.A_REDIS_PASSWORD}", "{env.AN_ENCRYPTION_KEY}"} {
		if !strings.Contains(config, placeholder) {
			e.t.Errorf("%s is not in the configuration", placeholder)
		}
	}
	for _, command := range []string{"status", "sessions list"} {
		output, err := exec.Command(caddyProgram, append(append([]string{"panelauth"}, strings.Fields(command)...), "--address", e.admin)...).CombinedOutput()
		if err != nil {
			e.t.Errorf("caddy panelauth %s: %v\n%s", command, err, output)
		}
		texts = append(texts, string(output))
	}
	return texts
}

// keepsToItself takes down what is in the stores, and that they have something.
func (e *everything) keepsToItself() {
	keys := strings.Fields(e.redis.ask("-a", redisPassword, "--no-auth-warning", "keys", "*"))
	kinds := map[string]bool{}
	for _, key := range keys {
		kinds[strings.Split(key, "/")[0]] = true
		e.told = append(e.told, key+" "+e.redis.ask("-a", redisPassword, "--no-auth-warning", "get", key))
		if strings.Contains(key, "alice") || strings.Contains(key, "127.0") {
			e.t.Errorf("the key is %s", key)
		}
	}
	for _, kind := range []string{"panelauth:sessions", "panelauth:index", "panelauth:attempts"} {
		if !kinds[kind] {
			e.t.Errorf("nothing of %s in %q", kind, keys)
		}
	}
	err := filepath.WalkDir(e.storage, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			text, _ := os.ReadFile(path)
			e.told = append(e.told, string(text))
		}
		return err
	})
	if err != nil {
		e.t.Error(err)
	}
}

// troubles is what is said while the provider and Redis are away.
func (e *everything) troubles() {
	t := e.t
	visitor := browser(t)
	visitor.open(e.url + "/page")
	visitor.click("Continue with corp")
	visitor.isAskedBy(e.provider)
	cookies := visitor.cookies()
	maps.Copy(e.secrets, e.provider.report().Secrets)
	for _, cookie := range cookies {
		if name, state, ok := strings.Cut(cookie.Name, "_state_"); ok {
			e.secrets[cookie.Value] = "cookie " + name + state
		}
	}
	e.provider.stop()
	e.hears("no provider", e.shown(navigation(t, e.url+"/login?provider=corp")))
	e.redis.kill()
	e.hears("no store", e.shown(form(t, e.url+"/login", "alice", "alices-horse-battery")))
	unknown := navigation(t, e.url+"/page")
	for value, name := range e.secrets {
		if name == "cookie panelauth" {
			unknown.Header.Set("Cookie", "panelauth="+value)
		}
	}
	e.hears("no session", e.shown(unknown))
	e.hears("status", shows(t, "http://"+e.admin+"/panelauth/status", func(*http.Request) {}))
}
