// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package attack

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

// authentik.

func TestCVE_2026_25748_MalformedCookie(t *testing.T) {
	s := serve(t, "master")
	for _, value := range []string{"", "=", `"`, "%", "null", "{}", "[]", "|||", "\xff", "AAAA", strings.Repeat("A", 8000), strings.Repeat("%00", 100)} {
		if err := closed(s.attackedWith(get("/app").as([2]string{s.sessionCookie(), value}))); err != nil {
			t.Errorf("%.20q: %v", value, err)
		}
	}
}

func TestCVE_2024_47070_AddressInsteadOfPassword(t *testing.T) {
	s := serve(t, "master")
	for _, header := range []string{"X-Forwarded-For", "X-Real-IP", "Forwarded"} {
		for _, value := range []string{"127.0.0.1", "a", "", "::1", "localhost"} {
			o := s.attackedWith(form("/login", url.Values{"username": {"alice"}, "password": {""}}).with(header, value))
			if err := errors.Join(closed(o), hasStatus(o, http.StatusUnauthorized)); err != nil {
				t.Errorf("%s: %s: %v", header, value, err)
			}
		}
	}
}

func TestCVE_2023_48228_PKCENotSkipped(t *testing.T) {
	s := serve(t, "oidc")
	for _, target := range []string{"/login", "/login?code_challenge_method=plain", "/login?code_challenge="} {
		q := s.begin(target).params()
		if q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 {
			t.Errorf("%s: the challenge is %q by %q", target, q.Get("code_challenge"), q.Get("code_challenge_method"))
		}
	}
}

func TestCVE_2026_49448_EmptyForm(t *testing.T) {
	for _, profile := range []string{"master", "credentials", "every way"} {
		s := serve(t, profile)
		for _, q := range []request{form("/login", nil), {Method: "POST", Path: "/login"}, form("/login", url.Values{"username": nil}), form("/login?next=/app", nil)} {
			if o := s.attackedWith(q); o.answer.cookie(s.sessionCookie()) != "" || len(o.app) > 0 || o.answer.status < 400 {
				t.Errorf("%s: nothing is answered %d", profile, o.answer.status)
			}
		}
	}
}

func TestCVE_2025_53942_DisabledAccount(t *testing.T) {
	s := serve(t, "credentials")
	session := s.signIn("bob", alicesPassword)
	wantServed(s, session)
	s.write("users.json", `{"alice": "x"}`)
	s.eventually("the session ends", func() bool { return len(s.attackedWith(get("/app").as(session)).app) == 0 })
}

func TestCVE_2026_40574_EmailOfTwoDomains(t *testing.T) {
	s := serve(t, "oidc")
	corp := atCorp(s)
	for _, email := range []string{"a@evil.com@corp.com", `"a@evil.com"@corp.com`, "a@evil.com,@corp.com", "a@evil.com\uff20corp.com", "a@evil.com <b@corp.com", "a@evil.com\x00@corp.com"} {
		corp.keptOut(email)
	}
	corp.letIn("a@corp.com")
}

// Authelia.

