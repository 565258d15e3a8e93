// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp/rewrite"
)

// leavesSite judges an address as a browser does (WHATWG URL standard): would
// following it from a page of scheme://testHost lead to another origin?
func leavesSite(address, scheme string) bool {
	address = strings.TrimFunc(address, func(c rune) bool { return c <= ' ' })
	address = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(address)
	if said := schemePattern.FindString(address); said != "" {
		if strings.ToLower(said) != scheme+":" {
			return true
		}
		// The scheme of the page itself is followed by a path, however it is
		// written, or by an authority.
		address = address[len(said):]
	}
	end := strings.IndexAny(address, "?#")
	if end < 0 {
		end = len(address)
	}
	path := strings.ReplaceAll(address[:end], `\`, "/")
	if !strings.HasPrefix(path, "//") {
		return false
	}
	authority, _, _ := strings.Cut(strings.TrimLeft(path, "/"), "/")
	host := authority[strings.LastIndexByte(authority, '@')+1:]
	return !strings.EqualFold(host, testHost)
}

var schemePattern = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9+.-]*:`)

var schemes = []string{"https", "http"}

func wantOnSite(t *testing.T, next, location string) {
	t.Helper()
	for _, scheme := range schemes {
		if leavesSite(location, scheme) {
			t.Errorf("next %q leads to %q, away from %s://%s", next, location, scheme, testHost)
		}
	}
	for _, c := range []byte(location) {
		if c <= ' ' || c > '~' || c == '\\' {
			t.Errorf("next %q leads to %q, which has the byte %#x in it", next, location, c)
		}
	}
}

type redirectFact struct {
	String string `json:"string"`
	Leaves *bool  `json:"leaves"` // as a browser says; nil: it is no address at all
}

func redirectFacts(t testing.TB) []redirectFact {
	t.Helper()
	data, err := os.ReadFile("testdata/redirects.json")
	if err != nil {
		t.Fatal(err)
	}
	var facts []redirectFact
	if err := json.Unmarshal(data, &facts); err != nil {
		t.Fatal(err)
	}
	if len(facts) != 161 {
		t.Fatalf("there are %d facts", len(facts))
	}
	return facts
}

func TestOracleAgreesWithBrowsers(t *testing.T) {
	for _, fact := range redirectFacts(t) {
		if fact.Leaves != nil && leavesSite(fact.String, "https") != *fact.Leaves {
			t.Errorf("%q: the oracle says %t", fact.String, !*fact.Leaves)
		}
	}
}

func TestSafeNextFacts(t *testing.T) {
	s := newSite(t)
	for _, fact := range redirectFacts(t) {
		next, err := safeNext(fact.String)
		if err == nil {
			wantOnSite(t, fact.String, next)
		}
		if err == nil && (fact.Leaves == nil || *fact.Leaves) {
			t.Errorf("%q is taken for safe", fact.String)
		}
		wantOnSite(t, fact.String, s.afterSignIn(get("/login"), fact.String))
	}
}

// TestSafeNextBytes puts each byte wherever it might matter.
func TestSafeNextBytes(t *testing.T) {
	places := []struct {
		format string
		bad    string // what is refused there besides what is refused everywhere
	}{
		{format: "%sapp", bad: anyByte("/")},
		{format: "%s/app", bad: anyByte("")},
		{format: "/%s", bad: "/.%"},
		{format: "/%s/app", bad: "/.%"},
		{format: "/app%s", bad: "%"},
		{format: "/app/%s", bad: "/.%"},
		{format: "/app/%s/page", bad: "/.%"},
		{format: "/app%spage", bad: "%"},
		{format: "/app/page%s", bad: "%"},
		{format: "/app?%s"},
		{format: "/app?q=a%sb&c=d"},
		{format: "/app?q=%s//other.example"},
		{format: "/app#%s"},
		{format: "/app?q#a%sb"},
	}
	for _, place := range places {
		t.Run(place.format, func(t *testing.T) {
			for c := range 0x100 {
				next := fmt.Sprintf(place.format, string([]byte{byte(c)}))
				got, err := safeNext(next)
				if err == nil {
					wantOnSite(t, next, got)
				}
				bad := c < ' ' || c > '~' || c == '\\' || strings.IndexByte(place.bad, byte(c)) >= 0
				if bad != (err != nil) {
					t.Errorf("byte %#x: %q, %v", c, got, err)
				}
				if want := strings.ReplaceAll(next, " ", "%20"); err == nil && got != want {
					t.Errorf("byte %#x: %q did not survive: %q", c, next, got)
				}
			}
		})
	}
}

// anyByte is every byte but those given.
func anyByte(but string) string {
	var all []byte
	for c := range 0x100 {
		if strings.IndexByte(but, byte(c)) < 0 {
			all = append(all, byte(c))
		}
	}
	return string(all)
}

func TestSafeNextRunes(t *testing.T) {
	var hidden []rune
	for c := rune(0x80); c <= 0xa0; c++ {
		hidden = append(hidden, c)
	}
	hidden = append(hidden, 0xad, 0x1680, 0x200b, 0x200d, 0x200e, 0x2028, 0x2029, 0x202e, 0x2060, 0x2066, 0x3000, 0xfeff, 0xfffd, 0xe0001)
	shown := map[rune]string{'é': "%C3%A9", '日': "%E6%97%A5", '🙂': "%F0%9F%99%82", '／': "%EF%BC%8F", '。': "%E3%80%82"}
	for _, place := range []string{"/%c", "/a%cb", "/%c/app", "/app?q=%c", "/app#%c", "%c/app"} {
		for _, c := range hidden {
			next := fmt.Sprintf(place, c)
			if got, err := safeNext(next); err == nil {
				t.Errorf("%+q is taken for safe: %q", next, got)
			}
		}
		for c, encoded := range shown {
			got, err := safeNext(fmt.Sprintf(place, c))
			if strings.HasPrefix(place, "%c") {
				if err == nil {
					t.Errorf("%q does not begin with a slash", got)
				}
				continue
			}
			if want := strings.Replace(place, "%c", encoded, 1); err != nil || got != want {
				t.Errorf("%+q: %q, %v", c, got, err)
			}
		}
	}
}

func TestSafeNextRefuses(t *testing.T) {
	for _, next := range []string{
		"", "app", "?x", "#x", "//", "///", "/%2f", "/%2F%2Fevil.com", "/%2f/evil.com", "/app%2f%2fx",
		"/%5cevil.com", "/app%5C", "/%09/evil.com", "/%0d%0aSet-Cookie:x", "/app%00", "/%7f", "/%c2%85", "/%e2%80%8b", "/%ff",
		"/.", "/..", "/./app", "/../app", "/app/..", "/app/.", "/app/../x", "/%2e/app", "/%2e%2E/app", "/.%2e/app", "/app/%2e%2e",
		"/%", "/%2", "/%zz", "/app%u002f",
		"https://" + testHost + "/app", "//" + testHost + "/app", "javascript:alert(1)", " /app", "\t/app",
	} {
		if got, err := safeNext(next); err == nil {
			t.Errorf("%q is taken for safe: %q", next, got)
		}
	}
}

func TestSafeNextKeeps(t *testing.T) {
	for _, next := range []string{
		"/", "/app", "/app/", "/a/b/c.html", "/app?q=a//b", "/app?redirect=//x", "/app?next=https://evil.com/", "/app?a=1&a=2;b=3",
		"/app?q=%2F%2F&x=%0d%0a", "/app?q=100%", "/app?", "/app#", "/app#//x", "/app?x#?y", "/app#100%", "/app#%zz",
		"/https:/x", "/:x", "/;@evil.com", "/@evil.com", "/~user/..foo/...", "/a%20b", "/caf%C3%A9", "/caf%c3%a9", "/%252f%252fevil.com",
		`/"><script>alert(1)</script>`, "/{env.HOME}", "/app?x={http.request.host}", "/a'b!c(d)*e[f]|g^h`i",
	} {
		got, err := safeNext(next)
		if err != nil || got != next {
			t.Errorf("%q became %q, %v", next, got, err)
		}
	}
}

// TestAfterSignInKeeps is TestSafeNextKeeps for all that is asked before the
// redirect.
func TestAfterSignInKeeps(t *testing.T) {
	s := newSite(t)
	for _, next := range []string{"/app?q=a//b", "/app?q=100%", "/app#100%", "/app?a;b", "/loginx", "/logout2", "/login2/logout", "/app?next=/login"} {
		if got := s.afterSignIn(get("/login"), next); got != next {
			t.Errorf("%q became %q", next, got)
		}
	}
}

func TestSafeNextLength(t *testing.T) {
	longest := "/" + strings.Repeat("a", maxNext-1)
	if _, err := safeNext(longest); err != nil {
		t.Error("refused at 2048 bytes:", err)
	}
	if _, err := safeNext(longest + "a"); err == nil {
		t.Error("taken at 2049 bytes")
	}
}

// TestSafeNextTwice is for the way through the form: the page judges the
// address, and what its form sends is judged again.
func TestSafeNextTwice(t *testing.T) {
	for _, next := range []string{"/app?q=a b", "/é", "/" + strings.Repeat("é", 1000), "/" + strings.Repeat(" ", 1000)} {
		once, err := safeNext(next)
		if err != nil {
			continue
		}
		if twice, err := safeNext(once); err != nil || twice != once {
			t.Errorf("%.20q… (%d bytes) is good once, but what came of it (%d bytes) is not: %v", next, len(next), len(once), err)
		}
	}
}

func TestAfterSignInAvoidsCircles(t *testing.T) {
	stripped := func(target string) *http.Request {
		r := prepared(get(target))
		rewrite.Rewrite{StripPathPrefix: "/proxy"}.Rewrite(r, replacerOf(r))
		return r
	}
	accented := func(target string) *http.Request {
		r := prepared(get(target))
		rewrite.Rewrite{StripPathPrefix: "/%C3%A9"}.Rewrite(r, replacerOf(r))
		return r
	}
	tests := []struct {
		name, next, want string
		request          *http.Request
	}{
		{name: "login", next: "/login"},
		{name: "login with a slash", next: "/login/"},
		{name: "login with a query", next: "/login?next=/login"},
		{name: "login with a fragment", next: "/login#x"},
		{name: "login in disguise", next: "/%6cogin"},
		{name: "logout", next: "/logout"},
		{name: "logout with a slash", next: "/logout/"},
		{name: "below logout", next: "/logout/backchannel"},
		{name: "prefixed login", next: "/proxy/login?x", request: stripped("/proxy/login"), want: "/proxy/"},
		{name: "prefixed logout", next: "/proxy/logout", request: stripped("/proxy/login"), want: "/proxy/"},
		{name: "unsafe under a prefix", next: "//evil.com", request: stripped("/proxy/login"), want: "/proxy/"},
		{name: "prefixed page", next: "/proxy/app?x", request: stripped("/proxy/login"), want: "/proxy/app?x"},
		{name: "prefixed login beyond ASCII", next: "/%C3%A9/login", request: accented("/%C3%A9/login"), want: "/%C3%A9/"},
	}
	s := newSite(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r, want := test.request, test.want
			if r == nil {
				r, want = get("/login"), "/"
			}
			if got := s.afterSignIn(r, test.next); got != want {
				t.Errorf("leads to %q, want %q", got, want)
			}
		})
	}
}

