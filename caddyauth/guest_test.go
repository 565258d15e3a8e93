// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"bufio"
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp/rewrite"
)

// parsed is a GET of a target as the server reads it, or nil if it does not.
func parsed(target string) *http.Request {
	if strings.ContainsAny(target, " \r\n") {
		return nil
	}
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET " + target + " HTTP/1.1\r\nHost: " + testHost + "\r\n\r\n")))
	if err != nil {
		return nil
	}
	return r
}

func TestGuestPages(t *testing.T) {
	companions := func(page string) []string {
		return []string{page, page + "/", page + "/ws", page + "/autoload.js", page + "/metadata", page + "/static/x.js", page + "/static/a/b.css", page + "?x=1", page + "/?x=/y", page + "/ws?t=1"}
	}
	libraries := []string{"/static/js/bokeh.min.js", "/static/extensions/panel/x.css", "/favicon.ico", "/favicon.ico?v=2"}
	tests := []struct {
		name         string
		pages        []string
		open, closed []string
	}{
		{
			name: "page", pages: []string{"/app"},
			open: append(companions("/app"), libraries...),
			closed: []string{"/", "/ap", "/apps", "/app2", "/app/x", "/app/ws/", "/app/ws/x", "/app/static", "/App", "/APP", "/app/WS", "/app.html", "/x/app", "/admin", "/ws", "/metadata",
				"/static", "/favicon.ico/", "/favicon", "/Static/x.js", "/?/app", "/admin?x=/app", "/admin/app/static/x.js"},
		},
		{
			name: "page with a slash", pages: []string{"/app/"},
			open:   append([]string{"/app/", "/app/ws", "/app/autoload.js", "/app/metadata", "/app/static/x.js", "/app/?x"}, libraries...),
			closed: []string{"/app", "/app/x", "/", "/app//"},
		},
		{
			name: "root", pages: []string{"/"},
			open:   append([]string{"/", "/?x=1", "/ws", "/autoload.js", "/metadata"}, libraries...),
			closed: []string{"/app", "/app/ws", "/admin", "/static", "//", "/ws/"},
		},
		{
			name: "tree", pages: []string{"/app/*"},
			open:   append([]string{"/app", "/app/", "/app/x", "/app/x/y.js", "/app/ws"}, libraries...),
			closed: []string{"/", "/ap", "/apps", "/app2/x", "/App/x", "/x/app/y"},
		},
		{
			name: "everything", pages: []string{"/*"},
			open:   append([]string{"/", "/app", "/app/x"}, libraries...),
			closed: []string{"//", "/app//x", "/app/../x"},
		},
		{
			name: "several", pages: []string{"/a", "/b/c", "/d/*"},
			open:   []string{"/a", "/a/ws", "/b/c", "/b/c/metadata", "/d/e"},
			closed: []string{"/b", "/c", "/b/c/d", "/"},
		},
		{
			name: "names that need encoding", pages: []string{"/my app", "/café", "/a(b)"},
			open:   []string{"/my%20app", "/my%20app/ws", "/caf%C3%A9", "/a(b)", "/a(b)/ws"},
			closed: []string{"/my", "/my+app", "/my%2520app", "/cafe"},
		},
		{name: "none", open: nil, closed: append(companions("/app"), libraries...)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := newGuests(false, test.pages)
			for _, target := range test.open {
				if !g.allow(get(target)) {
					t.Errorf("%s is closed", target)
				}
			}
			for _, target := range test.closed {
				if g.allow(get(target)) {
					t.Errorf("%s is open", target)
				}
			}
		})
	}
}

// hidingPaths mean different things to different readers.
var hidingPaths = []string{
	"/app/static/..%20/..%20/admin", "/static/..%20/admin", "/static/%20..%20/admin", "/static/.%20./admin",
	"/app%2f..%2fadmin", "/app/%2e%2e/admin", "/app/../admin", "/app/./ws", "/app/%2E/ws", "/app//ws", "//app", "/app%2F", "/app%2fws",
	"/app%5c..%5cadmin", `/app\..\admin`, "/app;x=/admin", "/app/;/ws", "/app%3b", "/app/..;/admin", "/app%00", "/app%00/static/x", "/app/static/..%00/x",
	"/app/static/%2e%2e/%2e%2e/admin", "/app/static/..%2fadmin", "/app%3Fx", "/app%23x", "/app#x", "/app%252e", "/app%25", "/%61pp", "/app%2Ejs", "/app/static/%78.js",
	"/app%0a", "/app%7f", "/app%20%", "/app/static/x%09y", "/app/static/x%e2%80%8b", "/app/static/x%c2%a0", "/app%ff", "/app/static/%c0%ae%c0%ae/x",
	"/static/../admin", "/static/..%2fadmin", "/static/%2e%2e/admin", "/static/%2e%2e%2fadmin", "/static//admin", "/static/..;/admin", "/static/;/../admin",
}

