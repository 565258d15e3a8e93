// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"math/rand/v2"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

// genericParams point a provider without discovery at a server.
func genericParams(s *providertest.Server) map[string]string {
	return map[string]string{
		"AUTHORIZE_URL": s.URL + "/authorize", "TOKEN_URL": s.URL + "/token", "USER_URL": s.URL + "/userinfo",
	}
}

func TestProviderSignIn(t *testing.T) {
	named := func(name string) func(testing.TB) *providertest.Server {
		return func(t testing.TB) *providertest.Server {
			s := providertest.Start(t)
			s.Name, s.Params = name, genericParams(s)
			return s
		}
	}
	tests := map[string]struct {
		server func(testing.TB) *providertest.Server
		edit   func(*OAuthProvider)
		user   string
		groups []any
	}{
		"oidc":      {providertest.Start, nil, "alice@example.org", []any{"staff", "staff/admins"}},
		"github":    {providertest.GitHub, func(p *OAuthProvider) { p.Scope = []string{"read:org"} }, "alice", []any{"staff", "staff/admins"}},
		"gitlab":    {providertest.GitLab, nil, "alice", []any{"staff", "staff/admins"}},
		"bitbucket": {providertest.Bitbucket, nil, "alice", nil},
		"google":    {providertest.Google, nil, "alice@example.org", nil},
		"azure": {func(t testing.TB) *providertest.Server { return providertest.Azure(t, providertest.Tenant) }, nil, "alice@example.org",
			[]any{"6a1f38f2-0c3e-4f55-9a55-0a9a3f1f7d01"}},
		"azurev2": {func(t testing.TB) *providertest.Server { return providertest.AzureV2(t, "common") }, nil, "alice@example.org",
			[]any{"6a1f38f2-0c3e-4f55-9a55-0a9a3f1f7d01"}},
		"okta": {func(t testing.TB) *providertest.Server { return providertest.Okta(t, "default") }, nil, "alice@example.org", []any{"staff", "staff/admins"}},
		"auth0": {providertest.Auth0, func(p *OAuthProvider) { p.GroupsClaim = "https://example.com/groups" }, "alice@example.org",
			[]any{"staff", "staff/admins"}},
		"generic": {named("generic"), nil, "alice@example.org", []any{"staff", "staff/admins"}},
		"auth_code": {func(t testing.TB) *providertest.Server {
			s := named("auth_code")(t)
			s.ClientSecret = ""
			return s
		}, nil, "alice@example.org", []any{"staff", "staff/admins"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := connected(t, test.server(t))
			entry := entryFor(p)
			if test.edit != nil {
				test.edit(&entry)
			}
			s := newSite(t, entries(entry), panelGets("user", "id_token", "access_token"), identityHeaders)
			v := s.newVisitor("")
			a := v.mustSignIn("/report?year=2026&q=a%20b")
			if got := s.app.got.URL.RequestURI(); got != "/report?year=2026&q=a%20b" {
				t.Errorf("sign-in led to %s", got)
			}
			a.wantUser(test.user)
			panel := s.seenByPanel()
			if panel["user"] != test.user || panel["access_token"] == "" {
				t.Errorf("Panel sees %v", panel)
			}
			info := infoOf(t, panel["id_token"])
			if info["user"] != test.user || info["username"] == nil || info["name"] != "Alice Example" {
				t.Errorf("user_info is %v", info)
			}
			if test.groups != nil && !reflect.DeepEqual(info["groups"], test.groups) {
				t.Errorf("groups are %v", info["groups"])
			}
			if got := s.app.got.Header.Get("Remote-User"); got != test.user {
				t.Errorf("Remote-User is %q", got)
			}
			if got := v.attempts(); len(got) > 0 {
				t.Errorf("sign-ins under way are left: %q", got)
			}
			for _, r := range append(p.Requests(providertest.UserInfo), p.Requests(providertest.API)...) {
				if r.Query.Has("access_token") {
					t.Errorf("an access token travelled in a URL to %s", r.Path)
				}
			}
		})
	}
}

