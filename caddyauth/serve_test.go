// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

const unauthenticated = `{"error":"unauthenticated","login":"/login"}`

// TestWithoutSession is the table "Requests without a session".
func TestWithoutSession(t *testing.T) {
	s := newSite(t)
	fetch := func(r *http.Request) {
		r.Header.Set("Accept", "*/*")
		r.Header.Set("Sec-Fetch-Mode", "cors")
		r.Header.Set("Sec-Fetch-Dest", "empty")
	}
	xhr := func(r *http.Request) {
		r.Header.Set("Accept", "*/*")
		r.Header.Set("X-Requested-With", "XMLHttpRequest")
	}
	tests := []struct {
		name     string
		r        *http.Request
		status   int
		location string
		json     bool
	}{
		{"page", get("/app", browser), 302, "/login?next=%2Fapp", false},
		{"page with a query", get("/app?x=1&y=a%20b", browser), 302, "/login?next=%2Fapp%3Fx%3D1%26y%3Da%2520b", false},
		{"root", get("/", browser), 302, "/login?next=%2F", false},
		{"HEAD", request("HEAD", "/app", browser), 302, "/login?next=%2Fapp", false},
		{"anything", get("/app", header("Accept", "*/*")), 302, "/login?next=%2Fapp", false},
		{"nothing said", get("/app"), 302, "/login?next=%2Fapp", false},
		{"long address", get("/"+strings.Repeat("a", maxNext), browser), 302, "/login?next=%2F", false},
		{"strange address", get("//evil.com", browser), 302, "/login?next=%2F", false},
		{"below the logout endpoint", get("/logout/x", browser), 302, "/login?next=%2F", false},
		{"fetch", get("/api", fetch), 401, "", true},
		{"XHR", get("/api", xhr), 401, "", true},
		{"JSON", get("/api", header("Accept", "application/json")), 401, "", true},
		{"script", get("/app/autoload.js", browser, header("Sec-Fetch-Dest", "script"), header("Sec-Fetch-Mode", "no-cors")), 401, "", true},
		{"event stream", get("/events", header("Accept", "text/event-stream")), 401, "", true},
		{"form", request("POST", "/app", browser), 401, "", false},
		{"program's post", request("POST", "/api", header("Accept", "*/*")), 401, "", true},
		{"program's delete", request("DELETE", "/api"), 401, "", true},
		{"preflight", request("OPTIONS", "/api", browser), 401, "", true},
		{"tunnel", request("CONNECT", "example.com:443"), 401, "", true},
	}
	for name, shape := range websocketShapes {
		tests = append(tests, struct {
			name     string
			r        *http.Request
			status   int
			location string
			json     bool
		}{"websocket, " + name, get("/app/ws", browser, shape), 401, "", true})
	}
	for _, test := range tests {
		for name, cookie := range map[string]string{"": "", " with a cookie of nobody": "panelauth=garbage; user=x; is_guest=1"} {
			t.Run(test.name+name, func(t *testing.T) {
				s := s.in(t)
				r := test.r.Clone(test.r.Context())
				r.Header.Set("Cookie", cookie)
				a := s.serve(r)
				a.wantRefusedHere(test.status)
				a.wantHeader("Location", test.location)
				if test.json {
					a.wantHeader("Content-Type", "application/json")
					if a.text != unauthenticated {
						t.Errorf("says %s", a.text)
					}
				}
			})
		}
	}
}

// TestFormAfterTheEnd: a form that was sent after the session ended gets the
// sign-in page, which leads back to the page that the form was on.
func TestFormAfterTheEnd(t *testing.T) {
	s := newSite(t)
	for referer, next := range map[string]string{
		"https://" + testHost + "/edit?id=1":   "/edit?id=1",
		"https://evil.com/edit":                "/",
		"":                                     "/",
		"https://" + testHost + "//evil.com/x": "/",
		"https://" + testHost + "/logout":      "/",
	} {
		a := s.serve(request("POST", "/save", browser, header("Referer", referer), body("a=b")))
		a.wantRefusedHere(http.StatusUnauthorized)
		a.wantBody(`name="password"`, `action="/login"`, fmt.Sprintf(`name="next" value="%s"`, next))
	}
	t.Run("custom page", func(t *testing.T) {
		s := newSite(t, func(h *Handler) { h.BasicLoginTemplate = newFile(t, "login.html", panelsPage) })
		a := s.serve(request("POST", "/save", browser, header("Referer", "https://"+testHost+"/edit?id=1")))
		a.wantRefusedHere(http.StatusUnauthorized)
		s.serve(post("/login", credentialsForm(testUser, testPassword), cookieLine(a.cookieLine()))).wantHeader("Location", "/edit?id=1")
	})
}

