// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/rewrite"
	"golang.org/x/crypto/bcrypt"
)

func TestLoginPage(t *testing.T) {
	s := newSite(t)
	for _, target := range []string{"/login", "/login/", "/login?next=%2Fapp", "/login?x=/../"} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			a := s.serve(request(method, target, browser))
			a.wantRefusedHere(http.StatusOK)
			a.wantHeader("Content-Type", "text/html; charset=utf-8")
			if a.Header["Set-Cookie"] != nil {
				t.Errorf("%s %s sets %v", method, target, a.Header["Set-Cookie"])
			}
		}
	}
	a := s.serve(get("/login?next=%2Fapp%3Fx%3D1", browser))
	a.wantBody(`name="username"`, `name="password"`, `action="/login"`, `name="next" value="/app?x=1"`)
	if n := strings.Count(a.text, "<button"); n != 1 {
		t.Errorf("there are %d buttons", n)
	}
	if strings.Contains(a.text, `name="remember"`) {
		t.Error("offers to stay signed in")
	}
}

func TestLoginMethods(t *testing.T) {
	s := newSite(t, optional)
	for _, method := range []string{"PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "Post"} {
		for _, target := range []string{"/login", "/login/"} {
			a := s.serve(request(method, target))
			a.wantRefusedHere(http.StatusMethodNotAllowed)
			a.wantHeader("Allow", "GET, HEAD, POST")
		}
	}
}

func TestSignInByForm(t *testing.T) {
	for name, options := range map[string][]func(*Handler){"stored": nil, "in the browser": {stateless}, "generated secret": {generatedSecrets}} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, options...)
			form := credentialsForm(testUser, testPassword)
			form.Set("next", "/app?x=1")
			for _, target := range []string{"/login", "/login/", "/login?next=/other"} {
				a := s.serve(post(target, form))
				a.wantRefusedHere(http.StatusSeeOther)
				a.wantHeader("Location", "/app?x=1")
				if !s.isSignedIn(a.cookieLine()) {
					t.Error("is not signed in")
				}
				// CK-038, LG-011: nothing is readable.
				for _, secret := range []string{testUser, testPassword, "password"} {
					if strings.Contains(a.cookieLine(), secret) {
						t.Errorf("the cookie says %s", secret)
					}
				}
			}
		})
	}
}

// TestSignInEachTimeAnother: no two sessions have the same cookie.
func TestSignInEachTimeAnother(t *testing.T) {
	s := newSite(t, stateless)
	seen := make(map[string]bool)
	for range 50 {
		line := s.signInAlice()
		if seen[line] {
			t.Fatal("two sessions have the same cookie")
		}
		seen[line] = true
	}
}

