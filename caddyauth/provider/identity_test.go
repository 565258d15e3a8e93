// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

// says makes both the ID token and the userinfo answer say something.
func says(s *providertest.Server, edit func(map[string]any)) {
	s.Turn(func(k *providertest.Knobs) { k.IDToken, k.UserInfo = edit, edit })
}

func TestUserName(t *testing.T) {
	tests := map[string]struct {
		claim string
		value any
		want  string // empty: refused
	}{
		"text":                {"nickname", "alice", "alice"},
		"not ASCII":           {"nickname", "zoë ü", "zoë ü"},
		"a number":            {"number", 583231, "583231"},
		"a large number":      {"number", json.Number("9007199254740993"), "9007199254740993"},
		"a fraction":          {"number", 1.5, ""},
		"a list":              {"nickname", []string{"a@x", "b@y"}, ""},
		"an object":           {"nickname", map[string]any{"a": "b"}, ""},
		"a boolean":           {"nickname", true, ""},
		"null":                {"nickname", nil, ""},
		"missing":             {"other", "alice", ""},
		"empty":               {"nickname", "", ""},
		"spaces around":       {"nickname", "alice ", ""},
		"line break":          {"nickname", "alice\r\nX-Admin: 1", ""},
		"NUL":                 {"nickname", "alice\x00", ""},
		"invisible character": {"nickname", "ad\u200bmin", ""},
		"written backwards":   {"nickname", "\u202enimda", ""},
		"line separator":      {"nickname", "a\u2028b", ""},
		"very long":           {"nickname", strings.Repeat("x", 257), ""},
		"what visitors are":   {"nickname", "guest", ""},                                  // to applications
		"a placeholder":       {"nickname", "{env.COOKIE_SECRET}", "{env.COOKIE_SECRET}"}, // is text like any other
		"dots in the name":    {"https://example.com/user", "alice", "alice"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := providertest.Start(t)
			says(s, func(c map[string]any) { c[test.claim] = test.value })
			key := test.claim
			if key == "other" {
				key = "nickname"
			}
			id, err := signIn(t, newProvider(t, s, func(c *provider.Config) { c.JWTUser = key }), s)
			if test.want == "" {
				wantKind(t, err, provider.KindMissingUser)
				if !strings.Contains(err.Error(), "nickname") && !strings.Contains(err.Error(), "number") || !strings.Contains(err.Error(), "jwt_user") {
					t.Errorf("error does not help: %v", err)
				}
				return
			}
			if err != nil || id.User != test.want || id.Claims["user"] != test.want || id.Claims["username"] != test.want {
				t.Errorf("identity is %v, %v", id, err)
			}
		})
	}
}

func TestUserClaim(t *testing.T) {
	t.Run("inside another", func(t *testing.T) {
		s := providertest.Start(t)
		says(s, func(c map[string]any) { c["account"] = map[string]any{"login": "al"} })
		p := newProvider(t, s, func(c *provider.Config) { c.JWTUser = "account.login" })
		if id := mustSignIn(t, p, s); id.User != "al" {
			t.Errorf("user is %q", id.User)
		}
	})
	t.Run("USER_KEY", func(t *testing.T) {
		s := providertest.Start(t)
		if id := mustSignIn(t, newProvider(t, s, extra("USER_KEY", "preferred_username")), s); id.User != "alice" {
			t.Errorf("user is %q", id.User)
		}
	})
	t.Run("the provider's own username stays", func(t *testing.T) {
		s := providertest.Start(t)
		says(s, func(c map[string]any) { c["username"], c["user"] = "al", "mallory" })
		id := mustSignIn(t, newProvider(t, s), s)
		if id.Claims["username"] != "al" || id.Claims["user"] != "alice@example.org" {
			t.Errorf("claims are %v", id.Claims)
		}
	})
	t.Run("ID token before userinfo", func(t *testing.T) {
		s := providertest.Start(t)
		s.Turn(func(k *providertest.Knobs) {
			k.UserInfo = func(c map[string]any) {
				c["email"], c["iss"], c["sid"], c["acr"] = "mallory@example.org", "x", "y", "gold"
			}
		})
		id := mustSignIn(t, newProvider(t, s), s)
		if id.User != "alice@example.org" || id.Issuer != s.URL || id.SID != "session-of-1001" || id.Claims["acr"] != nil {
			t.Errorf("identity is %+v", id)
		}
	})
}

