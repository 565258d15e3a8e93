// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
	"github.com/panelauth/caddy-panelauth/caddyauth/tornado"
)

// TestProviderSessionsElsewhere: another block that shares secret and storage
// takes a session if it has the same provider and client, and no other.
func TestProviderSessionsElsewhere(t *testing.T) {
	p, q := newOpenID(t), newOpenID(t)
	generic := func(s *providertest.Server) OAuthProvider {
		return OAuthProvider{Name: "generic", Key: s.ClientID, Secret: s.ClientSecret, ExtraParams: genericParams(s)}
	}
	for name, test := range map[string]struct {
		made  OAuthProvider
		here  func(*Handler)
		taken bool
	}{
		"the same":                          {entryFor(p), signInWith(p), true},
		"the same with another id":          {entryFor(p), signInWith(p, called("sso")), true},
		"the same with another secret":      {entryFor(p), signInWith(p, func(e *OAuthProvider) { e.Secret = "new secret" }), true},
		"the same among others":             {entryFor(p), entries(entryFor(q, called("q")), entryFor(p)), true},
		"another client":                    {entryFor(p), signInWith(p, func(e *OAuthProvider) { e.Key = "client-2" }), false},
		"another issuer":                    {entryFor(p), signInWith(q), false},
		"another provider at this issuer":   {entryFor(p), entries(generic(p)), false},
		"a provider at other addresses":     {generic(p), entries(generic(q)), false},
		"a provider at the same addresses":  {generic(p), entries(generic(p)), true},
		"no provider":                       {entryFor(p), withPassword, false},
		"an account of the same name alone": {entryFor(p), func(h *Handler) { h.BasicAuth = &BasicAuth{Accounts: map[string]string{"alice@example.org": "x"}} }, false},
	} {
		for mode, store := range modes {
			t.Run(name+", "+mode, func(t *testing.T) {
				storage := newFlakyStorage(t)
				options := append([]func(*Handler){entries(test.made)}, store...)
				v := newSiteIn(t, storage, options...).newVisitor("")
				v.mustSignIn("/")
				here := v.at(newSiteIn(t, storage, append([]func(*Handler){test.here}, store...)...), testHost)
				if got := here.open("/app").reached; got != test.taken {
					t.Errorf("the session is taken: %v", got)
				}
				v.wantSignedIn("alice@example.org")
			})
		}
	}
}

func TestProviderSessionLifetime(t *testing.T) {
	p := newOpenID(t)
	for mode, store := range modes {
		t.Run(mode, func(t *testing.T) {
			onFakeTime(t, func(t *testing.T) {
				s := newSite(t, append([]func(*Handler){signInWith(p), refreshTokens, func(h *Handler) { h.OAuthExpiryDays = "0.25" }}, store...)...)
				v := s.newVisitor("")
				v.mustSignIn("/")
				time.Sleep(5*time.Hour + 59*time.Minute)
				v.wantSignedIn("alice@example.org")
				time.Sleep(2 * time.Minute)
				v.open("/app").wantHeader("Location", "/login?next=%2Fapp")
			})
		})
	}
}

// TestSignInAgain: a second sign-in takes the place of the first.
func TestSignInAgain(t *testing.T) {
	p := newOpenID(t)
	p.SetUsers(providertest.User{ID: "1", Login: "alice", Email: "alice@example.org"}, providertest.User{ID: "2", Login: "bob", Email: "bob@example.org"})
	s := newSite(t, signInWith(p))
	v := s.newVisitor("alice")
	v.mustSignIn("/")
	first := v.jar.Cookies(v.url("/"))[0]
	v.hint = "bob"
	v.visit("/login?next=/app").wantUser("bob@example.org")
	if s.isSignedIn(first.Name+"="+first.Value, overTLS) {
		t.Error("the first session is good still")
	}
}

// TestManyPeople is CS-059: every browser gets its own identity.
func TestManyPeople(t *testing.T) {
	p := newOpenID(t)
	var users []providertest.User
	for i := range 40 {
		name := "user" + strconv.Itoa(i)
		users = append(users, providertest.User{ID: strconv.Itoa(i), Login: name, Email: name + "@example.org"})
	}
	p.SetUsers(users...)
	s := newSite(t, signInWith(p))
	for _, u := range users {
		t.Run(u.Login, func(t *testing.T) {
			t.Parallel()
			own := s.in(t)
			own.app = &application{}
			v := own.newVisitor(u.Login)
			v.mustSignIn("/").wantUser(u.Email)
			v.wantSignedIn(u.Email)
		})
	}
}

