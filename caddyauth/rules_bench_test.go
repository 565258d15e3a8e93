// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkRules is BenchmarkServeHTTP with rules, of which the last decides.
func BenchmarkRules(b *testing.B) {
	kinds := map[string]string{
		"paths":        `deny /secret%d/*`,
		"users":        `deny auth_user=["user%d"]`,
		"placeholders": `deny path=["/u%d/{http.auth.user.id}/*"]`,
	}
	for kind, line := range kinds {
		for _, n := range []int{1, 1000} {
			b.Run(fmt.Sprintf("%s/%d", kind, n), func(b *testing.B) {
				var lines strings.Builder
				for i := range n {
					fmt.Fprintf(&lines, line+";", i)
				}
				s := newSite(b, rulesOf(lines.String()+"allow"))
				repeated(b, s, get("/app?x=1", overTLS, fullBrowser, cookieLine(foreignCookies+"; "+s.signInAlice(overTLS))), testUser)
			})
		}
	}
}
