// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/certmagic"
)

const bobsFile = `{
	"bob": {"password": "pw", "name": "Bob Ü. O'Brien", "email": "bob@x.org", "groups": ["a", "b, c", "d%"]},
	"eve": "pw"
}`

func TestPlaceholders(t *testing.T) {
	s := newSite(t, accountsFile(newFile(t, "users.json", bobsFile)), optional)
	tests := []struct {
		name, cookie string
		want         map[string]string
	}{
		{"signed in", s.signIn("bob", "pw"), map[string]string{
			"id": "bob", "user": "bob", "username": "bob", "provider": "password", "guest": "false", "name": "Bob Ü. O'Brien", "email": "bob@x.org", "groups": "a,b, c,d%", "no_such_claim": "",
		}},
		{"signed in, fewer claims", s.signIn("eve", "pw"), map[string]string{"id": "eve", "guest": "false", "name": "", "groups": ""}},
		{"guest", "a=b", map[string]string{"id": "guest", "user": "guest", "username": "guest", "provider": "", "guest": "true", "name": "", "email": ""}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := s.in(t)
			s.serve(get("/app", cookieLine(test.cookie))).wantReached()
			for name, want := range test.want {
				if got := replacerOf(s.app.got).ReplaceAll("{http.auth.user."+name+"}", ""); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
		})
	}
}

// TestPlaceholdersAreNotExpanded: CVE-2026-30852. A name that looks like a
// placeholder is a name.
func TestPlaceholdersAreNotExpanded(t *testing.T) {
	t.Setenv("PANELAUTH_TEST_SECRET", "leaked")
	s := newSite(t, masterPassword, identityHeaders)
	for _, user := range []string{"{env.PANELAUTH_TEST_SECRET}", "{file./etc/passwd}", "{http.request.host}", "{{x}}"} {
		s.serve(get("/app", cookieLine(s.signIn(user, testPassword)))).wantReached()
		if got := replacerOf(s.app.got).ReplaceAll("{http.auth.user.id}", ""); got != user {
			t.Errorf("%s is %q to Caddy", user, got)
		}
		if got := s.app.got.Header["Remote-User"]; !reflect.DeepEqual(got, []string{user}) {
			t.Errorf("%s is %q to the application", user, got)
		}
	}
}

