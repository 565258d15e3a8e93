// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package panelserve

import (
	"strconv"
	"strings"
	"testing"
)

// show writes a literal in a form of its own that keeps everything apart.
func show(l literal) string {
	switch l.kind {
	case literalText:
		return strconv.Quote(l.text)
	case literalNumber, literalName:
		return l.text
	}
	var items []string
	for i, item := range l.items {
		text := show(item)
		if l.kind == literalDict {
			text = show(l.keys[i]) + ": " + text
		}
		items = append(items, text)
	}
	if l.kind == literalDict {
		return "{" + strings.Join(items, ", ") + "}"
	}
	return "[" + strings.Join(items, ", ") + "]"
}

func TestParseLiteral(t *testing.T) {
	for text, want := range map[string]string{
		`{'tenant': 'x'}`:                     `{"tenant": "x"}`,
		` { "a" : 1 , 'b': [1, 2.5, -3], } `:  `{"a": 1, "b": [1, 2.5, -3]}`,
		`{}`:                                  `{}`,
		`[]`:                                  `[]`,
		`()`:                                  `[]`,
		`('a')`:                               `"a"`,
		`('a',)`:                              `["a"]`,
		`('a', "b")`:                          `["a", "b"]`,
		`[True, False, None]`:                 `[True, False, None]`,
		`'it\'s' " \"it\""`:                   `"it's \"it\""`,
		`'a\x41\u00e9\U0001F600\101\n\q'`:     `"aAé😀A\n\\q"`,
		`r'\d' u'é'`:                          `"\\dé"`,
		`'''a 'b' c'''`:                       `"a 'b' c"`,
		"'''a\nb'''":                          `"a\nb"`,
		"'a\\\nb'":                            `"ab"`,
		`0x10`:                                `16`,
		`1_000`:                               `1000`,
		`+5`:                                  `5`,
		`.5`:                                  `.5`,
		`1e3`:                                 `1e3`,
		"{'a':\n\t{'b': (1, 'c')}}":           `{"a": {"b": [1, "c"]}}`,
		`{'nested': {'d': {'e': ['f', {}]}}}`: `{"nested": {"d": {"e": ["f", {}]}}}`,
	} {
		got, err := parseLiteral(text)
		if err != nil || show(got) != want {
			t.Errorf("%s: got %s, %v, want %s", text, show(got), err, want)
		}
	}
}

func TestParseLiteralMistakes(t *testing.T) {
	for _, text := range []string{
		``, ` `, `{`, `[`, `(`, `{'a'}`, `{'a': }`, `{'a': 1 'b': 2}`, `[1 2]`, `[,]`, `{,}`, `'a`, `'a\`, `'''a'`, `"a'`, "'a\nb'",
		`x`, `Trueish`, `true`, `open('x')`, `1 + 1`, `1 2`, `'a' 1`, `b'a'`, `f'a'`, `{1, 2}`, `1__0`, `1.2.3`, `1j`, `--1`, `0xZ`,
		`'\x4'`, `'\u12'`, `'\U00110000'`, `'\ud800'`, `'\N{DASH}'`, "'\xff'",
		strings.Repeat("[", maxDepth+2) + strings.Repeat("]", maxDepth+2),
		"[" + strings.Repeat("1,", maxItems+1) + "]", strings.Repeat("[", maxLine), "'" + strings.Repeat("a", maxLine) + "'",
	} {
		if got, err := parseLiteral(text); err == nil {
			t.Errorf("%.40s: it is read as %.40s", text, show(got))
		}
	}
}

// FuzzParseLiteral: what is read is read again from how Python would print it.
func FuzzParseLiteral(f *testing.F) {
	for _, text := range []string{`{'a': [1, "b", (None,)]}`, `r'\x' '\x41'`, `'''a'''`, `-1_0.5e-3`, `0b1`, `{'a': {'b': True}}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, err := parseLiteral(text)
		if err != nil {
			return
		}
		again, err := parseLiteral(show(first))
		if err != nil || show(again) != show(first) {
			t.Errorf("%q is %s, and then %s, %v", text, show(first), show(again), err)
		}
	})
}