func TestPanelTokens(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p, withParam("scope", "openid email profile offline_access")), allPanelCookies)
	v := s.newVisitor("")
	v.mustSignIn("/")
	for kind, options := range map[string]func(*http.Request){"page": browser, "websocket": websocket} {
		v.open("/app", options, cookieLine("access_token=evil; refresh_token=evil; oauth_expiry=1; a=b")).wantReached()
		got := s.seenByPanel()
		if !strings.HasPrefix(got["access_token"], "access-") || !strings.HasPrefix(got["refresh_token"], "refresh-") {
			t.Errorf("%s: Panel sees %v", kind, got)
		}
		expiry, err := strconv.ParseInt(got["oauth_expiry"], 10, 64)
		if left := time.Until(time.Unix(expiry, 0)); err != nil || left > time.Hour || left < 59*time.Minute {
			t.Errorf("%s: oauth_expiry is %q", kind, got["oauth_expiry"])
		}
	}
	t.Run("not asked for", func(t *testing.T) {
		s := newSite(t, signInWith(p))
		s.newVisitor("").mustSignIn("/")
		if got := s.seenByPanel(); len(got) != 2 || got["user"] == "" || got["id_token"] == "" {
			t.Errorf("Panel sees %v", got)
		}
	})
	t.Run("off", func(t *testing.T) {
		s := newSite(t, signInWith(p), panelGets("off"))
		s.newVisitor("").mustSignIn("/")
		if got := s.app.got.Header.Get("Cookie"); got != "" {
			t.Errorf("the application gets %q", got)
		}
	})
}

func TestPanelTokensEncrypted(t *testing.T) {
	p := newOpenID(t)
	key := tornado.NewFernetKey()
	onFakeTime(t, func(t *testing.T) {
		s := newSite(t, signInWith(p), refreshTokens, func(h *Handler) {
			h.OAuthEncryptionKey = key
			h.PanelCookies = []string{"encrypted", "user", "id_token", "access_token", "refresh_token", "oauth_expiry"}
		})
		v := s.newVisitor("")
		v.mustSignIn("/")
		fernet, err := tornado.NewFernet(key)
		if err != nil {
			t.Fatal(err)
		}
		seen := make(map[string]bool)
		for range 2 {
			v.wantSignedIn("alice@example.org")
			got := s.seenByPanel()
			for name, prefix := range map[string]string{"access_token": "access-", "refresh_token": "refresh-", "id_token": "ey"} {
				plain, err := fernet.Decrypt(got[name])
				if err != nil || !strings.HasPrefix(plain, prefix) {
					t.Errorf("%s is %q, %v", name, got[name], err)
				}
				if seen[plain] && name != "id_token" {
					t.Errorf("%s is the one from before the renewal", name)
				}
				seen[plain] = true
			}
			if got["user"] != "alice@example.org" || got["oauth_expiry"] == "" {
				t.Errorf("Panel sees %v", got)
			}
			time.Sleep(2 * time.Hour)
		}
	})
}

// TestPanelTokenWithoutExpiry: a JWT without exp makes pn.state.access_token
// raise an error, so Panel does not get it.
func TestPanelTokenWithoutExpiry(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p), allPanelCookies, tokenEndpoint)
	for name, test := range map[string]struct {
		claims map[string]any
		given  bool
	}{
		"with exp":    {map[string]any{"scope": "x"}, true},
		"exp is null": {map[string]any{"exp": nil}, false}, // Panel compares it with a number
	} {
		t.Run(name, func(t *testing.T) {
			p.Turn(func(k *providertest.Knobs) { k.AccessToken = test.claims })
			v := s.in(t).newVisitor("")
			v.mustSignIn("/")
			if got := s.seenByPanel(); (got["access_token"] != "") != test.given || got["user"] == "" {
				t.Errorf("Panel sees %v", got)
			}
			if jsonOf(t, v.script("/login/token"))["access_token"] == "" {
				t.Error("the page does not get it either")
			}
		})
	}
}