// TestSignInFails: BF-010. All failures look the same, but for the name in its
// field.
func TestSignInFails(t *testing.T) {
	hash := bcryptOf(t, testPassword, bcrypt.MinCost)
	for name, file := range map[string]string{"plain": `{"alice": "` + testPassword + `"}`, "hashed": `{"alice": "` + hash + `"}`, "master": `{"*": "` + testPassword + `"}`} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, accountsFile(newFile(t, "users.json", file)), attemptsLimit(1000, time.Minute))
			forms := map[string]url.Values{
				"wrong password":           credentialsForm("alice", "wrong"),
				"unknown user":             credentialsForm("nobody", "wrong"),
				"BF-012 empty password":    credentialsForm("alice", ""),
				"BF-015 no password":       {"username": {"alice"}},
				"no user":                  {"password": {testPassword}},
				"HS-095 empty user":        credentialsForm("", testPassword),
				"nothing":                  {},
				"BF-018 undefined":         credentialsForm("alice", "undefined"),
				"BF-020 NUL and more":      credentialsForm("alice", testPassword+"\x00x"),
				"BF-021 NUL and again":     credentialsForm("alice", testPassword+"\x00"+testPassword),
				"BF-025 other case":        credentialsForm("alice", strings.ToUpper(testPassword)),
				"long password":            credentialsForm("alice", strings.Repeat("x", maxPassword+1)),
				"long user":                credentialsForm(strings.Repeat("x", maxUserName+1), testPassword),
				"guest":                    credentialsForm("guest", testPassword),
				"HS-084 line feed":         credentialsForm("alice\nX-Admin: 1", testPassword),
				"user that is not UTF-8":   credentialsForm("alice\xff", testPassword),
				"user of markup":           credentialsForm(`"><script>alert(1)</script>`, "wrong"),
				"fields in the query only": nil,
			}
			var reference string
			for name, form := range forms {
				target := "/login"
				if form == nil {
					target += "?" + credentialsForm("alice", testPassword).Encode()
				}
				a := s.serve(post(target, form))
				a.wantRefusedHere(http.StatusUnauthorized)
				a.wantBody(invalidPassword)
				if a.Header["Set-Cookie"] != nil {
					t.Errorf("%s: sets %v", name, a.Header["Set-Cookie"])
				}
				if strings.Contains(a.text, testPassword) || strings.Contains(a.text, "<script>") {
					t.Errorf("%s: the page says %q", name, a.text)
				}
				shape := userFieldPattern.ReplaceAllString(a.text, "") + fmt.Sprint(a.Header.Values("Content-Security-Policy"), len(a.Header))
				if reference == "" {
					reference = shape
				}
				if shape != reference {
					t.Errorf("%s: looks different:\n%s\n%s", name, shape, reference)
				}
			}
		})
	}
}

// userFieldPattern is what depends on the name in the form: its value, and
// where the cursor is.
var userFieldPattern = regexp.MustCompile(` value="[^"]*" autocomplete="username"| autocomplete="username"| autofocus`)

func TestSignInFailsKeepsTheName(t *testing.T) {
	s := newSite(t)
	for user, want := range map[string]string{"Bob B.": `value="Bob B."`, `"><b>`: `value="&#34;&gt;&lt;b&gt;"`, "zoë": `value="zoë"`} {
		form := credentialsForm(user, "wrong")
		form.Set("next", "/app?a=b")
		a := s.serve(post("/login", form))
		a.want(http.StatusUnauthorized)
		a.wantBody(want, `value="/app?a=b"`)
		if strings.Contains(a.text, `value="wrong"`) {
			t.Error("the password is on the page")
		}
	}
}

func TestSignInOfPrograms(t *testing.T) {
	s := newSite(t)
	a := s.serve(post("/login", credentialsForm(testUser, "wrong"), header("Accept", "application/json")))
	a.want(http.StatusUnauthorized)
	a.wantHeader("Content-Type", "application/json")
	if a.text != `{"error":"invalid_credentials"}` {
		t.Errorf("says %s", a.text)
	}
}

