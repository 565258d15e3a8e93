// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyfile

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/panelauth/caddy-panelauth/caddyauth"
)

func init() {
	caddyauth.ReadRules = readRules
}

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

// readRules reads a file of rules. A file that was cut off while it was written
// must not say more than a whole one: its last line has to end, and its blocks
// have to be closed. What is left of a whole file then allows no more than the
// whole.
func readRules(file string, content []byte) ([]caddyauth.Rule, error) {
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	if cutOff(content) {
		lines := 1 + bytes.Count(content, []byte("\n"))
		return nil, fmt.Errorf("the last line has no end, as if the file were not whole: write a line break after it, at %s:%d", file, lines)
	}
	tokens, err := caddyfile.Tokenize(content, file)
	if err != nil {
		return nil, fmt.Errorf("%w, in %s", err, file)
	}
	if err := checkTokens(tokens); err != nil {
		return nil, err
	}
	var lines []caddyfile.Segment
	shorthands := httpcaddyfile.NewShorthandReplacer()
	d := caddyfile.NewDispenser(tokens)
	for d.Next() {
		line := d.NextSegment()
		shorthands.ApplyToSegment(&line)
		lines = append(lines, line)
	}
	p := rulesParser{isFile: true}
	return p.parse(lines)
}

// cutOff reports whether the last line may go on.
func cutOff(content []byte) bool {
	line, ended := bytes.CutSuffix(bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n")), []byte("\n"))
	return len(content) > 0 && !ended || bytes.HasSuffix(line, []byte(`\`))
}

// checkTokens finds what only a Caddyfile knows, and blocks that do not end.
func checkTokens(tokens []caddyfile.Token) error {
	depth := 0
	for i, token := range tokens {
		d := caddyfile.NewDispenser(tokens[i : i+1])
		d.Next()
		switch {
		case strings.Contains(token.Text, "{$"):
			return d.Errf("environment variables are written {env.NAME} here")
		case token.Quoted():
		case token.Text == "{":
			depth++
		case token.Text == "}":
			depth--
		}
		if depth < 0 {
			return d.Err("this brace closes nothing")
		}
	}
	if depth > 0 {
		d := caddyfile.NewDispenser(tokens[len(tokens)-1:])
		d.Next()
		return d.Err("a block is not closed")
	}
	return nil
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
			return rule, d.Errf("%s takes one matcher or none: name a matcher for several paths", rule.Action)
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
			return p.define1(set, name, "expression", []caddyfile.Token{expression, d.Token()})
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
		if err := p.define1(set, name, matcher, tokens[matcher]); err != nil {
			return err
		}
	}
	return nil
}

// define1 adds one matcher to a named one.
func (p *rulesParser) define1(set caddy.ModuleMap, name, matcher string, tokens []caddyfile.Token) error {
	d := caddyfile.NewDispenser(tokens)
	d.Next()
	info, err := caddy.GetModule("http.matchers." + matcher)
	if err != nil {
		return d.Errf("there is no matcher '%s'", matcher)
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
