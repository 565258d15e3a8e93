// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyfile

import (
	"fmt"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/panelauth/caddy-panelauth/caddyauth"
)

// authorize takes named matchers, which only a Helper knows, so that it is read
// when the rest of the handler has been.
const authorize = "authorize"

// skipRules leaves what it passes over to readAuthorize.
func skipRules(line *caddyfile.Dispenser, _ *caddyauth.Handler) error {
	for line.Next() {
		continue
	}
	return nil
}

// readAuthorize reads the subdirective authorize, if it was written.
func readAuthorize(h httpcaddyfile.Helper, written segments, handler *caddyauth.Handler) error {
	given := written[authorize]
	if len(given) == 0 {
		return nil
	}
	line := caddyfile.NewDispenser(given[0])
	line.Next()
	handler.Authorize = new(caddyauth.Authorize)
	if line.NextArg() {
		handler.Authorize.File = line.Val()
		if line.Val() == "" || line.Next() {
			return line.Err("authorize takes one file, or a block of rules")
		}
		return nil
	}
	var block []caddyfile.Segment
	for nesting := line.Nesting(); line.NextBlock(nesting); {
		block = append(block, line.NextSegment())
	}
	if len(block) == 0 {
		return line.Err("authorize takes one file, or a block with a rule on each line")
	}
	p := rulesParser{site: h}
	rules, err := p.parse(block)
	handler.Authorize.Rules = rules
	return err
}

// rulesParser reads rules and the named matchers among them.
type rulesParser struct {
	site   httpcaddyfile.Helper // for named matchers of the site around the rules
	isFile bool
	own    map[string]caddy.ModuleMap
}

func (p *rulesParser) parse(lines []caddyfile.Segment) ([]caddyauth.Rule, error) {
	p.own = make(map[string]caddy.ModuleMap)
	for _, line := range lines {
		if strings.HasPrefix(line.Directive(), "@") {
			if err := p.define(caddyfile.NewDispenser(line)); err != nil {
				return nil, err
			}
		}
	}
	var rules []caddyauth.Rule
	for _, line := range lines {
		if strings.HasPrefix(line.Directive(), "@") {
			continue
		}
		rule, err := p.rule(caddyfile.NewDispenser(line))
		if err != nil {
			return nil, err
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

// rule reads
//
//	allow    [<matcher>]
//	deny     [<matcher>]
//	redirect [<matcher>] <url>
func (p *rulesParser) rule(d *caddyfile.Dispenser) (rule caddyauth.Rule, err error) {
	d.Next()
	rule.Action = d.Val()
	if p.isFile {
		rule.Line = fmt.Sprintf("%s:%d", d.File(), d.Line())
	}
	var words []caddyfile.Token
	for d.NextArg() {
		words = append(words, d.Token())
	}
	if d.Next() {
		return rule, d.Errf("%s takes no block", rule.Action)
	}
	switch rule.Action {
	case "allow", "deny":
		if len(words) > 1 {
			return rule, d.Errf("%s takes one matcher or none: give one a name, such as @staff auth_group staff, and write %[1]s @staff", rule.Action)
		}
	case "redirect":
		if len(words) < 1 || len(words) > 2 {
			return rule, d.Err("redirect takes a matcher, if it is not for everything, and then a URL")
		}
		rule.URL = words[len(words)-1].Text
		words = words[:len(words)-1]
	default:
		return rule, d.Errf("unrecognized rule '%s': a rule begins with allow, deny or redirect", rule.Action)
	}
	if len(words) == 0 {
		return rule, nil
	}
	set, err := p.matcher(words[0])
	if err != nil {
		return rule, d.WrapErr(err)
	}
	if set != nil {
		rule.MatcherSetsRaw = caddyhttp.RawMatcherSets{set}
	}
	return rule, nil
}
