// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package panelauth

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// TestTutorial serves each step of the tutorial, and signs in.
func TestTutorial(t *testing.T) {
	application := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "the application, for %s", r.Header.Get("Remote-User"))
	}))
	defer application.Close()
	steps := documentedCaddyfiles(t, "docs/tutorial.md")
	if len(steps) != 5 {
		t.Fatalf("got %d steps", len(steps))
	}
	inFolderWith(t, map[string]string{"users.json": `{"alice": {"password": "open-sesame", "groups": ["staff"]}}`})
	for name, text := range steps {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "Caddyfile")
			if err := os.WriteFile(file, caddyfile.Format([]byte(text)), 0o600); err != nil {
				t.Fatal(err)
			}
			site := serve(t, file, "localhost:5006", application.Listener.Addr().String())
			page := site.get(t, site.signInFor(t, "/staff", "alice", "open-sesame"))
			wanted := "the application, for "
			if strings.Contains(text, "identity_headers") {
				wanted += "alice"
			}
			if page.status != http.StatusOK || page.body != wanted {
				t.Errorf("got %d: %q, wanted %q", page.status, page.body, wanted)
			}
		})
	}
}

// signInFor goes to a page, signs in on the way, and returns where that leads. A
// machine that is busy elsewhere may be slow to write a session, and then the
// visitor is asked to come again.
func (s *testSite) signInFor(t *testing.T, target, user, password string) string {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		form := s.get(t, s.get(t, target).location)
		answer := s.post(t, form, url.Values{"username": {user}, "password": {password}})
		if answer.status == http.StatusSeeOther {
			return answer.location
		}
		if answer.status != http.StatusServiceUnavailable || time.Now().After(deadline) {
			t.Fatalf("signing in: got %d:\n%s", answer.status, answer.body)
		}
	}
}
