// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"fmt"

	"github.com/caddyserver/caddy/v2"
)

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
