// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// match is what a condition says of a request. Where a condition looks at the
// path it may be maybe: the application may read another path than Caddy does.
// What is not certain lets nobody in.
type match int

const (
	no match = iota
	maybe
	yes
)

func matchOf(met bool) match {
	if met {
		return yes
	}
	return no
}

func (m match) inverted() match { return yes - m }

// question is a request about which rules are asked.
type question struct {
	r      *http.Request
	who    *identity
	asked  wantedPath
	folded wantedPath // in lower case
	clear  bool       // everybody reads the same path
	// library says that the path is one of the files that all pages load. Who
	// may open some page may have them.
	library bool
	// lending is set while a rule that allows pages is asked about a file of
	// the library.
	lending bool
}

func newQuestion(r *http.Request, who *identity) question {
	q := question{r: r, who: who, clear: isClear(r), asked: newWantedPath(r.URL.Path)}
	q.folded = q.asked
	if lower := strings.ToLower(r.URL.Path); lower != r.URL.Path {
		q.folded = newWantedPath(lower)
	}
	q.clear = q.clear && !q.asked.crowded && !q.folded.crowded
	q.library = q.clear && isLibrary(r.URL.Path)
	return q
}

func (q *question) replacer() *caddy.Replacer {
	repl, _ := q.r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	return repl
}

// ruleSet are the rules of a block or a file, ready to be asked.
type ruleSet struct {
	rules []rule
	index ruleIndex
	lease
}

// rule is one line: an action and whom it is for.
type rule struct {
	action ruleAction
	// sets are alternatives, each of conditions that must all be met. None:
	// the rule is for everything.
	sets     []conditions
	namesAll bool // it does not look at the path
	target   ruleTarget
	name     string // for the log
}

type ruleAction string

const (
	allowRule    ruleAction = "allow"
	denyRule     ruleAction = "deny"
	redirectRule ruleAction = "redirect"
)

// decision is what the rules say of a request.
type decision struct {
	allowed  bool
	location string // where to go instead, if anywhere
	reason   string // for the log
	rule     string // that decided, if any did
}

// Reasons that a decision gives.
const (
	deniedByRule    = "denied"
	deniedByDefault = "no_rule"
	deniedAmbiguous = "ambiguous_path"
	deniedElsewhere = "redirected"
)

// newRuleSet loads the matchers of rules. They live as long as the context.
func newRuleSet(ctx caddy.Context, written []Rule) (*ruleSet, error) {
	s := new(ruleSet)
	for i := range written {
		one, err := newRule(ctx, &written[i])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", written[i].name(i), err)
		}
		one.name = written[i].name(i)
		s.rules = append(s.rules, one)
	}
	s.index = newRuleIndex(s.rules)
	return s, nil
}

func newRule(ctx caddy.Context, written *Rule) (rule, error) {
	u := rule{action: ruleAction(written.Action), namesAll: true}
	for _, raw := range written.MatcherSetsRaw {
		set, err := newConditions(ctx, raw)
		if err != nil {
			return rule{}, err
		}
		u.sets = append(u.sets, set)
		u.namesAll = u.namesAll && !set.judgePaths()
	}
	if u.action != redirectRule {
		return u, nil
	}
	target, err := newRuleTarget(written.URL, caddy.NewReplacer())
	u.target = target
	return u, err
}

// decide asks the rules in order. The first that says anything decides; without
// one, nobody goes anywhere. An error says that a rule could not be asked, and
// lets nobody in either.
func (s *ruleSet) decide(h *Handler, q *question) (decision, error) {
	for i := range s.index.candidates(q) {
		d, decided, err := s.rules[i].decide(h, q)
		if err != nil {
			return decision{}, fmt.Errorf("asking %s: %w", s.rules[i].name, err)
		}
		if decided {
			d.rule = s.rules[i].name
			return d, nil
		}
	}
	if !q.clear {
		return decision{reason: deniedAmbiguous}, nil
	}
	return decision{reason: deniedByDefault}, nil
}

func (u *rule) decide(h *Handler, q *question) (d decision, decided bool, err error) {
	q.lending = q.library && u.action == allowRule
	met, err := u.meets(q)
	switch {
	case err != nil || met == no:
		return d, false, err
	case u.action == allowRule:
		return decision{allowed: true}, met == yes, nil
	case met == maybe && !q.clear:
		return decision{reason: deniedAmbiguous}, true, nil
	case u.action == denyRule:
		return decision{reason: deniedByRule}, true, nil
	}
	return u.sendElsewhere(h, q)
}

// sendElsewhere is what a rule with a redirect decides. It has no say over its
// own target, nor over what pages there load, or people would go in circles.
func (u *rule) sendElsewhere(h *Handler, q *question) (d decision, decided bool, err error) {
	if u.namesAll && q.library {
		return d, false, nil
	}
	location, ok := u.target.location(q.r)
	switch {
	case !ok || h.goesInCircles(location, q.who):
		return decision{reason: deniedElsewhere}, true, nil
	case location.isOf(q):
		return d, false, nil
	}
	return decision{location: location.address(h, q), reason: deniedElsewhere}, true, nil
}

func (u *rule) meets(q *question) (match, error) {
	if len(u.sets) == 0 {
		return yes, nil
	}
	return anyMet(u.sets, q)
}

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
	for _, name := range sortedModules(raw) {
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
		return matcherCondition{matcher: matcher, reads: readsOf(name)}, nil
	}
	return nil, fmt.Errorf("the matcher %s is too old: it cannot report errors", name)
}
