// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	_ "github.com/caddyserver/caddy/v2/modules/standard" // the directives beside ours

	_ "github.com/panelauth/caddy-panelauth"
)

// example shows a subdirective as one writes it, and what it is in JSON.
type example struct {
	lines, json string
}

// readExample reads the example of a subdirective and has Caddy adapt it.
func readExample(name string) (example, error) {
	lines, err := os.ReadFile(name + ".caddyfile")
	if err != nil {
		return example{}, fmt.Errorf("%s: it has no example: %w", name, err)
	}
	value, err := adapt(name, lines)
	if err != nil {
		return example{}, fmt.Errorf("%s: the example: %w", name, err)
	}
	return example{lines: string(lines), json: value}, nil
}

// madeUp is what every variable of the environment is: any text would do, but
// for the one that is a Fernet key.
const madeUp = "bm90aGluZyB0aGF0IGlzIGEgc2VjcmV0IG9mIGFueSE="

var (
	wayIn       = regexp.MustCompile(`(?m)^(basic_auth|oauth_provider) `)
	environment = regexp.MustCompile(`\{env\.(\w+)\}`)
)

// adapt turns lines of the directive's block into JSON, and finds the key in
// it.
func adapt(name string, lines []byte) (string, error) {
	if !wayIn.Match(lines) {
		lines = append([]byte("basic_auth open-sesame\n"), lines...)
	}
	for _, match := range environment.FindAllSubmatch(lines, -1) {
		if err := os.Setenv(string(match[1]), madeUp); err != nil {
			return "", err
		}
	}
	site := caddyfile.Format(fmt.Appendf(nil, "example.com {\npanelauth {\n%s}\n}\n", lines))
	config, warnings, err := caddyconfig.GetAdapter("caddyfile").Adapt(site, nil)
	if err != nil {
		return "", err
	}
	if len(warnings) > 0 {
		return "", errors.New(warnings[0].String())
	}
	value := inHandler(config, name)
	if value == nil {
		return "", errors.New("the key is not in the JSON")
	}
	return spaced(value)
}

// inHandler looks for a key of the first handler panelauth in a configuration
// or a part of one.
func inHandler(config json.RawMessage, key string) json.RawMessage {
	var object map[string]json.RawMessage
	if json.Unmarshal(config, &object) == nil {
		if string(object["handler"]) == `"panelauth"` {
			return object[key]
		}
		for _, inner := range object {
			if found := inHandler(inner, key); found != nil {
				return found
			}
		}
	}
	var list []json.RawMessage
	if json.Unmarshal(config, &list) == nil {
		for _, inner := range list {
			if found := inHandler(inner, key); found != nil {
				return found
			}
		}
	}
	return nil
}

var (
	lineBreak  = regexp.MustCompile(`\n *`)
	afterOpen  = regexp.MustCompile(`([\[{])\n *`)
	beforeShut = regexp.MustCompile(`\n *([\]}])`)
)

// spaced writes JSON on one line, as people do.
func spaced(value json.RawMessage) (string, error) {
	var indented bytes.Buffer
	if err := json.Indent(&indented, value, "", " "); err != nil {
		return "", err
	}
	text := afterOpen.ReplaceAllString(indented.String(), "$1")
	text = beforeShut.ReplaceAllString(text, "$1")
	return lineBreak.ReplaceAllString(text, " "), nil
}