func TestGuestsAndUsers(t *testing.T) {
	for name, s := range map[string]*site{
		"optional":  newSite(t, optional, identityHeaders),
		"endpoints": newSite(t, guestPages("/app"), identityHeaders),
	} {
		t.Run(name, func(t *testing.T) {
			s := s.in(t)
			cookie := s.signInAlice()
			for _, target := range []string{"/app", "/app?x=1", "/app/ws", "/static/js/bokeh.min.js"} {
				for line, want := range map[string]string{"": "guest", "panelauth=garbage": "guest", "is_guest=1; user=x": "guest", cookie: testUser, cookie + "; is_guest=1": testUser} {
					var options []func(*http.Request)
					if strings.HasSuffix(target, "/ws") {
						options = append(options, websocket)
					}
					s.serve(get(target, append(options, cookieLine(line))...)).wantReached()
					if got := s.app.got.Header.Get("Remote-User"); got != want {
						t.Errorf("%s with %.20q is by %q", target, line, got)
					}
					if got := strings.Contains(s.app.got.Header.Get("Cookie"), "is_guest"); got != (want == "guest") {
						t.Errorf("%s with %.20q has the cookies %q", target, line, s.app.got.Header.Get("Cookie"))
					}
				}
			}
			// The way in is there for guests too, and for who is signed in.
			s.serve(get("/login", browser)).wantRefusedHere(http.StatusOK)
			s.serve(get("/login", browser, cookieLine(cookie))).wantRefusedHere(http.StatusOK)
		})
	}
	s := newSite(t, guestPages("/app"))
	s.serve(get("/admin", browser)).wantRefusedHere(http.StatusFound)
	s.serve(get("/admin/ws", websocket)).wantRefusedHere(http.StatusUnauthorized)
	s.serve(get("/admin", cookieLine(s.signInAlice()))).wantReached()
}

// TestOptionalAtOddPaths: what hides something is a guest's nowhere.
func TestOptionalAtOddPaths(t *testing.T) {
	s := newSite(t, optional)
	for _, target := range hidingPaths {
		if r := parsed(target); r != nil {
			s.serve(r).wantRefusedHere(http.StatusFound)
		}
	}
	cookie := s.signInAlice()
	s.serve(get("/a%2Fb;c//d", cookieLine(cookie))).wantReached() // who is signed in may
	if got := s.app.got.URL.EscapedPath(); got != "/a%2Fb;c//d" {
		t.Errorf("the path arrives as %s", got)
	}
}

func TestWebsocketsOfOtherSites(t *testing.T) {
	s := newSite(t, optional, func(h *Handler) { h.WebsocketAllowedOrigins = []string{"https://friend.example"} })
	cookie := s.signInAlice()
	for name, shape := range websocketShapes {
		for _, line := range []string{"", cookie} {
			s.serve(get("/app/ws", shape, cookieLine(line), header("Origin", "https://evil.com"))).wantRefusedHere(http.StatusForbidden)
			s.serve(get("/app/ws", shape, cookieLine(line), header("Origin", "null"))).wantRefusedHere(http.StatusForbidden)
			for _, origin := range []string{"", "https://" + testHost, "https://friend.example"} {
				s.serve(get("/app/ws", shape, cookieLine(line), header("Origin", origin))).wantReached()
				if got := s.app.got.Header.Get("Origin"); got != origin {
					t.Errorf("%s: the origin %q arrives as %q", name, origin, got)
				}
			}
		}
	}
	// The origin of anything else is the application's business.
	s.serve(get("/app", header("Origin", "https://evil.com"))).wantReached()
}

