// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

// enough is what each provider needs at the least.
var enough = map[string]map[string]string{
	"auth0":     {"subdomain": "example"},
	"auth_code": {"AUTHORIZE_URL": "https://id.example.com/a", "TOKEN_URL": "https://id.example.com/t", "USER_URL": "https://id.example.com/u"},
	"azure":     {},
	"azurev2":   {},
	"bitbucket": {},
	"generic":   {"AUTHORIZE_URL": "https://id.example.com/a", "TOKEN_URL": "https://id.example.com/t", "USER_URL": "https://id.example.com/u"},
	"github":    {},
	"gitlab":    {},
	"google":    {},
	"oidc":      {"ISSUER": "https://id.example.com"},
	"okta":      {"url": "example.okta.com"},
	"password":  {"TOKEN_URL": "https://id.example.com/t", "USER_URL": "https://id.example.com/u"},
}

func TestNew(t *testing.T) {
	if !slices.Equal(provider.Names(), slices.Sorted(maps.Keys(enough))) {
		t.Errorf("providers are %v", provider.Names())
	}
	for name, params := range enough {
		t.Run(name, func(t *testing.T) {
			p, err := provider.New(provider.Config{Name: name, ClientID: "id", ClientSecret: "secret", ExtraParams: params})
			if err != nil {
				t.Fatal(err)
			}
			if p.ID() != name || p.Name() != name || p.ClientID() != "id" || p.UsesPassword() != (name == "password") {
				t.Errorf("provider is %q, %q, %q", p.ID(), p.Name(), p.ClientID())
			}
		})
	}
}