func TestGuestPathsThatHide(t *testing.T) {
	for name, g := range map[string]guests{"page": newGuests(false, []string{"/app"}), "tree": newGuests(false, []string{"/app/*", "/static/*"}), "everywhere": newGuests(true, nil)} {
		for _, target := range hidingPaths {
			if r := parsed(target); r != nil && g.allow(r) {
				t.Errorf("%s: %s is open", name, target)
			}
		}
	}
}

// TestGuestsEverywhere: whatever a browser writes into an address by itself is
// a path like any other.
func TestGuestsEverywhere(t *testing.T) {
	g := newGuests(true, nil)
	for _, target := range []string{
		"/", "/app", "/a/b/c.html?x=%2F..%00;", "/a%20b", "/caf%C3%A9", "/%E6%97%A5%E6%9C%AC", "/~user/-_.", "/a+b", "/a,b", "/a=b&c", "/a@b:c", "/a$b",
		"/a(b)", "/Wiki_(disambiguation)", "/it's", "/wow!", "/a*b", "/a[1]", "/a%22b", "/a%3Cb%3E", "/a|b", "/a^b", "/...", "/a..b", "/.well-known/x",
	} {
		if !g.allow(get(target)) {
			t.Errorf("%s is closed", target)
		}
	}
}

// TestGuestAttacks are published ways around rules like ours, by the numbers
// they have in the project's list. None reaches the application.
func TestGuestAttacks(t *testing.T) {
	s := newSite(t, guestPages("/public"))
	plain := func(*http.Request) {}
	tests := []struct {
		name, method, target string
		change               func(*http.Request)
		status               int
	}{
		{"GP-003 CVE-2025-54576 query", "GET", "/secret?x=/public", plain, 302},
		{"GP-006 CVE-2026-41059 fragment", "GET", "/secret#/public", plain, 302},
		{"GP-007 CVE-2026-41059 encoded fragment", "GET", "/secret%23/public", plain, 302},
		{"GP-010 encoded slash", "GET", "/public/..%2fsecret", plain, 302},
		{"GP-020 encoded backslash", "GET", "/public%5c..%5csecret", plain, 302},
		{"GP-022 CVE-2026-26205 CVE-2026-33186 double slash", "GET", "//secret", plain, 302},
		{"GP-023 dot segment", "GET", "/./secret", plain, 302},
		{"GP-033 CVE-2026-53519 prefix", "GET", "/public..%2fsecret", plain, 302},
		{"GP-035 trailing dot", "GET", "/public.", plain, 302},
		{"GP-039 line feed", "GET", "/secret%0a/public", plain, 302},
		{"GP-042 CVE-2026-27590 case folding", "GET", "/ⓟublic", plain, 302},
		{"GP-042 encoded", "GET", "/%E2%93%9Fublic", plain, 302},
		{"GP-050 CVE-2026-33495 X-Forwarded-Path", "GET", "/secret", header("X-Forwarded-Path", "/public"), 302},
		{"GP-051 CVE-2026-33495 X-Original-URI", "GET", "/secret", header("X-Original-URI", "/public"), 302},
		{"GP-051 CVE-2026-40575 X-Forwarded-Uri", "GET", "/secret", header("X-Forwarded-Uri", "/public"), 302},
		{"GP-051 X-Rewrite-URL", "GET", "/secret", header("X-Rewrite-Url", "/public"), 302},
		{"GP-054 X-Forwarded-Method", "GET", "/secret", header("X-Forwarded-Method", "OPTIONS"), 302},
		{"GP-054 X-HTTP-Method-Override", "POST", "/secret", header("X-Http-Method-Override", "OPTIONS"), 401},
		{"GP-057 CVE-2026-34457 health check", "GET", "/secret", header("User-Agent", "GoogleHC/1.0"), 302},
		{"GP-065 CVE-2024-28179 websocket", "GET", "/secret/ws?x=/public/ws", websocket, 401},
		{"GP-066 CVE-2024-28179 websocket", "GET", "/public/../secret/ws", websocket, 401},
		{"GP-067 dot segments", "GET", "/app/../secret", plain, 302},
		{"GP-071 CVE-2020-29662 below login", "GET", "/login/..%2fsecret", plain, 302},
		{"GP-071 below login", "GET", "/login/x", plain, 302},
		{"GP-077 below a callback", "GET", "/oauth/callback/../secret", plain, 302},
		{"GP-081 other method at login", "PATCH", "/login", plain, 405},
		{"GP-083 other method at login", "PROPFIND", "/login", plain, 405},
		{"GP-084 other method at login", "TRACE", "/login", plain, 405},
		{"GP-084 OPTIONS at login", "OPTIONS", "/login", plain, 405},
		{"GP-084 DELETE at logout", "DELETE", "/logout", plain, 405},
		{"MO-006 TRACE", "TRACE", "/secret", plain, 401},
		{"MO-010 method in lower case", "get", "/secret", plain, 401},
		{"MO-010 OPTIONS", "OPTIONS", "/secret", header("Access-Control-Request-Method", "POST"), 401},
		{"MO-018 h2c", "GET", "/secret", func(r *http.Request) {
			r.Header.Set("Connection", "Upgrade, HTTP2-Settings")
			r.Header.Set("Upgrade", "h2c")
			r.Header.Set("Http2-Settings", "AAMAAABkAAQAAP__")
		}, 302},
		{"MO-019 CVE-2026-32136", "PRI", "*", plain, 400},
		{"OPTIONS of the server", "OPTIONS", "*", plain, 401},
		{"HS-058 CVE-2022-29226 Authorization", "GET", "/app", header("Authorization", "Basic YWRtaW46YWRtaW4="), 302},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := s.in(t)
			s.serve(request(test.method, test.target, test.change)).wantRefusedHere(test.status)
		})
	}
	s.serve(get("/public")).wantReached()
	s.serve(get("/public/ws", websocket)).wantReached()
}