func TestWebsocketOrigin(t *testing.T) {
	s := newSite(t, optional, func(h *Handler) { h.WebsocketOrigin = "http://localhost:5006" })
	for name, shape := range websocketShapes {
		for _, origin := range []string{"", "https://" + testHost} {
			s.serve(get("/app/ws", shape, header("Origin", origin))).wantReached()
			if got := s.app.got.Header["Origin"]; len(got) != 1 || got[0] != "http://localhost:5006" {
				t.Errorf("%s: the origin %q arrives as %q", name, origin, got)
			}
		}
		s.serve(get("/app/ws", shape, header("Origin", "https://evil.com"))).wantRefusedHere(http.StatusForbidden)
	}
	s.serve(request("POST", "/app", header("Origin", "https://"+testHost))).wantReached()
	if got := s.app.got.Header.Get("Origin"); got != "https://"+testHost {
		t.Errorf("the origin of a form arrives as %q", got)
	}
}

func TestSessionLifetime(t *testing.T) {
	for name, options := range map[string][]func(*Handler){"stored": nil, "in the browser": {stateless}} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, append(options, func(h *Handler) { h.OAuthExpiryDays = "0.5" })...)
			c := s.withClock()
			cookie := s.signInAlice()
			for range 11 { // using it does not prolong it (CK-030)
				c.pass(time.Hour)
				if !s.isSignedIn(cookie) {
					t.Fatal("the session ended too early")
				}
			}
			c.pass(time.Hour)
			s.serve(get("/app", browser, cookieLine(cookie))).wantRefusedHere(http.StatusFound)
			s.serve(get("/app/ws", websocket, cookieLine(cookie))).wantRefusedHere(http.StatusUnauthorized)
		})
	}
}

func TestSessionIdle(t *testing.T) {
	for name, options := range map[string][]func(*Handler){"stored": nil, "in the browser": {stateless}} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, append(options, func(h *Handler) { h.SessionIdle = lasting(10 * time.Minute) })...)
			c := s.withClock()
			cookie, other := s.signInAlice(), s.signInAlice()
			for range 5 {
				c.pass(9 * time.Minute)
				if !s.isSignedIn(cookie) {
					t.Fatal("a session in use ended")
				}
			}
			if s.isSignedIn(other) {
				t.Error("a session that was not used goes on")
			}
			c.pass(11 * time.Minute)
			for range 2 {
				if s.isSignedIn(cookie) {
					t.Error("a session goes on after a pause")
				}
			}
		})
	}
}

// TestRemovedUsers are signed out at their next request, and so are those
// whose password changed.
func TestRemovedUsers(t *testing.T) {
	for name, options := range map[string][]func(*Handler){"stored": nil, "in the browser": {stateless}} {
		t.Run(name, func(t *testing.T) {
			path := newFile(t, "users.json", `{"alice": "pw", "bob": {"password": "pw", "groups": ["a"]}}`)
			s := newSite(t, append(options, accountsFile(path), identityHeaders)...)
			alice, bob := s.signIn("alice", "pw"), s.signIn("bob", "pw")
			change := func(content string) {
				writeFile(t, path, content)
				s.credentialsFile.refresh()
			}
			change(`{"bob": {"password": "pw", "groups": ["b"]}, "carol": "pw"}`)
			s.serve(get("/app", browser, cookieLine(alice))).wantRefusedHere(http.StatusFound)
			s.serve(get("/app", cookieLine(bob))).wantReached()
			if got := s.app.got.Header.Get("Remote-Groups"); got != "b" {
				t.Errorf("bob's groups are %q", got)
			}
			s.signIn("carol", "pw")
			change(`{"alice": "pw", "bob": "pw2"}`)
			if s.isSignedIn(bob) {
				t.Error("bob goes on with his old password")
			}
			change(`{"bob": "pw2"`) // half written
			s.signIn("bob", "pw2")
			change(`{}`) // nobody at all
			s.signIn("bob", "pw2")
			os.Remove(path)
			s.credentialsFile.refresh()
			s.signIn("bob", "pw2")
		})
	}
}

// TestSignInSeesTheNewestFile without waiting for the next look at it.
func TestSignInSeesTheNewestFile(t *testing.T) {
	path := newFile(t, "users.json", `{"alice": "pw"}`)
	s := newSite(t, accountsFile(path))
	writeFile(t, path, `{"bob": "pw"}`)
	s.serve(post("/login", credentialsForm("alice", "pw"))).want(http.StatusUnauthorized)
	s.signIn("bob", "pw")
}