// TestFormBounds: DO-005, DO-006 and forms that are none.
func TestFormBounds(t *testing.T) {
	s := newSite(t, func(h *Handler) {
		h.BasicAuth = &BasicAuth{Accounts: map[string]string{
			"long":   strings.Repeat("p", maxPassword),
			"argon":  argonOf(strings.Repeat("p", maxPassword)),
			"longer": argonOf(strings.Repeat("p", maxPassword+1)),
			testUser: testPassword,
		}}
	})
	many := credentialsForm(testUser, testPassword)
	for i := range maxFormFields {
		many.Set(fmt.Sprint("f", i), "x")
	}
	right := credentialsForm(testUser, testPassword).Encode()
	tests := []struct {
		name    string
		options []func(*http.Request)
		want    int
	}{
		{"as it should be", []func(*http.Request){body(right)}, 303},
		{"with a charset", []func(*http.Request){body(right), header("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")}, 303},
		{"the longest password", []func(*http.Request){body(credentialsForm("long", strings.Repeat("p", maxPassword)).Encode())}, 303},
		{"one byte more", []func(*http.Request){body(credentialsForm("long", strings.Repeat("p", maxPassword+1)).Encode())}, 401},
		{"the longest password, hashed", []func(*http.Request){body(credentialsForm("argon", strings.Repeat("p", maxPassword)).Encode())}, 303},
		{"one byte more, hashed", []func(*http.Request){body(credentialsForm("longer", strings.Repeat("p", maxPassword+1)).Encode())}, 401},
		{"64 KiB", []func(*http.Request){body(right + "&x=" + strings.Repeat("x", maxForm-len(right)-3))}, 303},
		{"one byte more than 64 KiB", []func(*http.Request){body(right + "&x=" + strings.Repeat("x", maxForm-len(right)-2))}, 413},
		{"1 MB", []func(*http.Request){body("username=alice&password=" + strings.Repeat("x", 1<<20))}, 413},
		{"1 MB that does not say so", []func(*http.Request){body("password=" + strings.Repeat("x", 1<<20)), func(r *http.Request) { r.ContentLength = -1 }}, 413},
		{"many fields", []func(*http.Request){body(many.Encode())}, 400},
		{"20,000 fields", []func(*http.Request){body(strings.Repeat("a=&", 20000))}, 400},
		{"two users", []func(*http.Request){body(right + "&username=bob")}, 400},
		{"two passwords", []func(*http.Request){body(right + "&password=x")}, 400},
		{"bad escape", []func(*http.Request){body(right + "&x=%zz")}, 400},
		{"semicolon", []func(*http.Request){body(strings.ReplaceAll(right, "&", ";"))}, 400},
		{"JSON", []func(*http.Request){header("Content-Type", "application/json"), body(`{"username":"alice"}`)}, 415},
		{"multipart", []func(*http.Request){header("Content-Type", "multipart/form-data; boundary=x")}, 415},
		{"text", []func(*http.Request){header("Content-Type", "text/plain")}, 415},
		{"nothing said", []func(*http.Request){header("Content-Type", "")}, 415},
		{"nonsense", []func(*http.Request){header("Content-Type", ";;")}, 415},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := s.in(t)
			a := s.serve(post("/login", nil, test.options...))
			a.wantRefusedHere(test.want)
			if test.want != 303 && a.Header["Set-Cookie"] != nil {
				t.Errorf("sets %v", a.Header["Set-Cookie"])
			}
		})
	}
}

// TestLoginFromElsewhere: what the login page's address says beside next is
// nobody's business, least of all a reason to refuse the form.
func TestLoginQuery(t *testing.T) {
	s := newSite(t, stateless)
	for target, want := range map[string]string{
		"/login?next=%2Fapp":     "/app",
		"/login?next=%2Fapp&x=%": "/app",
		"/login?a;b&next=%2Fapp": "/app",
		"/login?next=100%":       "/",
		"/login?":                "/",
	} {
		a := s.serve(post(target, credentialsForm(testUser, testPassword)))
		if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != want {
			t.Errorf("%s: %d %q, want %q", target, a.StatusCode, a.Header.Get("Location"), want)
		}
	}
}

// TestCrossOriginForms: login CSRF.
func TestCrossOriginForms(t *testing.T) {
	s := newSite(t)
	tests := []struct {
		site, origin string
		want         int
	}{
		{"same-origin", "https://" + testHost, 303},
		{"none", "", 303},
		{"", "https://" + testHost, 303},
		{"", "", 303}, // no browser
		{"same-origin", "null", 303},
		{"cross-site", "https://evil.com", 403},
		{"cross-site", "https://" + testHost, 403},
		{"cross-site", "", 403},
		{"same-site", "https://other.example.com", 403},
		{"nonsense", "", 403},
		{"", "https://evil.com", 403},
		{"", "https://" + testHost + ".evil.com", 403},
		{"", "https://" + testHost + ":8443", 403},
		{"", "null", 403},
	}
	for _, test := range tests {
		t.Run(test.site+" "+test.origin, func(t *testing.T) {
			s := s.in(t)
			a := s.serve(post("/login", credentialsForm(testUser, testPassword), header("Sec-Fetch-Site", test.site), header("Origin", test.origin)))
			a.wantRefusedHere(test.want)
			if test.want == 403 && a.Header["Set-Cookie"] != nil {
				t.Errorf("sets %v", a.Header["Set-Cookie"])
			}
		})
	}
	// Another site can neither sign a visitor in nor use up the attempts.
	for range 50 {
		s.serve(post("/login", credentialsForm(testUser, "wrong"), header("Sec-Fetch-Site", "cross-site"))).want(http.StatusForbidden)
	}
	s.signInAlice()
}

