// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

// through makes a provider use its real addresses, all of which lead to the
// server.
func through(s *providertest.Server, base string, params map[string]string) func(*provider.Config) {
	s.Pretend(base)
	return func(c *provider.Config) {
		c.HTTPClient = s.Client()
		c.ExtraParams = params
	}
}

// TestShapes signs in with each provider under its real addresses, which are
// Panel's.
func TestShapes(t *testing.T) {
	tests := map[string]struct {
		server    func(*testing.T) *providertest.Server
		base      string
		params    map[string]string
		authorize string
		token     string // host and path
		userInfo  string
		scope     string
		user, sub string
		username  string
		issuer    string
	}{
		"github": {
			server: func(t *testing.T) *providertest.Server { return providertest.GitHub(t) },
			base:   "https://github.com", authorize: "https://github.com/login/oauth/authorize",
			token: "github.com/login/oauth/access_token", userInfo: "api.github.com/user",
			scope: "openid email profile offline_access", user: "alice", username: "alice", sub: "1001",
		},
		"gitlab": {
			server: func(t *testing.T) *providertest.Server { return providertest.GitLab(t) },
			base:   "https://gitlab.com", authorize: "https://gitlab.com/oauth/authorize",
			token: "gitlab.com/oauth/token", userInfo: "gitlab.com/oauth/userinfo",
			scope: "openid email profile", user: "alice", username: "alice", sub: "1001", issuer: "https://gitlab.com",
		},
		"bitbucket": {
			server: func(t *testing.T) *providertest.Server { return providertest.Bitbucket(t) },
			base:   "https://bitbucket.org", authorize: "https://bitbucket.org/site/oauth2/authorize",
			token: "bitbucket.org/site/oauth2/access_token", userInfo: "api.bitbucket.org/2.0/user",
			scope: "openid email profile offline_access", user: "alice", username: "alice",
			sub: "{a54f16da-24e9-4d7f-a3a7-b1ba2cd98aa3}",
		},
		"google": {
			server: func(t *testing.T) *providertest.Server { return providertest.Google(t) },
			base:   "https://accounts.google.com", authorize: "https://accounts.google.com/o/oauth2/v2/auth",
			token: "accounts.google.com/o/oauth2/token", userInfo: "accounts.google.com/v1/userinfo",
			scope: "openid email profile", user: "alice@example.org", username: "alice@example.org", sub: "1001",
			issuer: "https://accounts.google.com",
		},
		"azure": {
			server: func(t *testing.T) *providertest.Server { return providertest.Azure(t, "common") },
			base:   "https://login.microsoftonline.com", authorize: "https://login.microsoftonline.com/common/oauth2/authorize",
			token: "login.microsoftonline.com/common/oauth2/token",
			scope: "openid email profile offline_access", user: "alice@example.org", username: "alice@example.org",
			sub: "AAAAAAAAAAAAAAAAAAAAA1001", issuer: "https://sts.windows.net/" + providertest.Tenant + "/",
		},
		"azurev2": {
			server: func(t *testing.T) *providertest.Server { return providertest.AzureV2(t, "common") },
			base:   "https://login.microsoftonline.com", authorize: "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
			token: "login.microsoftonline.com/common/oauth2/v2.0/token",
			scope: "openid email profile offline_access", user: "alice@example.org", username: "alice@example.org",
			sub: "AAAAAAAAAAAAAAAAAAAAA1001", issuer: "https://login.microsoftonline.com/" + providertest.Tenant + "/v2.0",
		},
		"okta": {
			server: func(t *testing.T) *providertest.Server { return providertest.Okta(t, "default") },
			base:   "https://dev-1.okta.com", params: map[string]string{"url": "dev-1.okta.com"},
			authorize: "https://dev-1.okta.com/oauth2/default/v1/authorize",
			token:     "dev-1.okta.com/oauth2/default/v1/token", userInfo: "dev-1.okta.com/oauth2/default/v1/userinfo",
			scope: "openid email profile offline_access", user: "alice@example.org", username: "alice@example.org",
			sub: "1001", issuer: "https://dev-1.okta.com/oauth2/default",
		},
		"auth0": {
			server: func(t *testing.T) *providertest.Server { return providertest.Auth0(t) },
			base:   "https://dev-1.eu.auth0.com", params: map[string]string{"subdomain": "dev-1.eu"},
			authorize: "https://dev-1.eu.auth0.com/authorize",
			token:     "dev-1.eu.auth0.com/oauth/token", userInfo: "dev-1.eu.auth0.com/userinfo",
			scope: "openid email profile offline_access", user: "alice@example.org", username: "alice@example.org",
			sub: "auth0|1001", issuer: "https://dev-1.eu.auth0.com/",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := test.server(t)
			p := newProvider(t, s, through(s, test.base, test.params))
			a, err := p.Begin(t.Context(), callback)
			if err != nil {
				t.Fatal(err)
			}
			address, query, _ := strings.Cut(a.URL, "?")
			params, err := url.ParseQuery(query)
			if err != nil || address != test.authorize || params.Get("scope") != test.scope {
				t.Errorf("authorization URL is %s", a.URL)
			}
			id, err := p.Finish(t.Context(), a, s.Visit(t, a.URL))
			if err != nil {
				t.Fatal(err)
			}
			if id.User != test.user || id.Subject != test.sub || id.Issuer != test.issuer || id.Claims["username"] != test.username {
				t.Errorf("identity is %q, %q, %q, %v", id.User, id.Subject, id.Issuer, id.Claims["username"])
			}
			if id.Claims["name"] != "Alice Example" {
				t.Errorf("name is %v", id.Claims["name"])
			}
			checkRequests(t, s, test.token, test.userInfo)
		})
	}
}

