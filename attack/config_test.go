// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package attack

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
)

const anyPassword = "basic_auth \"a password of the tests\"\n"

var configScenes = map[string]scene{
	"CF-003": refusedLines("cookie_secret", "cookie_secret changeme", "cookie_secret secret", "cookie_secret 123456789012345"),
	// Keys are derived from the secret, so that any length from 16 bytes is good.
	"CF-005": func(s *site, _ attack) { wantAccepted(s.t, anyPassword+"cookie_secret "+strings.Repeat("k", 33)) },
	"CF-006": func(s *site, _ attack) {
		wantAccepted(s.t, anyPassword+"cookie_secret 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c")
		wantRefused(s.t, anyPassword+"cookie_secret 9f86d081884c7d6", "cookie_secret")
	},
	"CF-012": refusedFile("", true),
	"CF-013": func(s *site, _ attack) {
		// Whoever runs the tests may read every file, but nobody a folder.
		wantRefused(s.t, "basic_auth "+s.t.TempDir()+"/", "basic_auth")
		if os.Geteuid() != 0 {
			path := filepath.Join(s.t.TempDir(), "users.json")
			if err := os.WriteFile(path, []byte(`{"alice":"secret of hers"}`), 0); err != nil {
				s.t.Fatal(err)
			}
			wantRefused(s.t, "basic_auth "+path, "basic_auth")
		}
	},
	"CF-015": refusedFile(`{"alice": "secret of hers"`, false),
	"CF-016": func(s *site, a attack) {
		for _, text := range []string{`["alice"]`, `"alice"`, `{"alice": {"password": {"x": "y"}}}`, `{"alice": ["x"]}`, `7`, `null`} {
			refusedFile(text, false)(s, a)
		}
	},
	"CF-017": refusedFile(`{"alice": "secret of hers", "bob": "x", "alice": "another"}`, false),
	"CF-019": func(s *site, a attack) {
		for _, value := range []string{`null`, `7`, `""`, `true`, `{}`, `{"password": ""}`, `{"password": null}`} {
			refusedFile(`{"alice": `+value+`}`, false)(s, a)
		}
	},
	"CF-021": refusedBlock("", "nobody could sign in"),
	"CF-024": func(s *site, _ attack) {
		s = serve(s.t, "master", func(_ *site, p *profile) { p.lines = "basic_auth short12" })
		if log := s.logs(); !strings.Contains(log, `"level":"warn"`) || !strings.Contains(log, "basic_auth has fewer than 8 characters") {
			s.t.Errorf("nobody is warned:\n%s", log)
		}
		if strings.Contains(s.logs(), "short12") {
			s.t.Error("the password is in the log")
		}
	},
	"CF-032": refusedLines("logout_endpoint", "login_endpoint /in\nlogout_endpoint /in", "login_endpoint /in\nlogout_endpoint /in/"),
	"CF-033": refusedLines("login_endpoint", "login_endpoint login", "login_endpoint /login?x", "login_endpoint /a/../login", "login_endpoint //login", "login_endpoint /log%69n", "login_endpoint /"),
	"CF-035": refusedLines("oauth_guest_endpoints", "oauth_optional\noauth_guest_endpoints /x"),
	"CF-036": refusedLines("unrecognized", "oauth_optionel", "cookie-secret 0123456789012345", "basic_auht x", "guest_endpoints /x"),
	// A proxy may speak HTTPS for a site of HTTP, so that it cannot be refused
	// when the configuration is loaded. No browser ever sees the two together.
	"CF-039": func(s *site, _ attack) {
		s = serve(s.t, "master", beside("cookie_same_site none"))
		if got := s.send(signingInAsAnybody()).header.Get("Set-Cookie"); strings.Contains(got, "SameSite=None") || !strings.Contains(got, "SameSite=Lax") {
			s.t.Errorf("the cookie is %q", got)
		}
		secure := besideWith(s, another{lines: anyPassword + "cookie_same_site none", secure: true})
		q := signingInAsAnybody()
		q.Body = "username=alice&password=a+password+of+the+tests"
		if got := secure.send(q).header.Get("Set-Cookie"); !strings.Contains(got, "SameSite=None") || !strings.Contains(got, "Secure") {
			s.t.Errorf("over HTTPS the cookie is %q", got)
		}
	},
	"CF-040": refusedLines("cookie_name", "cookie_name __Host-x", "cookie_name __Host-x\ncookie_domain example.com", "cookie_name __host-x\ncookie_path /app", "cookie_name __Secure-x"),
	"CF-044": refusedLines("session_store", "session_store redis", "session_store redis http://x", "session_store redis redis://", "session_store redis redis://x:y:z", "session_store redis redis://x/y"),
	"CF-048": func(s *site, _ attack) {
		config := adapted(s.t, anyPassword)
		for _, handler := range []string{`"handler":"panelauth"`} {
			broken := strings.Replace(string(config), handler, handler+`,"login_endpiont":"/x"`, 1)
			if err := validated([]byte(broken)); err == nil || !strings.Contains(err.Error(), "login_endpiont") {
				s.t.Errorf("an unknown field: %v", err)
			}
		}
	},
}