// TestSharedSessions: blocks that share secret and store share sessions
// exactly when they share a way in (CK-015, CK-017).
func TestSharedSessions(t *testing.T) {
	dir := newFolder(t)
	with := func(accounts map[string]string, options ...func(*Handler)) *site {
		return newSiteIn(t, &certmagic.FileStorage{Path: dir}, append(options, func(h *Handler) { h.BasicAuth = &BasicAuth{Accounts: accounts} })...)
	}
	first := with(map[string]string{"alice": "pw", "*": "master"})
	alice, anybody := first.signIn("alice", "pw"), first.signIn("anybody", "master")
	tests := []struct {
		name           string
		site           *site
		alice, anybody bool
	}{
		{"the same", with(map[string]string{"alice": "pw", "*": "master"}), true, true},
		{"the account alone", with(map[string]string{"alice": "pw"}), true, false},
		{"the master alone", with(map[string]string{"*": "master"}), false, true},
		{"other passwords", with(map[string]string{"alice": "pw2", "*": "master2"}), false, false},
		{"other users", with(map[string]string{"bob": "pw"}), false, false},
		{"another secret", with(map[string]string{"alice": "pw", "*": "master"}, func(h *Handler) { h.CookieSecret = []string{"a-secret-of-its-own"} }), false, false},
		{"another store", with(map[string]string{"alice": "pw", "*": "master"}, stateless), false, false},
		{"another cookie", with(map[string]string{"alice": "pw", "*": "master"}, func(h *Handler) { h.CookieName = "other" }), false, false},
		{"another storage", newSite(t, func(h *Handler) { h.BasicAuth = &BasicAuth{Accounts: map[string]string{"alice": "pw", "*": "master"}} }), false, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.site.isSignedIn(alice); got != test.alice {
				t.Errorf("alice is signed in: %t", got)
			}
			if got := test.site.isSignedIn(anybody); got != test.anybody {
				t.Errorf("anybody is signed in: %t", got)
			}
		})
	}
	if !first.isSignedIn(alice) || !first.isSignedIn(anybody) {
		t.Error("asking elsewhere ended a session")
	}
}