func TestUnverifiedEmail(t *testing.T) {
	unverified := func(v any) func(map[string]any) {
		return func(c map[string]any) { c["email_verified"] = v }
	}
	tests := map[string]struct {
		idToken, userInfo func(map[string]any)
		userKey           string
		refused, kept     bool
	}{
		"false":                    {unverified(false), unverified(false), "email", true, false},
		"false as text":            {unverified("false"), unverified("false"), "email", true, false},
		"zero":                     {unverified(0), unverified(0), "email", true, false},
		"nonsense":                 {unverified([]string{}), unverified(true), "email", true, false},
		"true as text":             {unverified("true"), unverified("True"), "email", false, true},
		"null says nothing":        {unverified(nil), unverified(nil), "email", false, true},
		"userinfo alone says so":   {func(c map[string]any) { delete(c, "email_verified") }, unverified(false), "email", true, false},
		"said of another address":  {nil, func(c map[string]any) { c["email"], c["email_verified"] = "other@example.org", false }, "email", false, true},
		"not the user name":        {unverified(false), unverified(false), "sub", false, false},
		"the user name all but":    {func(c map[string]any) { c["email_verified"] = false; c["preferred_username"] = "Alice@Example.org" }, unverified(false), "preferred_username", true, false},
		"said without an address":  {func(c map[string]any) { delete(c, "email"); c["email_verified"] = false }, func(c map[string]any) { delete(c, "email_verified") }, "email", true, false},
		"nothing is said anywhere": {func(c map[string]any) { delete(c, "email_verified") }, func(c map[string]any) { delete(c, "email_verified") }, "email", false, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := providertest.Start(t)
			s.Turn(func(k *providertest.Knobs) { k.IDToken, k.UserInfo = test.idToken, test.userInfo })
			edit := func(c *provider.Config) { c.JWTUser = test.userKey }
			id, err := signIn(t, newProvider(t, s, edit), s)
			if test.refused {
				wantKind(t, err, provider.KindUnverifiedEmail)
			} else if err != nil {
				t.Fatal(err)
			} else if _, kept := id.Claims["email"]; kept != test.kept {
				t.Errorf("e-mail address is kept: %v", kept)
			}
			id = mustSignIn(t, newProvider(t, s, edit, func(c *provider.Config) { c.AllowUnverifiedEmail = true }), s)
			if _, kept := id.Claims["email"]; !kept {
				t.Error("e-mail address is not kept although it may be unverified")
			}
		})
	}
}

// TestMisleadingEmail: what could be read as an address at more than one domain
// is nobody's user name and no claim (CVE-2026-40574).
func TestMisleadingEmail(t *testing.T) {
	tests := map[string]bool{
		"a@corp.com":                            false,
		"A.b+c=d!#$%&'*/?^_`{|}~-@a-b.corp.com": false,
		"zoë@bücher.example":                    false,
		"a":                                     false,
		"a@evil.com@corp.com":                   true,
		"a@corp.com@evil.com":                   true,
		"\"a@evil.com\"@corp.com":               true,
		"\"a\"@corp.com":                        true,
		"a@evil.com\uff20corp.com":              true,
		"a\uff20corp.com\uff1c@x.com":           true,
		"<a@corp.com>":                          true,
		"A <a@corp.com>":                        true,
		"a@evil.com,b@corp.com":                 true,
		"a@evil.com;b@corp.com":                 true,
		"a@evil.com b@corp.com":                 true,
		"a@corp.com ":                           true,
		" a@corp.com":                           true,
		"a@evil.com\t@corp.com":                 true,
		"a@evil.com\r\n@corp.com":               true,
		"a@evil.com\x00@corp.com":               true,
		"a@evil.com\u00a0.corp.com":             true,
		"a@\u200bcorp.com":                      true,
		"a(@evil.com)@corp.com":                 true,
		"a@[127.0.0.1]":                         true,
		`a@evil.com\@corp.com`:                  true,
		"@corp.com":                             true,
		"a@":                                    true,
	}
	for email, misleads := range tests {
		t.Run(email, func(t *testing.T) {
			s := providertest.Start(t)
			says(s, func(c map[string]any) { c["email"] = email })
			id, err := signIn(t, newProvider(t, s), s)
			if misleads {
				wantKind(t, err, provider.KindMissingUser)
			} else if err != nil || id.User != email {
				t.Errorf("identity is %v, %v", id, err)
			}
			id = mustSignIn(t, newProvider(t, s, func(c *provider.Config) { c.JWTUser = "sub" }), s)
			if _, there := id.Claims["email"]; there == misleads {
				t.Errorf("the claim is there: %t", there)
			}
		})
	}
}

