// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// What the tests sign in with. The secrets are grepped for in the logs.
const (
	testSecret   = "cookie-secret-of-the-tests"
	testUser     = "alice"
	testPassword = "correct horse battery"
	testHost     = "app.example.com"
)

// site is a provisioned handler with an application behind it.
type site struct {
	*Handler
	t    testing.TB
	logs *observer.ObservedLogs
	app  *application
	// leave cleans up, as a reload does, before the test ends.
	leave func()
}

// newSite provisions a handler with one plain account and a configured secret,
// changed by configure, in a storage of its own.
func newSite(t testing.TB, configure ...func(*Handler)) *site {
	t.Helper()
	return newSiteIn(t, &certmagic.FileStorage{Path: newFolder(t)}, configure...)
}

func newSiteIn(t testing.TB, storage certmagic.Storage, configure ...func(*Handler)) *site {
	t.Helper()
	s, err := tryNewSite(t, storage, configure...)
	if err != nil {
		t.Fatal("provisioning:", err)
	}
	return s
}

func tryNewSite(t testing.TB, storage certmagic.Storage, configure ...func(*Handler)) (*site, error) {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	h := &Handler{
		BasicAuth:    &BasicAuth{Accounts: map[string]string{testUser: testPassword}},
		CookieSecret: []string{testSecret},
	}
	for _, change := range configure {
		change(h)
	}
	ctx, cancel := caddy.NewContext(caddy.Context{Context: context.Background()})
	err := h.provision(ctx, zap.New(core), storage)
	leave := sync.OnceFunc(func() {
		cancel()
		if err := h.Cleanup(); err != nil {
			t.Error("cleaning up:", err)
		}
	})
	t.Cleanup(leave)
	return &site{Handler: h, t: t, logs: logs, app: &application{}, leave: leave}, err
}

// Options of newSite that many tests use.
func stateless(h *Handler)        { h.SessionStore = "cookie" }
func optional(h *Handler)         { h.OAuthOptional = true }
func identityHeaders(h *Handler)  { h.IdentityHeaders = map[string]string{} }
func masterPassword(h *Handler)   { h.BasicAuth = &BasicAuth{Source: testPassword} }
func generatedSecrets(h *Handler) { h.CookieSecret = nil }
func noPanelCookies(h *Handler)   { h.PanelCookies = []string{"off"} }
func idleLimit(h *Handler)        { h.SessionIdle = "1h" }

func guestPages(pages ...string) func(*Handler) {
	return func(h *Handler) { h.OAuthGuestEndpoints = pages }
}

func accountsFile(path string) func(*Handler) {
	return func(h *Handler) { h.BasicAuth = &BasicAuth{Source: path} }
}

func attemptsLimit(n int, window time.Duration) func(*Handler) {
	return func(h *Handler) {
		h.LoginAttempts = &LoginAttempts{Max: Number(strconv.Itoa(n)), Window: lasting(window)}
	}
}

// lasting is a duration as an option.
func lasting(d time.Duration) Duration { return Duration(d.String()) }

// in is the same site in a subtest.
func (s *site) in(t testing.TB) *site {
	here := *s
	here.t = t
	return &here
}

// clock is a time that passes when a test says so.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Now().Truncate(time.Second)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// run lets time pass twenty times as fast as it does, until ctx is done.
func (c *clock) run(ctx context.Context) {
	for ctx.Err() == nil {
		time.Sleep(50 * time.Millisecond)
		c.pass(time.Second)
	}
}

// withClock gives a site, and the sessions behind it, a clock of its own.
func (s *site) withClock() *clock {
	s.t.Helper()
	c := newClock()
	s.useClock(c)
	return c
}

func (s *site) useClock(c *clock) {
	s.t.Helper()
	config := session.Config{Secrets: s.settings.secrets, Now: c.Now, Ended: func(ended *session.Session) { s.door.live.closeAll(ended.ID) }}
	if !s.settings.stateless {
		config.Store = s.door.storage
	}
	sessions, err := session.NewManager(config)
	if err != nil {
		s.t.Fatal(err)
	}
	s.now, s.door.sessions = c.Now, sessions
}

// application records what reaches it.
type application struct {
	hits int
	got  *http.Request
	do   func(http.ResponseWriter, *http.Request)
}

func (a *application) ServeHTTP(w http.ResponseWriter, r *http.Request) error {
	a.hits++
	seen := *r
	seen.Header = r.Header.Clone()
	a.got = &seen
	if a.do != nil {
		a.do(w, r)
	}
	return nil
}

// answer is what the client gets.
type answer struct {
	*http.Response
	t       testing.TB
	text    string
	reached bool   // the application answered
	user    string // who it was for, to Caddy
}

