// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http/httpguts"
)

// tornadoCookies reads a Cookie header as Tornado does (httputil.parse_cookie):
// bytes are Latin-1, white space is Unicode's, the last of two wins, and a
// quoted value is unescaped.
func tornadoCookies(header string) map[string]string {
	var latin1 strings.Builder
	for i := range len(header) {
		latin1.WriteRune(rune(header[i]))
	}
	cookies := make(map[string]string)
	for chunk := range strings.SplitSeq(latin1.String(), ";") {
		name, value, found := strings.Cut(chunk, "=")
		if !found {
			name, value = "", chunk
		}
		name, value = strings.TrimFunc(name, isPythonSpace), strings.TrimFunc(value, isPythonSpace)
		if name != "" || value != "" {
			cookies[name] = tornadoUnquote(value)
		}
	}
	return cookies
}

func isPythonSpace(c rune) bool {
	return '\t' <= c && c <= '\r' || 0x1c <= c && c <= ' ' || c == 0x85 || c == 0xa0
}

func tornadoUnquote(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	s = s[1 : len(s)-1]
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			out.WriteByte(s[i])
			continue
		}
		if i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				out.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		i++
		out.WriteByte(s[i])
	}
	return out.String()
}

// rebuilt is the Cookie header that the application gets from a visitor.
func (s *site) rebuilt(who *identity, lines ...string) []string {
	r := get("/app")
	if lines != nil {
		r.Header["Cookie"] = lines
	}
	cookies, err := s.readCookies(r)
	if err != nil {
		s.t.Fatal(err)
	}
	s.setCookies(r, who, cookies)
	return r.Header["Cookie"]
}

// aliceHere is somebody who is signed in.
func (s *site) aliceHere() *identity {
	return s.newIdentity(testUser, passwordProvider, s.accounts().claims(testUser))
}

// wantOnly checks that nobody who reads the header finds a managed cookie in
// it but those that the module put there.
func (s *site) wantOnly(who *identity, got []string, from ...string) {
	s.t.Helper()
	ours := tornadoCookies(who.panelCookies(s.Handler))
	if len(got) > 1 {
		s.t.Errorf("%q: there are %d lines", from, len(got))
	}
	for _, line := range got {
		for name, value := range tornadoCookies(line) {
			if s.isManaged(name) && ours[name] != value {
				s.t.Errorf("%q: Tornado reads %s=%q in %q", from, name, value, line)
			}
		}
		r := &http.Request{Header: http.Header{"Cookie": {line}}}
		seen := make(map[string]bool)
		for _, cookie := range r.Cookies() {
			if s.isManaged(cookie.Name) && (ours[cookie.Name] != cookie.Value || seen[cookie.Name]) {
				s.t.Errorf("%q: Go reads %s=%q in %q", from, cookie.Name, cookie.Value, line)
			}
			seen[cookie.Name] = true
		}
		for name, value := range ours {
			if tornadoCookies(line)[name] != value {
				s.t.Errorf("%q: %s does not arrive in %q", from, name, line)
			}
		}
	}
}

const signedBob = "2|1:0|10:1795295794|4:user|4:Ym9i|99e9c28dcc8060c297a913336efbadbde678cd59ff4dd0679dcc8c7ecd8dad17"