func TestIsJWTWithoutExpiry(t *testing.T) {
	jwt := func(payload string) string {
		return "eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".c2ln"
	}
	for token, want := range map[string]bool{
		jwt(`{"sub":"1"}`): true, jwt(`{}`): true, jwt(`{"exp":null}`): true,
		jwt(`{"exp":1}`): false, jwt(`{"sub":"1","exp":1795309929}`): false, jwt(`{"exp":1.5e9}`): false,
		"opaque": false, "": false, "a.b": false, "a.b.c": false, "v1.local.x": false, jwt(`[]`): false, jwt(`"x"`): false,
	} {
		if got := isJWTWithoutExpiry(token); got != want {
			t.Errorf("%s: got %v", token, got)
		}
	}
}

// TestClaimsInHeaders is HS-100 to HS-108: what a provider says of somebody
// never becomes more than one value of one header.
func TestClaimsInHeaders(t *testing.T) {
	t.Setenv("COOKIE_SECRET", "expanded")
	p := newOpenID(t)
	for name, test := range map[string]struct {
		claims map[string]any
		header string
		want   string
	}{
		"line breaks, HS-100":       {map[string]any{"name": "alice\r\nX-Admin: 1"}, "Remote-Name", "alice%0D%0AX-Admin: 1"},
		"encoded word, HS-101":      {map[string]any{"name": "=?"}, "Remote-Name", "=?"},
		"not ASCII":                 {map[string]any{"name": "Zoë"}, "Remote-Name", "Zo%C3%AB"},
		"a comma in a group":        {map[string]any{"groups": []string{"a,b", "c"}}, "Remote-Groups", "a%2Cb,c"},
		"a line break in a group":   {map[string]any{"groups": []string{"a\nb", "c"}}, "Remote-Groups", "a%0Ab,c"},
		"a placeholder, HS-108":     {map[string]any{"name": "{env.COOKIE_SECRET}"}, "Remote-Name", "{env.COOKIE_SECRET}"},
		"an object":                 {map[string]any{"name": map[string]any{"a": "b\r\n"}}, "Remote-Name", `{"a":"b\r\n"}`},
		"a number":                  {map[string]any{"name": 12345678901}, "Remote-Name", "12345678901"},
		"null":                      {map[string]any{"name": nil}, "Remote-Name", ""},
		"a user claim of its own":   {map[string]any{"user": "root", "provider": "x", "guest": true}, "Remote-User", "alice@example.org"},
		"groups as text":            {map[string]any{"groups": "staff"}, "Remote-Groups", "staff"},
		"a literal percent":         {map[string]any{"name": "100%0A"}, "Remote-Name", "100%250A"},
		"an e-mail that is claimed": {map[string]any{"Remote-User": "root"}, "Remote-User", "alice@example.org"},
	} {
		t.Run(name, func(t *testing.T) {
			edit := func(c map[string]any) {
				for k, v := range test.claims {
					c[k] = v
				}
			}
			p.Turn(func(k *providertest.Knobs) { k.IDToken, k.UserInfo = edit, edit })
			s := newSite(t, signInWith(p), identityHeaders)
			v := s.newVisitor("")
			v.mustSignIn("/")
			if got := s.app.got.Header[test.header]; strings.Join(got, "|") != test.want {
				t.Errorf("%s is %q, wanted %q", test.header, got, test.want)
			}
			for header, values := range s.app.got.Header {
				for _, value := range values {
					if len(values) > 1 || strings.ContainsAny(value, "\r\n\x00") {
						t.Errorf("%s is %q", header, values)
					}
				}
			}
			repl := replacerOf(s.app.got)
			for name, want := range map[string]string{"user": "alice@example.org", "provider": "oidc", "guest": "false"} {
				if got, _ := repl.GetString("http.auth.user." + name); got != want {
					t.Errorf("placeholder %s is %q", name, got)
				}
			}
		})
	}
}

