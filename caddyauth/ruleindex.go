// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"iter"
	"slices"
	"strings"
)

// ruleIndex finds the rules that may have something to say about a path, so
// that a thousand rules cost a request about as much as one. It may find too
// many, and never too few.
type ruleIndex struct {
	always   []int            // rules that must be asked whatever the path is
	exact    map[string][]int // by lower-case path without its last slash
	prefixes map[string][]int // by what lower-case paths begin with
	lengths  []int            // of the prefixes, each once
	total    int
}

func newRuleIndex(rules []rule) ruleIndex {
	x := ruleIndex{exact: make(map[string][]int), prefixes: make(map[string][]int), total: len(rules)}
	for i := range rules {
		patterns, ok := rules[i].neededPaths()
		if !ok {
			x.always = append(x.always, i)
		}
		for _, pattern := range patterns {
			x.add(pattern, i)
		}
	}
	slices.Sort(x.lengths)
	x.lengths = slices.Compact(x.lengths)
	return x
}

func (x *ruleIndex) add(p *pathPattern, rule int) {
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

// neededPaths are the patterns without which a rule has nothing to say, if there
// are any that can be looked up.
func (u *rule) neededPaths() (all []*pathPattern, ok bool) {
	if len(u.sets) == 0 {
		return nil, false
	}
	for _, set := range u.sets {
		i := slices.IndexFunc(set, func(c condition) bool { _, ok := c.(pathCondition); return ok })
		if i < 0 {
			return nil, false
		}
		paths := set[i].(pathCondition)
		for j := range paths {
			if !paths[j].startsAlike() {
				return nil, false
			}
			all = append(all, &paths[j])
		}
	}
	return all, true
}

// candidates are the rules to ask, in order.
func (x *ruleIndex) candidates(q *question) iter.Seq[int] {
	return func(yield func(int) bool) {
		if !q.clear || q.library {
			for i := range x.total {
				if !yield(i) {
					return
				}
			}
			return
		}
		var space [16]int
		found := x.find(space[:0], &q.folded)
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

// find appends the rules that name a path, or a page that loads it.
func (x *ruleIndex) find(found []int, a *wantedPath) []int {
	found = x.findOne(found, a.path)
	for _, page := range a.pages() {
		found = x.findOne(found, page)
	}
	slices.Sort(found)
	return slices.Compact(found)
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