// TestSessionsOfOtherWaysIn: a session that a provider vouched for is none of
// the password's, whatever it was made with.
func TestSessionsOfOtherWaysIn(t *testing.T) {
	s := newSite(t)
	proof, _ := s.accounts().signIn(testUser, testPassword)
	for provider, want := range map[string]bool{passwordProvider: true, "github": false, "": false} {
		_, value, err := s.door.sessions.Begin(t.Context(), session.Record{User: testUser, Provider: provider, Proof: proof, Expires: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.isSignedIn("panelauth=" + value); got != want {
			t.Errorf("a session of provider %q is good: %t", provider, got)
		}
	}
}

// TestKeyRotation: an older secret goes on opening, a forgotten one does not,
// and a cookie of a forgotten one is no error but no session.
func TestSecretRotation(t *testing.T) {
	for name, option := range map[string]func(*Handler){"stored": func(*Handler) {}, "in the browser": stateless} {
		t.Run(name, func(t *testing.T) {
			dir := newFolder(t)
			with := func(secrets ...string) *site {
				return newSiteIn(t, &certmagic.FileStorage{Path: dir}, option, func(h *Handler) { h.CookieSecret = secrets })
			}
			cookie := with("the-oldest-cookie-secret").signInAlice()
			if !with("the-newest-cookie-secret", "the-oldest-cookie-secret").isSignedIn(cookie) {
				t.Error("the rotation ended the session")
			}
			with("the-newest-cookie-secret").serve(get("/app", browser, cookieLine(cookie))).wantRefusedHere(http.StatusFound)
		})
	}
}

// TestRestart: another process, which has the folder and nothing else.
func TestRestart(t *testing.T) {
	dir := newFolder(t)
	cookie := newSiteIn(t, anotherInstance("before "+dir, dir)).signInAlice()
	s := newSiteIn(t, anotherInstance("after "+dir, dir))
	s.serve(get("/app", cookieLine(cookie))).wantReached()
	if got := s.panelSees(testSecret, time.Now()); got["user"] != testUser {
		t.Errorf("Panel sees %v", got)
	}
}

// TestStoreAway: it never signs anybody out and never lets anybody in.
func TestStoreAway(t *testing.T) {
	dir := newFolder(t)
	storage := anotherInstance("there "+dir, dir)
	here, there := newSiteIn(t, anotherInstance("here "+dir, dir), optional), newSiteIn(t, storage, optional)
	c := there.withClock()
	inMemory := there.signInAlice()
	elsewhere := here.signInAlice()
	storage.setAway(true)

	t.Run("not in memory", func(t *testing.T) {
		for name, options := range map[string][]func(*http.Request){"page": {browser}, "program": {header("Accept", "application/json")}, "websocket": {websocket}, "form": {browser, func(r *http.Request) { r.Method = "POST" }}} {
			a := there.serve(get("/app", append(options, cookieLine(elsewhere))...))
			a.wantRefusedHere(http.StatusServiceUnavailable)
			if a.Header.Get("Retry-After") == "" || a.Header["Set-Cookie"] != nil {
				t.Errorf("%s: the header is %v", name, a.Header)
			}
			if name == "program" && a.text != `{"error":"unavailable"}` {
				t.Errorf("a program is told %s", a.text)
			}
		}
	})
	t.Run("in memory", func(t *testing.T) {
		for range 5 {
			if !there.isSignedIn(inMemory) {
				t.Fatal("the session is over")
			}
			c.pass(time.Hour)
		}
		c.pass(20 * time.Hour)
		there.serve(get("/app", cookieLine(inMemory))).wantReached()
		if there.app.got.Header.Get("Cookie") != "is_guest=1" {
			t.Error("the session outlives its lifetime")
		}
	})
	t.Run("sign-in", func(t *testing.T) {
		a := there.serve(post("/login", credentialsForm(testUser, testPassword)))
		a.wantRefusedHere(http.StatusServiceUnavailable)
		if a.Header.Get("Retry-After") == "" || a.Header["Set-Cookie"] != nil {
			t.Errorf("the header is %v", a.Header)
		}
	})
	t.Run("guests and pages", func(t *testing.T) {
		there.serve(get("/app")).wantReached()
		there.serve(get("/app", cookieLine("panelauth=garbage"))).wantReached()
		there.serve(get("/login", browser)).want(http.StatusOK)
	})
	storage.setAway(false)
	t.Run("back again", func(t *testing.T) {
		cookie := here.signInAlice()
		if !there.isSignedIn(cookie) {
			t.Error("the session is not found")
		}
	})
}

// TestStorageUnmounted: an empty folder where the sessions were is a store
// that is away, not one in which there are none.
func TestStorageUnmounted(t *testing.T) {
	dir := newFolder(t)
	here, there := newSiteIn(t, anotherInstance("here "+dir, dir)), newSiteIn(t, anotherInstance("there "+dir, dir))
	c := there.withClock()
	inMemory, elsewhere := there.signInAlice(), here.signInAlice()
	if err := os.Rename(filepath.Join(dir, storageRoot), filepath.Join(dir, "elsewhere")); err != nil {
		t.Fatal(err)
	}
	there.serve(get("/app", browser, cookieLine(elsewhere))).wantRefusedHere(http.StatusServiceUnavailable)
	there.serve(post("/login", credentialsForm(testUser, testPassword))).wantRefusedHere(http.StatusServiceUnavailable)
	for range 3 {
		c.pass(time.Minute)
		if !there.isSignedIn(inMemory) {
			t.Fatal("the session in memory is over")
		}
	}
	if err := os.Rename(filepath.Join(dir, "elsewhere"), filepath.Join(dir, storageRoot)); err != nil {
		t.Fatal(err)
	}
	c.pass(time.Minute)
	if !there.isSignedIn(elsewhere) || !there.isSignedIn(inMemory) {
		t.Error("the sessions are not there when the folder is back")
	}
}

// TestNothingIsKeptForStrangers: DO-009.
func TestNothingIsKeptForStrangers(t *testing.T) {
	s := newSite(t)
	before, err := s.storage.List(t.Context(), storageRoot, true)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		s.serve(get("/login", browser, from(fmt.Sprint("10.0.", i/256, ".", i%256, ":1"))))
		s.serve(get(fmt.Sprint("/app", i), browser, cookieLine(fmt.Sprint("panelauth=", i))))
	}
	if n := s.door.attempts.failures.Len(); n != 0 {
		t.Errorf("%d attempts are remembered", n)
	}
	keys, err := s.storage.List(t.Context(), storageRoot, true)
	if err != nil || len(keys) != len(before) {
		t.Errorf("the storage has %v, and had %v: %v", keys, before, err)
	}
}

// TestForwardedHeaders: HS-063 to HS-069. What a client says about hosts,
// ports and schemes changes nothing.
func TestForwardedHeaders(t *testing.T) {
	s := newSite(t)
	shape := func(options ...func(*http.Request)) string {
		var shape strings.Builder
		for _, r := range []*http.Request{get("/login", options...), get("/app", options...), get("/logout", options...)} {
			a := s.serve(r)
			fmt.Fprintln(&shape, a.StatusCode, a.Header, a.text)
		}
		signedIn := s.serve(post("/login", credentialsForm(testUser, testPassword), options...))
		cookie := signedIn.Cookies()[0]
		fmt.Fprintln(&shape, signedIn.Header.Get("Location"), cookie.Name, cookie.Domain, cookie.Secure, cookie.Path)
		return shape.String()
	}
	want := shape()
	for name, value := range map[string]string{
		"X-Forwarded-Host": "evil.com", "X-Forwarded-Proto": "https", "X-Forwarded-Port": "8443", "X-Forwarded-Server": "evil.com", "X-Forwarded-Prefix": "/evil",
		"Forwarded": "host=evil.com;proto=https;for=1.1.1.1", "Front-End-Https": "on", "X-Original-Host": "evil.com", "X-Host": "evil.com", "X-Forwarded-Scheme": "https",
	} {
		if got := shape(header(name, value)); got != want {
			t.Errorf("%s changes the answers:\n%s\n%s", name, got, want)
		}
	}
}

// TestStrangeHosts: HS-073, HS-075.
func TestStrangeHosts(t *testing.T) {
	s := newSite(t)
	for _, host := range []string{"", "app.example.com evil.com", "evil.com", "[::1", "a/b", "\x00"} {
		for _, r := range []*http.Request{get("/login", browser), get("/app", browser), get("/app/ws", websocket, header("Origin", "https://evil.org"))} {
			r.Host = host
			a := s.serve(r)
			if a.reached {
				t.Errorf("%q reaches the application", host)
			}
			if host != "" && strings.Contains(fmt.Sprint(a.Header)+a.text, host) {
				t.Errorf("%q is in the answer", host)
			}
		}
	}
}

// TestJSONConfig: a handler from JSON does the same as one from fields.
func TestJSONConfig(t *testing.T) {
	const config = `{"basic_auth": {"alice": "pw"}, "oauth_guest_endpoints": ["/app"], "cookie_secret": ["0123456789abcdef"], "identity_headers": {}, "session_idle": "1h", "login_attempts": {"max": 3, "window": "1m"}, "panel_cookies": ["user"]}`
	s := newSite(t, func(h *Handler) {
		*h = Handler{}
		if err := json.Unmarshal([]byte(config), h); err != nil {
			t.Fatal(err)
		}
	})
	s.serve(get("/app")).wantReached()
	s.serve(get("/admin", cookieLine(s.signIn("alice", "pw")))).wantReached()
	if s.app.got.Header.Get("Remote-User") != "alice" {
		t.Error("identity_headers is lost")
	}
	if got := s.panelSees("0123456789abcdef", time.Now()); len(got) != 1 || got["user"] != "alice" {
		t.Errorf("Panel sees %v", got)
	}
	encoded, err := json.Marshal(s.Handler)
	if err != nil {
		t.Fatal(err)
	}
	var before, after map[string]any
	if json.Unmarshal([]byte(config), &before) != nil || json.Unmarshal(encoded, &after) != nil {
		t.Fatal("no JSON")
	}
	for key := range before {
		if after[key] == nil {
			t.Errorf("%s is lost in %s", key, encoded)
		}
	}
	if len(after) != len(before) {
		t.Errorf("%s has more than was said", encoded)
	}
}

// TestPassedOnAsItIs: the application gets the request that was sent.
func TestPassedOnAsItIs(t *testing.T) {
	s := newSite(t)
	cookie := s.signInAlice()
	for _, target := range []string{"/a%2Fb?x=%zz;y", "//a/../b", "/caf%c3%a9", "/a;b", "/app?next=//evil.com"} {
		s.serve(request("PUT", target, cookieLine(cookie), body("text"))).wantReached()
		got := s.app.got
		if got.Method != "PUT" || got.RequestURI != target || got.URL.RequestURI() != target || got.Host != testHost || got.ContentLength != 4 {
			t.Errorf("%s arrives as %s %s (%s)", target, got.Method, got.URL, got.RequestURI)
		}
	}
}