// checkRequests looks at where tokens were asked for and used, and that none
// travelled in a URL: Panel sends them that way to Okta and Bitbucket.
func checkRequests(t *testing.T, s *providertest.Server, token, userInfo string) {
	t.Helper()
	asked := s.Requests(providertest.Token)[0]
	if asked.Host+asked.Path != token || asked.Header.Get("Accept") != "application/json" || !asked.Form.Has("client_secret") {
		t.Errorf("tokens were asked for at %s%s with %v", asked.Host, asked.Path, asked.Header)
	}
	if scope := asked.Form.Get("scope"); scope != "" {
		t.Errorf("scope %q was sent with the code", scope)
	}
	used := s.Requests(providertest.UserInfo)
	if userInfo == "" {
		if len(used) > 0 {
			t.Errorf("the user was asked for at %s%s", used[0].Host, used[0].Path)
		}
		return
	}
	if used[0].Host+used[0].Path != userInfo || len(used[0].Query) > 0 || !strings.HasPrefix(used[0].Header.Get("Authorization"), "Bearer ") {
		t.Errorf("the user was asked for at %s%s?%v", used[0].Host, used[0].Path, used[0].Query)
	}
}

// TestSelfHosted signs in with the providers that people run themselves, at
// addresses of their own.
func TestSelfHosted(t *testing.T) {
	servers := map[string]func(*testing.T) *providertest.Server{
		"GitHub Enterprise":      func(t *testing.T) *providertest.Server { return providertest.GitHub(t) },
		"GitLab":                 func(t *testing.T) *providertest.Server { return providertest.GitLab(t) },
		"Bitbucket":              func(t *testing.T) *providertest.Server { return providertest.Bitbucket(t) },
		"Google":                 func(t *testing.T) *providertest.Server { return providertest.Google(t) },
		"Azure":                  func(t *testing.T) *providertest.Server { return providertest.Azure(t, "example.onmicrosoft.com") },
		"Azure v2":               func(t *testing.T) *providertest.Server { return providertest.AzureV2(t, providertest.Tenant) },
		"Azure v2, many tenants": func(t *testing.T) *providertest.Server { return providertest.AzureV2(t, "organizations") },
		"Okta, own server":       func(t *testing.T) *providertest.Server { return providertest.Okta(t, "aus1") },
		"Okta, organisation":     func(t *testing.T) *providertest.Server { return providertest.Okta(t, "") },
		"Auth0, own domain":      func(t *testing.T) *providertest.Server { return providertest.Auth0(t) },
	}
	for name, server := range servers {
		t.Run(name, func(t *testing.T) {
			s := server(t)
			p := newProvider(t, s)
			mustSignIn(t, p, s)
			s.Forget()
			a, params := begin(t, p, s)
			params.Set("code", "wrong")
			_, err := p.Finish(t.Context(), a, params)
			wantKind(t, err, provider.KindExpired)
		})
	}
	t.Run("GitHub with data residency", func(t *testing.T) {
		s := providertest.GitHub(t)
		mustSignIn(t, newProvider(t, s, through(s, "https://octo.ghe.com", map[string]string{"url": "octo.ghe.com"})), s)
		if got := s.Requests(providertest.UserInfo)[0]; got.Host+got.Path != "api.octo.ghe.com/user" {
			t.Errorf("the user was asked for at %s%s", got.Host, got.Path)
		}
	})
	t.Run("GitHub Enterprise at its own address", func(t *testing.T) {
		s := providertest.GitHub(t)
		mustSignIn(t, newProvider(t, s, through(s, "https://git.example.com", map[string]string{"url": "git.example.com"})), s)
		if got := s.Requests(providertest.UserInfo)[0]; got.Host+got.Path != "git.example.com/api/v3/user" {
			t.Errorf("the user was asked for at %s%s", got.Host, got.Path)
		}
	})
}