func TestRequestNext(t *testing.T) {
	for target, want := range map[string]string{
		"/app":                             "/app",
		"/app?x=%2F&y=a//b":                "/app?x=%2F&y=a//b",
		"/a%20b/c%2Fd?q=%20":               "/a%20b/c%2Fd?q=%20",
		"/caf%c3%a9":                       "/caf%c3%a9",
		"/a(b)!c":                          "/a(b)!c",
		"//evil.com/x":                     "//evil.com/x",
		"http://evil.com/x?y":              "/x?y",
		"/app?next=//evil.com#x":           "/app?next=//evil.com#x",
		"/app?q=" + url.QueryEscape("ä&b"): "/app?q=%C3%A4%26b",
	} {
		if got := requestNext(get(target)); got != want {
			t.Errorf("%s: %q, want %q", target, got, want)
		}
	}
}

func TestRefererNext(t *testing.T) {
	s := newSite(t)
	tests := []struct{ referer, want string }{
		{"", ""},
		{"https://" + testHost + "/app?x=1", "/app?x=1"},
		{"http://" + testHost + ":80/app", "/app"},
		{"https://" + testHost + ":443/app", "/app"},
		{"https://" + testHost + ":8443/app", ""},
		{"https://" + strings.ToUpper(testHost) + "/app", "/app"},
		{"https://" + testHost + "/login?next=%2Fapp%3Fx", "/app?x"},
		{"https://" + testHost + "/login/?next=%2Fapp", "/app"},
		{"https://" + testHost + "/login", ""},
		{"https://evil.com/app", ""},
		{"https://evil.com/login?next=/app", ""},
		{"https://" + testHost + ".evil.com/app", ""},
		{"https://" + testHost + "@evil.com/app", ""},
		{"/app", ""},
		{"javascript:alert(1)", ""},
		{"javascript://" + testHost + "/%0aalert(1)", "/%0aalert(1)"}, // judged later
		{"https://" + testHost, ""},
		{"%zz", ""},
	}
	for _, test := range tests {
		if got := s.refererNext(get("/login", header("Referer", test.referer))); got != test.want {
			t.Errorf("%q: %q, want %q", test.referer, got, test.want)
		}
	}
}

