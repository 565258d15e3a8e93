// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package attack

import (
	"path"
	"strings"
	"testing"
)

// TestMatchersInDisguise: with a matcher, what it leaves out is open to all, but
// for what some application may take for a path that it does not leave out.
func TestMatchersInDisguise(t *testing.T) {
	s := serve(t, "master")
	const block = " {\nbasic_auth {env.MASTER}\ncookie_secret {env.COOKIE_SECRET}\nlogin_attempts 1000 1s\n}\n"
	for matcher, lines := range map[string]string{
		"what is secret":     "panelauth /secret*" + block,
		"all but the public": "@rest not path /public /public/* /static/*\npanelauth @rest" + block,
		"an expression":      "@rest expression `!path('/public', '/public/*', '/static/*')`\npanelauth @rest" + block,
	} {
		t.Run(matcher, func(t *testing.T) {
			other := besideWith(s.in(t), another{plain: lines + proxyTo(s.app)})
			for _, target := range disguises("/secret", "/public") {
				if target == "*" || strings.Contains(target, "..%26") {
					continue // no path, and a name that merely begins with dots
				}
				o := other.attackedWith(get(target))
				if before, _, _ := strings.Cut(target, "?"); isStraight(before) && !strings.HasPrefix(strings.ToLower(before), "/secret") {
					continue // nobody takes it for anything secret
				}
				if err := untouched(o); err != nil {
					t.Errorf("%s: %v", target, err)
				}
			}
			if o := other.attackedWith(get("/public/x?y=/../secret")); len(o.app) != 1 {
				t.Errorf("what is left out is closed: %d", o.answer.status)
			}
		})
	}
}

// TestMatchersOfMethodsAndQueries: what an application may take for something that
// a matcher asks for is guarded as that is.
func TestMatchersOfMethodsAndQueries(t *testing.T) {
	s := serve(t, "master")
	const block = " {\nbasic_auth {env.MASTER}\ncookie_secret {env.COOKIE_SECRET}\nlogin_attempts 1000 1s\n}\n"
	other := besideWith(s, another{plain: "@write method POST DELETE\npanelauth @write" + block + proxyTo(s.app)})
	for _, q := range []request{
		{Method: "POST", Path: "/"}, {Method: "post", Path: "/"}, {Method: "Delete", Path: "/"},
		get("/", [2]string{"X-HTTP-Method-Override", "DELETE"}), get("/", [2]string{"x-method-override", "DELETE"}), get("/", [2]string{"X-Http-Method", "POST"}),
	} {
		if err := untouched(other.attackedWith(q)); err != nil {
			t.Errorf("%s: %v", q.Method, err)
		}
	}
	if o := other.attackedWith(get("/?a=b;c")); len(o.app) != 1 {
		t.Errorf("reading is closed: %d", o.answer.status)
	}
	other = besideWith(s, another{plain: "@admin query role=admin\npanelauth @admin" + block + proxyTo(s.app)})
	for _, query := range []string{"role=admin", "role=user&role=admin", "role=admin;", "x;role=admin", "role=admin&x=%zz", "role=admin&%", "role=admin&x=%2", "%72ole=admin"} {
		if err := untouched(other.attackedWith(get("/?" + query))); err != nil {
			t.Errorf("%s: %v", query, err)
		}
	}
	if o := other.attackedWith(get("/?role=user&x=100%25")); len(o.app) != 1 {
		t.Errorf("other queries are closed: %d", o.answer.status)
	}
}

// isStraight reports whether nobody reads anything else into a path.
func isStraight(target string) bool {
	return strings.HasPrefix(target, "/") && !strings.ContainsAny(target, `\;#`+"\x00") && !strings.Contains(strings.ToLower(target), "%2") &&
		!hasEscape(target) && (path.Clean(target) == target || path.Clean(target)+"/" == target)
}

// hasEscape reports whether percent-encoding hides more than a letter.
func hasEscape(target string) bool {
	for i := range len(target) {
		if target[i] != '%' {
			continue
		}
		if i+3 > len(target) || target[i+1] < '4' || target[i+1] > '7' || strings.EqualFold(target[i:i+3], "%5c") || strings.EqualFold(target[i:i+3], "%7f") {
			return true
		}
	}
	return false
}