// TestRebuild: what a client may not say goes, and nothing else does.
func TestRebuild(t *testing.T) {
	s := newSite(t, func(h *Handler) { h.PanelCookies = []string{"off"} })
	tests := []struct {
		name string
		in   []string
		want string
	}{
		{"nothing", nil, ""},
		{"empty", []string{""}, ""},
		{"separators", []string{" ; ;; "}, ""},
		{"others", []string{`a=b; c="d e"; f=g=h; i`}, `a=b; c="d e"; f=g=h; i`},
		{"others without spaces", []string{"a=b;c=d"}, "a=b; c=d"},
		{"others, with odd bytes", []string{"a=\x80\xff; \xe9=1; b=ü"}, "a=\x80\xff; \xe9=1; b=ü"},
		{"others, twice", []string{"a=1; a=2"}, "a=1; a=2"},
		{"others that look alike", []string{"users=1; User=2; xuser=3; user_id=4; id_tokens=5; panelauthx=6; panel-oauthx=7; my_panelauth=8"},
			"users=1; User=2; xuser=3; user_id=4; id_tokens=5; panelauthx=6; panel-oauthx=7; my_panelauth=8"},
		{"others on lines", []string{"a=b; c=d", "e=f"}, "a=b; c=d; e=f"},
		{"value with the name of a managed one", []string{"a=user; b=user=bob"}, "a=user; b=user=bob"},
		{"every name of Panel", []string{"user=1; id_token=1; access_token=1; refresh_token=1; oauth_expiry=1; is_guest=1; next_url=1; panel-oauth-state=1; panel-oauth-code=1; panel-oauth-=1; a=b"}, "a=b"},
		{"our own", []string{"panelauth=1; panelauth_1=2; panelauth_next=3; panelauth_last=8; panelauth_left=9; panelauth_state_1=10; __Host-panelauth=4; __Secure-panelauth=5; __host-panelauth=6; __HOST-panelauth_2=7; a=b"}, "a=b"},
		{"HS-032 id_token", []string{"a=b; id_token=evil"}, "a=b"},
		{"HS-034 refresh_token", []string{"refresh_token=evil; a=b"}, "a=b"},
		{"HS-037 panel-oauth-state", []string{"panel-oauth-state=evil"}, ""},
		{"HS-041 signed for another", []string{"user=" + signedBob}, ""},
		{"HS-043 no-break space after", []string{"user\xa0=" + signedBob + "; a=b"}, "a=b"},
		{"HS-043 no-break space before", []string{"\xa0user=" + signedBob}, ""},
		{"HS-043 no-break space in UTF-8", []string{"user\u00a0=" + signedBob}, ""},
		{"HS-045 next line", []string{"user\x85=" + signedBob}, ""},
		{"HS-045 next line in UTF-8", []string{"user\u0085=" + signedBob}, ""},
		{"space after", []string{"user =" + signedBob}, ""},
		{"tab around", []string{"\tuser\t=\t" + signedBob}, ""},
		{"HS-049 unterminated quote", []string{`user="unterminated; a=b`}, "a=b"},
		{"HS-049 the other one unterminated", []string{`a="x; user=evil; b=c`}, `a="x; b=c`},
		{"HS-050 quoted semicolons", []string{`a="x; user=` + signedBob + `; y"; b=c`}, `a="x; y"; b=c`},
		{"HS-052 without a name", []string{"=user=" + signedBob}, ""},
		{"HS-052 several signs", []string{"==user=evil; = user=evil"}, ""},
		{"HS-052 __Host- without a name", []string{"=__Host-panelauth=evil; a=b"}, "a=b"},
		{"escaped value", []string{`user="ev\151l"; a="b\"c"`}, `a="b\"c"`},
		{"quoted name", []string{`"user"=evil; 'user'=evil`}, ""},
		{"name alone", []string{"user; a=b"}, "a=b"},
		{"doubled", []string{"user=1; a=b; user=2; user=3"}, "a=b"},
		{"on a second line", []string{"a=b", "user=evil", "c=d"}, "a=b; c=d"},
		{"split over lines", []string{"us", "er=evil"}, "us; er=evil"},
		{"without spaces", []string{"a=b;user=evil;c=d"}, "a=b; c=d"},
		{"value empty", []string{"user=; id_token=\"\"; a="}, "a="},
		{"after a blank", []string{"a=b user=evil; c=d\tuser = evil; e=f  __Host-panelauth=x; g=h"}, "g=h"},
		{"after a comma", []string{"a=b,user=evil; c=d, is_guest=1; e=,,id_token=x; $Version=1, user=evil; g=h"}, "g=h"},
		{"after a blank, others", []string{"a=b users=1; c=the user; d=x, y=z; e=, ; f=user , g; ,=,"}, "a=b users=1; c=the user; d=x, y=z; e=,; f=user , g; ,=,"},
		{"control characters", []string{"\x1cuser\x1f=evil; \x0buser=evil; \x0cuser=evil"}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := s.in(t)
			got := s.rebuilt(s.aliceHere(), test.in...)
			if strings.Join(got, "\n") != test.want || (test.want == "") != (got == nil) {
				t.Errorf("becomes %q, want %q", got, test.want)
			}
			s.wantOnly(s.aliceHere(), got, test.in...)
		})
	}
}