// TestOpenRedirects tries every known string wherever an address comes in, and
// follows a sign-in to its end. (holoviz/panel#6782, oauth2-proxy
// GHSA-qqxw-m5fj-f7gv, GHSA-j7px-6hwj-hpjg and GHSA-5m6c-jp6f-2vcv,
// CVE-2024-21497.)
func TestOpenRedirects(t *testing.T) {
	s := newSite(t, stateless)
	form := func(next string) url.Values {
		form := credentialsForm(testUser, testPassword)
		if next != "" {
			form.Set("next", next)
		}
		return form
	}
	points := map[string]func(next string) *http.Request{
		"form field": func(next string) *http.Request { return post("/login", form(next)) },
		"query":      func(next string) *http.Request { return post("/login?next="+url.QueryEscape(next), form("")) },
		"Referer":    func(next string) *http.Request { return post("/login", form(""), header("Referer", next)) },
		"Referer query": func(next string) *http.Request {
			return post("/login", form(""), header("Referer", "https://"+testHost+"/login?next="+url.QueryEscape(next)))
		},
		"own cookie": func(next string) *http.Request {
			return post("/login", form(""), cookieLine(s.companionName(nextSuffix)+"="+url.QueryEscape(next)))
		},
		"own cookie as it is": func(next string) *http.Request {
			return post("/login", form(""), cookieLine(s.companionName(nextSuffix)+"="+next))
		},
		"Panel's cookie": func(next string) *http.Request {
			return post("/login", form(""), cookieLine("next_url="+next))
		},
		"headers of proxies": func(next string) *http.Request {
			return post("/login", form(""), header("X-Forwarded-Prefix", next), header("X-Forwarded-Host", next), header("X-Original-URI", next))
		},
	}
	var strange []string
	for _, fact := range redirectFacts(t) {
		strange = append(strange, fact.String)
	}
	strange = append(strange, "/%2f/evil.com", "%2f%2fevil.com", "//evil%00.com", "vbscript:msgbox(1)", "file:///etc/passwd", "ftp://evil.com/", "//")
	for name, point := range points {
		t.Run(name, func(t *testing.T) {
			s := s.in(t)
			for _, next := range strange {
				a := s.serve(point(next))
				a.want(http.StatusSeeOther)
				wantOnSite(t, next, a.Header.Get("Location"))
			}
		})
	}
	t.Run("page", func(t *testing.T) {
		s := s.in(t)
		for _, next := range strange {
			a := s.serve(get("/login?next="+url.QueryEscape(next), browser))
			a.want(http.StatusOK)
			for _, match := range linkPattern.FindAllStringSubmatch(a.text, -1) {
				if address := html.UnescapeString(match[1]); address != "data:," && leavesSite(address, "https") {
					t.Errorf("next %q is on the page as %s", next, match[0])
				}
			}
			if match := nextPattern.FindStringSubmatch(a.text); match == nil {
				t.Errorf("the form has no field for next: %.500q", a.text)
			} else {
				wantOnSite(t, next, html.UnescapeString(match[1]))
			}
		}
	})
}

