// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyfile

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

const rulesFile = `# Who may go where.
@staff auth_group staff
@own {
	path /u/{http.auth.user.id}/*
	not auth_guest
}
allow @staff
allow @own
@get "method('GET')"
deny /admin*
redirect @get /login?from={path}
allow *
`

func TestReadRules(t *testing.T) {
	rules, err := readRules("rules", []byte(rulesFile))
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(rules)
	if err != nil {
		t.Fatal(err)
	}
	checkJSON(t, got, `[
		{"action": "allow", "match": [{"auth_group": ["staff"]}]},
		{"action": "allow", "match": [{"path": ["/u/{http.auth.user.id}/*"], "not": [{"auth_guest": {}}]}]},
		{"action": "deny", "match": [{"path": ["/admin*"]}]},
		{"action": "redirect", "match": [{"expression": {"expr": "method('GET')", "name": "get"}}], "url": "/login?from={http.request.uri.path}"},
		{"action": "allow"}
	]`)
	if rules[2].Line != "rules:10" {
		t.Errorf("the third rule stands in line %q", rules[2].Line)
	}
}

func TestReadRulesRefuses(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"no end":               {"allow /a\nallow", "write a line break after it, at rules:2"},
		"no end, continued":    {"allow \\\n", "the last line has no end"},
		"no end, Windows":      {"allow \\\r\n", "the last line has no end"},
		"block not closed":     {"@a {\n\tpath /a\n", "a block is not closed, at rules:2"},
		"brace too many":       {"allow /a\n}\n", "this brace closes nothing, at rules:2"},
		"environment variable": {"allow /{$HOME}/*\n", "environment variables are written {env.NAME} here, at rules:1"},
		"import":               {"import other\n", "unrecognized rule 'import'"},
		"panelauth":            {"panelauth {\n\tallow\n}\n", "takes no block"},
		"unknown rule":         {"allow /a\n\nalow /b\n", "unrecognized rule 'alow': a rule begins with allow, deny or redirect, at rules:3"},
		"unknown name":         {"allow /a\nallow @a\n", "unrecognized matcher name: @a (a file of rules defines its own), at rules:2"},
		"unknown matcher":      {"@a nonsense 1\nallow @a\n", "there is no matcher 'nonsense', at rules:1"},
		"defined twice":        {"@a path /a\n@a path /b\n", "defined more than once"},
		"no name":              {"@ path /a\n", "has no name"},
		"nothing defined":      {"@a\nallow @a\n", "needs at least one matcher, at rules:1"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := readRules("rules", []byte(test.text))
			checkError(t, err, test.want)
		})
	}
}

// TestReadRulesCutOff: what is left of a file that is being written says no
// more than the whole file.
func TestReadRulesCutOff(t *testing.T) {
	for name, text := range map[string]string{
		"as it is":   rulesFile,
		"on Windows": strings.ReplaceAll(rulesFile, "\n", "\r\n"),
		"continued":  strings.Replace(rulesFile, "allow @staff", "allow \\\n\t@staff", 1),
	} {
		t.Run(name, func(t *testing.T) {
			whole, err := readRules("rules", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			for length := range text {
				part, err := readRules("rules", []byte(text[:length]))
				if err != nil {
					continue
				}
				for i := range part {
					got, _ := json.Marshal(part[i])
					want, _ := json.Marshal(whole[i])
					if string(got) != string(want) {
						t.Fatalf("the first %d bytes say %s instead of %s", length, got, want)
					}
				}
			}
		})
	}
}

// FuzzReadRules looks for input that makes the parser panic, and for rules that
// cannot be written as JSON.
func FuzzReadRules(f *testing.F) {
	f.Add(rulesFile)
	for _, file := range []string{"testdata/rules", "testdata/rules_broken"} {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		rules, err := readRules("rules", []byte(text))
		if err != nil {
			return
		}
		if _, err := json.Marshal(rules); err != nil {
			t.Errorf("encoding: %v", err)
		}
	})
}