// TestRebuildAddsOurs: after the others, once, and for guests too.
func TestRebuildAddsOurs(t *testing.T) {
	s := newSite(t)
	for name, who := range map[string]*identity{"signed in": s.aliceHere(), "guest": s.guest} {
		ours := who.panelCookies(s.Handler)
		for in, want := range map[string]string{"": ours, "a=b": "a=b; " + ours, "a=b; user=evil; c=d; is_guest=1": "a=b; c=d; " + ours, "user=evil": ours} {
			got := s.rebuilt(who, in)
			if len(got) != 1 || got[0] != want {
				t.Errorf("%s: %q becomes %q, want %q", name, in, got, want)
			}
			s.wantOnly(who, got, in)
		}
	}
}

// TestRebuildWithAnotherName: the cookies of the application are not ours,
// whatever ours is called.
func TestRebuildWithAnotherName(t *testing.T) {
	s := newSite(t, func(h *Handler) { h.CookieName, h.PanelCookies = "session", []string{"off"} })
	const others = "session_id=1; session_theme=dark; sessions=2; panelauth=3; panelauth_1=4"
	got := s.rebuilt(s.aliceHere(), others+"; session=x; session_1=y; session_next=z; __Host-session=w")
	if len(got) != 1 || got[0] != others {
		t.Errorf("%q is left, want %q", got, others)
	}
}

// TestTooManyCookies: beyond 3000 Go reads none (CVE-2025-58186) and Tornado
// all of them. Nothing of that kind is passed on.
func TestTooManyCookies(t *testing.T) {
	s := newSite(t, stateless, optional)
	session := s.signInAlice()
	lines := map[string][]string{
		"one line":       {session + strings.Repeat("; a=b", 3000) + "; user=evil"},
		"separators":     {session + strings.Repeat(";", 3001) + "user=evil"},
		"several lines":  {session, strings.Repeat("a;", 600), strings.Repeat("a;", 600) + "user=evil"},
		"lines, no text": append(make([]string, 2000), "user=evil"),
		"just too many":  {session + strings.Repeat(";", maxCookies)},
	}
	for name, cookies := range lines {
		t.Run(name, func(t *testing.T) {
			s := s.in(t)
			for _, target := range []string{"/app", "/app/ws", "/login", "/logout"} {
				s.serve(get(target, browser, func(r *http.Request) { r.Header["Cookie"] = cookies })).wantRefusedHere(http.StatusBadRequest)
			}
		})
	}
	a := s.serve(get("/app", cookieLine(session+strings.Repeat("; a=b", maxCookies-2))))
	a.wantReached()
	if n := strings.Count(s.app.got.Header.Get("Cookie"), "a=b"); n != maxCookies-2 {
		t.Errorf("%d cookies arrive", n)
	}
}

func TestSessionCookieName(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Handler)
		secure bool
		want   string
	}{
		{"HTTP", func(*Handler) {}, false, "panelauth"},
		{"HTTPS", func(*Handler) {}, true, "__Host-panelauth"},
		{"HTTPS with a path", func(h *Handler) { h.CookiePath = "/app" }, true, "__Secure-panelauth"},
		{"HTTPS with a domain", func(h *Handler) { h.CookieDomain = "example.com" }, true, "__Secure-panelauth"},
		{"HTTP with a path", func(h *Handler) { h.CookiePath = "/app" }, false, "panelauth"},
		{"own name", func(h *Handler) { h.CookieName = "me" }, true, "__Host-me"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t, test.change)
			var options []func(*http.Request)
			if test.secure {
				options = append(options, overTLS)
			}
			a := s.serve(post("/login", credentialsForm(testUser, testPassword), options...))
			cookie := a.cookie(test.want)
			if cookie == nil {
				t.Fatalf("the cookies are %v", a.Header["Set-Cookie"])
			}
			if !s.isSignedIn(cookie.Name+"="+cookie.Value, options...) {
				t.Error("is not signed in")
			}
			// The name that another host, or a page without encryption, could
			// have set does not count.
			for _, name := range []string{"panelauth", "me", "__Host-panelauth", "__Secure-panelauth", "__host-panelauth", strings.ToLower(test.want)} {
				if name != test.want && s.isSignedIn(name+"="+cookie.Value, options...) {
					t.Errorf("is signed in by %s", name)
				}
			}
		})
	}
}