func TestGitHub(t *testing.T) {
	user := providertest.User{ID: "583231", Login: "octocat", Email: "octo@example.org"}
	for i := range 150 {
		user.Groups = append(user.Groups, fmt.Sprintf("org%03d", i), fmt.Sprintf("org%03d/core", i))
	}
	t.Run("organisations and teams, page by page", func(t *testing.T) {
		s := providertest.GitHub(t)
		s.SetUsers(user)
		id := mustSignIn(t, newProvider(t, s, extra("scope", "read:org")), s)
		groups, _ := id.Claims["groups"].([]string)
		want := slices.Sorted(slices.Values(user.Groups))
		if !slices.Equal(groups, want) {
			t.Errorf("there are %d groups, want %d", len(groups), len(want))
		}
		if got := len(s.Requests(providertest.API)); got != 4 {
			t.Errorf("the API was asked %d times, want 4", got)
		}
	})
	t.Run("without the scope", func(t *testing.T) {
		s := providertest.GitHub(t)
		s.SetUsers(user)
		id := mustSignIn(t, newProvider(t, s), s)
		if groups, ok := id.Claims["groups"]; ok {
			t.Errorf("groups are %v", groups)
		}
	})
	t.Run("groups refused", func(t *testing.T) {
		s := providertest.GitHub(t)
		s.Fault(providertest.API, providertest.Reply(403, "application/json", `{"message":"forbidden"}`))
		_, err := signIn(t, newProvider(t, s, extra("scope", "read:org")), s)
		wantKind(t, err, provider.KindGroups)
	})
	t.Run("groups out of order", func(t *testing.T) {
		s := providertest.GitHub(t)
		s.Fault(providertest.API, providertest.Unavailable())
		_, err := signIn(t, newProvider(t, s, extra("scope", "read:org")), s)
		wantKind(t, err, provider.KindUnreachable)
	})
	t.Run("pages without end", func(t *testing.T) {
		s := providertest.GitHub(t)
		next := providertest.Reply(200, "application/json", `[{"login":"x"}]`)
		s.Fault(providertest.API, linked(next))
		_, err := signIn(t, newProvider(t, s, extra("scope", "read:org")), s)
		wantKind(t, err, provider.KindGroups)
	})
	t.Run("private e-mail address", func(t *testing.T) {
		for unverified, want := range map[bool]any{false: "octo@example.org", true: nil} {
			s := providertest.GitHub(t)
			user := user
			user.Email, user.Unverified = "octo@example.org", unverified
			s.SetUsers(user)
			s.Turn(func(k *providertest.Knobs) { k.UserInfo = func(c map[string]any) { c["email"] = nil } })
			id := mustSignIn(t, newProvider(t, s, extra("scope", "read:user,user:email")), s)
			if id.Claims["email"] != want {
				t.Errorf("unverified %v: e-mail address is %v", unverified, id.Claims["email"])
			}
		}
	})
	t.Run("e-mail addresses refused", func(t *testing.T) {
		s := providertest.GitHub(t)
		s.Turn(func(k *providertest.Knobs) { k.UserInfo = func(c map[string]any) { c["email"] = nil } })
		s.Fault(providertest.API, providertest.Reply(404, "application/json", `{"message":"Not Found"}`))
		p := newProvider(t, s, extra("scope", "user:email"))
		if id := mustSignIn(t, p, s); id.User != "alice" || id.Claims["email"] != nil {
			t.Errorf("identity is %+v", id)
		}
		s.Fault(providertest.API, providertest.Unavailable())
		_, err := signIn(t, p, s)
		wantKind(t, err, provider.KindUnreachable)
	})
	t.Run("answers as a form", func(t *testing.T) {
		s := providertest.GitHub(t)
		p := newProvider(t, s)
		a, params := begin(t, p, s)
		body := url.Values{"access_token": {"gho_16C7e42F292c6912E7710c838347Ae178B4a"}, "scope": {"repo,gist"}, "token_type": {"bearer"}, "expires_in": {"28800"}}
		s.Fault(providertest.Token, providertest.Reply(200, "application/x-www-form-urlencoded; charset=utf-8", body.Encode()))
		s.Fault(providertest.UserInfo, providertest.Reply(200, "application/json", `{"login":"octocat","id":583231}`))
		id, err := p.Finish(t.Context(), a, params)
		if err != nil || id.User != "octocat" || id.Subject != "583231" || id.Tokens.Expiry.IsZero() {
			t.Errorf("identity is %+v, %v", id, err)
		}
	})
	t.Run("numeric ID as user name", func(t *testing.T) {
		s := providertest.GitHub(t)
		s.SetUsers(user)
		id := mustSignIn(t, newProvider(t, s, func(c *provider.Config) { c.JWTUser = "id" }), s)
		if id.User != "583231" {
			t.Errorf("user is %q", id.User)
		}
	})
}

