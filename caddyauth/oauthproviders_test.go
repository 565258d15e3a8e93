// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestOAuthProvidersJSON(t *testing.T) {
	full := OAuthProvider{
		Name: "oidc", ID: "sso", Key: "id", Secret: "secret", RedirectURI: "https://app.example.com/login",
		Scope: []string{"openid", "email"}, JWTUser: "sub", Label: "SSO", GroupsClaim: "roles",
		AllowUnverifiedEmail: true, ExtraParams: map[string]string{"ISSUER": "https://sso.example.com", "prompt": ""},
	}
	tests := map[string]struct {
		json      string
		providers OAuthProviders
	}{
		"a name":           {`"github"`, OAuthProviders{{Name: "github"}}},
		"a name and an id": {`[{"name":"github","id":"hub"}]`, OAuthProviders{{Name: "github", ID: "hub"}}},
		"one with options": {`[{"name":"github","key":"id"}]`, OAuthProviders{{Name: "github", Key: "id"}}},
		"two names":        {`[{"name":"github"},{"name":"gitlab"}]`, OAuthProviders{{Name: "github"}, {Name: "gitlab"}}},
		"everything": {
			`[{"name":"oidc","id":"sso","key":"id","secret":"secret","redirect_uri":"https://app.example.com/login",` +
				`"scope":["openid","email"],"jwt_user":"sub","label":"SSO","groups_claim":"roles",` +
				`"allow_unverified_email":true,"extra_params":{"ISSUER":"https://sso.example.com","prompt":""}}]`,
			OAuthProviders{full},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			written, err := json.Marshal(test.providers)
			if err != nil || string(written) != test.json {
				t.Errorf("writing: got %s, %v, wanted %s", written, err, test.json)
			}
			var read OAuthProviders
			if err := json.Unmarshal([]byte(test.json), &read); err != nil || !reflect.DeepEqual(read, test.providers) {
				t.Errorf("reading: got %v, %v", read, err)
			}
		})
	}
}

// TestOAuthProvidersInHandler makes sure that the field keeps its place among
// the others, and stays out where there is none.
func TestOAuthProvidersInHandler(t *testing.T) {
	for name, document := range map[string]string{
		"none":   `{}`,
		"a name": `{"oauth_provider":"github","oauth_key":"id"}`,
		"a list": `{"oauth_provider":[{"name":"github","key":"id"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			var h Handler
			if err := json.Unmarshal([]byte(document), &h); err != nil {
				t.Fatal(err)
			}
			written, err := json.Marshal(&h)
			if err != nil || string(written) != document {
				t.Errorf("got %s, %v, wanted %s", written, err, document)
			}
		})
	}
}

func TestOAuthProvidersJSONRefused(t *testing.T) {
	for name, document := range map[string]string{
		"a number":         `1`,
		"an object":        `{"name": "github"}`,
		"a list of names":  `["github"]`,
		"an unknown field": `[{"name": "github", "client_id": "id"}]`,
		"a wrong kind":     `[{"name": "github", "scope": "openid hunter2"}]`,
		"broken":           `[{"name": "github"`,
	} {
		t.Run(name, func(t *testing.T) {
			var read OAuthProviders
			err := json.Unmarshal([]byte(document), &read)
			if err == nil {
				t.Fatalf("got %v", read)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("a value is in the error: %v", err)
			}
		})
	}
}

// TestProviderMistakes looks at which entry a mistake is said to be in, and
// where.
func TestProviderMistakes(t *testing.T) {
	t.Setenv("PRESENT", "value")
	tests := map[string]struct {
		handler      Handler
		subdirective string
		entry        int
		local        bool
		says         string
	}{
		"the second has no key": {
			Handler{OAuthProvider: OAuthProviders{{Name: "gitlab", Key: "id"}, {Name: "google", Secret: "s"}}},
			"oauth_provider", 1, false, "the client id is missing: add key",
		},
		"the second is a second without options": {
			Handler{OAuthProvider: OAuthProviders{{Name: "gitlab"}, {Name: "gitlab", ID: "other"}}, OAuthKey: "id"},
			"oauth_provider", 1, false, "only one provider",
		},
		"a placeholder beside it resolves to nothing": {
			Handler{OAuthProvider: OAuthProviders{{Name: "github"}}, OAuthKey: "id", OAuthSecret: "{env.ABSENT}"},
			"oauth_secret", 0, true, "{env.ABSENT} resolves to nothing",
		},
		"a placeholder in it resolves to nothing": {
			Handler{OAuthProvider: OAuthProviders{{Name: "gitlab", Key: "id"}, {Name: "github", Key: "id", Secret: "{env.ABSENT}"}}},
			"oauth_provider", 1, true, "{env.ABSENT} resolves to nothing",
		},
		"what a placeholder resolves to is wrong": {
			Handler{OAuthProvider: OAuthProviders{{Name: "{env.PRESENT}", Key: "id"}}},
			"oauth_provider", 0, true, "unknown provider",
		},
		"the name of no provider": {
			Handler{OAuthProvider: OAuthProviders{{Name: "gitbug", Key: "id"}}},
			"oauth_provider", 0, false, "unknown provider",
		},
		"redirect URI beside it": {
			Handler{OAuthProvider: OAuthProviders{{Name: "gitlab"}}, OAuthKey: "id", OAuthRedirectURI: "/login"},
			"oauth_redirect_uri", 0, false, "a redirect URI is an address",
		},
		"redirect URI in it": {
			Handler{OAuthProvider: OAuthProviders{{Name: "gitlab", Key: "id", RedirectURI: "/login"}}},
			"oauth_provider", 0, false, "a redirect URI is an address",
		},
		"options for nobody": {
			Handler{OAuthProvider: OAuthProviders{{Name: "gitlab", Key: "id"}}, OAuthJWTUser: "email"},
			"oauth_jwt_user", 0, false, "there is none",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			mistakes := test.handler.Mistakes()
			if len(mistakes) != 1 {
				t.Fatalf("got %v, wanted one mistake", mistakes)
			}
			got := mistakes[0]
			if got.Subdirective != test.subdirective || got.Entry != test.entry || got.Local != test.local {
				t.Errorf("got %+v", got)
			}
			if !strings.Contains(got.Err.Error(), test.says) {
				t.Errorf("it says %q, wanted %q", got.Err, test.says)
			}
		})
	}
}