// TestPlaceholdersOfTwoHandlers: the last one that a request passes counts.
func TestPlaceholdersOfTwoHandlers(t *testing.T) {
	outer := newSite(t, optional)
	inner := newSite(t, accountsFile(newFile(t, "users.json", bobsFile)), func(h *Handler) { h.CookieName = "inner" })
	cookie := inner.signIn("bob", "pw")
	outer.app.do = func(w http.ResponseWriter, r *http.Request) {
		if err := inner.ServeHTTP(w, r, inner.app); err != nil {
			t.Error(err)
		}
	}
	outer.serve(get("/app", cookieLine(cookie))).wantReached()
	if inner.app.hits != 1 {
		t.Fatal("the inner handler let nobody in")
	}
	repl := replacerOf(inner.app.got)
	for name, want := range map[string]string{"id": "bob", "guest": "false", "email": "bob@x.org", "provider": "password"} {
		if got := repl.ReplaceAll("{http.auth.user."+name+"}", ""); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	if id, _ := caddyhttp.GetVar(inner.app.got.Context(), identityVar).(*identity); id == nil || id.user != "bob" {
		t.Errorf("matchers see %+v", id)
	}
}

// TestPlaceholdersDoNotMix: what the last handler knows nothing of is nothing,
// not what another handler knew of somebody else.
func TestPlaceholdersDoNotMix(t *testing.T) {
	path := newFile(t, "users.json", bobsFile)
	named := func(name string) *site {
		return newSite(t, accountsFile(path), func(h *Handler) { h.CookieName = name })
	}
	first, second, third := named("first"), named("second"), newSite(t, optional)
	handlers := []*site{first, second, third}
	for i, s := range handlers[:2] {
		s.app.do = func(w http.ResponseWriter, r *http.Request) {
			if err := handlers[i+1].ServeHTTP(w, r, handlers[i+1].app); err != nil {
				t.Error(err)
			}
		}
	}
	want := func(s *site, user, name, guest string) {
		t.Helper()
		repl := replacerOf(s.app.got)
		for claim, value := range map[string]string{"id": user, "user": user, "username": user, "name": name, "guest": guest} {
			if got := repl.ReplaceAll("{http.auth.user."+claim+"}", ""); got != value {
				t.Errorf("%s: the claim %s is %q", user, claim, got)
			}
		}
	}
	second.app.do = nil
	first.serve(get("/app", cookieLine(first.signIn("bob", "pw")), cookieLine(second.signIn("eve", "pw")))).wantReached()
	want(second, "eve", "", "false")
	second.app.do = func(w http.ResponseWriter, r *http.Request) { _ = third.ServeHTTP(w, r, third.app) }
	first.serve(get("/app", cookieLine(first.signIn("eve", "pw")), cookieLine(second.signIn("bob", "pw")))).wantReached()
	want(third, "guest", "", "true")
}

// TestTwoHandlers on one request, each with its own accounts and cookie, the
// inner one behind the outer: who has both sessions gets through.
func TestTwoHandlers(t *testing.T) {
	dir := newFolder(t)
	handler := func(name, user string) *site {
		return newSiteIn(t, &certmagic.FileStorage{Path: dir}, identityHeaders, func(h *Handler) {
			h.CookieName, h.BasicAuth = name, &BasicAuth{Accounts: map[string]string{user: "pw"}}
		})
	}
	outer, inner := handler("outer", "alice"), handler("inner", "bob")
	outer.app.do = func(w http.ResponseWriter, r *http.Request) {
		if err := inner.ServeHTTP(w, r, inner.app); err != nil {
			t.Error(err)
		}
	}
	alice, bob := outer.signIn("alice", "pw"), inner.signIn("bob", "pw")
	for line, want := range map[string]string{alice: "", bob: "", alice + "; " + bob: "bob", bob + "; " + alice: "bob"} {
		inner.app.hits = 0
		outer.serve(get("/app", browser, cookieLine(line)))
		if (inner.app.hits == 1) != (want != "") {
			t.Errorf("%.20q…: the application is reached %d times", line, inner.app.hits)
			continue
		}
		if want == "" {
			continue
		}
		if got := inner.app.got.Header["Remote-User"]; len(got) != 1 || got[0] != want {
			t.Errorf("%.20q…: the user is %q", line, got)
		}
	}
}

// TestTwoHandlersGuestFirst: who is a guest to the first may be somebody to
// the second. What the first took out stays out, and what was changed between
// the two stays changed.
func TestTwoHandlersGuestFirst(t *testing.T) {
	dir := newFolder(t)
	outer := newSiteIn(t, &certmagic.FileStorage{Path: dir}, optional, func(h *Handler) { h.CookieName = "outer" })
	inner := newSiteIn(t, &certmagic.FileStorage{Path: dir}, identityHeaders, func(h *Handler) { h.CookieName, h.PanelCookies = "inner", []string{"off"} })
	outer.app.do = func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Cookie", strings.ReplaceAll(r.Header.Get("Cookie"), "a=b", "a=changed"))
		if err := inner.ServeHTTP(w, r, inner.app); err != nil {
			t.Error(err)
		}
	}
	cookie := inner.signInAlice()
	outer.serve(get("/app", browser, cookieLine("outer=of-another-block; a=b; user=evil; "+cookie))).wantReached()
	if inner.app.hits != 1 || inner.app.got.Header.Get("Remote-User") != testUser {
		t.Fatalf("the application is reached %d times", inner.app.hits)
	}
	if got := inner.app.got.Header.Get("Cookie"); got != "a=changed" {
		t.Errorf("the cookies are %q", got)
	}
}