func TestCVE_2025_24806_SpellingsOfOneName(t *testing.T) {
	s := serve(t, "limited")
	refused := 0
	for _, name := range []string{"alice", "Alice", "ALICE", " alice", "alice ", "aLICE", "\talice", "alicE", "ALIce", "alice"} {
		if a := s.send(form("/login", url.Values{"username": {name}, "password": {"wrong"}})); a.status == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused != 5 {
		t.Errorf("of ten attempts %d are refused", refused)
	}
}

func TestCVE_2026_33525_TextOnTheSignInPage(t *testing.T) {
	s := serve(t, "every way")
	for _, payload := range payloads {
		p := url.QueryEscape(payload)
		for _, target := range []string{"/login?error=" + p, "/login?message=" + p + "&rm=" + p, "/login?provider=" + p, "/logout?rd=" + p} {
			if a := s.send(get(target).page()); noText(a) != nil || noMarkup(a) != nil {
				t.Errorf("%s: %v", target, errors.Join(noText(a), noMarkup(a)))
			}
		}
	}
}

func TestGHSA_x883_2vmg_xwf7_StaleGroups(t *testing.T) {
	s := serve(t, "credentials")
	session := s.signIn("bob", alicesPassword)
	s.write("users.json", strings.Replace(users, `"email":"bob@example.com"`, `"email":"bob@example.com","groups":["admins"]`, 1))
	groups := func() []string {
		if o := s.attackedWith(get("/app").as(session)); len(o.app) == 1 {
			return o.app[0].values("X-Forwarded-Groups")
		}
		return nil
	}
	s.eventually("the group arrives", func() bool { return len(groups()) == 1 })
	s.write("users.json", users)
	s.eventually("the group is gone", func() bool { return len(groups()) == 0 })
	wantServed(s, session)
}

// Pomerium.

func TestCVE_2021_29652_StateOfAnother(t *testing.T) {
	s := serve(t, "oidc")
	flow := s.begin("/login")
	params := flow.visit("alice")
	asked := s.asked()
	for _, a := range []answer{
		s.send(get("/login?" + params.Encode()).page()), // in a browser that has begun nothing
		s.begin("/login").back(params),
	} {
		if err := nothingAsked(outcome{base: s.base(), session: s.sessionCookie(), answer: a, asked: s.asked() - asked}); err != nil {
			t.Error(err)
		}
	}
}

func TestCVE_2024_39315_TokensOnPages(t *testing.T) {
	s := serve(t, "oidc")
	var tokens []string
	s.turn(func(k *providertest.Knobs) {
		k.Tokens = func(answer map[string]any) {
			tokens = append(tokens, answer["access_token"].(string), answer["refresh_token"].(string))
		}
	})
	session := s.anybody("alice")
	for _, target := range []string{"/login", "/login/token", "/logout?everywhere=1", "/.pomerium", "/oauth2/userinfo", "/whoami"} {
		o := s.attackedWith(get(target).page().as(session))
		for _, token := range tokens {
			if strings.Contains(o.answer.body, token) {
				t.Errorf("%s shows a token", target)
			}
			for _, r := range o.app {
				if strings.Contains(r.raw, token) {
					t.Errorf("%s sends a token on that nobody asked for", target)
				}
			}
		}
	}
}

// tinyauth and Traefik: what two people do at once.

func TestCVE_2026_33544_AccountsMixedUp(t *testing.T) { manyPeople(serve(t, "oidc"), attack{}) }

func TestCVE_2026_71326_TwoForOne(t *testing.T) {
	s := serve(t, "refresh")
	s.provider.SetUsers(providertest.User{ID: "1", Login: "alice", Email: "alice@example.org"}, providertest.User{ID: "2", Login: "mallory", Email: "mallory@example.org"})
	s.turn(shortLived)
	sessions := map[string][2]string{"alice@example.org": s.anybody("alice"), "mallory@example.org": s.anybody("mallory")}
	done := make(chan bool)
	for user, session := range sessions {
		for range 20 {
			go func() { s.send(get("/app?" + user).as(session)); done <- true }()
		}
	}
	for range 40 {
		<-done
	}
	got := s.app.requests()
	if len(got) == 0 {
		t.Fatal("nobody is let in")
	}
	for _, r := range got {
		_, user, _ := strings.Cut(r.line, "?")
		user, _, _ = strings.Cut(user, " ")
		if values := r.values("X-Forwarded-User"); len(values) != 1 || values[0] != user {
			t.Errorf("%s is taken for %q", user, values)
		}
	}
}

func TestCVE_2026_54763_HeaderAliases(t *testing.T) {
	wantOnlyOurs(t, "X_Forwarded-User", "X-Forwarded_User", "X--Forwarded-User", "X~Forwarded~User")
}

func TestCVE_2026_54764_ForwardedPort(t *testing.T) {
	s := serve(t, "oidc")
	a := s.send(get("/login").page().with("X-Forwarded-Port", "8443").with("X-Forwarded-Server", "evil.com"))
	if u, err := url.Parse(a.location()); err != nil || u.Query().Get("redirect_uri") != s.base()+"/login" {
		t.Errorf("it leads to %q", a.location())
	}
}

// Oathkeeper, Heimdall, OPA.

func TestCVE_2026_33494_Traversal(t *testing.T) {
	wantClosed(t, serve(t, "guest"), "/public/../secret", "/public/%2e%2e/secret", "/public/..%2fsecret", "/public/static/../../secret", "//secret", "/public//../secret")
}

func TestCVE_2026_33495_UntrustedHeaders(t *testing.T) {
	s := serve(t, "guest")
	for _, header := range []string{"X-Forwarded-Path", "X-Original-URI", "X-Forwarded-Method", "X-Forwarded-Uri", "X-Envoy-Original-Path"} {
		if err := closed(s.attackedWith(get("/secret", [2]string{header, "/public"}))); err != nil {
			t.Errorf("%s: %v", header, err)
		}
	}
}

// Envoy.

func TestCVE_2022_29226_AnyBearer(t *testing.T) {
	s := serve(t, "every way")
	for _, value := range []string{"Bearer x", "Bearer", "bearer eyJhbGciOiJub25lIn0.e30.", "Basic YWRtaW46YWRtaW4=", "Basic YWxpY2U6dGhlIG1hc3RlciBwYXNzd29yZA==", "Negotiate x"} {
		if err := closed(s.attackedWith(get("/app", [2]string{"Authorization", value}))); err != nil {
			t.Errorf("%s: %v", value, err)
		}
	}
}

func TestCVE_2023_27496_AnswerWithoutState(t *testing.T) {
	s := serve(t, "oidc")
	for _, target := range []string{"/login?code=x", "/login?code=", "/login?error=x", "/login?code=x&state", "/?code=x", "/?code=x&state=", "/?state=x"} {
		o := s.attackedWith(get(target).page())
		if err := closed(o); err != nil || o.asked > 0 {
			t.Errorf("%s: %v", target, err)
		}
	}
	s.anybody("alice")
}

func TestCVE_2025_55162_CookiesAfterLogout(t *testing.T) {
	for name, change := range map[string][]func(*site, *profile){"HTTP": nil, "HTTPS": {overTLS}} {
		s := serve(t, "oidc stateless", change...)
		session := s.anybody("alice")
		a := s.send(get("/logout").page().as(session))
		if !a.clears(s.sessionCookie()) || !a.clears(s.sessionCookie()+"_1") {
			t.Errorf("%s: the answer sets %q", name, a.header.Values("Set-Cookie"))
		}
	}
}

func TestCVE_2026_47775_PaddingOracle(t *testing.T) {
	s := serve(t, "stateless")
	good := s.anybody("alice")[1]
	answers := map[string]bool{}
	for i := range 64 {
		changed := []byte(good)
		at := len(changed) * i / 64
		if changed[at]++; changed[at] > 'z' {
			changed[at] = 'A'
		}
		answers[shape(s.send(get("/app").page().as([2]string{s.sessionCookie(), string(changed)})))] = true
	}
	if len(answers) != 1 {
		t.Errorf("there are %d answers to a changed cookie", len(answers))
	}
}

// mod_auth_openidc.

func TestCVE_2019_14857_RedirectAfterLogout(t *testing.T) {
	s := serve(t, "every way")
	for _, next := range []string{"//evil.com", `/\evil.com`, "/%09/evil.com", "https://evil.com", "///evil.com", "\thttps://evil.com"} {
		e := url.QueryEscape(next)
		for _, target := range []string{"/logout?logout=" + e, "/logout?next=" + e, "/logout?post_logout_redirect_uri=" + e, "/logout?everywhere=1&next=" + e} {
			if err := staysHere(s.attackedWith(get(target).page())); err != nil {
				t.Errorf("%s: %v", target, err)
			}
		}
	}
}

func TestCVE_2021_32791_SameCiphertext(t *testing.T) { ciphertext(serve(t, "stateless"), attack{}) }

func TestCVE_2024_24814_ChunkCounter(t *testing.T) {
	s := serve(t, "stateless")
	for _, cookies := range [][][2]string{
		{{s.sessionCookie() + "_chunks", "99999999"}, {s.sessionCookie(), "x"}}, {{s.sessionCookie() + "_9", "x"}}, {{s.sessionCookie() + "_99999999999999999999", "x"}},
		{{s.sessionCookie() + "_1", "x"}, {s.sessionCookie() + "_2", "x"}, {s.sessionCookie() + "_3", "x"}}, {{s.sessionCookie() + "_-1", "x"}},
	} {
		if err := closed(s.attackedWith(get("/app").as(cookies...))); err != nil {
			t.Errorf("%q: %v", cookies, err)
		}
	}
}

// Websockets: jupyter-server-proxy, Bokeh, Argo CD.

func TestCVE_2024_28179_WebsocketWithoutSession(t *testing.T) {
	s := serve(t, "guest")
	for _, target := range []string{"/app/ws", "/secret/ws?x=/public/ws", "/public/../secret/ws", "/ws", "/public/wsx"} {
		if err := closed(s.attackedWith(opening(target))); err != nil {
			t.Errorf("%s: %v", target, err)
		}
	}
}

func TestCVE_2026_21883_OriginThatBeginsAlike(t *testing.T) {
	s := serve(t, "master")
	session := s.anybody("alice")
	for _, origin := range []string{s.base() + ".evil.com", s.base() + "@evil.com", "http://" + siteName + "evil.com", "http://evil" + siteName, "null", "http://" + siteName + ":1", "", "file://"} {
		o := s.attackedWith(opening("/app/ws").with("Origin", origin).as(session))
		if err := forbidden(o); err != nil {
			t.Errorf("%q: %v", origin, err)
		}
	}
}

func TestCVE_2023_40025_WebsocketAfterLogout(t *testing.T) {
	websocketScenes["WS-010"](serve(t, "master"), attack{})
}

// Panel.

func TestPanel_6782_OpenRedirect(t *testing.T) {
	wantOnSite(t, "https://evil.com", "//evil.com", "///evil.com", "http://evil.com/login?next=/", "/login/..//evil.com", ";//evil.com")
}

// Small programs, each with a failure of its class.

func TestCVE_2022_24905_TextOfTheProvider(t *testing.T) {
	s := serve(t, "oidc")
	flow := s.begin("/login")
	flow.visit("alice")
	a := flow.back(url.Values{"state": {flow.params().Get("state")}, "error": {"Call 555-1234 now"}, "error_description": {"Your account is locked: call 555-1234"}})
	if strings.Contains(a.body, "555") || a.status != http.StatusUnauthorized {
		t.Errorf("the answer is %d:\n%s", a.status, a.body)
	}
}

func TestCVE_2022_31105_UntrustedCertificate(t *testing.T) {
	s := serve(t, "oidc")
	untrusted := httptest.NewTLSServer(s.provider)
	defer untrusted.Close()
	other := serveBeside(s, "oauth_provider oidc {\nkey x\nsecret y\nextra_params {\nISSUER "+untrusted.URL+"\n}\n}")
	if a := other.send(get("/login").page()); a.status != http.StatusServiceUnavailable {
		t.Errorf("the answer is %d to %q", a.status, a.location())
	}
}

func TestCVE_2026_29084_LoginOfAnotherSite(t *testing.T) {
	s := serve(t, "master")
	for _, header := range [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.com"}, {"Origin", "null"}, {"Origin", s.base() + ".evil.com"}} {
		if err := forbidden(s.attackedWith(signingInAsAnybody().with(header[0], header[1]))); err != nil {
			t.Errorf("%s: %v", header, err)
		}
	}
}

func TestCVE_2026_41571_WordsForNothing(t *testing.T) {
	s := serve(t, "credentials")
	for _, password := range []string{"null", "undefined", "nil", "None", "", "0", "false", "NaN", "[object Object]"} {
		for _, user := range []string{"alice", "null", "", "*", "bob"} {
			o := s.attackedWith(form("/login", url.Values{"username": {user}, "password": {password}}))
			if err := errors.Join(closed(o), hasStatus(o, 401)); err != nil {
				t.Errorf("%q, %q: %v", user, password, err)
			}
		}
	}
}

func TestCVE_2026_23990_EmptyClaims(t *testing.T) {
	for _, value := range []any{"", " ", nil, []string{}, map[string]any{}, false, []any{""}} {
		wantTokenRefused(t, "email", value)
	}
}

func TestCVE_2026_40946_AudienceOfAnother(t *testing.T) {
	for _, value := range []any{"", "client-2", []string{}, []string{"client-2"}, []string{"client-1", "client-2"}, nil, 1} {
		wantTokenRefused(t, "aud", value)
	}
}

func TestCVE_2026_55075_UnverifiedEmail(t *testing.T) {
	for _, value := range []any{false, "false"} {
		wantTokenRefused(t, "email_verified", value)
	}
}

func TestCVE_2026_53519_PrefixOfAPath(t *testing.T) {
	wantClosed(t, serve(t, "guest"), "/public..%2fsecret", "/publicity", "/public..", "/public../secret", "/login..%2fsecret", "/login/..%2fsecret", "/logout..%2fsecret", "/static..%2fsecret")
}

func TestCVE_2026_53523_HostOfTheRequest(t *testing.T) {
	s := serve(t, "any host")
	for _, host := range []string{"", "evil.com/x", "evil.com?x", "evil.com#x", "user@evil.com", "a b", "evil.com\\x", s.host + " evil.com", "evil.com:x"} {
		a := s.send(request{Raw: "GET /login HTTP/1.1\r\nHost: " + host + "\r\nAccept: text/html\r\nConnection: close\r\n\r\n"})
		if a.status < 400 || a.location() != "" {
			t.Errorf("%q leads to %q: %d", host, a.location(), a.status)
		}
	}
}

func TestCVE_2026_30224_SessionOutlivesLogout(t *testing.T) {
	s := serve(t, "master")
	session := s.anybody("alice")
	other := serveBeside(s, "basic_auth {env.MASTER}") // which knows it, too
	wantServed(other, session)
	s.send(form("/logout", nil).as(session))
	if err := noSession(other.attackedWith(get("/app").as(session))); err != nil {
		t.Error(err)
	}
}

func TestCVE_2026_32136_UpgradeToHTTP2(t *testing.T) {
	s := serve(t, "guest")
	upgrade := [][2]string{{"Connection", "Upgrade, HTTP2-Settings"}, {"Upgrade", "h2c"}, {"HTTP2-Settings", "AAMAAABkAAQAAP__"}}
	if err := closed(s.attackedWith(get("/secret", upgrade...))); err != nil {
		t.Error(err)
	}
	o := s.attackedWith(get("/public", upgrade...))
	if len(o.app) != 1 || o.app[0].values("Upgrade") != nil || o.app[0].values("HTTP2-Settings") != nil || o.answer.status == http.StatusSwitchingProtocols {
		t.Errorf("the application gets %v", o.app)
	}
}

// Libraries.

func TestCVE_2024_28180_EncryptedToken(t *testing.T) {
	tokenScenes["TV-053"](serve(t, "oidc"), attack{})
}

func TestCVE_2025_30204_TokenOfDots(t *testing.T) {
	for name, token := range map[string]string{
		"dots": strings.Repeat(".", 60<<10), "many parts": strings.Repeat("a.", 30<<10), "no parts": "x", "spaces": " . . ", "empty": "", "huge": strings.Repeat("x", 900<<10),
	} {
		t.Run(name, func(t *testing.T) {
			refusedToken(func(_ *site, k *providertest.Knobs) {
				k.Tokens = func(answer map[string]any) { answer["id_token"] = token }
			})(serve(t, "oidc"), attack{})
		})
	}
}

func TestCVE_2025_47910_FormsOfOtherOrigins(t *testing.T) {
	s := serve(t, "master")
	for _, target := range []string{"/login", "/login/", "//login", "/login?x", "/logout", "/logout/"} {
		o := s.attackedWith(form(target, url.Values{"username": {"alice"}, "password": {master}}).with("Origin", "https://evil.com").with("Sec-Fetch-Site", "cross-site"))
		if o.answer.cookie(s.sessionCookie()) != "" || len(o.app) > 0 || o.answer.status < 400 {
			t.Errorf("%s is answered %d", target, o.answer.status)
		}
	}
}

// TestCVE_2026_56858_TemplatesOfGo: and what else was wrong in html/template
// before 1.26.6.
func TestCVE_2026_56858_TemplatesOfGo(t *testing.T) {
	for _, old := range []string{"go1.25", "go1.26.0", "go1.26.1", "go1.26.2", "go1.26.3", "go1.26.4", "go1.26.5"} {
		if version := runtime.Version(); version == old || strings.HasPrefix(version, "go1.25") {
			t.Errorf("this is built with %s", version)
		}
	}
}

// wantTokenRefused signs in with an ID token, and userinfo, in which a claim is
// another than it should be.
func wantTokenRefused(t *testing.T, claim string, value any) {
	t.Helper()
	s := serve(t, "oidc")
	flow := s.begin("/login")
	params := flow.visit("alice")
	edit := func(c map[string]any) { c[claim] = value }
	s.turn(func(k *providertest.Knobs) {
		if k.IDToken = edit; claim == "email" || claim == "email_verified" {
			k.UserInfo = edit
		}
	})
	a := flow.back(params)
	if err := closed(outcome{base: s.base(), session: s.sessionCookie(), answer: a}); err != nil || a.status == http.StatusFound {
		t.Errorf("%s of %v: %d, %v", claim, value, a.status, err)
	}
}

var errPanicked = errors.New("panicked")

// recovered turns a panic into an error.
func recovered(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errPanicked
		}
	}()
	return do()
}