// TestProviderPassword: the password grant has the form and its attempt limit.
func TestProviderPassword(t *testing.T) {
	p := providertest.Start(t)
	p.Name, p.Params = "password", map[string]string{"TOKEN_URL": p.URL + "/token", "USER_URL": p.URL + "/userinfo"}
	connected(t, p)
	s := newSite(t, signInWith(p), attemptsLimit(2, 60e9))
	if !strings.Contains(s.logText(), "RFC 9700") {
		t.Error("the log does not say that RFC 9700 forbids the password grant")
	}
	v := s.newVisitor("")
	a := v.visit("/report?a=1")
	a.want(http.StatusOK)
	a.wantBody(`name="password"`, `value="/report?a=1"`)
	send := func(user, password string) answer {
		form := credentialsForm(user, password)
		form.Set("next", "/report?a=1")
		return v.send(post("/login", form))
	}
	a = send("alice", "wrong")
	a.want(http.StatusUnauthorized)
	a.wantBody(invalidPassword, `value="alice"`)
	a = send("alice", "right password")
	a.want(http.StatusSeeOther)
	a.wantHeader("Location", "/report?a=1")
	v.wantSignedIn("alice@example.org")

	t.Run("provider away", func(t *testing.T) {
		v := s.in(t).newVisitor("")
		p.Fault(providertest.Token, providertest.Unavailable())
		defer p.Fault(providertest.Token, nil)
		for range 6 { // which are no failed attempts
			v.wantFailed(v.send(post("/login", credentialsForm("bob", "right password"))), 503, "provider_unreachable", "cannot be reached")
		}
	})
	t.Run("too many attempts", func(t *testing.T) {
		v := s.in(t).newVisitor("")
		before := asked(p, providertest.Token)
		for range 2 {
			v.send(post("/login", credentialsForm("carol", "wrong"))).want(http.StatusUnauthorized)
		}
		v.send(post("/login", credentialsForm("carol", "right password"))).want(http.StatusTooManyRequests)
		if got := asked(p, providertest.Token) - before; got != 2 {
			t.Errorf("the provider was asked %d times", got)
		}
	})
	t.Run("from another site", func(t *testing.T) {
		s.in(t).newVisitor("").send(post("/login", credentialsForm("alice", "right password"),
			header("Origin", "https://evil.example"), header("Sec-Fetch-Site", "cross-site"))).want(http.StatusForbidden)
	})
	t.Run("never by redirect", func(t *testing.T) {
		s.in(t).newVisitor("").open("/login?provider=password").want(http.StatusOK)
	})
	if strings.Contains(s.logText(), "right password") {
		t.Error("a password is in the log")
	}
}

// TestAuthorizationURL is CS-019, CS-020, CS-032 and CS-033.
func TestAuthorizationURL(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p, withParam("prompt", "login")))
	params := func(t *testing.T, target string) url.Values {
		t.Helper()
		address := s.in(t).newVisitor("").begin(target)
		u, err := url.Parse(address)
		if err != nil || !strings.HasPrefix(address, p.URL+"/authorize?") {
			t.Fatalf("it leads to %s", address)
		}
		return u.Query()
	}
	t.Run("ours", func(t *testing.T) {
		q := params(t, "/login")
		if q.Get("response_type") != "code" || q.Get("redirect_uri") != "https://"+testHost+"/login" || q.Get("client_id") != p.ClientID ||
			q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 || q.Get("prompt") != "login" ||
			len(q.Get("state")) < 22 || len(q.Get("nonce")) < 22 || q.Get("scope") != "openid email profile" {
			t.Errorf("the parameters are %v", q)
		}
	})
	t.Run("none of the visitor's", func(t *testing.T) {
		for _, target := range []string{
			"/login?redirect_uri=https://evil.com&client_id=x&scope=admin&prompt=none&state=fixed&response_type=token&nonce=1&code_challenge=x",
			"/login?next=/%26scope=admin%26redirect_uri=https://evil.com",
		} {
			q := params(t, target)
			if strings.Contains(q.Encode(), "evil") || q.Get("client_id") != p.ClientID || q.Get("scope") != "openid email profile" ||
				q.Get("prompt") != "login" || q.Get("state") == "fixed" {
				t.Errorf("%s: the parameters are %v", target, q)
			}
		}
	})
	t.Run("never the same", func(t *testing.T) {
		seen := make(map[string]bool)
		for range 200 {
			q := params(t, "/login")
			for _, name := range []string{"state", "nonce", "code_challenge"} {
				if seen[q.Get(name)] {
					t.Fatalf("%s repeats", name)
				}
				seen[q.Get(name)] = true
			}
		}
	})
}