// TestTwoHandlersOfOneCookie: the first takes the session's cookie out, and
// the second knows it all the same.
func TestTwoHandlersOfOneCookie(t *testing.T) {
	dir := newFolder(t)
	outer := newSiteIn(t, &certmagic.FileStorage{Path: dir})
	inner := newSiteIn(t, &certmagic.FileStorage{Path: dir}, identityHeaders)
	outer.app.do = func(w http.ResponseWriter, r *http.Request) {
		if err := inner.ServeHTTP(w, r, inner.app); err != nil {
			t.Error(err)
		}
	}
	cookie := outer.signInAlice()
	outer.serve(get("/app", browser, cookieLine(cookie))).wantReached()
	if inner.app.hits != 1 || inner.app.got.Header.Get("Remote-User") != testUser {
		t.Errorf("the application is reached %d times", inner.app.hits)
	}
	// A session that ends between the two is over.
	outer.app.do = func(w http.ResponseWriter, r *http.Request) {
		outer.in(t).serve(get("/logout", cookieLine(cookie))).want(http.StatusOK)
		if err := inner.ServeHTTP(w, r, inner.app); err != nil {
			t.Error(err)
		}
	}
	outer.serve(get("/app", browser, cookieLine(cookie)))
	if inner.app.hits != 1 {
		t.Error("a session that is over is good for the second handler")
	}
}

// TestTwoHandlersApart: what shares neither secret nor store shares no
// session, though the accounts are the same.
func TestTwoHandlersApart(t *testing.T) {
	outer := newSite(t)
	inner := newSite(t, func(h *Handler) { h.CookieSecret = []string{"a-secret-of-its-own"} })
	outer.app.do = func(w http.ResponseWriter, r *http.Request) {
		if err := inner.ServeHTTP(w, r, inner.app); err != nil {
			t.Error(err)
		}
	}
	outer.serve(get("/app", browser, cookieLine(outer.signInAlice()))).wantReached()
	if inner.app.hits != 0 {
		t.Error("the session of the outer is good for the inner")
	}
}

func TestIdentityHeaders(t *testing.T) {
	path := newFile(t, "users.json", bobsFile)
	own := func(h *Handler) {
		h.IdentityHeaders = map[string]string{"X-Forwarded-Email": "email", "x-who": "user", "X-Nothing": "no_such_claim", "X-Name": "name", "X-Username": "username"}
	}
	tests := []struct {
		name, user string
		change     func(*Handler)
		want       map[string]string
	}{
		{"none", "bob", func(*Handler) {}, map[string]string{}},
		{"bare", "bob", identityHeaders, map[string]string{"Remote-User": "bob", "Remote-Name": "Bob %C3%9C. O'Brien", "Remote-Email": "bob@x.org", "Remote-Groups": "a,b%2C c,d%"}},
		{"bare, fewer claims", "eve", identityHeaders, map[string]string{"Remote-User": "eve"}},
		{"bare, guest", "", identityHeaders, map[string]string{"Remote-User": "guest"}},
		{"own", "bob", own, map[string]string{"X-Forwarded-Email": "bob@x.org", "X-Who": "bob", "X-Name": "Bob %C3%9C. O'Brien", "X-Username": "bob"}},
		{"own, guest", "", own, map[string]string{"X-Who": "guest"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t, accountsFile(path), optional, test.change)
			r := get("/app")
			if test.user != "" {
				r = get("/app", cookieLine(s.signIn(test.user, "pw")))
			}
			s.serve(r).wantReached()
			got := make(map[string]string)
			for name, values := range s.app.got.Header {
				if name != "Cookie" {
					got[name] = strings.Join(values, " | ")
				}
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("there are %v, want %v", got, test.want)
			}
		})
	}
}

