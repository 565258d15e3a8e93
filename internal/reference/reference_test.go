// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReference: the page is what is made from syntax, comments and examples.
func TestReference(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir("examples")
	made, err := generate(root)
	if err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	if string(made) != string(written) {
		t.Errorf("%s is not what its sources say: run \"go generate\"", page)
	}
}

// TestExamplesAreUsed: nothing lies among the examples that no subdirective has.
func TestExamplesAreUsed(t *testing.T) {
	known, err := readSyntax("../../" + parser)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("examples/*.caddyfile")
	if err != nil || len(files) != len(known) {
		t.Errorf("there are %d examples of %d subdirectives: %v", len(files), len(known), err)
	}
}

func TestParseSyntax(t *testing.T) {
	got := parseSyntax("parse reads. Syntax:\n\n\tpanelauth {\n\t\t# one\n\t\ta <x>\n\t\ta {\n\t\t\tkey <y>\n\t\t\tall {\n\t\t\t\t<k> <v>\n\t\t\t}\n\t\t}\n\n\t\tb\n\t}\n\nMore.\n")
	if len(got) != 2 || got[0].name != "a" || got[1].name != "b" || len(got[0].lines) != 7 || len(got[1].lines) != 1 {
		t.Fatalf("got %q", got)
	}
	for key, wanted := range map[string]string{"key": "key <y>", "all": "all { <k> <v> }", "a": "", "other": ""} {
		if line := got[0].option(key); line != wanted {
			t.Errorf("%s: got %q", key, line)
		}
	}
}

func TestParseComment(t *testing.T) {
	for comment, wanted := range map[string][2]string{
		"What it is\nfor. Default: `x`.\n":             {"What it is for.", "`x`"},
		"What it is for. Default:\nnone; then so.":     {"What it is for.", "none; then so"},
		"Which one. Required.":                         {"Which one.", "Required"},
		"Which one. Required where another is. Really": {"Which one.", "Required where another is. Really"},
		"What it is for.":                              {"What it is for.", ""},
		"":                                             {"", ""},
		"Default: `x`.":                                {"", "`x`"},
	} {
		purpose, byDefault := parseComment(comment)
		if [2]string{purpose, byDefault} != wanted {
			t.Errorf("%q: got %q, %q", comment, purpose, byDefault)
		}
	}
}

// TestWhatIsMissing is said by name.
func TestWhatIsMissing(t *testing.T) {
	t.Chdir("examples")
	login := subdirective{"login_endpoint", []string{"login_endpoint <path>"}}
	good := option{key: "login_endpoint", purpose: "Where.", byDefault: "`/login`"}
	with := func(change func(*option)) []option {
		changed := good
		change(&changed)
		return []option{changed}
	}
	for name, test := range map[string]struct {
		subdirectives []subdirective
		options       []option
		wanted        string
	}{
		"nothing":                {[]subdirective{login}, []option{good}, ""},
		"a field":                {[]subdirective{login}, nil, "login_endpoint: no field"},
		"a line of syntax":       {nil, []option{good}, "login_endpoint: is not in the syntax"},
		"a default":              {[]subdirective{login}, with(func(o *option) { o.byDefault = "" }), "does not end with"},
		"a purpose":              {[]subdirective{login}, with(func(o *option) { o.purpose = "" }), "does not say what"},
		"a default within":       {[]subdirective{login}, with(func(o *option) { o.inner = []option{{key: "max", purpose: "Most."}} }), "max: the doc comment does not end"},
		"an example":             {[]subdirective{{"other", []string{"other"}}}, []option{{key: "other", purpose: "x", byDefault: "y"}}, "other: it has no example"},
		"all that there is of a": {[]subdirective{{"a", []string{"a"}}}, []option{{key: "a"}}, "a: the doc comment does not end"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := makeEntries(test.subdirectives, test.options)
			if (err == nil) != (test.wanted == "") || err != nil && !strings.Contains(err.Error(), test.wanted) {
				t.Errorf("got %v, wanted %q", err, test.wanted)
			}
		})
	}
}

func TestAdapt(t *testing.T) {
	for name, test := range map[string]struct{ key, lines, json, err string }{
		"good":           {"login_endpoint", "login_endpoint /in\n", `"/in"`, ""},
		"a list":         {"oauth_guest_endpoints", "oauth_guest_endpoints /a /b\n", `["/a", "/b"]`, ""},
		"a way in":       {"basic_auth", "basic_auth {\n\ta b\n\tc d\n}\n", `{"a": "b", "c": "d"}`, ""},
		"a bad value":    {"oauth_expiry_days", "oauth_expiry_days soon\n", "", "number of days"},
		"not a name":     {"login_endpoint", "login_endpiont /in\n", "", "unrecognized subdirective"},
		"of another":     {"logout_endpoint", "login_endpoint /in\n", "", "not in the JSON"},
		"nothing at all": {"login_endpoint", "", "", "not in the JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := adapt(test.key, []byte(test.lines))
			if got != test.json || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("got %s, %v", got, err)
			}
		})
	}
}

func TestFill(t *testing.T) {
	entries := map[string]string{"a": "### `a`\n\n", "b": "### `b`\n\n"}
	page := func(asked string) string {
		return "# Page\n\n<!-- contents -->\nold\n<!-- end of contents -->\n## One\n\n<!-- entries: " + asked + " -->\nold\n<!-- end of entries -->\n\n### What's more?\n\n## Two\n"
	}
	made, err := fill([]byte(page("b a")), entries)
	wanted := "# Page\n\n<!-- contents -->\n\n- **[One](#one)**\n  - [`b`](#b) · [`a`](#a)\n  - [What's more?](#whats-more)\n- **[Two](#two)**\n\n<!-- end of contents -->\n## One\n\n" +
		"<!-- entries: b a -->\n\n### `b`\n\n### `a`\n\n<!-- end of entries -->\n\n### What's more?\n\n## Two\n"
	if err != nil || string(made) != wanted {
		t.Errorf("got %v:\n%s", err, made)
	}
	if again, err := fill(made, entries); err != nil || string(again) != wanted {
		t.Errorf("the second time: got %v:\n%s", err, again)
	}
	for asked, wrong := range map[string]string{"a": "b: the page has no place", "a b a": "a: the page asks for it twice", "a b c": "c: the page asks"} {
		if _, err := fill([]byte(page(asked)), entries); err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%s: got %v", asked, err)
		}
	}
}