func TestAccessToken(t *testing.T) {
	noEmail := func(c map[string]any) { delete(c, "email"); delete(c, "email_verified") }
	tests := map[string]struct {
		claims map[string]any
		kind   provider.Kind // empty: signed in
	}{
		"ours":                     {map[string]any{"email": "alice@example.org"}, ""},
		"ours by client_id":        {map[string]any{"email": "alice@example.org", "azp": nil, "client_id": "client-1"}, ""},
		"with an unverified email": {map[string]any{"email": "alice@example.org", "email_verified": false}, provider.KindUnverifiedEmail},
		"of another issuer":        {map[string]any{"email": "alice@example.org", "iss": "https://evil.example.com"}, provider.KindMissingUser},
		"for another client":       {map[string]any{"email": "alice@example.org", "azp": "other"}, provider.KindMissingUser},
		"of another subject":       {map[string]any{"email": "alice@example.org", "sub": "1002"}, provider.KindMissingUser},
		"over":                     {map[string]any{"email": "alice@example.org", "exp": 1700000000}, provider.KindMissingUser},
		"opaque":                   {nil, provider.KindMissingUser},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := providertest.Start(t)
			says(s, noEmail)
			s.Turn(func(k *providertest.Knobs) { k.AccessToken = test.claims })
			id, err := signIn(t, newProvider(t, s), s)
			if test.kind != "" {
				wantKind(t, err, test.kind)
			} else if err != nil || id.User != "alice@example.org" {
				t.Errorf("identity is %v, %v", id, err)
			}
		})
	}
	t.Run("keys are not looked for", func(t *testing.T) {
		s := providertest.Start(t)
		s.Turn(func(k *providertest.Knobs) {
			k.AccessToken = map[string]any{}
			k.EditKeys = func(keys []map[string]any) []map[string]any { return keys[:1] } // the EC key alone
			k.Alg = "ES256"
		})
		mustSignIn(t, newProvider(t, s), s)
		if got := len(s.Requests(providertest.Keys)); got != 1 {
			t.Errorf("keys were fetched %d times", got)
		}
	})
	t.Run("signed with another key", func(t *testing.T) {
		s := providertest.Start(t)
		says(s, noEmail)
		s.Turn(func(k *providertest.Knobs) {
			k.AccessToken = map[string]any{"email": "alice@example.org"}
			k.EditKeys = func(keys []map[string]any) []map[string]any { return keys[:1] } // the EC key alone
			k.Alg = "ES256"
		})
		_, err := signIn(t, newProvider(t, s), s)
		wantKind(t, err, provider.KindMissingUser)
	})
}

func TestUserInfoFaults(t *testing.T) {
	reply := func(status int, body string) http.HandlerFunc {
		return providertest.Reply(status, "application/json", body)
	}
	tests := map[string]struct {
		fault     http.HandlerFunc
		withToken provider.Kind // where the ID token has the user name; empty: signed in
		without   provider.Kind
	}{
		"refused":            {reply(403, `{}`), "", provider.KindMisbehaved},
		"unauthorized":       {reply(401, ``), "", provider.KindMisbehaved},
		"out of order":       {providertest.Unavailable(), provider.KindUnreachable, provider.KindUnreachable},
		"HTML":               {providertest.HTML(), provider.KindMisbehaved, provider.KindMisbehaved},
		"error with success": {reply(200, `{"message":"Bad credentials"}`), provider.KindMisbehaved, provider.KindMisbehaved},
		"truncated":          {reply(200, `{"sub":"1001`), provider.KindMisbehaved, provider.KindMisbehaved},
		"huge":               {providertest.Huge(1 << 20), provider.KindMisbehaved, provider.KindMisbehaved},
		"not found":          {reply(404, `{}`), provider.KindMisbehaved, provider.KindMisbehaved},
	}
	for name, test := range tests {
		for key, kind := range map[string]provider.Kind{"email": test.withToken, "elsewhere": test.without} {
			t.Run(name+", "+key, func(t *testing.T) {
				s := providertest.Start(t)
				s.Fault(providertest.UserInfo, test.fault)
				_, err := signIn(t, newProvider(t, s, func(c *provider.Config) { c.JWTUser = key }), s)
				if kind == "" && err != nil {
					t.Fatal(err)
				}
				if kind != "" {
					wantKind(t, err, kind)
				}
			})
		}
	}
}

// TestErrorWithSuccess: GitHub and others answer errors as if they were users.
func TestErrorWithSuccess(t *testing.T) {
	s := providertest.GitHub(t)
	s.Fault(providertest.UserInfo, providertest.Reply(200, "application/json", `{"message":"Bad credentials"}`))
	_, err := signIn(t, newProvider(t, s), s)
	wantKind(t, err, provider.KindMissingUser)
}

