// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyfile

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"

	"github.com/panelauth/caddy-panelauth/caddyauth"
)

func init() {
	caddyauth.ReadRules = readRules
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

// checkTokens refuses {$NAME}, which is replaced in a Caddyfile alone, and braces
// that do not come in pairs.
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