// TestGuestAfterRewrite: what Caddy made of a path does not count for what the
// client wrote, nor the other way round.
func TestGuestAfterRewrite(t *testing.T) {
	g := newGuests(false, []string{"/app"})
	stripped := func(target string) *http.Request {
		r := prepared(get(target))
		rewrite.Rewrite{StripPathPrefix: "/proxy"}.Rewrite(r, replacerOf(r))
		return r
	}
	for target, want := range map[string]bool{
		"/proxy/app":        true,
		"/proxy/app/ws":     true,
		"/proxy/admin":      false,
		"/proxy//app":       false,
		"//proxy/app":       false,
		"/x/../proxy/app":   false,
		"/proxy/x/../app":   false,
		"/proxy/%61pp":      false,
		"/proxy/app/%2e/ws": false,
		"/proxy/app%2fws":   false,
		"/app":              true,
		"/proxy/proxy/app":  false,
		"/%70roxy/app":      false,
	} {
		if got := g.allow(stripped(target)); got != want {
			t.Errorf("%s is open: %t", target, got)
		}
	}
	for _, to := range []string{"/app/static/..%2f..%2fadmin", "/app/static/x;y", "/app/static/%2e%2e/admin", "/app/static//x"} {
		r := prepared(get("/nice"))
		rewrite.Rewrite{URI: to}.Rewrite(r, replacerOf(r))
		if g.allow(r) {
			t.Errorf("a path that is rewritten to %s is open", to)
		}
	}
}

// FuzzGuestPath compares with a slow reading of the rules: what is open is
// open for every reader of the path, however it decodes and cleans it.
func FuzzGuestPath(f *testing.F) {
	for _, target := range hidingPaths {
		f.Add(target)
	}
	for _, target := range []string{"/app", "/app/ws", "/static/x", "/tree/x/y", "/tree", "/app?x#y", "/", "*", "http://x/app"} {
		f.Add(target)
	}
	g := newGuests(false, []string{"/app", "/tree/*"})
	f.Fuzz(func(t *testing.T, target string) {
		r := parsed(target)
		if r == nil || !g.allow(r) {
			return
		}
		for _, reading := range readings(r.URL.EscapedPath()) {
			if !isOpenPath(reading) {
				t.Errorf("%q is open, and somebody reads %q", target, reading)
			}
		}
	})
}

// readings are what applications may take a path for.
func readings(raw string) []string {
	all := []string{raw}
	add := func(change func(string) string) {
		for _, reading := range all {
			all = append(all, change(reading))
		}
	}
	unescape := func(s string) string {
		if decoded, err := url.PathUnescape(s); err == nil {
			return decoded
		}
		return s
	}
	add(unescape)
	add(unescape)
	add(func(s string) string { return strings.ReplaceAll(s, `\`, "/") })
	add(func(s string) string { before, _, _ := strings.Cut(s, "\x00"); return before })
	add(func(s string) string { before, _, _ := strings.Cut(s, ";"); return before })
	add(func(s string) string { before, _, _ := strings.Cut(s, "#"); return before })
	add(func(s string) string { before, _, _ := strings.Cut(s, "?"); return before })
	add(func(s string) string {
		cleaned := path.Clean(s)
		if strings.HasSuffix(s, "/") && cleaned != "/" {
			return cleaned + "/"
		}
		return cleaned
	})
	return all
}

func isOpenPath(p string) bool {
	switch p {
	case "/app", "/app/", "/app/ws", "/app/autoload.js", "/app/metadata", "/favicon.ico", "/tree":
		return true
	}
	for _, tree := range []string{"/tree/", "/app/static/", "/static/"} {
		if strings.HasPrefix(p, tree) {
			return true
		}
	}
	return false
}
