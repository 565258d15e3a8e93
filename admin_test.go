// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package panelauth

import (
	"net/http"
	"testing"
)

// TestAdminAPIIsProtected: the sessions are behind the checks of Caddy's admin
// API, so that no web page can list or end them from the browser of somebody
// who may.
func TestAdminAPIIsProtected(t *testing.T) {
	s := serveSecurely(t, "basic_auth open-sesame")
	s.signInMaria(t)
	for name, test := range map[string]struct {
		change func(*http.Request)
		status int
	}{
		"another site by DNS rebinding": {func(r *http.Request) { r.Host = "evil.example.com" }, http.StatusForbidden},
		"a page of another site":        {func(r *http.Request) { r.Header.Set("Origin", "https://evil.example.com") }, http.StatusForbidden},
		"a sandboxed page":              {func(r *http.Request) { r.Header.Set("Origin", "null") }, http.StatusBadRequest},
		"a command":                     {func(*http.Request) {}, http.StatusOK},
	} {
		for _, method := range []string{http.MethodGet, http.MethodDelete} {
			if method == http.MethodDelete && test.status == http.StatusOK {
				continue
			}
			t.Run(name+" "+method, func(t *testing.T) {
				r, _ := http.NewRequest(method, "http://"+s.admin+"/panelauth/sessions?user=maria", nil)
				test.change(r)
				answer, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				defer answer.Body.Close()
				if answer.StatusCode != test.status {
					t.Errorf("got %s", answer.Status)
				}
			})
		}
	}
	if page := s.get(t, "/file?size=0"); page.status != http.StatusOK {
		t.Errorf("the session is over: %d", page.status)
	}
}
