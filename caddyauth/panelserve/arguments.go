// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package panelserve

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// invocation is a command line that runs `panel serve`.
type invocation struct {
	assignments []word // NAME=value before the command
	launcher    []word // what leads to panel: uv run, python -m
	arguments   []argument
	others      int // commands beside it
}

// argument is a flag with its values, or something to serve.
type argument struct {
	flag   flag // without a name: something to serve
	values []word
	raw    []word // all of it, as it was written
}

var errNoPanel = errors.New("there is no `panel serve` in it")

// findInvocation finds the command that is `panel serve` among others.
func findInvocation(commands [][]word) (*invocation, error) {
	commands = joinFlags(commands)
	for _, words := range commands {
		at := serveAt(words)
		if at < 0 {
			continue
		}
		i := &invocation{others: len(commands) - 1}
		i.launch(words[:at])
		return i, i.parse(words[at+1:])
	}
	return nil, errNoPanel
}

// joinFlags takes a line that begins with a flag for a part of the one before
// it: somebody left out the backslash.
func joinFlags(commands [][]word) (joined [][]word) {
	for _, words := range commands {
		if last := len(joined) - 1; last >= 0 && isFlag(words[0].text) {
			joined[last] = append(joined[last], words...)
			continue
		}
		joined = append(joined, words)
	}
	return joined
}

// serveAt is where "serve" stands, after panel.
func serveAt(words []word) int {
	for i := 1; i < len(words); i++ {
		program := strings.TrimSuffix(path.Base(strings.ReplaceAll(words[i-1].text, `\`, "/")), ".exe")
		if words[i].text == "serve" && (program == "panel" || program == "panel.command") {
			return i
		}
	}
	return -1
}

var assignment = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)

// launch tells variables from what else stands before "serve".
func (i *invocation) launch(words []word) {
	for _, w := range words {
		if assignment.MatchString(w.text) {
			i.assignments = append(i.assignments, w)
			continue
		}
		i.launcher = append(i.launcher, w)
	}
	if len(i.assignments) > 0 && len(i.launcher) > 0 && path.Base(i.launcher[0].text) == "env" {
		i.launcher = i.launcher[1:]
	}
}

// parse reads arguments as Python's argparse does.
func (i *invocation) parse(words []word) error {
	for len(words) > 0 {
		if words[0].text == "--" { // nothing but files follows
			i.arguments = append(i.arguments, argument{flag: flag{name: "--", takes: everything}, raw: words})
			return nil
		}
		if !isFlag(words[0].text) {
			i.arguments = append(i.arguments, argument{values: words[:1], raw: words[:1]})
			words = words[1:]
			continue
		}
		taken, a, err := parseFlag(words)
		if err != nil {
			return err
		}
		i.arguments = append(i.arguments, a)
		words = words[taken:]
	}
	return nil
}

// unknownFlag is the name of a flag that is not in the table: a newer Panel may
// have it. What follows it counts as something to serve, and so keeps its place.
const unknownFlag = "an unknown flag"

// hasUnknownFlags reports whether there are flags that are not in the table.
func (i *invocation) hasUnknownFlags() bool {
	return slices.ContainsFunc(i.arguments, func(a argument) bool { return a.flag.name == unknownFlag })
}

var negativeNumber = regexp.MustCompile(`^-(\d+|\d*\.\d+)$`)

// isFlag reports what argparse takes for a flag: not a negative number, and not
// what has a space before any "=".
func isFlag(text string) bool {
	if !strings.HasPrefix(text, "-") || text == "-" || negativeNumber.MatchString(text) {
		return false
	}
	name, _, _ := strings.Cut(text, "=")
	return !strings.Contains(name, " ")
}

// parseFlag reads the flag that words begin with, and says how many of them are
// its own. Errors name flags and never values, which may be secrets.
func parseFlag(words []word) (taken int, a argument, err error) {
	name, value, joined := strings.Cut(words[0].text, "=")
	if name == "-h" {
		name = "--help"
	}
	var known bool
	a.flag, known = flagNamed(name)
	if !known {
		return 1, argument{flag: flag{name: unknownFlag}, raw: words[:1]}, nil
	}
	if joined {
		if a.flag.takes == none {
			return 0, a, fmt.Errorf("%s takes no value", a.flag.name)
		}
		_, raw, _ := strings.Cut(words[0].raw, "=")
		a.values = []word{{raw: raw, text: value, variables: words[0].variables}}
		a.raw = words[:1]
		return 1, a, nil
	}
	end := 1
	for end < len(words) && end <= a.flag.most(len(words)) && (a.flag.takes == everything || !isFlag(words[end].text) && words[end].text != "--") {
		end++
	}
	a.values, a.raw = words[1:end], words[:end]
	if end == 1 && (a.flag.takes == one || a.flag.takes == several) {
		return 0, a, fmt.Errorf("%s has no value", a.flag.name)
	}
	return end, a, nil
}

// most is how many values a flag may take.
func (f flag) most(all int) int {
	switch f.takes {
	case none:
		return 0
	case one, maybe:
		return 1
	}
	return all
}

// values are what is given for a flag: of several times the last counts, except
// for flags that collect.
func (i *invocation) values(name string) (values []word, given bool) {
	for _, a := range i.arguments {
		if a.flag.name != name {
			continue
		}
		if name != "--allow-websocket-origin" {
			values = nil
		}
		values, given = append(values, a.values...), true
	}
	return values, given
}