// TestSessionsOnOtherConditions: whoever one block let in with a client of a
// provider is not let in for that by a block that asks for more of its people,
// or calls them by other names. What does not concern who they are may differ.
func TestSessionsOnOtherConditions(t *testing.T) {
	p := newOpenID(t)
	edit := func(c map[string]any) {
		c["preferred_username"], c["hd"], c["roles"] = "root", "elsewhere.example", []string{"admins"}
	}
	p.Turn(func(k *providertest.Knobs) { k.IDToken, k.UserInfo = edit, edit })
	dir := newFolder(t)
	with := func(edits ...func(*OAuthProvider)) *site {
		return newSiteIn(t, &certmagic.FileStorage{Path: dir}, signInWith(p, edits...))
	}
	plain := with()
	v := plain.newVisitor("")
	v.mustSignIn("/")
	for name, test := range map[string]struct {
		edit func(*OAuthProvider)
		good bool
	}{
		"a label":              {func(o *OAuthProvider) { o.Label = "Work" }, true},
		"the usual user claim": {func(o *OAuthProvider) { o.JWTUser = "email" }, true},
		"a hint":               {withParam("prompt", "select_account"), true},
		"another user claim":   {func(o *OAuthProvider) { o.JWTUser = "preferred_username" }, false},
		"the same in Panel's":  {withParam("USER_KEY", "preferred_username"), false},
		"other groups":         {func(o *OAuthProvider) { o.GroupsClaim = "roles" }, false},
		"unverified addresses": {func(o *OAuthProvider) { o.AllowUnverifiedEmail = true }, false},
		"a hosted domain":      {withParam("hd", "corp.example"), false},
		"a recent sign-in":     {withParam("max_age", "60"), false},
		"a second factor":      {withParam("acr_values", "mfa"), false},
	} {
		t.Run(name, func(t *testing.T) {
			other := with(test.edit)
			if got := v.at(other, testHost).isIn(); got != test.good {
				t.Errorf("the session is good: %t", got)
			}
			other.leave()
		})
	}
	if !v.isIn() {
		t.Error("asking elsewhere ended the session")
	}
}

// TestOwnIdentityHeaders carry whatever claims a provider gives.
func TestOwnIdentityHeaders(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p), optional, func(h *Handler) {
		h.IdentityHeaders = map[string]string{"X-Forwarded-Email": "email", "X-Sub": "sub", "X-None": "nothing"}
	})
	v := s.newVisitor("")
	v.visit("/login?next=/app").wantReached()
	v.open("/app", header("X-Forwarded-Email", "evil"), header("X_Sub", "evil"), header("Remote-User", "evil"), header("X-None", "evil"))
	h := s.app.got.Header
	if h.Get("X-Forwarded-Email") != "alice@example.org" || h.Get("X-Sub") != "1001" || h.Get("X-None") != "" || h.Get("Remote-User") != "" || h.Get("X_Sub") != "" {
		t.Errorf("the application gets %v", h)
	}
}