func TestGitLab(t *testing.T) {
	t.Run("groups", func(t *testing.T) {
		s := providertest.GitLab(t)
		id := mustSignIn(t, newProvider(t, s), s)
		if groups, _ := id.Claims["groups"].([]string); !slices.Equal(groups, []string{"staff", "staff/admins"}) {
			t.Errorf("groups are %v", id.Claims["groups"])
		}
	})
	t.Run("without userinfo the groups are not all", func(t *testing.T) {
		s := providertest.GitLab(t)
		s.Fault(providertest.UserInfo, providertest.Reply(403, "application/json", `{}`))
		_, err := signIn(t, newProvider(t, s, func(c *provider.Config) { c.JWTUser = "email" }), s)
		wantKind(t, err, provider.KindMisbehaved)
	})
	t.Run("Panel's default scope", func(t *testing.T) {
		s := providertest.GitLab(t)
		_, err := signIn(t, newProvider(t, s, extra("scope", "openid email profile offline_access")), s)
		wantKind(t, err, provider.KindMisconfigured)
	})
	t.Run("read_user without OpenID Connect", func(t *testing.T) {
		for unverified, want := range map[bool]any{false: "alice@example.org", true: nil} {
			s := providertest.GitLab(t)
			s.SetUsers(providertest.User{ID: "7", Login: "alice", Email: "alice@example.org", Unverified: unverified})
			id := mustSignIn(t, newProvider(t, s, extra("scope", "read_user")), s)
			if id.User != "alice" || id.Subject != "7" || id.Claims["email"] != want || id.Tokens.ID != "" {
				t.Errorf("identity is %+v", id)
			}
		}
	})
}

func TestGoogle(t *testing.T) {
	t.Run("hosted domain", func(t *testing.T) {
		tests := map[string]struct {
			param, email string
			ok           bool
		}{
			"right":   {"example.org", "alice@example.org", true},
			"any":     {"*", "alice@example.org", true},
			"another": {"example.org", "alice@example.com", false},
			"longer":  {"example.org", "alice@example.org.evil.com", false},
			"none":    {"example.org", "alice@gmail.com", false},
			"not any": {"*", "alice@gmail.com", false},
			"case":    {"Example.ORG", "alice@example.org", true},
		}
		for name, test := range tests {
			t.Run(name, func(t *testing.T) {
				s := providertest.Google(t)
				s.SetUsers(providertest.User{ID: "1", Login: "alice", Email: test.email})
				id, err := signIn(t, newProvider(t, s, extra("hd", test.param)), s)
				if !test.ok {
					wantKind(t, err, provider.KindNotAllowed)
				} else if err != nil || id.Claims["hd"] != "example.org" {
					t.Errorf("identity is %v, %v", id, err)
				}
			})
		}
	})
	t.Run("hosted domain by way of oidc", func(t *testing.T) {
		s := providertest.Google(t)
		s.SetUsers(providertest.User{ID: "1", Login: "alice", Email: "alice@gmail.com"})
		p := newProvider(t, s, func(c *provider.Config) {
			c.Name, c.ExtraParams = "oidc", map[string]string{"ISSUER": s.URL, "hd": "example.org"}
		})
		_, err := signIn(t, p, s)
		wantKind(t, err, provider.KindNotAllowed)
	})
	t.Run("refresh tokens", func(t *testing.T) {
		s := providertest.Google(t)
		if id := mustSignIn(t, newProvider(t, s), s); id.Tokens.Refresh != "" {
			t.Error("a refresh token came although none was asked for")
		}
		p := newProvider(t, s, through(s, "https://accounts.google.com", nil), func(c *provider.Config) { c.RefreshTokens = true })
		id := mustSignIn(t, p, s)
		if _, _, err := p.Refresh(t.Context(), id.Tokens, id); err != nil {
			t.Errorf("Refresh: %v", err)
		}
	})
}