func TestSetCookieAttributes(t *testing.T) {
	tests := []struct {
		name    string
		change  func(*Handler)
		options []func(*http.Request)
		want    []string
		wantNot []string
	}{
		{"HTTP", func(*Handler) {}, nil, []string{"Path=/", "Max-Age=86400", "HttpOnly", "SameSite=Lax"}, []string{"Secure", "Domain=localhost"}},
		{"HTTPS", func(*Handler) {}, []func(*http.Request){overTLS}, []string{"Path=/", "Secure", "HttpOnly", "SameSite=Lax"}, []string{"Domain=localhost"}},
		{"forged scheme", func(*Handler) {}, []func(*http.Request){header("X-Forwarded-Proto", "https")}, []string{"Path=/"}, []string{"Secure"}},
		{"path and domain", func(h *Handler) { h.CookiePath, h.CookieDomain = "/app", "example.com" }, nil, []string{"Path=/app", "Domain=example.com"}, nil},
		{"strict", func(h *Handler) { h.CookieSameSite = "strict" }, nil, []string{"SameSite=Strict"}, nil},
		{"none, HTTPS", func(h *Handler) { h.CookieSameSite = "none" }, []func(*http.Request){overTLS}, []string{"SameSite=None", "Secure"}, nil},
		{"none, HTTP", func(h *Handler) { h.CookieSameSite = "none" }, nil, []string{"SameSite=Lax"}, []string{"Secure"}},
		{"lifetime", func(h *Handler) { h.OAuthExpiryDays = "0.5" }, nil, []string{"Max-Age=43200"}, nil},
		{"in the browser", stateless, nil, []string{"Path=/", "Max-Age=86400", "HttpOnly", "SameSite=Lax"}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t, test.change)
			a := s.serve(post("/login", credentialsForm(testUser, testPassword), test.options...))
			a.want(http.StatusSeeOther)
			line := a.Header["Set-Cookie"][0]
			attributes := make(map[string]bool)
			for _, attribute := range strings.Split(line, "; ")[1:] {
				attributes[attribute] = true
			}
			for _, want := range test.want {
				if !attributes[want] {
					t.Errorf("%s lacks %s", line, want)
				}
			}
			for _, not := range test.wantNot {
				if attributes[not] {
					t.Errorf("%s has %s", line, not)
				}
			}
			if len(line) > 4096 {
				t.Errorf("it has %d bytes", len(line))
			}

			// Deleting repeats what setting said, or the browser keeps it.
			out := s.serve(get("/logout", append(test.options, cookieLine(a.cookieLine()))...))
			name, _, _ := strings.Cut(line, "=")
			deleted := out.cookie(name)
			if deleted == nil {
				t.Fatalf("logout sets %v", out.Header["Set-Cookie"])
			}
			set := a.cookie(name)
			if deleted.MaxAge >= 0 || deleted.Value != "" || deleted.Path != set.Path || deleted.Domain != set.Domain || deleted.Secure != set.Secure || deleted.SameSite != set.SameSite {
				t.Errorf("logout deletes %q, which was set as %q", deleted.Raw, set.Raw)
			}
		})
	}
}

