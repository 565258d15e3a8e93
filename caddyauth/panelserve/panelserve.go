// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

// Package panelserve turns a command line of `panel serve`, and the variables
// that Panel reads beside it, into a Caddyfile that does the same with
// panelauth, and into the command line that Panel is to be started with from
// then on. It repeats no secret: the Caddyfile names variables in their place.
package panelserve

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Source is what Panel is started with now.
type Source struct {
	// Line is a command line as for a shell; Words are one that a shell has
	// read already. Both may be missing.
	Line  string
	Words []string
	// Variables are those that Panel would be started with.
	Variables map[string]string
	// Domain is the address of the site, if it is known.
	Domain string
	// IsFile reports whether a path is that of a file. Panel takes what is none
	// for a password.
	IsFile func(string) bool
}

// Import is what comes of a Source.
type Import struct {
	// Caddyfile is a whole Caddyfile, with everything else as comments in it.
	Caddyfile string
	// PanelCommand starts Panel behind the door.
	PanelCommand string
	// Notes say what has no counterpart or works otherwise from now on.
	Notes []string
	// Options are the handler's, by their names in JSON, with a text that looks
	// right in the place of each secret.
	Options map[string]any
}

// ErrOpen means that nobody has to sign in.
var ErrOpen = errors.New("there is no sign-in to import: neither --basic-auth nor --oauth-provider, nor their variables, say who gets in")

// Read imports a Source. Its errors repeat no values.
func Read(s Source) (*Import, error) {
	run, err := s.invocation()
	if err != nil {
		return nil, fmt.Errorf("reading the command line: %w", err)
	}
	t := &translation{source: s, run: run, variables: maps.Clone(s.Variables), here: map[string]bool{}}
	if t.variables == nil {
		t.variables = map[string]string{}
	}
	for _, w := range run.assignments {
		name, value, _ := strings.Cut(w.text, "=")
		t.variables[name] = value
		t.here[name] = true
	}
	if err := t.all(); err != nil {
		return nil, err
	}
	return t.result(), nil
}

// exampleInvocation stands in where there are variables alone.
var exampleInvocation = &invocation{
	launcher:  []word{plain("panel")},
	arguments: []argument{{values: []word{plain("app.py")}, raw: []word{plain("app.py")}}},
}

func (s Source) invocation() (*invocation, error) {
	if s.Line == "" && len(s.Words) == 0 {
		return exampleInvocation, nil
	}
	commands, err := split(s.Line)
	if err != nil {
		return nil, err
	}
	if len(s.Words) > 0 {
		words := make([]word, len(s.Words))
		for i, text := range s.Words {
			words[i] = plain(text)
		}
		commands = [][]word{words}
	}
	return findInvocation(commands)
}

// ParseVariables reads a file of variables: NAME=value on each line, quoted as
// for a shell where it has to be, with or without "export" before it. Errors
// name the line and never repeat it.
func ParseVariables(text string) (map[string]string, error) {
	if len(text) > maxLine {
		return nil, errTooLong
	}
	variables := make(map[string]string)
	number := 0
	for line := range strings.Lines(text) {
		number++
		commands, err := split(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		words := slices.Concat(commands...)
		if len(words) > 0 && words[0].text == "export" {
			words = words[1:]
		}
		if len(words) == 0 {
			continue
		}
		if len(words) > 1 || !assignment.MatchString(words[0].text) {
			return nil, fmt.Errorf("line %d: it is not NAME=value, with quotes around a value that has spaces", number)
		}
		name, value, _ := strings.Cut(words[0].text, "=")
		variables[name] = value
	}
	return variables, nil
}
