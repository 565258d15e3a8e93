// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package panelauth

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// kinds are what blocks of the documentation may be, with what is done about
// each. Whatever is not in the table fails, so that nothing goes unchecked
// without a reason.
var kinds = map[string]func(*testing.T, block){
	"caddyfile": func(*testing.T, block) {}, // TestDocumentedCaddyfiles adapts them
	"sh":        func(*testing.T, block) {}, // TestDocumentedCommands runs them
	"html":      func(*testing.T, block) {}, // TestDocumentedSignInPage signs in with it
	"json": func(t *testing.T, b block) {
		if !json.Valid([]byte(b.text)) {
			t.Error("this is not JSON")
		}
	},
	// Docker and systemd are not where tests run. What they are told of this
	// module is looked at.
	"dockerfile": wantText("xcaddy build --with github.com/panelauth/caddy-panelauth\n"),
	"yaml":       wantText("environment: [PANEL_COOKIE_SECRET, APP_PASSWORD]", "caddy_data:/data"),
	"ini":        wantText("[Service]\n", "EnvironmentFile=/etc/caddy/secrets.env\n"),
	"":           checkPlain,
}

func wantText(texts ...string) func(*testing.T, block) {
	return func(t *testing.T, b block) {
		for _, text := range texts {
			if !strings.Contains(b.text, text) {
				t.Errorf("it does not say %q", text)
			}
		}
	}
}

func TestDocumentedBlocks(t *testing.T) {
	for _, document := range documents(t) {
		for _, b := range blocksOf(t, document) {
			t.Run(b.place, func(t *testing.T) {
				check := kinds[b.kind]
				if check == nil {
					t.Fatalf("nothing is known of blocks of the kind %q", b.kind)
				}
				check(t, b)
			})
		}
	}
}

// plain are the blocks without a kind, by file and how they begin. Those that
// nothing checks say why.
var plain = map[[2]string]func(*testing.T, block){
	// What a user of Redis needs, TestUserWithFewRights gives it.
	{"docs/reference.md", "ACL SETUSER panelauth on >password "}: func(t *testing.T, b block) {
		_, rights, _ := strings.Cut(strings.TrimSpace(b.text), ">password ")
		if !strings.Contains(read(t, "caddyauth/session/redisstore/redis_test.go"), `minimalRights = "`+rights+`"`) {
			t.Error("these are not the rights that are tested")
		}
	},
	// A pattern of fail2ban, for the fields in the order that they are logged.
	{"docs/logs.md", `"event":"login_failed"`}: checkFail2ban,
	// A report of the doctor, cut short; TestDoctor… has whole ones.
	{"docs/how-to/doctor.md", "ok    options"}: func(t *testing.T, b block) {
		for line := range strings.Lines(b.text) {
			check, _, _ := strings.Cut(line[len("fail  "):], " (")
			if !strings.Contains(read(t, "docs/how-to/doctor.md"), "\n| `"+check+"` |") {
				t.Errorf("there is no check %q", check)
			}
		}
	},
	// Handlers of events are in no Caddy that is not built with one.
	{"docs/operations.md", "{\n\tevents {\n"}: wantText("on panelauth.login_failed exec ", "{event.data.client_ip}", "{event.data.reason}"),
}

func checkPlain(t *testing.T, b block) {
	// The forms of subdirectives are what the reference is made from.
	if b.file == "docs/reference.md" && strings.Contains(read(t, b.file), "\n### `"+firstWord(b.text)+"`\n\n```\n"+b.text) ||
		firstWord(b.text) == "panelauth" {
		return
	}
	for known, check := range plain {
		if b.file == known[0] && strings.HasPrefix(b.text, known[1]) {
			check(t, b)
			return
		}
	}
	t.Errorf("nothing is known of a block that begins with %q", firstWord(b.text))
}

func firstWord(text string) string {
	words := strings.Fields(text)
	if len(words) == 0 {
		return ""
	}
	return words[0]
}

// checkFail2ban has somebody fail, and looks for the pattern in the log.
func checkFail2ban(t *testing.T, b block) {
	site, logs := logging(t, "panelauth {\n\tbasic_auth open-sesame\n}\nrespond hello", func(config []byte) []byte { return config })
	site.post(t, site.get(t, "/login"), url.Values{"username": {"alice"}, "password": {"wrong"}})
	eventuallyLogged(t, logs, strings.Replace(strings.TrimSpace(b.text), "<HOST>", "127.0.0.1", 1))
}

// TestDocumentedSignInPage signs in with the page that the guide shows.
func TestDocumentedSignInPage(t *testing.T) {
	for _, b := range blocksOf(t, "docs/how-to/custom-pages.md") {
		if b.kind != "html" {
			continue
		}
		folder := t.TempDir()
		page, file := filepath.Join(folder, "sign-in.html"), filepath.Join(folder, "Caddyfile")
		for name, text := range map[string]string{
			page: b.text,
			file: "http://localhost:8080 {\n\tpanelauth {\n\t\tbasic_auth open-sesame\n\t\tbasic_login_template " + page + "\n\t}\n\trespond \"hello\"\n}\n",
		} {
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		site := serve(t, file)
		form := site.get(t, "/login?next=/there")
		if wrong := site.post(t, form, url.Values{"username": {"alice"}, "password": {"wrong"}}); !strings.Contains(wrong.body, "<p>Invalid username or password!</p>") {
			t.Errorf("a wrong password: got %d:\n%s", wrong.status, wrong.body)
		}
		if leads := site.signInFor(t, "/there", "alice", "open-sesame"); leads != "/there" {
			t.Errorf("the right one leads to %q", leads)
		}
		return
	}
	t.Error("the guide shows no page")
}