// TestSessionCookies: of several cookies of our name, the good one is found,
// wherever it stands; but nobody makes us try hundreds.
func TestSessionCookies(t *testing.T) {
	s := newSite(t)
	good := s.signInAlice()
	for line, want := range map[string]bool{
		good:                     true,
		"a=b; " + good:           true,
		good + "; panelauth=bad": true,
		"panelauth=bad; " + good: true,
		"panelauth=; " + good:    true,
		"panelauth; " + good:     true,
		"panelauth=a; panelauth=b; panelauth=c; " + good: true,
		strings.Repeat("panelauth=bad; ", 100) + good:    false,
		"xpanelauth" + good[len("panelauth"):]:           false,
		" " + good + " ":                                 true,
		"panelauth =" + good[len("panelauth="):]:         false,
		"=" + good:                                       false,
		`panelauth="` + good[len("panelauth="):] + `"`:   false,
		"panelauth=null":                                 false, "panelauth={}": false, "panelauth=AAAA": false, "panelauth=|||": false, "panelauth=%00": false,
		"panelauth=" + strings.Repeat("A", 5000): false,
		good[:len(good)-1]:                       false,
		good + "A":                               false,
	} {
		if got := s.isSignedIn(line); got != want {
			t.Errorf("%.60q: signed in %t", line, got)
		}
	}
	// CK-001: every byte counts.
	value := []byte(good)
	for i := len("panelauth="); i < len(value); i += 7 {
		value[i] ^= 1
		if s.isSignedIn(string(value)) {
			t.Errorf("signed in with byte %d changed", i)
		}
		value[i] ^= 1
	}
}