// TestFormsBehindProxies: one that changes the host says which it was. A page
// cannot make a browser send X-Forwarded-Host, and Sec-Fetch-Site goes first.
func TestFormsBehindProxies(t *testing.T) {
	const asked = "dashboards.example.net"
	tests := map[string]struct {
		trusted                 bool
		forwarded, site, origin string
		want                    int
	}{
		"as it is":               {true, asked, "", "https://" + asked, 303},
		"through two":            {true, asked + ", inner.example.net", "", "https://" + asked, 303},
		"from another page":      {true, asked, "", "https://evil.com", 403},
		"browser knows better":   {true, asked, "cross-site", "https://" + asked, 403},
		"not trusted":            {false, asked, "", "https://" + asked, 403},
		"another port":           {true, asked, "", "https://" + asked + ":8443", 403},
		"nothing, from nowhere":  {true, "", "", "null", 403},
		"nothing, from anywhere": {true, "", "", "https://evil.com", 403},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			r := prepared(post("/login", credentialsForm(testUser, testPassword), header("X-Forwarded-Host", test.forwarded),
				header("Sec-Fetch-Site", test.site), header("Origin", test.origin)))
			caddyhttp.SetVar(r.Context(), caddyhttp.TrustedProxyVarKey, test.trusted)
			s.serve(r).wantRefusedHere(test.want)
		})
	}
}

func TestTooManyAttempts(t *testing.T) {
	hash := bcryptOf(t, testPassword, bcrypt.MinCost)
	s := newSite(t, func(h *Handler) {
		h.BasicAuth = &BasicAuth{Accounts: map[string]string{testUser: hash, "bob": hash}}
	})
	c := s.withClock()
	wrong, right := credentialsForm(testUser, "wrong"), credentialsForm(testUser, testPassword)
	for range 5 {
		s.serve(post("/login", wrong)).want(http.StatusUnauthorized)
	}
	refused := func(form url.Values, options ...func(*http.Request)) answer {
		t.Helper()
		a := s.serve(post("/login", form, options...))
		a.wantRefusedHere(http.StatusTooManyRequests)
		seconds, err := strconv.Atoi(a.Header.Get("Retry-After"))
		if err != nil || seconds < 1 || seconds > 120 {
			t.Errorf("Retry-After is %q", a.Header.Get("Retry-After"))
		}
		return a
	}
	// BF-005: nor does the right password help, and nobody learns that it is.
	plain := regexp.MustCompile(`<code>[0-9a-f]+</code>`)
	if one, two := refused(wrong), refused(right); plain.ReplaceAllString(one.text, "") != plain.ReplaceAllString(two.text, "") {
		t.Errorf("the right password looks different:\n%s\n%s", one.text, two.text)
	}
	if a := refused(wrong, header("Accept", "application/json")); a.text != `{"error":"too_many_attempts"}` {
		t.Errorf("a program is told %s", a.text)
	}
	t.Run("no password is hashed", func(t *testing.T) {
		defer withHashes(newHashGate(0, 0))()
		refused(right)
	})
	t.Run("HS-077 headers", func(t *testing.T) {
		for i := range 10 {
			ip := fmt.Sprint("10.0.0.", i)
			refused(wrong, header("X-Forwarded-For", ip), header("X-Real-IP", ip), header("CF-Connecting-IP", ip), header("Forwarded", "for="+ip))
		}
	})
	t.Run("other spelling", func(t *testing.T) { refused(credentialsForm(" ALICE ", "wrong")) })
	t.Run("other user", func(t *testing.T) { s.signIn("bob", testPassword) })
	t.Run("other address", func(t *testing.T) { s.signInAlice(from("192.0.2.77:1")) })
	t.Run("signed in elsewhere", func(t *testing.T) { refused(right) })
	c.pass(2*time.Minute - time.Second)
	if a := refused(right); a.Header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After is %q", a.Header.Get("Retry-After"))
	}
	c.pass(time.Second)
	s.signInAlice()
}

