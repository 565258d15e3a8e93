// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"maps"
	"slices"
	"strings"
)

// ruleKey is what a set of conditions can be found by: a request that has none
// of the paths, or none of the values of the claim, does not meet the set.
type ruleKey struct {
	paths  pathCondition // nil: it is a claim
	claim  string
	values []string
}

// keys are those of a set, each of which is enough to find it. Claims come
// before paths, since what a request has of them is always certain.
func (set conditions) keys() (all []ruleKey) {
	for _, one := range set {
		switch one := one.(type) {
		case whoCondition:
			needed := one.needed()
			for _, claim := range slices.Sorted(maps.Keys(needed)) {
				all = append(all, ruleKey{claim: claim, values: needed[claim]})
			}
		case pathCondition:
			if !slices.ContainsFunc(one, func(p pathPattern) bool { return !p.startsAlike() }) {
				all = append(all, ruleKey{paths: one})
			}
		}
	}
	return all
}

func (m MatchUser) needed() map[string][]string  { return map[string][]string{"user": m} }
func (m MatchGroup) needed() map[string][]string { return map[string][]string{"groups": m} }
func (MatchGuest) needed() map[string][]string   { return nil }

// needed leaves out what cannot be looked up.
func (m MatchClaim) needed() map[string][]string {
	needed := maps.Clone(m)
	maps.DeleteFunc(needed, func(_ string, globs []string) bool {
		return slices.ContainsFunc(globs, func(glob string) bool { return strings.Contains(glob, "*") })
	})
	return needed
}