func TestProviderNext(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p))
	long := "/app?" + strings.Repeat("k=v;&", 408)
	dense := "/app?"
	for random := rand.New(rand.NewPCG(1, 2)); len(dense) < 2048; { // what nothing can pack
		if c := byte(0x21 + random.IntN(0x5e)); !strings.ContainsRune(`\#`, rune(c)) {
			dense += string(rune(c))
		}
	}
	for name, test := range map[string]struct{ next, want string }{
		"path":               {"/app", "/app"},
		"query and fragment": {"/app?a=1&b=%2F%2f&c=x+y#frag=1&z", "/app?a=1&b=%2F%2f&c=x+y#frag=1&z"},
		"a link in a query":  {"/app?u=https://x.org//y", "/app?u=https://x.org//y"},
		"not ASCII":          {"/zoë?ü", "/zo%C3%AB?%C3%BC"},
		"another site":       {"//evil.com", "/"},
		"a backslash":        {`/\evil.com`, "/"},
		"a scheme":           {"https://evil.com/", "/"},
		"the login endpoint": {"/login?next=/", "/"},
		"logout":             {"/logout", "/"},
		"as long as it gets": {long, long},
		"long and dense":     {dense, dense},
		"HTML":               {"/app?" + strings.Repeat("<&>", 600), "/app?" + strings.Repeat("<&>", 600)},
	} {
		t.Run(name, func(t *testing.T) {
			v := s.in(t).newVisitor("")
			address := v.begin("/login?next=" + url.QueryEscape(test.next))
			a := v.comeBack(v.answerOf(address))
			if a.StatusCode != http.StatusSeeOther && a.StatusCode != http.StatusFound {
				t.Fatalf("the answer is %d: %.200q", a.StatusCode, a.text)
			}
			a.wantHeader("Location", test.want)
		})
	}
}

// TestCallbackPlaces: where an answer is recognised, and where not.
func TestCallbackPlaces(t *testing.T) {
	p := newOpenID(t)
	tests := map[string]struct {
		uri     string
		answers string // path that the answer comes to
	}{
		"login endpoint":                   {"", "/login"},
		"login endpoint, with a slash":     {"https://" + testHost + "/login/", "/login/"},
		"configured":                       {"https://" + testHost + "/oauth/callback", "/oauth/callback"},
		"Panel's default":                  {"https://" + testHost, ""},
		"Panel's default, with a slash":    {"https://" + testHost + "/", "/"},
		"configured, to a page of the app": {"https://" + testHost + "/app", "/app"},
	}
	for name, test := range tests {
		for _, mode := range []string{"required", "optional"} {
			t.Run(name+", "+mode, func(t *testing.T) {
				s := newSite(t, signInWith(p, comingBackTo(test.uri)), func(h *Handler) { h.OAuthOptional = mode == "optional" })
				for _, order := range []func(url.Values) string{
					func(q url.Values) string {
						return "code=" + url.QueryEscape(q.Get("code")) + "&state=" + url.QueryEscape(q.Get("state"))
					},
					func(q url.Values) string {
						return "state=" + url.QueryEscape(q.Get("state")) + "&session_state=x&code=" + url.QueryEscape(q.Get("code"))
					},
				} {
					v := s.in(t).newVisitor("")
					sent, err := url.Parse(v.atProvider(v.begin("/login?next=/report%3Fa=1")))
					if err != nil || sent.Path != test.answers {
						t.Fatalf("the provider sends to %v", sent)
					}
					path := sent.Path
					if path == "" {
						path = "/"
					}
					a := v.comeBack(path + "?" + order(sent.Query()))
					a.wantHeader("Location", "/report?a=1")
					v.wantSignedIn("alice@example.org")
				}
			})
		}
	}
}

