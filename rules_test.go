// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package panelauth

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// signIn signs somebody in with the password of the examples, in a new browser.
func (s *testSite) signIn(t testing.TB, user string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	s.client.Jar = jar
	form := s.get(t, "/login")
	if in := s.post(t, form, url.Values{"username": {user}, "password": {"open-sesame"}}); in.status != http.StatusSeeOther {
		t.Fatalf("signing in as %q: got %d", user, in.status)
	}
}

// wants asks for pages and compares the answers, such as "200", or "302 /user".
func (s *testSite) wants(t testing.TB, answers map[string]string) {
	t.Helper()
	for path, want := range answers {
		got := s.get(t, path)
		answer := http.StatusText(got.status)
		if got.location != "" {
			answer += " " + got.location
		}
		if answer != want {
			t.Errorf("%s: got %q, wanted %q", path, answer, want)
		}
	}
}

// TestAuthorizationExamples walks through the examples of rules.
func TestAuthorizationExamples(t *testing.T) {
	tests := map[string][]struct {
		user    string // empty: nobody
		answers map[string]string
	}{
		"users-file": {
			{"", map[string]string{"/": "Found /login?next=%2F"}},
			{"ada", map[string]string{"/": "OK", "/any/page": "OK"}},
			{"mallory", map[string]string{"/": "Forbidden", "/any/page": "Forbidden"}},
		},
		"admins": {
			{"ada", map[string]string{"/": "Found /admin", "/admin": "OK", "/user": "OK", "/other": "Forbidden"}},
			{"bob", map[string]string{
				"/": "Found /user", "/user": "OK", "/other": "Forbidden", "/admin": "Forbidden", "/admin/": "Forbidden",
				"/admin/ws": "Forbidden", "/ADMIN": "Forbidden", "/%61dmin": "Forbidden", "/user/../admin": "Forbidden", "/user/ws": "OK",
			}},
		},
		"own-pages": {
			{"ada", map[string]string{"/": "Found /users/ada/", "/users/ada/": "OK", "/users/ada/x": "OK", "/users/grace/": "Forbidden", "/users/": "Forbidden"}},
			{"*", map[string]string{"/users/ada/": "Forbidden", "/users/*/": "Forbidden"}},
			{"../users/ada", map[string]string{"/users/ada/": "Forbidden", "/": "Forbidden"}},
			{"ADA", map[string]string{"/users/ada/": "Forbidden", "/users/ADA/": "OK"}},
		},
		"guest-to-login": {
			{"", map[string]string{"/": "OK", "/user": "OK", "/admin": "Found /login?next=%2Fadmin"}},
			{"ada", map[string]string{"/": "OK", "/admin": "OK"}},
		},
	}
	for name, visits := range tests {
		t.Run(name, func(t *testing.T) {
			site := serve(t, filepath.Join("example/authorization", name, "Caddyfile"))
			for _, visit := range visits {
				if visit.user != "" {
					site.signIn(t, visit.user)
				}
				site.wants(t, visit.answers)
			}
		})
	}
}

// TestExampleOfRulesThatChange adds somebody to a file of rules.
func TestExampleOfRulesThatChange(t *testing.T) {
	rules := filepath.Join(t.TempDir(), "rules")
	text := read(t, "example/authorization/users-file/rules")
	write := func(text string) {
		if err := os.WriteFile(rules, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(text)
	site := serve(t, "example/authorization/users-file/Caddyfile", "example/authorization/users-file/rules", rules)
	site.signIn(t, "mallory")
	site.wants(t, map[string]string{"/": "Forbidden"})
	write(strings.Replace(text, "grace", "grace mallory", 1))
	deadline := time.Now().Add(20 * time.Second)
	for site.get(t, "/").status != http.StatusOK {
		if time.Now().After(deadline) {
			t.Fatal("the new rules are not in force")
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// TestMatchers uses the matchers wherever a site may, behind panelauth.
func TestMatchers(t *testing.T) {
	tests := map[string]struct{ site, ada, bob, guest string }{
		"handle": {`
			@ada auth_user ada
			@guest auth_guest
			panelauth {
				basic_auth open-sesame
				oauth_optional
			}
			handle @ada {
				respond A
			}
			handle @guest {
				respond G
			}
			handle {
				respond B
			}`, "A", "B", "G"},
		"route": {`
			route {
				panelauth {
					basic_auth open-sesame
					oauth_optional
				}
				@ada auth_user ada
				respond @ada A
				@guest auth_guest
				respond @guest G
				respond B
			}`, "A", "B", "G"},
		"expression": {`
			@ada expression auth_user('ada') || auth_claim('user', 'x*')
			@guest ` + "`auth_guest()`" + `
			@bob ` + "`!auth_user('ada', 'grace') && !auth_guest() && !auth_group('x')`" + `
			panelauth {
				basic_auth open-sesame
				oauth_optional
			}
			respond @ada A
			respond @bob B
			respond @guest G`, "A", "B", "G"},
		"before panelauth, nothing matches": {`
			route {
				@ada auth_user ada
				respond @ada A
				@guest auth_guest
				respond @guest G
				@any auth_claim user *
				respond @any C
				panelauth {
					basic_auth open-sesame
					oauth_optional
				}
				respond B
			}`, "B", "B", "B"},
		"without panelauth, nothing matches": {`
			route {
				@ada {
					auth_user ada
				}
				@not not auth_user ada
				respond @ada A
				handle /log* {
					panelauth {
						basic_auth open-sesame
					}
				}
				respond @not B
			}`, "B", "B", "B"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "Caddyfile")
			text := caddyfile.Format([]byte(":8080 {\n" + test.site + "\n}\n"))
			if err := os.WriteFile(file, text, 0o600); err != nil {
				t.Fatal(err)
			}
			site := serve(t, file)
			check := func(who, want string) {
				t.Helper()
				if got := site.get(t, "/"); got.body != want {
					t.Errorf("%s: got %d, %q, wanted %q", who, got.status, got.body, want)
				}
			}
			check("a guest", test.guest)
			site.signIn(t, "ada")
			check("ada", test.ada)
			site.signIn(t, "bob")
			check("bob", test.bob)
		})
	}
}
