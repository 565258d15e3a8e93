// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyfile

import (
	"os"
	"strings"
	"testing"
)

// TestReferenceHasEverything looks for what the parser knows in the reference,
// which is made from comments alone.
func TestReferenceHasEverything(t *testing.T) {
	text, err := os.ReadFile("../docs/reference.md")
	if err != nil {
		t.Fatal(err)
	}
	entries := make(map[string]string)
	for part := range strings.SplitSeq(string(text), "\n### `") {
		name, rest, _ := strings.Cut(part, "`\n")
		entries[name] = rest
	}
	for _, known := range subdirectives {
		if !strings.Contains(entries[known.name], "**Default:**") {
			t.Errorf("no entry for %s", known.name)
		}
	}
	wantRows(t, entries[oauthProvider], providerOptions)
	wantRows(t, entries[bearer], bearerOptions)
	wantRows(t, entries["branding"], brandingOptions)
}

func wantRows[T any](t *testing.T, text string, options []entry[T]) {
	t.Helper()
	for _, option := range options {
		if !strings.Contains(text, "\n| `"+option.name+" ") && !strings.Contains(text, "\n| `"+option.name+"`") {
			t.Errorf("no row for %s", option.name)
		}
	}
}
