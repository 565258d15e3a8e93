// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"strings"
	"testing"
)

// TestOAuthMistakes: what cannot work is refused at load, in words that name
// the option and no secret.
func TestOAuthMistakes(t *testing.T) {
	const secret = "hunter2-hunter2"
	t.Setenv("EMPTY_SECRET", "")
	entry := func(name string, edits ...func(*OAuthProvider)) OAuthProvider {
		e := OAuthProvider{Name: name, Key: "id", Secret: secret}
		for _, edit := range edits {
			edit(&e)
		}
		return e
	}
	params := func(pairs ...string) func(*OAuthProvider) {
		return func(e *OAuthProvider) {
			e.ExtraParams = make(map[string]string)
			for i := 0; i < len(pairs); i += 2 {
				e.ExtraParams[pairs[i]] = pairs[i+1]
			}
		}
	}
	just := func(list ...OAuthProvider) Handler { return Handler{OAuthProvider: list} }
	tests := map[string]struct {
		handler Handler
		says    string
	}{
		"nobody could sign in":     {Handler{}, "nobody could sign in"},
		"no client id":             {Handler{OAuthProvider: OAuthProviders{{Name: "github"}}, OAuthSecret: secret}, "oauth_key"},
		"no secret":                {Handler{OAuthProvider: OAuthProviders{{Name: "github"}}, OAuthKey: "id"}, "secret"},
		"oidc without ISSUER":      {just(entry("oidc")), "ISSUER"},
		"generic without URLs":     {just(entry("generic")), "AUTHORIZE_URL"},
		"password without URL":     {just(entry("password")), "TOKEN_URL"},
		"okta without url":         {just(entry("okta")), "url"},
		"auth0 without subdomain":  {just(entry("auth0")), "subdomain"},
		"ISSUER with well-known":   {just(entry("oidc", params("ISSUER", "https://x.org/.well-known/openid-configuration"))), "well-known"},
		"ISSUER without scheme":    {just(entry("oidc", params("ISSUER", "x.org"))), "ISSUER"},
		"ISSUER with a user":       {just(entry("oidc", params("ISSUER", "https://u:"+secret+"@x.org"))), "ISSUER"},
		"oidc without openid":      {just(entry("oidc", params("ISSUER", "https://x.org", "scope", "email"))), "openid"},
		"a parameter of ours":      {just(entry("oidc", params("ISSUER", "https://x.org", "state", "fixed"))), "state"},
		"response_mode":            {just(entry("oidc", params("ISSUER", "https://x.org", "response_mode", "form_post"))), "response_mode"},
		"an option of another":     {just(entry("github", params("tenant", "x"))), "tenant"},
		"tenant with a slash":      {just(entry("azure", params("tenant", "a/b"))), "tenant"},
		"unknown provider":         {just(entry("gitbug")), "unknown provider"},
		"two of one id":            {just(entry("github"), entry("github")), `id "github"`},
		"an id with a slash":       {just(entry("github", called("a/b"))), "id"},
		"an id that is password's": {just(entry("github", called("password"))), "id"},
		"redirect URI with query":  {just(entry("github", comingBackTo("https://x.org/cb?a=1"))), "redirect"},
		"redirect URI with hash":   {just(entry("github", comingBackTo("https://x.org/cb#a"))), "redirect"},
		"redirect URI as a path":   {just(entry("github", comingBackTo("/cb"))), "redirect"},
		"two forms": {Handler{OAuthProvider: OAuthProviders{entry("password", params("TOKEN_URL", "https://x.org", "USER_URL", "https://x.org"))},
			BasicAuth: &BasicAuth{Source: "a password"}}, "share one form"},
		"a scope given twice":            {just(entry("oidc", params("ISSUER", "https://x.org", "scope", "openid"), func(e *OAuthProvider) { e.Scope = []string{"openid"} })), "twice"},
		"a scope with quotes":            {just(entry("github", params("scope", `a"b`))), "scope"},
		"logout_provider on":             {Handler{OAuthProvider: OAuthProviders{entry("github")}, LogoutProvider: "on"}, "logout_provider"},
		"refresh tokens for nobody":      {Handler{BasicAuth: &BasicAuth{Source: "a password"}, OAuthRefreshTokens: true}, "oauth_refresh_tokens"},
		"token endpoint for nobody":      {Handler{BasicAuth: &BasicAuth{Source: "a password"}, TokenEndpoint: true}, "token_endpoint"},
		"a key for nobody":               {Handler{BasicAuth: &BasicAuth{Source: "a password"}, OAuthKey: "id"}, "oauth_key"},
		"a secret for nobody":            {Handler{BasicAuth: &BasicAuth{Source: "a password"}, OAuthSecret: secret}, "oauth_secret"},
		"flat options beside a block":    {Handler{OAuthProvider: OAuthProviders{entry("github")}, OAuthSecret: secret}, "oauth_secret"},
		"an empty placeholder":           {just(entry("github", func(e *OAuthProvider) { e.Secret = "{env.EMPTY_SECRET}" })), "{env.EMPTY_SECRET}"},
		"an unknown placeholder":         {just(entry("github", func(e *OAuthProvider) { e.Secret = "{evn.SECRET}" })), "{evn.SECRET}"},
		"an encryption key that is none": {Handler{OAuthProvider: OAuthProviders{entry("github")}, OAuthEncryptionKey: secret}, "oauth_encryption_key"},
		"encrypted without a key":        {Handler{OAuthProvider: OAuthProviders{entry("github")}, PanelCookies: []string{"encrypted", "user"}}, "oauth_encryption_key"},
		"an ES key where none is taken": {just(entry("github", func(e *OAuthProvider) {
			e.Secret = "-----BEGIN PRIVATE KEY-----\n" + secret + "\n-----END PRIVATE KEY-----"
		})),
			"private key"},
		"max_age that is no number": {just(entry("oidc", params("ISSUER", "https://x.org", "max_age", "soon"))), "max_age"},
		"token path is logout":      {Handler{OAuthProvider: OAuthProviders{entry("github")}, TokenEndpoint: true, LogoutEndpoint: "/login/token"}, "logout_endpoint"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.handler.CookieSecret = []string{testSecret}
			var text []string
			for _, mistake := range test.handler.Mistakes() {
				text = append(text, mistake.Subdirective+": "+mistake.Err.Error())
			}
			all := strings.Join(text, "; ")
			if len(text) == 0 || !strings.Contains(all, test.says) {
				t.Errorf("the mistakes are %q, wanted one about %q", all, test.says)
			}
			if strings.Contains(all, secret) {
				t.Errorf("a secret is in %q", all)
			}
			h := test.handler
			if _, err := tryNewSite(t, newFlakyStorage(t), func(other *Handler) { *other = h }); err == nil {
				t.Error("it is loaded")
			}
		})
	}
}
