// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyfile

import (
	"slices"
	"strings"
)

// otherNames are what other programs call an entry, and what that may be here.
var otherNames = map[string][]string{
	"client_id":       {"key", "oauth_key"},
	"client_secret":   {"secret", "oauth_secret"},
	"issuer":          {"extra_params", "oauth_extra_params"},
	"issuer_url":      {"extra_params", "oauth_extra_params"},
	"oidc_issuer_url": {"extra_params", "oauth_extra_params"},
	"redirect_url":    {"redirect_uri", "oauth_redirect_uri"},
	"callback_url":    {"redirect_uri", "oauth_redirect_uri"},
	"users":           {"basic_auth"},
	"password":        {"basic_auth"},
	"htpasswd_file":   {"basic_auth"},
	"guests":          {"oauth_guest_endpoints"},
}

// suggestion names the entry that was probably meant by one that does not
// exist, ready to be put after it in an error. Panel's own spelling of a flag,
// "--basic-auth", leads to ours, and so does a name with or without "oauth_",
// which a block of oauth_provider leaves out.
func suggestion[T any](unknown string, known []entry[T]) string {
	wanted := strings.ReplaceAll(strings.TrimLeft(strings.ToLower(unknown), "-"), "-", "_")
	nearest, least := "", 1+len(wanted)/4
	for _, e := range known {
		for _, spelling := range []string{wanted, strings.TrimPrefix(wanted, "oauth_"), "oauth_" + wanted} {
			// Lengths this far apart cannot be near, which also keeps absurdly
			// long names from costing anything.
			if abs(len(spelling)-len(e.name)) > least {
				continue
			}
			if edits := distance(spelling, e.name); edits < least || edits == least && nearest == "" {
				nearest, least = e.name, edits
			}
		}
	}
	for _, other := range otherNames[wanted] {
		if nearest == "" && slices.ContainsFunc(known, func(e entry[T]) bool { return e.name == other }) {
			nearest = other
		}
	}
	if nearest == "" {
		return ""
	}
	return ", did you mean '" + nearest + "'?"
}

// distance counts the bytes to insert, delete or replace to get from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

func abs(n int) int { return max(n, -n) }