// TestSecretsStayOut: nothing that opens anything is in a log, on a page or in
// an address, at any level.
func TestSecretsStayOut(t *testing.T) {
	p := newOpenID(t)
	onFakeTime(t, func(t *testing.T) {
		s := newSite(t, signInWith(p), refreshTokens, tokenEndpoint, allPanelCookies)
		secrets := map[string]string{"client secret": p.ClientSecret, "client secret, encoded": url.QueryEscape(p.ClientSecret), "cookie secret": testSecret}
		var pages strings.Builder
		keep := func(a answer) answer {
			pages.WriteString(a.text)
			return a
		}
		v := s.newVisitor("")
		for _, turn := range []func(*providertest.Knobs){
			func(*providertest.Knobs) {},
			func(k *providertest.Knobs) { k.SpoilSignature = true },
			func(k *providertest.Knobs) { k.IDToken = func(c map[string]any) { c["nonce"] = "wrong" } },
			func(k *providertest.Knobs) { k.Answer = func(q url.Values) { q.Set("code", "code-THATISNOTGOOD") } },
			func(k *providertest.Knobs) { k.Deny = "access_denied" },
			func(k *providertest.Knobs) {
				k.Faults = map[providertest.Endpoint]http.HandlerFunc{providertest.Token: func(w http.ResponseWriter, r *http.Request) {
					// A provider that repeats all it was told.
					w.WriteHeader(http.StatusBadRequest)
					_, _ = w.Write([]byte(`{"error":"invalid_request","error_description":` + strconv.Quote(r.PostForm.Encode()+" "+r.Header.Get("Authorization")) + `}`))
				}}
			},
		} {
			p.Turn(func(k *providertest.Knobs) { *k = providertest.Knobs{} })
			address := v.begin("/login?next=/app")
			for _, name := range []string{"state", "nonce"} {
				secrets[name+" of "+address[len(address)-4:]] = paramIn(address, name)
			}
			p.Turn(turn)
			back := v.answerOf(address)
			secrets["code of "+back[len(back)-4:]] = codeIn(back)
			keep(v.comeBack(back))
		}
		p.Turn(func(k *providertest.Knobs) { *k = providertest.Knobs{} })
		v.mustSignIn("/")
		for _, fault := range []http.HandlerFunc{nil, providertest.Unavailable(), nil} {
			p.Fault(providertest.Token, fault)
			for range 3 {
				v.open("/app")
				time.Sleep(59*time.Minute + 30*time.Second)
			}
			for name, value := range s.seenByPanel() {
				if strings.HasSuffix(name, "_token") {
					secrets[name+value[len(value)-4:]] = value
				}
			}
		}
		p.Fault(providertest.Revocation, providertest.Unavailable())
		for _, c := range v.jar.Cookies(v.url("/login")) {
			secrets["cookie "+c.Name] = c.Value
		}
		for i, r := range p.Requests(providertest.Token) {
			secrets["verifier "+strconv.Itoa(i)] = r.Form.Get("code_verifier")
			if r.Query.Encode() != "" {
				t.Errorf("the token endpoint is asked with %v in its address", r.Query)
			}
		}
		keep(v.open("/logout", fromHere))
		time.Sleep(time.Minute)
		log := s.logText()
		for name, secret := range secrets {
			if secret == "" {
				continue
			}
			if strings.Contains(log, secret) {
				at := strings.Index(log, secret)
				t.Errorf("%s is in the log: %q", name, log[max(0, at-200):at])
			}
			if strings.Contains(pages.String(), secret) {
				t.Errorf("%s is on a page", name)
			}
		}
		if len(s.failures()) < 5 {
			t.Errorf("%d failures are logged", len(s.failures()))
		}
	})
}

// TestSignInIsLogged: lines that people and fail2ban read.
func TestSignInIsLogged(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p))
	v := s.newVisitor("")
	v.mustSignIn("/")
	v.open("/logout", fromHere)
	for _, event := range []string{"login", "logout"} {
		found := 0
		for _, entry := range s.logs.All() {
			fields := entry.ContextMap()
			if fields["event"] == event && fields["user_id"] == "alice@example.org" && fields["client_ip"] == "192.0.2.1" && fields["provider"] == "oidc" {
				found++
			}
		}
		if found != 1 {
			t.Errorf("%s is logged %d times", event, found)
		}
	}
}

// TestSessionTooLarge: what does not fit into cookies is refused in words that
// help, and is no loop.
func TestSessionTooLarge(t *testing.T) {
	p := newOpenID(t)
	var groups []string
	for i := range 900 {
		groups = append(groups, "group-"+strconv.Itoa(i)+strconv.FormatInt(int64(i)*7919*104729, 36))
	}
	p.SetUsers(providertest.User{ID: "1", Login: "a", Email: "a@example.org", Groups: groups})
	t.Run("cookie", func(t *testing.T) {
		s := newSite(t, signInWith(p), stateless)
		v := s.newVisitor("")
		a := v.visit("/app")
		if a.reached || a.StatusCode < 400 {
			t.Errorf("got %d", a.StatusCode)
		}
		if !strings.Contains(s.logText(), "session_store") {
			t.Error("the log does not say what to do")
		}
	})
	t.Run("storage", func(t *testing.T) {
		newSite(t, signInWith(p)).newVisitor("").mustSignIn("/app").wantUser("a@example.org")
	})
}

// TestStorageAwayAtSignIn: nobody is let in without a session that is kept.
func TestStorageAwayAtSignIn(t *testing.T) {
	p := newOpenID(t)
	storage := newFlakyStorage(t)
	s := newSiteIn(t, storage, signInWith(p))
	v := s.newVisitor("")
	answer := v.answerOf(v.begin("/login?next=/app"))
	storage.setAway(true)
	a := v.comeBack(answer)
	a.wantRefusedHere(http.StatusServiceUnavailable)
	if a.Header.Get("Retry-After") == "" || v.hasSession() {
		t.Errorf("Retry-After %q", a.Header.Get("Retry-After"))
	}
	storage.setAway(false)
	eventually(t, "sign-in works again", func() bool { return v.visit("/app").reached })
}