// TestTooManyAttemptsOverIPv6: a customer's network counts as one.
func TestTooManyAttemptsOverIPv6(t *testing.T) {
	s := newSite(t)
	attempt := func(ip string) answer {
		r := prepared(post("/login", credentialsForm(testUser, "wrong")))
		caddyhttp.SetVar(r.Context(), caddyhttp.ClientIPVarKey, ip)
		return s.serve(r)
	}
	for i := range 5 {
		attempt(fmt.Sprintf("2001:db8::%x", i)).want(http.StatusUnauthorized)
	}
	attempt("2001:db8::ffff:1").want(http.StatusTooManyRequests)
	attempt("2001:db8:0:1::1").want(http.StatusUnauthorized)
}

func TestTooManyAttemptsOfAnAddress(t *testing.T) {
	s := newSite(t)
	for i := range 20 {
		s.serve(post("/login", credentialsForm(fmt.Sprint("user", i), "wrong"))).want(http.StatusUnauthorized)
	}
	s.serve(post("/login", credentialsForm("user99", "wrong"))).want(http.StatusTooManyRequests)
	s.signInAlice(from("192.0.2.77:1"))
}

// withHashes puts another gate in place of the process's, until the returned
// function is called.
func withHashes(gate *hashGate) (restore func()) {
	before := hashes
	hashes = gate
	return func() { hashes = before }
}

// TestBusy: a flood of sign-ins ends in 503, does not count as failures, and
// is nobody's concern who is signed in or has a plain password.
func TestBusy(t *testing.T) {
	hashed := newSite(t, func(h *Handler) {
		h.BasicAuth = &BasicAuth{Accounts: map[string]string{testUser: bcryptOf(t, testPassword, bcrypt.MinCost)}}
	})
	cookie := hashed.signInAlice()
	plain := newSite(t)
	func() {
		defer withHashes(newHashGate(0, 0))()
		for range 50 {
			a := hashed.serve(post("/login", credentialsForm(testUser, testPassword)))
			a.wantRefusedHere(http.StatusServiceUnavailable)
			if a.Header.Get("Retry-After") == "" || a.Header["Set-Cookie"] != nil {
				t.Errorf("the header is %v", a.Header)
			}
		}
		a := hashed.serve(post("/login", credentialsForm(testUser, testPassword), header("Accept", "application/json")))
		if a.text != `{"error":"busy"}` {
			t.Errorf("a program is told %s", a.text)
		}
		if !hashed.isSignedIn(cookie) {
			t.Error("is not signed in any more")
		}
		plain.signInAlice()
	}()
	hashed.signInAlice()
}