func TestAzure(t *testing.T) {
	var many []string
	for i := range 250 {
		many = append(many, fmt.Sprintf("6a1f38f2-0c3e-4f55-9a55-%012d", i))
	}
	crowd := providertest.User{ID: "1", Login: "alice", Email: "alice@example.org", Groups: many}
	servers := map[string]func(*testing.T) *providertest.Server{
		"azure":   func(t *testing.T) *providertest.Server { return providertest.Azure(t, "common") },
		"azurev2": func(t *testing.T) *providertest.Server { return providertest.AzureV2(t, "common") },
	}
	for name, server := range servers {
		t.Run(name+", groups", func(t *testing.T) {
			s := server(t)
			id := mustSignIn(t, newProvider(t, s), s)
			if groups, _ := id.Claims["groups"].([]string); len(groups) != 1 {
				t.Errorf("groups are %v", id.Claims["groups"])
			}
		})
		t.Run(name+", too many groups for a token", func(t *testing.T) {
			s := server(t)
			s.SetUsers(crowd)
			id := mustSignIn(t, newProvider(t, s, extra("scope", "openid email profile User.Read")), s)
			if groups, _ := id.Claims["groups"].([]string); !slices.Equal(groups, many) {
				t.Errorf("there are %d groups", len(groups))
			}
		})
		t.Run(name+", too many groups and no permission", func(t *testing.T) {
			s := server(t)
			s.SetUsers(crowd)
			_, err := signIn(t, newProvider(t, s), s)
			wantKind(t, err, provider.KindGroups)
			if !strings.Contains(err.Error(), "User.Read") {
				t.Errorf("error does not help: %v", err)
			}
		})
		t.Run(name+", invalid JSON", func(t *testing.T) {
			s := server(t)
			p := newProvider(t, s, func(c *provider.Config) { c.ClientSecret = "wrong" })
			_, err := signIn(t, p, s)
			wantKind(t, err, provider.KindMisconfigured)
			if !strings.Contains(err.Error(), "AADSTS7000215: Invalid client secret provided for a secret added to app 'some-value'") {
				t.Errorf("error is %v", err)
			}
		})
		for what, edit := range map[string]func(map[string]any){
			"another tenant's issuer": func(c map[string]any) { c["tid"] = "11111111-1111-1111-1111-111111111111" },
			"no tenant":               func(c map[string]any) { delete(c, "tid") },
			"no tenant at all":        func(c map[string]any) { delete(c, "tid"); c["iss"] = "" },
			"no issuer either":        func(c map[string]any) { delete(c, "tid"); delete(c, "iss") },
			"a path for a tenant": func(c map[string]any) {
				c["tid"], c["iss"] = "../x", strings.ReplaceAll(c["iss"].(string), providertest.Tenant, "../x")
			},
		} {
			t.Run(name+", "+what, func(t *testing.T) {
				s := server(t)
				s.Turn(func(k *providertest.Knobs) { k.IDToken = edit })
				_, err := signIn(t, newProvider(t, s), s)
				wantKind(t, err, provider.KindMisbehaved)
			})
		}
		t.Run(name+", a key of another tenant's", func(t *testing.T) {
			s := server(t)
			s.Turn(func(k *providertest.Knobs) {
				k.EditKeys = func(keys []map[string]any) []map[string]any {
					keys[0]["issuer"] = "https://login.microsoftonline.com/11111111-1111-1111-1111-111111111111/v2.0"
					return keys
				}
			})
			_, err := signIn(t, newProvider(t, s), s)
			wantKind(t, err, provider.KindMisbehaved)
		})
	}
	t.Run("an answer that names its issuer", func(t *testing.T) {
		for iss, ok := range map[string]bool{
			"{url}/" + providertest.Tenant + "/v2.0": true,
			"{url}/common/v2.0":                      false,
			"{url}/v2.0":                             false,
			"https://evil.example.com/" + providertest.Tenant + "/v2.0": false,
		} {
			s := providertest.AzureV2(t, "common")
			s.Turn(func(k *providertest.Knobs) {
				k.Answer = func(v url.Values) { v.Set("iss", strings.ReplaceAll(iss, "{url}", s.URL)) }
			})
			if _, err := signIn(t, newProvider(t, s), s); (err == nil) != ok {
				t.Errorf("%s: %v", iss, err)
			}
		}
	})
	t.Run("a document of another tenant's", func(t *testing.T) {
		s := providertest.AzureV2(t, "11111111-1111-1111-1111-111111111111")
		_, err := signIn(t, newProvider(t, s), s)
		wantKind(t, err, provider.KindMisbehaved)
	})
	t.Run("an e-mail address in somebody else's domain", func(t *testing.T) {
		s := providertest.AzureV2(t, "common")
		s.SetUsers(providertest.User{ID: "1", Email: "boss@example.org", Unverified: true})
		_, err := signIn(t, newProvider(t, s), s)
		wantKind(t, err, provider.KindUnverifiedEmail)
	})
	t.Run("national clouds", func(t *testing.T) {
		for login, graph := range map[string]string{
			"login.microsoftonline.us":         "graph.microsoft.us",
			"login.partner.microsoftonline.cn": "microsoftgraph.chinacloudapi.cn",
			"login.microsoftonline.com":        "graph.microsoft.com",
		} {
			s := providertest.AzureV2(t, providertest.Tenant)
			s.SetUsers(crowd)
			p := newProvider(t, s, through(s, "https://"+login, map[string]string{
				"url": login, "tenant": providertest.Tenant, "scope": "openid email User.Read",
			}))
			mustSignIn(t, p, s)
			if got := s.Requests(providertest.API)[0].Host; got != graph {
				t.Errorf("groups were asked for at %s, want %s", got, graph)
			}
		}
	})
}