// TestNoCallback: the same parameters may be an application's.
func TestNoCallback(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p, comingBackTo("https://"+testHost+"/oauth")))
	v := s.newVisitor("")
	v.mustSignIn("/")
	for _, target := range []string{
		"/?code=1", "/?code=1&state=2", "/?state=2&code=1", "/?error=x", "/?error=x&state=2", "/?state=1", "/oauth?code=1&state=2", "/oauth?code=1", "/app?code=1&state=2",
	} {
		before := asked(p, providertest.Token)
		v.open(target).wantReached()
		if s.app.got.URL.RequestURI() != target {
			t.Errorf("the application got %s", s.app.got.URL.RequestURI())
		}
		if asked(p, providertest.Token) != before {
			t.Errorf("%s: the provider was asked for tokens", target)
		}
	}
	t.Run("our state elsewhere", func(t *testing.T) {
		v := s.in(t).newVisitor("")
		v.mustSignIn("/")
		answer := v.answerOf(v.begin("/login"))
		v.open(strings.Replace(answer, "/oauth?", "/app?", 1)).wantReached()
		v.open(strings.Replace(answer, "/oauth?", "/app?", 1), websocket).wantReached()
	})
}

// TestPanelDefaultWithOptional is holoviz/panel#5813 and its kin: a provider
// that says state first must not make a guest of somebody.
func TestPanelDefaultWithOptional(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p, comingBackTo("https://"+testHost)), optional)
	v := s.newVisitor("")
	v.open("/").wantUser("guest")
	answer := v.answerOf(v.begin("/login"))
	u, _ := url.Parse(answer)
	v.comeBack("/?state="+u.Query().Get("state")+"&code="+u.Query().Get("code")).wantHeader("Location", "/")
	v.wantSignedIn("alice@example.org")

	t.Run("refused", func(t *testing.T) {
		v := s.in(t).newVisitor("")
		p.Turn(func(k *providertest.Knobs) { k.Deny = "access_denied" })
		defer p.Turn(func(k *providertest.Knobs) { k.Deny = "" })
		v.wantFailed(v.comeBack(v.answerOf(v.begin("/login"))), http.StatusUnauthorized, "denied", "cancelled")
		v.open("/").wantUser("guest")
	})
}

// TestUnderAPrefix: handle_path takes a prefix off, the browser keeps it.
func TestUnderAPrefix(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p))
	under := func(r *http.Request) *http.Request {
		r = prepared(r)
		r.URL.Path, r.URL.RawPath = strings.TrimPrefix(r.URL.Path, "/proxy"), ""
		return r
	}
	v := s.newVisitor("")
	a := v.send(under(get("/proxy/login?next=/proxy/app", browser)))
	a.want(http.StatusFound)
	sent, err := url.Parse(a.Header.Get("Location"))
	if err != nil || sent.Query().Get("redirect_uri") != "https://"+testHost+"/proxy/login" {
		t.Fatalf("redirect URI in %s", sent)
	}
	back := v.answerOf(sent.String())
	v.send(under(get(back, browser))).wantHeader("Location", "/proxy/app")
	if a := v.send(under(get("/proxy/app", browser))); a.user != "alice@example.org" {
		t.Errorf("the user is %q", a.user)
	}
}

// TestCookiePathWithProvider: the session is for a part of the site, the
// sign-in must come back to the login endpoint all the same.
func TestCookiePathWithProvider(t *testing.T) {
	p := newOpenID(t)
	for name, configure := range map[string]func(*Handler){
		"path":   func(h *Handler) { h.CookiePath = "/app" },
		"domain": func(h *Handler) { h.CookieDomain = "example.com" },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, signInWith(p), configure)
			v := s.newVisitor("")
			a := v.comeBack(v.answerOf(v.begin("/login?next=/app/x")))
			if a.Header.Get("Location") != "/app/x" {
				t.Fatalf("sign-in cannot be finished: %d", a.StatusCode)
			}
			v.open("/app/x").wantUser("alice@example.org")
			if got := v.attempts(); len(got) > 0 {
				t.Errorf("sign-ins under way are left: %q", got)
			}
		})
	}
}