func TestClaims(t *testing.T) {
	s := providertest.Start(t)
	says(s, func(c map[string]any) {
		c["department"], c["nothing"] = "R&D", nil
		c["huge"] = strings.Repeat("x", 9000)
		for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"} {
			c["large-"+name] = strings.Repeat("x", 3000)
			c["list-"+name] = []string{strings.Repeat("y", 4500)}
		}
		c["_claim_sources"] = map[string]any{"x": map[string]any{"endpoint": "https://x", "access_token": "secret"}}
	})
	s.Turn(func(k *providertest.Knobs) {
		inner := k.IDToken
		k.IDToken = func(c map[string]any) { inner(c); clear(c["_claim_sources"].(map[string]any)); trim(c) }
	})
	id := mustSignIn(t, newProvider(t, s), s)
	for _, name := range []string{"nonce", "at_hash", "_claim_sources", "huge", "nothing"} {
		if _, ok := id.Claims[name]; ok {
			t.Errorf("claim %s is kept", name)
		}
	}
	for _, name := range []string{"sub", "iss", "name", "email", "department", "user", "username", "groups"} {
		if _, ok := id.Claims[name]; !ok {
			t.Errorf("claim %s is lost", name)
		}
	}
	raw, err := json.Marshal(id.Claims)
	if err != nil || len(raw) > 70<<10 {
		t.Errorf("claims are %d bytes, %v", len(raw), err)
	}
}

// trim makes an ID token short enough.
func trim(c map[string]any) {
	for name := range c {
		if strings.HasPrefix(name, "l") || name == "huge" {
			delete(c, name)
		}
	}
}

func TestGroups(t *testing.T) {
	keycloak := map[string]any{
		"realm_access":    map[string]any{"roles": []string{"admin", "offline_access"}},
		"resource_access": map[string]any{"account": map[string]any{"roles": []string{"manage"}}, "odd": 5},
	}
	tests := map[string]struct {
		edit   func(map[string]any)
		access map[string]any
		claim  string
		want   []string // nil: not known
	}{
		"groups":             {nil, nil, "", []string{"staff", "staff/admins"}},
		"nothing":            {func(c map[string]any) { delete(c, "groups") }, nil, "", nil},
		"none":               {func(c map[string]any) { c["groups"] = []string{} }, nil, "", []string{}},
		"one as text":        {func(c map[string]any) { c["groups"] = "staff" }, nil, "", []string{"staff"}},
		"numbers and others": {func(c map[string]any) { c["groups"] = []any{7, "b", nil, "", "b", map[string]any{}} }, nil, "", []string{"7", "b"}},
		"an object":          {func(c map[string]any) { c["groups"] = map[string]any{"a": 1} }, nil, "", nil},
		"named":              {func(c map[string]any) { c["cognito:groups"] = []string{"x"} }, nil, "cognito:groups", []string{"x"}},
		"named with a URL":   {func(c map[string]any) { c["https://example.com/groups"] = []string{"x"} }, nil, "https://example.com/groups", []string{"x"}},
		"named, a path":      {func(c map[string]any) { c["realm_access"] = keycloak["realm_access"] }, nil, "realm_access.roles", []string{"admin", "offline_access"}},
		"named, missing":     {nil, nil, "roles", nil},
		"named, in the access token": {
			nil, map[string]any{"roles": []string{"x"}}, "roles", []string{"x"},
		},
		"Keycloak's roles in the access token": {
			nil, keycloak, "", []string{"account/manage", "admin", "offline_access", "staff", "staff/admins"},
		},
		"Keycloak's roles in the ID token": {
			func(c map[string]any) { c["realm_access"] = keycloak["realm_access"]; delete(c, "groups") }, nil, "",
			[]string{"admin", "offline_access"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := providertest.Start(t)
			says(s, func(c map[string]any) {
				if test.edit != nil {
					test.edit(c)
				}
			})
			s.Turn(func(k *providertest.Knobs) { k.AccessToken = test.access })
			id := mustSignIn(t, newProvider(t, s, func(c *provider.Config) { c.GroupsClaim = test.claim }), s)
			groups, known := id.Claims["groups"].([]string)
			if known != (test.want != nil) || !slices.Equal(groups, test.want) {
				t.Errorf("groups are %v, want %v", id.Claims["groups"], test.want)
			}
		})
	}
}

func TestTooManyGroups(t *testing.T) {
	for name, groups := range map[string][]string{
		"many": slices.Repeat([]string{"x"}, 5000),
		"long": {strings.Repeat("x", 300)},
	} {
		t.Run(name, func(t *testing.T) {
			for i := range groups {
				groups[i] += strings.Repeat("y", i%7) + string(rune('a'+i%26)) + strings.Repeat("z", i%97) + string(rune('A'+i/26%26))
			}
			s := providertest.Start(t)
			s.Turn(func(k *providertest.Knobs) {
				k.IDToken = func(c map[string]any) { delete(c, "groups") }
				k.UserInfo = func(c map[string]any) { c["groups"] = groups }
			})
			_, err := signIn(t, newProvider(t, s), s)
			wantKind(t, err, provider.KindGroups)
		})
	}
}