// notOurs are published failures of the same systems that have no test here, and
// why: most are of something that this module does not do.
var notOurs = map[string]string{
	"CVE-2024-21500": "there is no second factor to guess; attempts are counted for all of a sign-in",
	"CVE-2021-21411": "groups decide nothing by themselves: rules do",
	"CVE-2026-27589": "the admin API's own checks are Caddy's",
	"CVE-2026-45692": "the admin API's own checks are Caddy's",
	"CVE-2024-52289": "redirect URIs are for the provider to compare",
	"CVE-2024-23647": "as CVE-2023-48228, at the provider's end",
	"CVE-2026-47203": "as CVE-2025-24806: names are compared in one spelling for the limit, and to the letter for the account",
	"CVE-2026-48794": "which site a host belongs to is Caddy's to say; see TestCVE_2026_27588_HostInCapitals",
	"CVE-2021-41230": "claims are those of the last sign-in or renewal; see TestGHSA_x883_2vmg_xwf7_StaleGroups for files",
	"CVE-2023-33189": "rules have tests of their own",
	"CVE-2026-41263": "times are compared where nothing else runs: caddyauth.TestEffortOfBcrypt",
	"CVE-2023-35941": "there are no cookies without a time; see CK-029 in the corpus",
	"CVE-2026-67437": "the table of attempts is bounded: caddyauth.TestAttemptsMemory",
	"CVE-2025-22868": "token answers are read within a bound: caddyauth/provider.TestTokenEndpointFaults",
	"CVE-2025-58186": "cookies are counted before they are read: caddyauth.TestTooManyCookies",
}

// TestNotOurs: a list of reasons that nobody checks would grow old.
func TestNotOurs(t *testing.T) {
	promises, err := os.ReadFile("../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	for id, why := range notOurs {
		if !strings.Contains(string(promises), id) {
			t.Errorf("docs/security.md says nothing of %s", id)
		}
		if !strings.HasPrefix(id, "CVE-") || len(why) < 20 {
			t.Errorf("%s: %q", id, why)
		}
		for word := range strings.FieldsSeq(why) {
			if folder, name, found := strings.Cut(strings.Trim(word, ":;,"), ".Test"); found && strings.HasPrefix(folder, "caddyauth") {
				wantTest(t, folder+".Test"+name)
			}
		}
	}
}