func TestNewRefused(t *testing.T) {
	const key = "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----"
	tests := map[string]struct {
		name, id, secret string
		scopes           []string
		change           map[string]string // of the least; a value of "-" takes one away
		reason           string
	}{
		"unknown provider":               {"facebook", "id", "secret", nil, nil, "must be one of auth0, auth_code,"},
		"no client ID":                   {"github", "", "secret", nil, nil, "client ID is missing"},
		"no client secret":               {"github", "id", "", nil, nil, "client secret is missing"},
		"no subdomain":                   {"auth0", "id", "secret", nil, map[string]string{"subdomain": "-"}, "subdomain is missing"},
		"no url":                         {"okta", "id", "secret", nil, map[string]string{"url": "-"}, "url is missing"},
		"no ISSUER":                      {"oidc", "id", "secret", nil, map[string]string{"ISSUER": "-"}, "ISSUER is missing"},
		"no TOKEN_URL":                   {"generic", "id", "secret", nil, map[string]string{"TOKEN_URL": "-"}, "TOKEN_URL is missing"},
		"no AUTHORIZE_URL":               {"auth_code", "id", "", nil, map[string]string{"AUTHORIZE_URL": "-"}, "AUTHORIZE_URL is missing"},
		"nothing says who it is":         {"generic", "id", "secret", nil, map[string]string{"USER_URL": "-"}, "USER_URL is missing"},
		"an option of another":           {"github", "id", "secret", nil, map[string]string{"tenant": "secret"}, "tenant is not an option"},
		"ISSUER where there is none":     {"github", "id", "secret", nil, map[string]string{"ISSUER": "https://secret.example.com"}, "ISSUER is not an option"},
		"tenant that is a path":          {"azure", "id", "secret", nil, map[string]string{"tenant": "secret/../x"}, "tenant has a character"},
		"subdomain that is a host":       {"auth0", "id", "secret", nil, map[string]string{"subdomain": "secret.example.com/"}, "subdomain has a character"},
		"url without host":               {"gitlab", "id", "secret", nil, map[string]string{"url": "https://"}, "url has no host"},
		"url of another kind":            {"gitlab", "id", "secret", nil, map[string]string{"url": "ftp://secret"}, "url must begin with https://"},
		"url with a query":               {"gitlab", "id", "secret", nil, map[string]string{"url": "git.example.com?secret"}, "url has a query"},
		"url with a fragment":            {"gitlab", "id", "secret", nil, map[string]string{"url": "git.example.com#secret"}, "url has a fragment"},
		"url with a password":            {"gitlab", "id", "secret", nil, map[string]string{"url": "https://u:secret@git.example.com"}, "url has a user name"},
		"TOKEN_URL no URL":               {"generic", "id", "secret", nil, map[string]string{"TOKEN_URL": "://secret"}, "TOKEN_URL is not a URL"},
		"TOKEN_URL relative":             {"generic", "id", "secret", nil, map[string]string{"TOKEN_URL": "/secret"}, "TOKEN_URL must begin with https://"},
		"ISSUER is the document":         {"oidc", "id", "secret", nil, map[string]string{"ISSUER": "https://id.example.com/.well-known/openid-configuration"}, "ISSUER is the issuer alone"},
		"AUTHORIZE_URL with state":       {"generic", "id", "secret", nil, map[string]string{"AUTHORIZE_URL": "https://id.example.com/?state=secret"}, "parameter state"},
		"a parameter of our own":         {"github", "id", "secret", nil, map[string]string{"state": "secret"}, "parameter state"},
		"another, in another case":       {"github", "id", "secret", nil, map[string]string{"Redirect_URI": "https://secret"}, "set by the sign-in itself"},
		"response_mode form_post":        {"github", "id", "secret", nil, map[string]string{"response_mode": "form_post"}, "response_mode"},
		"scope twice":                    {"github", "id", "secret", []string{"a"}, map[string]string{"scope": "b"}, "scope is given twice"},
		"scope with quotes":              {"github", "id", "secret", []string{`"secret"`}, nil, "scope has a character"},
		"scope without openid":           {"oidc", "id", "secret", []string{"email"}, nil, "scope lacks openid"},
		"scope without openid, no names": {"azurev2", "id", "secret", []string{"email"}, nil, "scope lacks openid"},
		"max_age not a number":           {"oidc", "id", "secret", nil, map[string]string{"max_age": "secret"}, "max_age"},
		"key that is none":               {"oidc", "id", key, nil, nil, "cannot be used"},
		"key where none is taken":        {"github", "id", key, nil, nil, "does not take"},
		"key without issuer":             {"generic", "id", key, nil, nil, "does not take"},
		"JWK that is none":               {"oidc", "id", `{"kty":"RSA","n":"secret"}`, nil, nil, "cannot be used"},
		"JWK that is public":             {"oidc", "id", `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`, nil, nil, "cannot be used"},
		"JWK that is symmetric":          {"oidc", "id", `{"kty":"oct","k":"c2VjcmV0"}`, nil, nil, "cannot be used"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			params := maps.Clone(enough[test.name])
			for option, value := range test.change {
				if value == "-" {
					delete(params, option)
				} else {
					params[option] = value
				}
			}
			_, err := provider.New(provider.Config{
				Name: test.name, ClientID: test.id, ClientSecret: provider.Secret(test.secret), Scopes: test.scopes, ExtraParams: params,
			})
			if err == nil {
				t.Fatal("accepted")
			}
			text := strings.ReplaceAll(err.Error(), "client secret", "")
			if !strings.Contains(err.Error(), test.reason) || strings.Contains(text, "secret") {
				t.Errorf("error is %q", err)
			}
		})
	}
}

// TestScopes: Panel joins a text letter by letter.
func TestScopes(t *testing.T) {
	tests := map[string]struct {
		list   []string
		option string
		want   string
	}{
		"default":          {nil, "", "openid email profile offline_access"},
		"list":             {[]string{"openid", "read:org"}, "", "openid read:org"},
		"one text":         {nil, "openid", "openid"},
		"spaces":           {nil, " openid  email ", "openid email"},
		"commas":           {nil, "openid,email, profile", "openid email profile"},
		"twice":            {nil, "openid email openid", "openid email"},
		"list with spaces": {[]string{"openid email", "profile"}, "", "openid email profile"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			params := map[string]string{"url": "example.okta.com"}
			if test.option != "" {
				params["scope"] = test.option
			}
			p, err := provider.New(provider.Config{Name: "okta", ClientID: "id", Scopes: test.list, ExtraParams: params})
			if err != nil {
				t.Fatal(err)
			}
			a, err := p.Begin(t.Context(), callback)
			if err != nil {
				t.Fatal(err)
			}
			if u, _ := url.Parse(a.URL); u.Query().Get("scope") != test.want {
				t.Errorf("scope is %q", u.Query().Get("scope"))
			}
		})
	}
}