// TestNextPrecedence: what the form says, then the address, then what was
// remembered for a page without a field, then where the visitor comes from.
func TestNextPrecedence(t *testing.T) {
	s := newSite(t, stateless)
	tests := []struct {
		name, field, query, referer, cookie, want string
	}{
		{name: "nothing", want: "/"},
		{name: "field", field: "/field", query: "/query", referer: "/referer", cookie: "/cookie", want: "/field"},
		{name: "query", query: "/query", referer: "/referer", cookie: "/cookie", want: "/query"},
		{name: "referer", referer: "/referer", cookie: "/cookie", want: "/referer"},
		{name: "referer is the login page with next", referer: "/login?next=%2Fapp", cookie: "/cookie", want: "/app"},
		{name: "referer is the login page", referer: "/login", cookie: "/cookie", want: "/cookie"},
		{name: "cookie", cookie: "/cookie", want: "/cookie"},
		{name: "unsafe field", field: "//evil.com", query: "/query", want: "/"},
		{name: "unsafe query", query: "//evil.com", referer: "/referer", want: "/"},
		{name: "unsafe cookie", cookie: "//evil.com", want: "/"},
		{name: "field is the logout page", field: "/logout", want: "/"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := s.in(t)
			form := credentialsForm(testUser, testPassword)
			if test.field != "" {
				form.Set("next", test.field)
			}
			target := "/login"
			if test.query != "" {
				target += "?next=" + url.QueryEscape(test.query)
			}
			var options []func(*http.Request)
			if test.referer != "" {
				options = append(options, header("Referer", "https://"+testHost+test.referer))
			}
			if test.cookie != "" {
				options = append(options, cookieLine("panelauth_next="+url.QueryEscape(test.cookie)))
			}
			a := s.serve(post(target, form, options...))
			a.want(http.StatusSeeOther)
			a.wantHeader("Location", test.want)
		})
	}
}

// TestNextFromTheButton is Panel's log-in button on a guest's page: a link to
// the login endpoint, from which sign-in leads back.
func TestNextFromTheButton(t *testing.T) {
	s := newSite(t, optional)
	a := s.serve(get("/login", browser, header("Referer", "https://"+testHost+"/app?x=1")))
	a.wantBody(`name="next" value="/app?x=1"`)
	a = s.serve(get("/login", browser, header("Referer", "https://evil.com/app?x=1")))
	a.wantBody(`name="next" value="/"`)
}

const panelsPage = `<form action=".{{ login_endpoint }}" method="post">{{ errormessage }}
<input name="username"><input name="password"><button>Go</button></form>`

// TestNextOfCustomPages: a page that was written for Panel has no field for
// next, and its form forgets the address.
func TestNextOfCustomPages(t *testing.T) {
	s := newSite(t, func(h *Handler) { h.BasicLoginTemplate = newFile(t, "login.html", panelsPage) })
	page := s.serve(get("/login?next=%2Fapp%3Fa%3D%22b%22%3Bc", browser, overTLS))
	page.want(http.StatusOK)
	cookie := page.cookie("panelauth_next")
	if cookie == nil || cookie.Path != "/login" || !cookie.HttpOnly || !cookie.Secure || cookie.SameSite != http.SameSiteLaxMode {
		t.Fatalf("the cookies are %v", page.Header["Set-Cookie"])
	}
	line := page.cookieLine()
	failed := s.serve(post("/login", credentialsForm(testUser, "wrong"), overTLS, cookieLine(line), header("Referer", "https://"+testHost+"/login")))
	failed.want(http.StatusUnauthorized)
	failed.wantBody(invalidPassword)
	if failed.cookie("panelauth_next") != nil {
		line = failed.cookieLine()
	}
	a := s.serve(post("/login", credentialsForm(testUser, testPassword), overTLS, cookieLine(line), header("Referer", "https://"+testHost+"/login")))
	a.want(http.StatusSeeOther)
	a.wantHeader("Location", `/app?a="b";c`)
	if gone := a.cookie("panelauth_next"); gone == nil || gone.MaxAge >= 0 || gone.Path != "/login" {
		t.Errorf("the cookies are %v", a.Header["Set-Cookie"])
	}
	s.serve(get("/app", cookieLine(line+"; "+a.cookieLine()), overTLS)).wantReached()
	if strings.Contains(s.app.got.Header.Get("Cookie"), "panelauth") {
		t.Error("the cookie reaches the application")
	}
}

