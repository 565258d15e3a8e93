// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// certainty reports whether Caddy and any application read the same out of what
// a matcher looks at beside the path. What they may read differently, a rule can
// neither allow nor leave out.
type certainty func(*http.Request) bool

// certaintiesOf are those of a matcher by the name that it has, or by the words
// in one that may look at anything, such as an expression.
func certaintiesOf(matcher string, raw []byte) (all []certainty) {
	text := string(raw)
	looksAt := func(what string) bool {
		return matcher == what || readsOf(matcher) == readsUnknown && strings.Contains(text, what)
	}
	if looksAt("method") {
		all = append(all, isClearMethod)
	}
	if looksAt("host") {
		all = append(all, isClearHost)
	}
	if looksAt("query") {
		all = append(all, func(r *http.Request) bool { return isClearQuery(r.URL.RawQuery, text) })
	}
	return all
}

// isClearMethod refuses methods in small letters, which some frameworks take for
// those in capitals, and headers that name another.
func isClearMethod(r *http.Request) bool {
	return r.Method == strings.ToUpper(r.Method) && !namesAnotherMethod(r)
}

// isClearHost refuses the dot at the end of a host's full name, which Caddy takes
// for a part of it.
func isClearHost(r *http.Request) bool {
	host, _, _ := strings.Cut(r.Host, ":")
	return !strings.HasSuffix(host, ".")
}

// isClearQuery reports whether a query says one thing to everybody. Of one that
// is malformed, and of one with semicolons, Caddy's matchers see nothing or a
// part; of parameters that are there twice some take the first and others the
// last. Only those count that the matcher names.
func isClearQuery(query, matcher string) bool {
	params, err := url.ParseQuery(query)
	if err != nil {
		return false
	}
	for name, values := range params {
		if slices.ContainsFunc(values, func(v string) bool { return v != values[0] }) && hasWord(matcher, name) {
			return false
		}
	}
	return true
}

// hasWord reports whether a text has a word in it that is not a part of another.
func hasWord(text, word string) bool {
	if !strings.Contains(text, word) {
		return false
	}
	return regexp.MustCompile(`(^|[^\w-])` + regexp.QuoteMeta(word) + `($|[^\w-])`).MatchString(text)
}
