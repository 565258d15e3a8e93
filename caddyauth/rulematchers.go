// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"slices"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// pathReading is what a matcher makes of a path.
type pathReading int

const (
	// readsUnknown matchers may do anything with it.
	readsUnknown pathReading = iota
	// readsNone do not look at it.
	readsNone
	// readsFor matchers name the paths that they match, and never those that they
	// leave out.
	readsFor
)

func readsOf(matcher string) pathReading {
	switch matcher {
	case "host", "method", "query", "header", "header_regexp", "protocol", "tls", "remote_ip", "client_ip":
		return readsNone
	case "path", "path_regexp":
		return readsFor
	}
	return readsUnknown
}

// matcherCondition asks one of Caddy's matchers.
type matcherCondition struct {
	matcher caddyhttp.RequestMatcherWithError
	reads   pathReading
	certain []certainty // what it looks at beside the path
}

func (c matcherCondition) meets(q *question) (match, error) {
	switch {
	case slices.ContainsFunc(c.certain, func(is certainty) bool { return !is(q.r) }):
		return maybe, nil
	case c.reads == readsNone:
	case !q.clear:
		return maybe, nil
	case q.lending && c.reads == readsFor:
		return yes, nil
	}
	met, err := c.matcher.MatchWithError(q.r)
	if err != nil || c.reads == readsNone || met && c.reads == readsFor {
		return matchOf(met), err
	}
	for _, page := range q.asked.pages() {
		forPage, err := matchAt(page, q.r, c.matcher)
		switch {
		case err != nil:
			return no, err
		case forPage == met:
		case c.reads == readsFor:
			return yes, nil
		default:
			return maybe, nil // the page may be opened and the file not, or the other way round
		}
	}
	return matchOf(met), nil
}

func (c matcherCondition) judgesPaths() bool { return c.reads != readsNone }

// matchAt asks a matcher about the request as if it were for another path. The
// request itself is changed for the while, since placeholders read it.
func matchAt(path string, r *http.Request, matcher caddyhttp.RequestMatcherWithError) (bool, error) {
	before := *r.URL
	defer func() { *r.URL = before }()
	r.URL.Path, r.URL.RawPath = path, ""
	return matcher.MatchWithError(r)
}