// serve sends one request through ServeHTTP as Caddy would.
func (s *site) serve(r *http.Request) answer {
	s.t.Helper()
	before := s.app.hits
	recorder := httptest.NewRecorder()
	if err := s.ServeHTTP(recorder, prepared(r), s.app); err != nil {
		s.t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	response := recorder.Result()
	body, _ := io.ReadAll(response.Body)
	a := answer{Response: response, t: s.t, text: string(body), reached: s.app.hits > before}
	if !a.reached {
		a.wantHeader("Cache-Control", "no-store")
		return a
	}
	a.user, _ = replacerOf(s.app.got).GetString("http.auth.user.id")
	return a
}

// prepared gives a request what Caddy's server gives it, unless it has it.
func prepared(r *http.Request) *http.Request {
	if r.Context().Value(caddyhttp.VarsCtxKey) != nil {
		return r
	}
	return caddyhttp.PrepareRequest(r, caddy.NewReplacer(), nil, nil)
}

func replacerOf(r *http.Request) *caddy.Replacer {
	return r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
}

// request makes a request as a server reads it from the wire. Options are
// applied in order.
func request(method, target string, options ...func(*http.Request)) *http.Request {
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(method + " " + target + " HTTP/1.1\r\nHost: " + testHost + "\r\n\r\n")))
	if err != nil {
		panic(err)
	}
	r.RemoteAddr = "192.0.2.1:4711"
	for _, option := range options {
		option(r)
	}
	return r
}

func get(target string, options ...func(*http.Request)) *http.Request {
	return request(http.MethodGet, target, options...)
}

// post sends a form from a page of this site.
func post(target string, form url.Values, options ...func(*http.Request)) *http.Request {
	options = append([]func(*http.Request){
		header("Content-Type", "application/x-www-form-urlencoded"),
		header("Origin", "https://"+testHost),
		header("Sec-Fetch-Site", "same-origin"),
		header("Accept", "text/html"),
		body(form.Encode()),
	}, options...)
	return request(http.MethodPost, target, options...)
}

func body(text string) func(*http.Request) {
	return func(r *http.Request) {
		r.Body = io.NopCloser(strings.NewReader(text))
		r.ContentLength = int64(len(text))
	}
}

// header sets a header, or removes it if the value is empty.
func header(name, value string) func(*http.Request) {
	return func(r *http.Request) {
		if value == "" {
			r.Header.Del(name)
			return
		}
		r.Header.Set(name, value)
	}
}

// cookieLine adds one line of cookies.
func cookieLine(line string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Add("Cookie", line) }
}

func from(address string) func(*http.Request) {
	return func(r *http.Request) { r.RemoteAddr = address }
}

// overTLS makes the request one that came by HTTPS.
func overTLS(r *http.Request) { r.TLS = httptest.NewRequest(http.MethodGet, "https://x/", nil).TLS }

// browser gives a request the headers that a browser sends for a page.
func browser(r *http.Request) {
	for name, value := range map[string]string{
		"Accept":         "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
		"Sec-Fetch-Dest": "document",
		"Sec-Fetch-Mode": "navigate",
		"Sec-Fetch-Site": "none",
	} {
		r.Header.Set(name, value)
	}
}

// websocket makes a request the opening of a websocket over HTTP/1.1.
func websocket(r *http.Request) {
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "websocket")
	r.Header.Set("Sec-WebSocket-Version", "13")
	r.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
}

func credentialsForm(user, password string) url.Values {
	return url.Values{"username": {user}, "password": {password}}
}

// signIn signs somebody in and returns the Cookie line of the session.
func (s *site) signIn(user, password string, options ...func(*http.Request)) string {
	s.t.Helper()
	a := s.serve(post(s.settings.login, credentialsForm(user, password), options...))
	a.want(http.StatusSeeOther)
	return a.cookieLine()
}

func (s *site) signInAlice(options ...func(*http.Request)) string {
	s.t.Helper()
	return s.signIn(testUser, testPassword, options...)
}

// isSignedIn reports whether a Cookie line is a session's.
func (s *site) isSignedIn(line string, options ...func(*http.Request)) bool {
	s.t.Helper()
	return s.serve(get("/private", append(options, cookieLine(line))...)).reached
}

// cookieLine is what a browser without cookies sends after this answer.
func (a answer) cookieLine() string {
	var pairs []string
	for _, cookie := range a.Cookies() {
		if cookie.MaxAge >= 0 {
			pairs = append(pairs, cookie.Name+"="+cookie.Value)
		}
	}
	return strings.Join(pairs, "; ")
}

// cookie is the last cookie of that name that the answer sets, or nil.
func (a answer) cookie(name string) *http.Cookie {
	var found *http.Cookie
	for _, cookie := range a.Cookies() {
		if cookie.Name == name {
			found = cookie
		}
	}
	return found
}