func TestAuth0Groups(t *testing.T) {
	s := providertest.Auth0(t)
	id := mustSignIn(t, newProvider(t, s, func(c *provider.Config) { c.GroupsClaim = "https://example.com/groups" }), s)
	if groups, _ := id.Claims["groups"].([]string); !slices.Equal(groups, []string{"staff", "staff/admins"}) {
		t.Errorf("groups are %v", id.Claims["groups"])
	}
}

// TestGeneric is Panel's generic: three addresses, and nothing that could
// verify an ID token, so that none is believed.
func TestGeneric(t *testing.T) {
	for _, name := range []string{"generic", "auth_code"} {
		t.Run(name, func(t *testing.T) {
			s := providertest.Start(t)
			if name == "auth_code" {
				s.ClientSecret = ""
			}
			s.Turn(func(k *providertest.Knobs) {
				k.Alg = "none"
				k.IDToken = func(c map[string]any) { c["email"] = "mallory@example.org" }
			})
			p := newProvider(t, s, func(c *provider.Config) {
				c.Name = name
				c.ExtraParams = map[string]string{
					"AUTHORIZE_URL": s.URL + "/authorize?realm=x", "TOKEN_URL": s.URL + "/token", "USER_URL": s.URL + "/userinfo",
				}
			})
			id := mustSignIn(t, p, s)
			if id.User != "alice@example.org" || id.Subject != "1001" || id.Issuer != "" || id.Tokens.ID != "" {
				t.Errorf("identity is %+v", id)
			}
			if q := s.Requests(providertest.Authorization)[0].Query; q.Get("realm") != "x" || q.Get("code_challenge") == "" {
				t.Errorf("the provider got %v", q)
			}
			if got := len(s.Requests(providertest.Discovery)); got != 0 {
				t.Errorf("discovery was asked for %d times", got)
			}
		})
	}
}
