// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package panelauth

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestExamplesBehindTheDoor looks at what there is to see once somebody has
// signed in.
func TestExamplesBehindTheDoor(t *testing.T) {
	for name, test := range map[string]struct {
		signIn, target string
		status         int
		shows          string
	}{
		"two-providers": {`provider=github"`, "/", http.StatusOK, "Hello, maria!"},
		"pages":         {"Waddle in", "/ice", http.StatusForbidden, "Penguins: no entry"},
		"cluster":       {`name="password"`, "/", http.StatusOK, "Hello, maria!"},
		"several-apps":  {`name="password"`, "/", http.StatusOK, "/sales/admin"},
		"html":          {`name="password"`, "/", http.StatusOK, "Only files"},
	} {
		t.Run(name, func(t *testing.T) {
			site := serve(t, "example/"+name+"/Caddyfile", "localhost:9000", freeAddress(t))
			form := site.get(t, "/login")
			if !strings.Contains(form.body, test.signIn) {
				t.Errorf("the sign-in page does not show %q:\n%s", test.signIn, form.body)
			}
			site.post(t, form, url.Values{"username": {"maria"}, "password": {"open-sesame"}})
			page := site.get(t, test.target)
			if page.status != test.status || !strings.Contains(page.body, test.shows) {
				t.Errorf("got %d:\n%s", page.status, page.body)
			}
		})
	}
}
