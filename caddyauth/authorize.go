// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/panelauth/caddy-panelauth/templates"
)

// Authorize says who may go where: rules, of which the first that matches a
// request decides, or a file of them. What no rule matches is denied.
type Authorize struct {
	// The rules, in order. Excludes `file`. Default: none; then there must be a
	// file.
	Rules []Rule `json:"rules,omitempty"`
	// A file of rules, as they are written in the block `authorize` of a
	// Caddyfile. It is read again when it changes. Default: none.
	File string `json:"file,omitempty"`
}

// Rule says what becomes of the requests that it matches.
type Rule struct {
	// `allow`, `deny` or `redirect`. Required.
	Action string `json:"action"`
	// What the rule is for, by Caddy's matchers: any of these sets. Default:
	// everything.
	MatcherSetsRaw caddyhttp.RawMatcherSets `json:"match,omitempty" caddy:"namespace=http.matchers"`
	// Where `redirect` leads to: a path on this site, or the address of
	// another. Default: none; `redirect` cannot do without.
	URL string `json:"url,omitempty"`

	// Line is where a rule stands in its file, for messages.
	Line string `json:"-"`
}

// name is what messages call a rule.
func (u *Rule) name(i int) string {
	if u.Line != "" {
		return u.Line
	}
	return fmt.Sprintf("rule %d", i+1)
}

// isLast reports whether nothing gets past a rule.
func (u *Rule) isLast() bool {
	return len(u.MatcherSetsRaw) == 0 && ruleAction(u.Action) != redirectRule
}

func (c *checker) authorize(h *Handler, s *settings) {
	const subdirective = "authorize"
	switch a := h.Authorize; {
	case a == nil:
	case a.File != "" && len(a.Rules) > 0:
		c.wrong(subdirective, "takes rules or a file of rules, not both")
	case a.File == "":
		if err := checkRules(a.Rules); err != nil {
			c.wrong(subdirective, "%w", err)
		}
	default:
		if s.rulesFile = c.text(subdirective, a.File); s.rulesFile == "" {
			return
		}
		content, err := readBounded(s.rulesFile, maxRulesFile)
		if err == nil {
			_, err = readRules(s.rulesFile, content)
		}
		if err != nil {
			c.wrongHere(subdirective, fmt.Errorf("reading the rules: %w", err))
		}
	}
}

var (
	errNoRules      = errors.New("has no rules, so that nobody could go anywhere")
	errTooManyRules = fmt.Errorf("has more than %d rules", maxRules)
)

// checkRules finds what can be told about rules before their matchers are
// loaded.
func checkRules(rules []Rule) error {
	switch {
	case len(rules) == 0:
		return errNoRules
	case len(rules) > maxRules:
		return errTooManyRules
	}
	for i := range rules {
		if err := rules[i].check(); err != nil {
			return fmt.Errorf("%s: %w", rules[i].name(i), err)
		}
	}
	return nil
}

func (u *Rule) check() error {
	for _, set := range u.MatcherSetsRaw {
		if len(set) == 0 {
			return errors.New("a matcher that asks for nothing matches everything: leave it out if that is meant")
		}
	}
	switch ruleAction(u.Action) {
	case redirectRule:
		_, err := newRuleTarget(u.URL, caddy.NewReplacer())
		return err
	case allowRule, denyRule:
		if u.URL != "" {
			return fmt.Errorf("%s has no URL: only redirect has", u.Action)
		}
		return nil
	}
	return fmt.Errorf("%q is neither allow, deny nor redirect", u.Action)
}

// warnOfUnreachable finds rules that come after one that decides everything.
func warnOfUnreachable(logger *zap.Logger, rules []Rule) {
	for i := range rules[:len(rules)-1] {
		if rules[i].isLast() {
			logger.Warn("rules after one that is for everything are never asked",
				zap.String("rule", rules[i].name(i)), zap.Int("rules_after", len(rules)-i-1))
			return
		}
	}
}

// errRulesGone is what a request meets that outlives its handler.
var errRulesGone = errors.New("the rules are no longer in force")

// ask decides whether somebody may have what a request asks for.
func (h *Handler) ask(r *http.Request, who *identity) (decision, error) {
	rules := h.rules.borrow()
	if rules == nil {
		return decision{}, errRulesGone
	}
	defer rules.giveBack()
	q := newQuestion(r, who)
	return rules.decide(h, &q)
}

// allows is ask for what is open already, which also stays open when its
// handler is no more.
func (h *Handler) allows(r *http.Request, who *identity) bool {
	d, err := h.ask(r, who)
	return errors.Is(err, errRulesGone) || err == nil && d.allowed
}

// turnAway answers a request that the rules refuse. From here on nothing takes
// the visitor for somebody who was let in.
func (h *Handler) turnAway(w http.ResponseWriter, r *http.Request, who *identity, cookies cookies, d decision) error {
	who.setCandidate(r)
	switch {
	case d.location != "" && wantsPage(r):
		status := http.StatusSeeOther
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			status = http.StatusFound
		}
		redirect(w, d.location, status)
		return nil
	case who.guest:
		return h.askToSignIn(w, r, cookies)
	}
	reference := newReference()
	h.reportDenied(r, who, d.reason, zap.String("rule", d.rule), zap.String("reference", reference))
	if who.isProgram() || !wantsPage(r) {
		return writeJSON(w, http.StatusForbidden, map[string]any{"error": "forbidden"})
	}
	page := h.page(r, templates.Refused)
	page.Username = who.user
	page.Next = h.afterSignIn(r, requestNext(r))
	page.AsOtherURL = h.asOtherURL(r, page.Next)
	page.Reference = reference
	return h.writePage(w, r, http.StatusForbidden, page)
}

// rulesFailed answers a request about which the rules could not be asked.
func (h *Handler) rulesFailed(r *http.Request, who *identity, err error) error {
	who.setCandidate(r)
	return caddyhttp.Error(http.StatusInternalServerError, err)
}