func TestOfflineScope(t *testing.T) {
	tests := map[string]struct {
		refresh   bool
		supported any
		own       []string
		want      string
	}{
		"not asked for":         {false, []string{"openid", "offline_access"}, nil, "openid email profile"},
		"asked for":             {true, []string{"openid", "offline_access"}, nil, "openid email profile offline_access"},
		"not to be had":         {true, []string{"openid"}, nil, "openid email profile"},
		"nothing said":          {true, nil, nil, "openid email profile offline_access"},
		"scopes are configured": {true, []string{"offline_access"}, []string{"openid"}, "openid"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := providertest.Start(t)
			s.Turn(func(k *providertest.Knobs) {
				k.Metadata = func(m map[string]any) { m["scopes_supported"] = test.supported }
			})
			p := newProvider(t, s, func(c *provider.Config) { c.RefreshTokens, c.Scopes = test.refresh, test.own })
			mustSignIn(t, p, s)
			if got := s.Requests(providertest.Authorization)[0].Query.Get("scope"); got != test.want {
				t.Errorf("scope is %q, want %q", got, test.want)
			}
		})
	}
}

func TestWarnings(t *testing.T) {
	tests := map[string]struct {
		config provider.Config
		want   string
	}{
		"no TLS":                  {provider.Config{Name: "oidc", ExtraParams: map[string]string{"ISSUER": "http://id.example.com"}}, "without TLS"},
		"no TLS on this machine":  {provider.Config{Name: "oidc", ExtraParams: map[string]string{"ISSUER": "http://127.0.0.1:5"}}, ""},
		"TLS":                     {provider.Config{Name: "oidc", ExtraParams: map[string]string{"ISSUER": "https://id.example.com"}}, ""},
		"password grant":          {provider.Config{Name: "password", ExtraParams: enough["password"]}, "RFC 9700"},
		"secret that is not sent": {provider.Config{Name: "auth_code", ClientSecret: "x", ExtraParams: enough["auth_code"]}, "does not send"},
		"any organisation":        {provider.Config{Name: "azure"}, "any organisation"},
		"one organisation":        {provider.Config{Name: "azure", ExtraParams: map[string]string{"tenant": providertest.Tenant}}, ""},
		"e-mail of anybody":       {provider.Config{Name: "azurev2"}, "not verified across organisations"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			core, logs := observer.New(zap.DebugLevel)
			test.config.ClientID, test.config.Logger = "id", zap.New(core)
			if _, err := provider.New(test.config); err != nil {
				t.Fatal(err)
			}
			var all []string
			for _, entry := range logs.All() {
				all = append(all, entry.Message)
			}
			text := strings.Join(all, "\n")
			if test.want == "" && text != "" || !strings.Contains(text, test.want) {
				t.Errorf("log says %q, want %q", text, test.want)
			}
		})
	}
}

func TestSecretsHidden(t *testing.T) {
	config := provider.Config{Name: "github", ClientID: "id", ClientSecret: "hunter2"}
	tokens := provider.Tokens{Access: "hunter2", Refresh: "hunter2", ID: "hunter2"}
	identity := &provider.Identity{User: "alice", Tokens: tokens}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		for _, v := range []any{config, &config, config.ClientSecret, tokens, &tokens, *identity} {
			if text := fmt.Sprintf(format, v); strings.Contains(text, "hunter2") || strings.Contains(text, "68756e74657232") {
				t.Errorf("%s of %T shows a secret: %s", format, v, text)
			}
		}
	}
	raw, err := json.Marshal(map[string]any{"a": config.ClientSecret})
	if err != nil || strings.Contains(string(raw), "hunter2") {
		t.Errorf("JSON is %s, %v", raw, err)
	}
	core, logs := observer.New(zap.DebugLevel)
	zap.New(core).Info("x", zap.Any("secret", config.ClientSecret), zap.Any("tokens", tokens))
	for name, v := range logs.All()[0].ContextMap() {
		if fmt.Sprint(v) != "[REDACTED]" {
			t.Errorf("%s is logged as %v", name, v)
		}
	}
}
