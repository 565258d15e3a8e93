// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package panelserve

import (
	"slices"
	"strings"
	"testing"
)

func textsOf(commands [][]word) (all [][]string) {
	for _, words := range commands {
		var texts []string
		for _, w := range words {
			texts = append(texts, w.text)
		}
		all = append(all, texts)
	}
	return all
}

func TestSplit(t *testing.T) {
	tests := map[string]struct {
		text string
		want [][]string
	}{
		"nothing":                       {" \n ", nil},
		"words":                         {"a  b\tc", [][]string{{"a", "b", "c"}}},
		"single quotes":                 {`'a "b' c'd'`, [][]string{{`a "b`, "cd"}}},
		"double quotes":                 {`"a 'b' \" \$ \\ \x"`, [][]string{{`a 'b' " $ \ \x`}}},
		"backslashes":                   {`a\ b \'`, [][]string{{"a b", "'"}}},
		"a last one":                    {`a\`, [][]string{{`a\`}}},
		"lines that go on":              {"a \\\n b\\\nc \\\r\n d \"e\\\nf\"", [][]string{{"a", "bc", "d", "ef"}}},
		"empty words":                   {`a '' ""`, [][]string{{"a", "", ""}}},
		"variables":                     {`$A "${B}/c" '$D' $ $1`, [][]string{{"{env.A}", "{env.B}/c", "$D", "$", "$1"}}},
		"variables in lines that go on": {"$A\\\nB \"$\\\nC\" $\\\r\n{D\\\n}", [][]string{{"{env.AB}", "{env.C}", "{env.D}"}}},
		"comments":                      {"# x 'y\na # b\nc#d", [][]string{{"a"}, {"c#d"}}},
		"commands":                      {"a && b; c | d & e\nf", [][]string{{"a"}, {"b"}, {"c"}, {"d"}, {"e"}, {"f"}}},
		"redirections":                  {"a >b c 2>&1 <d >> e 'f'2>g", [][]string{{"a", "c", "f2"}}},
		"in parentheses":                {"(a b)", [][]string{{"a", "b"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := split(test.text)
			if err != nil || !slices.EqualFunc(textsOf(got), test.want, slices.Equal[[]string]) {
				t.Errorf("got %q, %v, want %q", textsOf(got), err, test.want)
			}
		})
	}
}

// FuzzSplit: whatever is read means the same when it is written again.
func FuzzSplit(f *testing.F) {
	for _, text := range []string{`panel serve 'a b' "c\"$D" e\ f`, "a && b > c 2>&1 # d", "$(x)", "${A}", "'\n'", "\\\n", "\"$\\\nA\"", "$\\\r\n{A\\\n}", "\"\\\r\\\n\n\""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		commands, err := split(text)
		if err != nil {
			return
		}
		for _, words := range commands {
			var raw, quoted []string
			for _, w := range words {
				raw = append(raw, w.raw)
				quoted = append(quoted, quoteForShell(w.text))
			}
			want := textsOf([][]word{words})
			for _, line := range []string{strings.Join(raw, " "), strings.Join(quoted, " ")} {
				again, err := split(line)
				if err == nil && strings.HasPrefix(line, "#") {
					continue
				}
				if err != nil || !slices.EqualFunc(textsOf(again), want, slices.Equal[[]string]) {
					t.Errorf("%q is read as %q, written as %q and read as %q, %v", text, want, line, textsOf(again), err)
				}
			}
		}
		_, _ = Read(Source{Line: text})
	})
}
