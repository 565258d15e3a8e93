// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/panelauth/caddy-panelauth/caddyauth"
)

// matcher finds what a matcher token means; nil is everything.
func (p *rulesParser) matcher(token caddyfile.Token) (caddy.ModuleMap, error) {
	switch {
	case token.Text == "*":
		return nil, nil
	case strings.HasPrefix(token.Text, "/"):
		return caddy.ModuleMap{"path": caddyconfig.JSON(caddyhttp.MatchPath{token.Text}, nil)}, nil
	case !strings.HasPrefix(token.Text, "@"):
		return nil, fmt.Errorf("'%s' is no matcher: write *, a path that begins with '/', or @ and a name", token.Text)
	}
	set, known := p.own[token.Text]
	if !known {
		var err error
		if set, err = p.ofSite(token); err != nil {
			return nil, err
		}
	}
	if len(set) == 0 {
		return nil, fmt.Errorf("the matcher %s asks for nothing: write * if it is meant to match everything", token.Text)
	}
	return set, nil
}

// ofSite finds a matcher that was defined where the directive stands.
func (p *rulesParser) ofSite(token caddyfile.Token) (caddy.ModuleMap, error) {
	if p.isFile {
		return nil, fmt.Errorf("unrecognized matcher name: %s (a file of rules defines its own)", token.Text)
	}
	line := caddyfile.NewDispenser([]caddyfile.Token{token, token})
	line.Next()
	set, _, err := p.site.WithDispenser(line).MatcherToken()
	return set, err
}

// ownMatchers are those of panelauth, which people misspell; Caddy's are many.
var ownMatchers = []entry[caddyauth.Rule]{{name: "auth_user"}, {name: "auth_group"}, {name: "auth_claim"}, {name: "auth_guest"}}

var errNoMatcher = errors.New("a named matcher needs at least one matcher")

// define reads a named matcher as Caddy reads it in a site.
func (p *rulesParser) define(d *caddyfile.Dispenser) error {
	d.Next()
	name := d.Val()
	if _, known := p.own[name]; known || name == "@" {
		return d.Errf("matcher is defined more than once, or has no name: %s", name)
	}
	set := make(caddy.ModuleMap)
	p.own[name] = set
	if d.NextArg() {
		if d.Token().Quoted() {
			expression := d.Token().Clone()
			expression.Text = "expression"
			return p.defineOne(set, name, "expression", []caddyfile.Token{expression, d.Token()})
		}
		d.Prev()
	}
	var order []string
	tokens := make(map[string][]caddyfile.Token)
	for nesting := d.Nesting(); d.NextArg() || d.NextBlock(nesting); {
		matcher := d.Val()
		if !slices.Contains(order, matcher) {
			order = append(order, matcher)
		}
		tokens[matcher] = append(tokens[matcher], d.NextSegment()...)
	}
	if len(order) == 0 {
		return d.WrapErr(errNoMatcher)
	}
	for _, matcher := range order {
		if err := p.defineOne(set, name, matcher, tokens[matcher]); err != nil {
			return err
		}
	}
	return nil
}

// defineOne adds one of Caddy's matchers to a named one.
func (p *rulesParser) defineOne(set caddy.ModuleMap, name, matcher string, tokens []caddyfile.Token) error {
	d := caddyfile.NewDispenser(tokens)
	d.Next()
	info, err := caddy.GetModule("http.matchers." + matcher)
	if err != nil {
		return d.Errf("there is no matcher '%s'%s", matcher, suggestion(matcher, ownMatchers))
	}
	d.Reset()
	d.SetContext(caddyfile.MatcherNameCtxKey, name[1:])
	module, ok := info.New().(caddyfile.Unmarshaler)
	if !ok {
		return d.Errf("the matcher '%s' cannot be written here", matcher)
	}
	if err := module.UnmarshalCaddyfile(d); err != nil {
		return err
	}
	set[matcher] = caddyconfig.JSON(module, nil)
	return nil
}
