// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkRules is BenchmarkServeHTTP with rules of each kind, of which the
// last decides.
func BenchmarkRules(b *testing.B) {
	kinds := []struct{ name, line string }{
		{"paths", `deny /secret%d/*`},
		{"placeholders", `deny path=["/u%d/{http.auth.user.id}/*"]`},
		{"users", `deny auth_user=["user%d"]`},
		{"groups", `deny auth_group=["group%d"]`},
		{"claims", `deny auth_claim={"email":["user%d@example.com"]}`},
		{"users_of_a_page", `deny /app auth_user=["user%d"]`},
		{"pages_of_a_user", `deny /secret%d/* auth_user=["alice"]`},
	}
	for _, kind := range kinds {
		for _, n := range []int{1, 100, 1000} {
			b.Run(fmt.Sprintf("%s/%d", kind.name, n), func(b *testing.B) {
				var lines strings.Builder
				for i := range n {
					fmt.Fprintf(&lines, kind.line+";", i)
				}
				s := newSite(b, rulesOf(lines.String()+"allow"))
				repeated(b, s, get("/app?x=1", overTLS, fullBrowser, cookieLine(foreignCookies+"; "+s.signInAlice(overTLS))), testUser)
			})
		}
	}
}
