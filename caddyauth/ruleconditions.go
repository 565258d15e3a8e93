// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

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

// match is what a condition says of a request. Where a condition looks at the
// path it may be maybe: the application may read another path than Caddy does.
// What is not certain lets nobody in.
type match int

func matchOf(met bool) match {
	if met {
		return yes
	}
	return no
}

func (m match) inverted() match { return yes - m }

// anyMet asks alternatives, and is no more certain than the best of them.
func anyMet(sets []conditions, q *question) (match, error) {
	best := no
	for _, set := range sets {
		met, err := set.meets(q)
		if err != nil {
			return no, err
		}
		if best = max(best, met); best == yes {
			break
		}
	}
	return best, nil
}

// condition is something that a rule asks for.
type condition interface {
	meets(*question) (match, error)
	// judgesPaths reports whether the answer depends on the path.
	judgesPaths() bool
}

// conditions must all be met. The cheapest come first.
type conditions []condition

func (set conditions) meets(q *question) (match, error) {
	least := yes
	for _, one := range set {
		met, err := one.meets(q)
		if err != nil {
			return no, err
		}
		if least = min(least, met); least == no {
			break
		}
	}
	return least, nil
}

func (set conditions) judgePaths() bool {
	return slices.ContainsFunc(set, condition.judgesPaths)
}

// newConditions loads the matchers of a set, which "auth_user": […] and the
// like are.
func newConditions(ctx caddy.Context, raw caddy.ModuleMap) (conditions, error) {
	var set conditions
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		one, err := newCondition(ctx, name, raw[name])
		if err != nil {
			return nil, err
		}
		set = append(set, one)
	}
	slices.SortStableFunc(set, func(a, b condition) int { return cmp.Compare(cost(a), cost(b)) })
	return set, nil
}

func cost(c condition) int {
	switch c.(type) {
	case whoCondition:
		return 0
	case pathCondition:
		return 1
	case notCondition:
		return 2
	}
	return 3
}

func newCondition(ctx caddy.Context, name string, raw []byte) (condition, error) {
	switch name {
	case "not":
		return newNotCondition(ctx, raw)
	case "path":
		if c, ok, err := newPathCondition(raw); ok || err != nil {
			return c, err
		}
	}
	module, err := ctx.LoadModuleByID("http.matchers."+name, raw)
	if err != nil {
		return nil, fmt.Errorf("loading the matcher %s: %w", name, err)
	}
	switch matcher := module.(type) {
	case identityMatcher:
		return whoCondition{matcher}, nil
	case caddyhttp.RequestMatcherWithError:
		return matcherCondition{matcher: matcher, reads: readsOf(name), certain: certaintiesOf(name, raw)}, nil
	}
	return nil, fmt.Errorf("the matcher %s is too old: it cannot report errors", name)
}

const (
	no match = iota
	maybe
	yes
)
