// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

func sortedModules(raw caddy.ModuleMap) []string { return slices.Sorted(maps.Keys(raw)) }

// whoCondition asks who makes the request.
type whoCondition struct{ identityMatcher }

func (c whoCondition) meets(q *question) (match, error) { return matchOf(c.matches(q.who)), nil }
func (whoCondition) judgesPaths() bool                  { return false }

// notCondition is met where none of its alternatives is.
type notCondition []conditions

func newNotCondition(ctx caddy.Context, raw []byte) (condition, error) {
	var sets []caddy.ModuleMap
	if err := json.Unmarshal(raw, &sets); err != nil {
		return nil, fmt.Errorf("decoding the matcher not: %w", err)
	}
	var c notCondition
	for _, set := range sets {
		inner, err := newConditions(ctx, set)
		if err != nil {
			return nil, err
		}
		c = append(c, inner)
	}
	return c, nil
}

func (c notCondition) meets(q *question) (match, error) {
	lending := q.lending
	q.lending = false // it is named to be left out
	met, err := anyMet(c, q)
	q.lending = lending
	return met.inverted(), err
}

func (c notCondition) judgesPaths() bool { return slices.ContainsFunc(c, conditions.judgePaths) }

// pathCondition asks for paths as Caddy's path matcher does, but for what is
// said at pathPattern and wantedPath.
type pathCondition []pathPattern

// newPathCondition leaves patterns alone that speak of percent-encoding, which
// only Caddy's own matcher knows.
func newPathCondition(raw []byte) (c pathCondition, ok bool, err error) {
	var written []string
	if err := json.Unmarshal(raw, &written); err != nil {
		return nil, false, fmt.Errorf("decoding the matcher path: %w", err)
	}
	if slices.ContainsFunc(written, func(pattern string) bool { return strings.Contains(pattern, "%") }) {
		return nil, false, nil
	}
	if len(written) == 0 {
		return nil, false, errors.New("the matcher path has no paths")
	}
	for _, pattern := range written {
		c = append(c, newPathPattern(pattern))
	}
	return c, true, nil
}

func (c pathCondition) meets(q *question) (match, error) {
	best := no
	for i := range c {
		if c[i].kind == anyPath {
			return yes, nil
		}
		if q.clear && best < yes {
			best = max(best, c[i].meets(q))
		}
	}
	switch {
	case !q.clear:
		return maybe, nil
	case q.lending:
		return yes, nil
	}
	return best, nil
}

func (pathCondition) judgesPaths() bool { return true }

// pathReading is what a matcher makes of a path.
type pathReading int

const (
	// readsUnknown matchers may do anything with it.
	readsUnknown pathReading = iota
	// readsNone do not look at it.
	readsNone
	// readsFor are for some paths, and never for all but some.
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
}

func (c matcherCondition) meets(q *question) (match, error) {
	switch {
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
