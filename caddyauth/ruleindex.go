// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"cmp"
	"iter"
	"slices"
	"strings"
)

// ruleIndex finds the rules that may have something to say about a request, so
// that a thousand rules cost it about as much as one. It may find too many, and
// never too few.
type ruleIndex struct {
	always   []int                       // rules that must be asked about everything
	exact    map[string][]int            // by lower-case path without its last slash
	prefixes map[string][]int            // by what lower-case paths begin with
	lengths  []int                       // of the prefixes, each once
	claims   map[string]map[string][]int // by a claim and its value

	byPath []int // rules that are found by paths
	lent   []int // those of them that allow, and so have a say about the library
}

// newRuleIndex lets each set of a rule be found by the one of its keys that it
// shares with the fewest others.
func newRuleIndex(rules []rule) ruleIndex {
	all := emptyRuleIndex()
	for i := range rules {
		for _, set := range rules[i].sets {
			for _, key := range set.keys() {
				all.add(key, i)
			}
		}
	}
	x := emptyRuleIndex()
	for i := range rules {
		keys := all.rarest(&rules[i])
		if len(keys) == 0 {
			x.always = append(x.always, i)
		}
		for _, key := range keys {
			x.add(key, i)
		}
		if slices.ContainsFunc(keys, func(key ruleKey) bool { return key.paths != nil }) {
			x.addByPath(i, rules[i].action)
		}
	}
	slices.Sort(x.lengths)
	x.lengths = slices.Compact(x.lengths)
	return x
}

func emptyRuleIndex() ruleIndex {
	return ruleIndex{exact: make(map[string][]int), prefixes: make(map[string][]int), claims: make(map[string]map[string][]int)}
}

// rarest are keys by which a rule is found whenever it has something to say: one
// of each of its sets. There are none if it can say something about anything.
func (x *ruleIndex) rarest(u *rule) (keys []ruleKey) {
	for _, set := range u.sets {
		alternatives := set.keys()
		if len(alternatives) == 0 {
			return nil
		}
		keys = append(keys, slices.MinFunc(alternatives, func(a, b ruleKey) int { return cmp.Compare(x.sharing(a), x.sharing(b)) }))
	}
	return keys
}

// sharing is how many rules a key finds in the worst case.
func (x *ruleIndex) sharing(key ruleKey) (most int) {
	for _, value := range key.values {
		most = max(most, len(x.claims[key.claim][value]))
	}
	for i := range key.paths {
		p := &key.paths[i]
		most = max(most, len(x.exact[endpoint(p.head)]), len(x.prefixes[p.head]))
	}
	return most
}

func (x *ruleIndex) add(key ruleKey, rule int) {
	for i := range key.paths {
		x.addPath(&key.paths[i], rule)
	}
	if key.paths != nil {
		return
	}
	if x.claims[key.claim] == nil {
		x.claims[key.claim] = make(map[string][]int)
	}
	for _, value := range key.values {
		x.claims[key.claim][value] = append(x.claims[key.claim][value], rule)
	}
}

func (x *ruleIndex) addPath(p *pathPattern, rule int) {
	page := endpoint(p.head)
	if p.kind == exactPath && !p.dynamic {
		x.exact[page] = append(x.exact[page], rule)
		return
	}
	x.prefixes[p.head] = append(x.prefixes[p.head], rule)
	x.lengths = append(x.lengths, len(p.head))
	if strings.HasSuffix(p.head, "/") {
		x.exact[page] = append(x.exact[page], rule) // /app/* is for /app, too
	}
}

func (x *ruleIndex) addByPath(rule int, action ruleAction) {
	x.byPath = append(x.byPath, rule)
	if action == allowRule {
		x.lent = append(x.lent, rule)
	}
}

// candidates are the rules to ask, in order.
func (x *ruleIndex) candidates(q *question) iter.Seq[int] {
	return func(yield func(int) bool) {
		var space [16]int
		found := x.find(space[:0], q)
		always := x.always
		for len(found) > 0 || len(always) > 0 {
			var next int
			if len(always) == 0 || len(found) > 0 && found[0] < always[0] {
				next, found = found[0], found[1:]
			} else {
				next, always = always[0], always[1:]
			}
			if !yield(next) {
				return
			}
		}
	}
}

// find appends the rules that name what a request asks for, or who makes it.
func (x *ruleIndex) find(found []int, q *question) []int {
	found = x.findByClaims(found, q.who)
	switch {
	case !q.clear:
		found = append(found, x.byPath...)
	case q.library:
		found = append(x.findByPath(found, &q.folded), x.lent...)
	default:
		found = x.findByPath(found, &q.folded)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func (x *ruleIndex) findByClaims(found []int, who *identity) []int {
	for claim, rules := range x.claims {
		who.hasClaim(claim, func(value string) bool {
			found = append(found, rules[value]...)
			return false // goes on to the next
		})
	}
	return found
}

// findByPath appends the rules that name a path, or a page that loads it.
func (x *ruleIndex) findByPath(found []int, a *wantedPath) []int {
	found = x.findOne(found, a.path)
	for _, page := range a.pages() {
		found = x.findOne(found, page)
	}
	return found
}

func (x *ruleIndex) findOne(found []int, path string) []int {
	found = append(found, x.exact[endpoint(path)]...)
	for _, length := range x.lengths {
		if length > len(path) {
			break
		}
		found = append(found, x.prefixes[path[:length]]...)
	}
	return found
}