func (a answer) want(status int) {
	a.t.Helper()
	if a.StatusCode != status {
		a.t.Fatalf("status is %d, want %d; Location %q, body %.300q", a.StatusCode, status, a.Header.Get("Location"), a.text)
	}
}

func (a answer) wantHeader(name, value string) {
	a.t.Helper()
	if got := a.Header.Get(name); got != value {
		a.t.Errorf("%s is %q, want %q", name, got, value)
	}
}

func (a answer) wantRefusedHere(status int) {
	a.t.Helper()
	if a.reached {
		a.t.Error("the request reached the application")
	}
	a.want(status)
}

func (a answer) wantBody(parts ...string) {
	a.t.Helper()
	for _, part := range parts {
		if !strings.Contains(a.text, part) {
			a.t.Errorf("the body lacks %q: %.500q", part, a.text)
		}
	}
}

// wantUser checks who the request was for, nobody if it did not get through.
func (a answer) wantUser(user string) {
	a.t.Helper()
	if a.user != user || a.reached != (user != "") {
		a.t.Fatalf("the user is %q, want %q; status %d", a.user, user, a.StatusCode)
	}
}

func (a answer) wantReached() {
	a.t.Helper()
	if !a.reached {
		a.t.Fatalf("the request did not reach the application: status %d, Location %q", a.StatusCode, a.Header.Get("Location"))
	}
}

// flakyStorage is a storage that can be away. Its name is its own, so that no
// two tests share a door.
type flakyStorage struct {
	certmagic.Storage
	name string
	mu   sync.Mutex
	away bool
}

var errAway = errors.New("the storage is away")

func newFlakyStorage(t testing.TB) *flakyStorage {
	dir := newFolder(t)
	return anotherInstance(dir, dir)
}

// anotherInstance is a storage that shares a folder and nothing else.
func anotherInstance(name, dir string) *flakyStorage {
	return &flakyStorage{Storage: &certmagic.FileStorage{Path: dir}, name: "flaky " + name}
}

func (f *flakyStorage) String() string { return f.name }

func (f *flakyStorage) setAway(away bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.away = away
}

func (f *flakyStorage) err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away {
		return errAway
	}
	return nil
}

func (f *flakyStorage) Store(ctx context.Context, key string, value []byte) error {
	if err := f.err(); err != nil {
		return err
	}
	return f.Storage.Store(ctx, key, value)
}

func (f *flakyStorage) Load(ctx context.Context, key string) ([]byte, error) {
	if err := f.err(); err != nil {
		return nil, err
	}
	return f.Storage.Load(ctx, key)
}

func (f *flakyStorage) Delete(ctx context.Context, key string) error {
	if err := f.err(); err != nil {
		return err
	}
	return f.Storage.Delete(ctx, key)
}

func (f *flakyStorage) List(ctx context.Context, prefix string, recursive bool) ([]string, error) {
	if err := f.err(); err != nil {
		return nil, err
	}
	return f.Storage.List(ctx, prefix, recursive)
}

// eventually waits for something that another goroutine does.
func eventually(t testing.TB, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !happened(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("did not happen:", what)
		}
	}
}

// newFolder is a folder for a storage. Unlike t.TempDir it does not mind that
// sessions are written to it in the background while it is deleted.
func newFolder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "panelauth-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { eventually(t, "the storage is deleted", func() bool { return os.RemoveAll(dir) == nil }) })
	return dir
}

// writeFile replaces a file by rename, as careful editors do.
func writeFile(t testing.TB, path, content string) {
	t.Helper()
	temporary := path + ".new"
	if err := os.WriteFile(temporary, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(temporary, path); err != nil {
		t.Fatal(err)
	}
}

// newFile makes a file in a folder of its own.
func newFile(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	writeFile(t, path, content)
	return path
}

// bcryptOf is a hash of the least cost that bcrypt has.
func bcryptOf(t testing.TB, password string, cost int) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), cost)
	if err != nil {
		t.Fatal(err)
	}
	return string(hash)
}

// argonOf is a hash that costs next to nothing.
func argonOf(password string) string {
	salt := []byte("saltsaltsaltsalt")
	encode := base64.RawStdEncoding.EncodeToString
	return "$argon2id$v=19$m=64,t=1,p=1$" + encode(salt) + "$" + encode(argon2.IDKey([]byte(password), salt, 1, 64, 1, 32))
}

// Argon2id hashes with parameters that cost next to nothing.
const (
	argonOfHorse  = "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$+cxBsimNJYQeHr8yN+oBu9XE7W6a3iODBUVFZytL8gY"
	argonOfDonkey = "$argon2id$v=19$m=128,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$44ZAziUUJf78YSpevr3A/2K7YQ3kzccp6eqwAHcdgg8"
)

func newRecorder() *httptest.ResponseRecorder { return httptest.NewRecorder() }