// TestSameSiteStrict: browsers keep a Strict cookie back on the way from the
// provider, so that a redirect would go round in circles.
func TestSameSiteStrict(t *testing.T) {
	p := newOpenID(t)
	s, err := tryNewSite(t, newFlakyStorage(t), signInWith(p), func(h *Handler) { h.CookieSameSite = "strict" })
	if err != nil {
		return // refused is fine, too
	}
	v := s.newVisitor("")
	a := v.open("/report")
	for range 8 {
		if a.reached || a.Header.Get("Location") == "" {
			break
		}
		a = v.follow(a.Header.Get("Location"))
	}
	if got := asked(p, providertest.Authorization); got > 1 {
		t.Fatalf("the visitor was sent to the provider %d times", got)
	}
	v.wantSignedIn("alice@example.org")
}

// TestLoginIsForPeople is CS-061: what a page of another site loads begins no
// sign-in.
func TestLoginIsForPeople(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p))
	for name, options := range map[string][]func(*http.Request){
		"image":     {header("Sec-Fetch-Dest", "image"), header("Sec-Fetch-Mode", "no-cors"), header("Sec-Fetch-Site", "cross-site")},
		"script":    {header("Sec-Fetch-Dest", "script"), header("Sec-Fetch-Mode", "no-cors")},
		"fetch":     {header("Sec-Fetch-Dest", "empty"), header("Sec-Fetch-Mode", "cors"), header("Accept", "application/json")},
		"websocket": {websocket},
		"frame":     {header("Sec-Fetch-Dest", "iframe"), header("Sec-Fetch-Mode", "navigate"), header("Sec-Fetch-Site", "cross-site")},
		"object":    {header("Sec-Fetch-Dest", "object"), header("Sec-Fetch-Mode", "navigate")},
		"prefetch":  {header("Sec-Fetch-Mode", "navigate"), header("Sec-Purpose", "prefetch;prerender")},
	} {
		t.Run(name, func(t *testing.T) {
			v := s.in(t).newVisitor("")
			a := v.open("/login", options...)
			if a.StatusCode != http.StatusUnauthorized || a.Header.Get("Location") != "" || len(v.attempts()) > 0 {
				t.Errorf("got %d to %s, cookies %q", a.StatusCode, a.Header.Get("Location"), v.attempts())
			}
		})
	}
}

// TestLoginInFrames: a page of this site may have others of it in frames.
func TestLoginInFrames(t *testing.T) {
	s := newSite(t, signInWith(newOpenID(t)))
	for _, site := range []string{"same-origin", "same-site"} {
		a := s.newVisitor("").open("/login", header("Sec-Fetch-Dest", "iframe"), header("Sec-Fetch-Mode", "navigate"), header("Sec-Fetch-Site", site))
		a.want(http.StatusFound)
	}
}

// TestUnauthenticatedWithProvider: CS-062, pages lead on, everything else is
// told, and nothing but the login endpoint begins a sign-in.
func TestUnauthenticatedWithProvider(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p))
	v := s.newVisitor("")
	v.open("/app?x=1").wantHeader("Location", "/login?next=%2Fapp%3Fx%3D1")
	v.script("/app/data.json").want(http.StatusUnauthorized)
	v.open("/app/ws", websocket).want(http.StatusUnauthorized)
	v.open("/favicon.ico", header("Sec-Fetch-Dest", "image"), header("Sec-Fetch-Mode", "no-cors")).want(http.StatusUnauthorized)
	if got := v.keeps("/login"); len(got) > 0 {
		t.Errorf("the browser keeps %q", got)
	}
	t.Run("methods", func(t *testing.T) {
		v := s.in(t).newVisitor("")
		for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS"} {
			a := v.send(request(method, "/login?code=1&state=2", browser, header("Origin", "https://"+testHost)))
			a.wantRefusedHere(http.StatusMethodNotAllowed)
		}
		if asked(p, providertest.Token) > 0 {
			t.Error("the provider was asked for tokens")
		}
	})
	t.Run("absolute form without a path", func(t *testing.T) {
		v := s.in(t).newVisitor("")
		v.mustSignIn("/")
		r := get("/", browser)
		r.URL.Path = "" // GET http://app.example.com HTTP/1.1
		v.send(r).wantReached()
	})
}