// TestHeaderText: HS-084 and its like. Nothing of a claim ends the header, and
// no value of a list becomes two.
func TestHeaderText(t *testing.T) {
	for _, test := range []struct {
		value any
		want  string
	}{
		{"bob", "bob"},
		{"Bob B.", "Bob B."},
		{"zoë ü", "zo%C3%AB %C3%BC"},
		{"alice\r\nX-Admin: 1", "alice%0D%0AX-Admin: 1"},
		{"a\x00b\x7fc\td", "a%00b%7Fc%09d"},
		{"a\u00a0b\u202ec", "a%C2%A0b%E2%80%AEc"},
		{"a,b;c=d", "a,b;c=d"},
		{"=?utf-8?q?x?=", "=?utf-8?q?x?="},
		{"100%", "100%"},
		{"a%2Cb%zz", "a%252Cb%zz"}, // so that it is not taken for "a,b"
		{" a b ", "%20a b%20"},
		{[]any{"a%2Cb", "c"}, "a%252Cb,c"},
		{[]any{"a", "b,c", "d e"}, "a,b%2Cc,d e"},
		{[]any{}, ""},
		{[]any{"ä,\n"}, "%C3%A4%2C%0A"},
		{true, "true"},
		{float64(12345678901234), "12345678901234"},
		{float64(1.5), "1.5"},
		{json.Number("123456789012345678901"), "123456789012345678901"},
		{map[string]any{"a": "b\n"}, `{"a":"b\n"}`},
		{nil, ""},
	} {
		if got := headerText(test.value); got != test.want {
			t.Errorf("%#v becomes %q, want %q", test.value, got, test.want)
		}
	}
}

// TestIdentityHeaderOnTheWire: HTTP takes white space off the ends of a
// header, and a name would become another one: "guest", or somebody's.
func TestIdentityHeaderOnTheWire(t *testing.T) {
	s := newSite(t, masterPassword, identityHeaders)
	for _, user := range []string{" admin", "admin ", " guest"} {
		a := s.serve(post("/login", credentialsForm(user, testPassword)))
		if a.StatusCode != http.StatusSeeOther {
			continue // refusing such names is an answer as well
		}
		s.serve(get("/app", cookieLine(a.cookieLine()))).wantReached()
		if got := s.app.got.Header.Get("Remote-User"); strings.TrimSpace(got) != got {
			t.Errorf("%q is %q to the application, which on the wire is %q", user, got, strings.TrimSpace(got))
		}
	}
}

// TestIdentityIsNotShared: a directive behind us changes headers in place
// (Caddy's request_header with a replacement does). That is for its request
// alone.
func TestIdentityIsNotShared(t *testing.T) {
	s := newSite(t, optional, identityHeaders)
	cookie := s.signInAlice()
	for who, line := range map[string]string{testUser: cookie, "guest": "a=b"} {
		s.app.do = func(_ http.ResponseWriter, r *http.Request) {
			for name, values := range r.Header {
				for i := range values {
					r.Header[name][i] = "changed-" + values[i]
				}
			}
		}
		s.serve(get("/app", cookieLine(line))).wantReached()
		s.serve(get("/app", cookieLine(line))).wantReached()
		if got := s.app.got.Header.Get("Remote-User"); got != who {
			t.Errorf("the next request of %s is by %q", who, got)
		}
		if got := s.app.got.Header.Get("Cookie"); strings.Contains(got, "changed") {
			t.Errorf("the next request of %s has the cookies %q", who, got)
		}
	}
}

// TestIdentityAtOnce is for the race detector: many requests of one session,
// and of its guests.
func TestIdentityAtOnce(t *testing.T) {
	s := newSite(t, optional, identityHeaders)
	cookie := s.signInAlice()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 50 {
				line := cookie
				if i%2 == 1 {
					line = "a=b"
				}
				next := caddyhttp.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) error {
					r.Header.Add("Remote-User", "another")
					r.Header.Set("Cookie", r.Header.Get("Cookie")+"; more=1")
					replacerOf(r).ReplaceAll("{http.auth.user.id} {http.auth.user.groups}", "")
					return nil
				})
				if err := s.ServeHTTP(newRecorder(), prepared(get("/app", cookieLine(line))), next); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
