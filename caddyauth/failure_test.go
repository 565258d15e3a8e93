// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

// TestFailedPageLeadsOutOfTheProvider: Panel's page for errors has
// oauth_logout_link, for those who came back as the wrong person.
func TestFailedPageLeadsOutOfTheProvider(t *testing.T) {
	page := filepath.Join(t.TempDir(), "failed.html")
	writeFile(t, page, `<a href="{{ oauth_logout_link }}">`)
	ownPage := func(h *Handler) { h.OAuthErrorTemplate = page }
	stayIn := func(h *Handler) { h.LogoutProvider = "off" }
	denied := func(k *providertest.Knobs) { k.Deny = "access_denied" }
	away := func(k *providertest.Knobs) { k.Deny = "temporarily_unavailable" }
	unverified := func(k *providertest.Knobs) { k.IDToken = func(c map[string]any) { c["email_verified"] = false } }
	tests := map[string]struct {
		turn func(*providertest.Knobs)
		more []func(*Handler)
		want bool
	}{
		"a page of one's own":              {denied, []func(*Handler){ownPage}, true},
		"logout_provider off":              {denied, []func(*Handler){ownPage, stayIn}, false},
		"the provider is away":             {away, []func(*Handler){ownPage}, false},
		"the built-in page, an account":    {unverified, nil, true},
		"the built-in page, anything else": {denied, nil, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newOpenID(t)
			address := "https://id.example/bye"
			v := newSite(t, append(test.more, signInWith(p, withParam("LOGOUT_URL", address)))...).newVisitor("")
			answer := v.begin("/login?next=/app")
			p.Turn(test.turn)
			a := v.comeBack(v.answerOf(answer))
			if a.StatusCode == http.StatusOK {
				t.Fatal("the sign-in did not fail")
			}
			if got := strings.Contains(a.text, `<a href="`+address+"?"); got != test.want {
				t.Errorf("a link out of the provider: %t\n%s", got, a.text)
			}
		})
	}
}