var (
	linkPattern = regexp.MustCompile(`\b(?:href|action|src|formaction)="([^"]*)"`)
	nextPattern = regexp.MustCompile(`name="next"[^>]*value="([^"]*)"`)
)

// TestRedirectOfPath is for addresses in the request line itself: the module
// must not make a redirect of them.
func TestRedirectOfPath(t *testing.T) {
	s := newSite(t)
	for _, target := range []string{"//evil.com/", "//evil.com//", "//evil.com%2f..", "/%2f%2fevil.com/", `/\evil.com/`, "/%5cevil.com", "///evil.com", "/.//evil.com", "/%09/evil.com", "//evil.com/login", "/login//evil.com", "//evil.com/logout"} {
		a := s.serve(get(target, browser))
		a.wantRefusedHere(http.StatusFound)
		location, err := url.Parse(a.Header.Get("Location"))
		if err != nil || location.Path != "/login" || location.Host != "" {
			t.Errorf("%s leads to %q", target, a.Header.Get("Location"))
			continue
		}
		wantOnSite(t, target, a.Header.Get("Location"))
		wantOnSite(t, target, location.Query().Get("next"))
	}
}

// TestNextSurvives goes all the way: from the page to the form and back.
func TestNextSurvives(t *testing.T) {
	s := newSite(t, stateless)
	for _, page := range []string{"/app?q=a//b", "/app?redirect=//x", "/a%20b?x=%2F&y=100%25", "/caf%C3%A9/?q=%E6%97%A5", "/app?q=%22%3E%3Cscript%3E"} {
		asked := s.serve(get(page, browser))
		asked.want(http.StatusFound)
		shown := s.serve(get(asked.Header.Get("Location"), browser))
		shown.want(http.StatusOK)
		match := nextPattern.FindStringSubmatch(shown.text)
		if match == nil {
			t.Fatalf("the form has no field for next: %.500q", shown.text)
		}
		form := credentialsForm(testUser, testPassword)
		form.Set("next", html.UnescapeString(match[1]))
		s.serve(post("/login", form)).wantHeader("Location", page)
	}
}

func FuzzSafeNext(f *testing.F) {
	for _, fact := range redirectFacts(f) {
		f.Add(fact.String)
	}
	f.Add("/app?q=a//b#c")
	f.Fuzz(func(t *testing.T, next string) {
		got, err := safeNext(next)
		if err != nil {
			return
		}
		wantOnSite(t, next, got)
		if decoded, err := url.PathUnescape(strings.ReplaceAll(strings.ReplaceAll(got, "%25", "%"), "%", "%25")); err != nil || decoded == "" {
			t.Errorf("%q became %q", next, got)
		}
		u, err := url.Parse(strings.SplitN(got, "#", 2)[0])
		if err != nil {
			t.Fatalf("%q became %q: %v", next, got, err)
		}
		if u.Host != "" || u.Scheme != "" || u.User != nil || u.Opaque != "" || strings.Contains(u.Path, "//") || strings.Contains(u.Path, `\`) || hasDotSegment(u.Path) {
			t.Errorf("%q became %q", next, got)
		}
		if len(got) <= maxNext {
			if again, err := safeNext(got); err != nil || again != got {
				t.Errorf("%q became %q, and that %q, %v", next, got, again, err)
			}
		}
	})
}