func TestChunks(t *testing.T) {
	s := newSite(t, stateless)
	lines := func(text string) cookies { return cookies{text} }
	for line, want := range map[string]string{
		"panelauth=a": "a",
		"panelauth=a; panelauth_1=b; panelauth_2=c":                "abc",
		"panelauth_2=c; panelauth=a; x=y; panelauth_1=b":           "abc",
		"panelauth=a; panelauth=z; panelauth_1=b; panelauth_1=z":   "ab",
		"panelauth=a; panelauth_99=z; panelauth_x=z; panelauth_=z": "a",
		"panelauth=a; panelauth_01=z; panelauth_+1=z":              "a",
		"panelauth=a; panelauth_-1=z; panelauth_0=z":               "a",
		"panelauth=a; __Host-panelauth_1=z":                        "a",
		"panelauth_1=b":                                            "b",
	} {
		got := chunkedCookies(nil, lines(line), "panelauth")
		if len(got) != 1 || got[0] != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
	if got := chunkedCookies(nil, lines("a=b"), "panelauth"); got != nil {
		t.Errorf("without any: %q", got)
	}
	if got := s.sessionCookies(nil, get("/"), nil); got != nil {
		t.Errorf("without cookies: %q", got)
	}
}

// TestChunksInTheBrowser sets a large session, then a small one: what is left
// of the first is deleted.
func TestChunksInTheBrowser(t *testing.T) {
	s := newSite(t, stateless)
	for _, size := range []int{10, 3800, 3801, 10000, 11400} {
		w := newRecorder()
		value := strings.Repeat("v", size)
		s.setSessionCookie(w, get("/"), value, time.Hour)
		jar := make(map[string]string)
		for i := range maxChunks {
			jar[chunkName("panelauth", i)] = "left over"
		}
		var line []string
		for _, cookie := range w.Result().Cookies() {
			if cookie.MaxAge < 0 {
				delete(jar, cookie.Name)
				continue
			}
			if len(cookie.Raw) > 4096 {
				t.Errorf("%s has %d bytes", cookie.Name, len(cookie.Raw))
			}
			jar[cookie.Name] = cookie.Value
		}
		for name, value := range jar {
			line = append(line, name+"="+value)
		}
		if got := s.sessionCookies(nil, get("/"), cookies{strings.Join(line, "; ")}); len(got) != 1 || got[0] != value {
			t.Errorf("a session of %d bytes does not come back: %d cookies", size, len(line))
		}
	}
}

// TestLeftovers: cookies of Panel itself are deleted at sign-in and logout,
// where Panel put them.
func TestLeftovers(t *testing.T) {
	const leftovers = "user=x; id_token=x; access_token=x; refresh_token=x; oauth_expiry=x; is_guest=1; next_url=/; panel-oauth-state=x; panel-oauth-code=x; other=x; user=y"
	for _, path := range []string{"/", "/app"} {
		s := newSite(t, func(h *Handler) { h.CookiePath = path })
		for name, a := range map[string]answer{
			"sign-in": s.serve(post("/login", credentialsForm(testUser, testPassword), cookieLine(leftovers))),
			"logout":  s.serve(get("/logout", cookieLine(leftovers))),
		} {
			deleted := make(map[string]bool)
			for _, cookie := range a.Cookies() {
				if cookie.MaxAge < 0 {
					deleted[cookie.Name+" "+cookie.Path] = true
				}
			}
			for _, cookie := range []string{"user", "id_token", "access_token", "refresh_token", "oauth_expiry", "is_guest", "panel-oauth-code"} {
				if !deleted[cookie+" "+path] {
					t.Errorf("%s, path %s: %s is left", name, path, cookie)
				}
			}
			for _, cookie := range []string{"panel-oauth-state", "next_url"} { // always at the root
				if !deleted[cookie+" /"] {
					t.Errorf("%s, path %s: %s is left", name, path, cookie)
				}
			}
			if deleted["other "+path] {
				t.Errorf("%s: a cookie of somebody else is deleted", name)
			}
		}
	}
}

// FuzzCookieHeader: no spelling of a managed cookie survives, and what has
// nothing of one in it does.
func FuzzCookieHeader(f *testing.F) {
	for _, line := range []string{
		"a=b; user=evil; c", "user\xa0=x", "=user=x", `a="x; user=y; z"`, "panelauth=1; __Host-panelauth_1=2", "us\x00er=1", "user", ";;;", "user=a,user=b",
		"\u2003user\u2003=x", "is_guest=1;is_guest", "panel-oauth-x=1", "a=\xff\xfe", "user\x1c=1", "\"user\"=1", "a=b\tuser=c", "$Version=1; user=2", "\xe2\x80\xa8user=1",
	} {
		f.Add(line, "x=y")
	}
	s := newSite(f, func(h *Handler) { h.SessionStore = "cookie" })
	c := newClock()
	s.now = c.Now
	alice := s.aliceHere()
	f.Fuzz(func(t *testing.T, one, two string) {
		if !httpguts.ValidHeaderFieldValue(one) || !httpguts.ValidHeaderFieldValue(two) {
			return // the server refuses them
		}
		r := &http.Request{Header: http.Header{"Cookie": {textproto.TrimString(one), textproto.TrimString(two)}}}
		lines, err := s.readCookies(r)
		if err != nil {
			return
		}
		s.setCookies(r, alice, lines)
		here := *s
		here.t = t
		here.wantOnly(alice, r.Header["Cookie"], one, two)
		got := "; " + r.Header.Get("Cookie") + ";"
		for _, line := range []string{one, two} {
			for part := range strings.SplitSeq(line, ";") {
				part = strings.Trim(part, " \t")
				if part != "" && !mentionsManaged(part) && !strings.Contains(got, "; "+part+";") {
					t.Errorf("%q is lost in %q", part, got)
				}
			}
		}
	})
}

// mentionsManaged reports whether a text has the name of a managed cookie in
// it: only such may be taken out.
func mentionsManaged(text string) bool {
	return slices.ContainsFunc([]string{"user", "token", "oauth", "is_guest", "next_url", "panel"}, func(name string) bool {
		return strings.Contains(text, name)
	})
}

// TestLongCookies: a stranger may send a header of a MiB, whatever is in it. A
// time that grows with the square of that would be seconds.
func TestLongCookies(t *testing.T) {
	s := newSite(t)
	took := func(text string) time.Duration {
		least := time.Hour
		for range 5 {
			began := time.Now()
			if s.saysManaged(text) {
				t.Fatal("it is managed")
			}
			least = min(least, time.Since(began))
		}
		return least
	}
	for name, part := range map[string]string{"spaces": "x ", "commas": "x,", "tabs": "x\t", "values": "x=y ", "signs": "=", "blanks": " "} {
		t.Run(name, func(t *testing.T) {
			const length, times = 1 << 13, 1 << 6
			short, long := took("a="+strings.Repeat(part, length)), took("a="+strings.Repeat(part, length*times))
			if long > 8*times*(short+time.Microsecond) {
				t.Errorf("of a text %d times as long takes %s instead of %s", times, long, short)
			}
		})
	}
}