// refusedLines: each of these, beside a password, is a mistake that is said with
// the name of the subdirective.
func refusedLines(names string, lines ...string) scene {
	return func(s *site, _ attack) {
		for _, line := range lines {
			wantRefused(s.t, anyPassword+line, names)
		}
	}
}

func refusedBlock(lines, names string) scene {
	return func(s *site, _ attack) { wantRefused(s.t, lines, names) }
}

// refusedFile: a credentials file of this text, or none at all, is a mistake.
func refusedFile(text string, missing bool) scene {
	return func(s *site, _ attack) {
		path := filepath.Join(s.t.TempDir(), "users.json")
		if !missing {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				s.t.Fatal(err)
			}
		}
		wantRefused(s.t, "basic_auth "+path, "basic_auth")
	}
}

func whole(lines string) string {
	return "{\nauto_https off\nadmin off\n}\nhttp://app.example.com:8099 {\npanelauth {\n" + lines + "\n}\n}\n"
}

// wantRefused checks that Caddy does not take a block, says where and what, and
// does not say the secret.
func wantRefused(t testing.TB, lines, names string) {
	t.Helper()
	config, err := tryToAdapt(lines)
	where := "Caddyfile:"
	if err == nil {
		err, where = validated(config), "panelauth"
	}
	if err == nil {
		t.Errorf("it is taken:\n%s", lines)
		return
	}
	if said := err.Error(); !strings.Contains(said, names) || !strings.Contains(said, where) {
		t.Errorf("it is not said what is wrong, or where: %v", err)
	}
	for _, secret := range []string{"a password of the tests", "secret of hers", "changeme", "123456789012345", "9f86d081884c7d6"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the secret is said: %v", err)
		}
	}
}

func wantAccepted(t testing.TB, lines string) {
	t.Helper()
	if err := validated(adapted(t, lines)); err != nil {
		t.Errorf("it is refused: %v\n%s", err, lines)
	}
}

func tryToAdapt(lines string) ([]byte, error) {
	config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(whole(lines)), map[string]any{"filename": "Caddyfile"})
	return config, err
}

func adapted(t testing.TB, lines string) []byte {
	t.Helper()
	config, err := tryToAdapt(lines)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// validated provisions a configuration without running it.
func validated(config []byte) error {
	dir, err := os.MkdirTemp("", "panelauth-attack-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var c caddy.Config
	if err := json.Unmarshal(config, &c); err != nil {
		return err
	}
	c.StorageRaw, err = json.Marshal(map[string]any{"module": "file_system", "root": dir})
	if err != nil {
		return err
	}
	return caddy.Validate(&c)
}