// TestRemember: "stay signed in" is offered or not, and means nothing if not.
func TestRemember(t *testing.T) {
	remember := credentialsForm(testUser, testPassword)
	remember.Set("remember", "1")
	tests := []struct {
		name   string
		days   Number
		form   url.Values
		maxAge int
	}{
		{"offered and taken", "30", remember, 30 * 86400},
		{"offered and not taken", "30", credentialsForm(testUser, testPassword), 86400},
		{"not offered and taken", "", remember, 86400},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t, func(h *Handler) { h.RememberMe = test.days })
			c := s.withClock()
			a := s.serve(post("/login", test.form))
			if got := a.cookie("panelauth"); got == nil || got.MaxAge != test.maxAge {
				t.Fatalf("the cookie is %v", got)
			}
			c.pass(time.Duration(test.maxAge)*time.Second - time.Second)
			if !s.isSignedIn(a.cookieLine()) {
				t.Error("the session ended too early")
			}
			c.pass(time.Second)
			if s.isSignedIn(a.cookieLine()) {
				t.Error("the session goes on")
			}
		})
	}
	s := newSite(t, func(h *Handler) { h.RememberMe = "30" })
	s.serve(get("/login", browser)).wantBody(`name="remember"`, "30 days")
	// A wrong password does not lose the tick's field.
	s.serve(post("/login", credentialsForm(testUser, "wrong"))).wantBody(`name="remember"`)
}

// TestSignInReplaces: the session before is over, and a planted one does not
// become the visitor's (GHSA-f24x-5g9q-753f, session fixation).
func TestSignInReplaces(t *testing.T) {
	for name, options := range map[string][]func(*Handler){"stored": nil, "in the browser": {stateless}} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, options...)
			first := s.signInAlice()
			second := s.signInAlice(cookieLine(first))
			if first == second {
				t.Fatal("the session is the same")
			}
			if s.isSignedIn(first) {
				t.Error("the first session goes on")
			}
			if !s.isSignedIn(second) {
				t.Error("the second is none")
			}
			s.serve(post("/login", credentialsForm(testUser, "wrong"), cookieLine(second))).want(http.StatusUnauthorized)
			if !s.isSignedIn(second) {
				t.Error("a failed sign-in ended the session")
			}
		})
	}
}

// TestSignInUnderAPrefix: all stays below what handle_path took off.
func TestSignInUnderAPrefix(t *testing.T) {
	s := newSite(t, func(h *Handler) { h.BasicLoginTemplate = newFile(t, "login.html", panelsPage) })
	below := func(r *http.Request) *http.Request {
		r = prepared(r)
		rewrite.Rewrite{StripPathPrefix: "/proxy"}.Rewrite(r, replacerOf(r))
		return r
	}
	asked := s.serve(below(get("/proxy/app?x=1", browser)))
	asked.want(http.StatusFound)
	asked.wantHeader("Location", "/proxy/login?next=%2Fproxy%2Fapp%3Fx%3D1")
	page := s.serve(below(get("/proxy/login?next=%2Fproxy%2Fapp%3Fx%3D1", browser)))
	page.want(http.StatusOK)
	page.wantBody(`action="./login"`)
	if cookie := page.cookie("panelauth_next"); cookie == nil || cookie.Path != "/proxy/login" {
		t.Errorf("the cookies are %v", page.Header["Set-Cookie"])
	}
	a := s.serve(below(post("/proxy/login", credentialsForm(testUser, testPassword), cookieLine(page.cookieLine()))))
	a.want(http.StatusSeeOther)
	a.wantHeader("Location", "/proxy/app?x=1")
	a = s.serve(below(post("/proxy/login", credentialsForm(testUser, testPassword))))
	a.wantHeader("Location", "/proxy/")
	s.serve(below(get("/proxy", browser))).wantHeader("Location", "/proxy/login?next=%2Fproxy")
	program := s.serve(below(get("/proxy/api", header("Accept", "application/json"))))
	if program.text != `{"error":"unauthenticated","login":"/proxy/login"}` {
		t.Errorf("a program is told %s", program.text)
	}
	out := s.serve(below(get("/proxy/logout", cookieLine(a.cookieLine()))))
	out.want(http.StatusOK)
	out.wantBody(`"/proxy/login"`)
}
