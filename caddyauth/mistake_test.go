// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"strings"
	"testing"
)

// TestVariablesOfOthers: what nothing would replace is no password, but what
// only looks a little like it is.
func TestVariablesOfOthers(t *testing.T) {
	tests := map[string]string{ // and the name of the variable
		"${APP_PASSWORD}":      "APP_PASSWORD",
		"${password}":          "password",
		"$APP_PASSWORD":        "APP_PASSWORD",
		"{APP_PASSWORD}":       "APP_PASSWORD",
		"{$APP_PASSWORD}":      "APP_PASSWORD",
		"%APP_PASSWORD%":       "APP_PASSWORD",
		"$ecret-of-somebody":   "",
		"$HUNTER22222":         "",
		"p{3}w-and-much-more":  "",
		"{hunter-and-hunted}":  "",
		"pa$$word_And_More":    "",
		"100%_SURE_of_it_100%": "",
	}
	for written, name := range tests {
		t.Run(written, func(t *testing.T) {
			mistakes := (&Handler{BasicAuth: &BasicAuth{Source: written}}).Mistakes()
			if refused := len(mistakes) > 0; refused != (name != "") {
				t.Fatalf("got %v", mistakes)
			}
			if name != "" && !strings.Contains(mistakes[0].Err.Error(), "write {env."+name+"}") {
				t.Errorf("it says %q", mistakes[0].Err)
			}
		})
	}
}

// TestMissingFilesSayWhere: a relative path begins in the folder of the process.
func TestMissingFilesSayWhere(t *testing.T) {
	folder := t.TempDir()
	t.Chdir(folder)
	for written, want := range map[string]string{
		"./nobody.json":           "(in " + folder + ": ",
		folder + "/nobody.json":   "no such file",
		"./nobody-at-all/me.json": "(in " + folder + ": ",
	} {
		mistakes := (&Handler{BasicAuth: &BasicAuth{Source: written}}).Mistakes()
		if len(mistakes) != 1 || !strings.Contains(mistakes[0].Err.Error(), want) {
			t.Errorf("of %s it says %v", written, mistakes)
		}
	}
}
