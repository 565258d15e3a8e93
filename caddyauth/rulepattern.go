// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
)

// pathPattern is a pattern as Caddy's path matcher takes it. A star at one end
// or at both stands for any text, any other star for text without a slash. The
// values of placeholders stand for themselves, whatever is in them.
type pathPattern struct {
	kind    patternKind
	text    string // without stars at the ends
	lower   string
	dynamic bool   // it has placeholders
	head    string // of lower, before any of them and any star
}

type patternKind int

const (
	exactPath patternKind = iota
	anyPath
	prefixPath
	suffixPath
	partOfPath
	globPath
)

func newPathPattern(written string) pathPattern {
	p := pathPattern{text: written, dynamic: strings.Contains(written, "{")}
	stars := strings.Count(written, "*")
	before, after := strings.HasPrefix(written, "*"), strings.HasSuffix(written, "*")
	switch {
	case written == "*":
		p.kind, p.text = anyPath, ""
	case stars == 2 && before && after:
		p.kind, p.text = partOfPath, written[1:len(written)-1]
	case stars == 1 && before:
		p.kind, p.text = suffixPath, written[1:]
	case stars == 1 && after:
		p.kind, p.text = prefixPath, written[:len(written)-1]
	case strings.ContainsAny(written, `*?[\`):
		p.kind = globPath
	}
	p.lower = strings.ToLower(p.text)
	if p.startsAlike() {
		p.head = p.lower
		if end := strings.IndexAny(p.lower, `{*?[\`); end >= 0 {
			p.head = p.lower[:end]
		}
	}
	return p
}

// startsAlike reports whether whatever meets the pattern begins as it does.
func (p *pathPattern) startsAlike() bool {
	return p.kind == exactPath || p.kind == prefixPath || p.kind == globPath
}

// meets compares the pattern with a path: yes with upper and lower case as
// written, maybe without, since Caddy's matcher and some applications take them
// for the same. A placeholder whose value could change the pattern's meaning
// is a maybe, too.
func (p *pathPattern) meets(q *question) match {
	text, lower := p.text, p.lower
	if p.dynamic {
		if !q.folded.begins(p.head) {
			return no
		}
		var ok bool
		if text, ok = fillIn(text, q.replacer()); !ok {
			return maybe
		}
		lower = strings.ToLower(text)
	}
	switch {
	case p.meetsAny(text, &q.asked):
		return yes
	case p.meetsAny(lower, &q.folded):
		return maybe
	}
	return no
}

func (p *pathPattern) meetsAny(text string, a *wantedPath) bool {
	if p.meetsOne(text, a.path) {
		return true
	}
	for _, page := range a.pages() {
		if p.meetsOne(text, page) {
			return true
		}
	}
	return false
}

// meetsOne compares with one path, which is the same page with a slash at its
// end or without.
func (p *pathPattern) meetsOne(text, asked string) bool {
	switch p.kind {
	case anyPath:
		return true
	case exactPath:
		return asked == text || endpoint(asked) == endpoint(text)
	case prefixPath:
		return strings.HasPrefix(asked, text) || len(text) == len(asked)+1 && text[len(asked)] == '/' && text[:len(asked)] == asked
	case suffixPath:
		return strings.HasSuffix(asked, text)
	case partOfPath:
		return strings.Contains(asked, text)
	}
	matches, _ := path.Match(text, asked) // what is malformed matches nothing, as with Caddy
	return matches
}

// fillIn replaces placeholders. It fails where a value is empty or could be read
// as more than one part of a path: a user called "*" must not see everybody's
// folder, and neither must one called "bob/..".
func fillIn(text string, repl *caddy.Replacer) (string, bool) {
	if repl == nil {
		return "", false
	}
	sound := true
	filled, err := repl.ReplaceFunc(text, func(_ string, value any) (any, error) {
		sound = sound && isPathPart(caddy.ToString(value))
		return value, nil
	})
	return filled, sound && err == nil
}

func isPathPart(value string) bool {
	return value != "" && value != "." && value != ".." &&
		!strings.ContainsAny(value, `/\*?[]%;#{}`) && !strings.ContainsFunc(value, hidesSomething)
}

// pathCondition asks for paths as Caddy's path matcher does, but for what is
// said at pathPattern and wantedPath.
type pathCondition []pathPattern

// newPathCondition leaves patterns alone that speak of percent-encoding, which
// only Caddy's own matcher knows.
func newPathCondition(raw []byte) (c pathCondition, ok bool, err error) {
	var written []string
	if err := json.Unmarshal(raw, &written); err != nil {
		return nil, false, fmt.Errorf("decoding the matcher path: %w", err)
	}
	if slices.ContainsFunc(written, func(pattern string) bool { return strings.Contains(pattern, "%") }) {
		return nil, false, nil
	}
	if len(written) == 0 {
		return nil, false, errors.New("the matcher path has no paths")
	}
	for _, pattern := range written {
		c = append(c, newPathPattern(pattern))
	}
	return c, true, nil
}

func (c pathCondition) meets(q *question) (match, error) {
	best := no
	for i := range c {
		if c[i].kind == anyPath {
			return yes, nil
		}
		if q.clear && best < yes {
			best = max(best, c[i].meets(q))
		}
	}
	switch {
	case !q.clear:
		return maybe, nil
	case q.lending:
		return yes, nil
	}
	return best, nil
}

func (pathCondition) judgesPaths() bool { return true }
