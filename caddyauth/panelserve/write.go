// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package panelserve

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
)

func (t *translation) result() *Import {
	command := t.panelCommand()
	return &Import{
		Caddyfile:    t.comments(command) + t.caddyfile(),
		PanelCommand: command,
		Notes:        t.notes,
		Options:      t.options,
	}
}

// panelCommand is the command line with what Panel still needs, each word as it
// was written.
func (t *translation) panelCommand() string {
	var words []string
	if len(t.leaving) > 0 {
		words = append(words, "env")
		for _, variable := range slices.Sorted(maps.Keys(t.leaving)) {
			if !t.here[variable] {
				words = append(words, "-u", variable)
			}
		}
		if len(words) == 1 {
			words = nil
		}
	}
	words = append(words, rawOf(t.run.launcher)...)
	words = append(words, "serve")
	last := len(t.run.arguments)
	if last > 0 && t.run.arguments[last-1].flag.takes == everything {
		last-- // what follows --args belongs to the application
	}
	for _, a := range t.run.arguments[:last] {
		if t.keeps(a) {
			words = append(words, rawOf(a.raw)...)
		}
	}
	if t.upstream.origin != "" {
		words = append(words, "--address", "localhost")
	}
	if t.upstream.port != "" {
		words = append(words, "--port", t.upstream.port)
	}
	for _, a := range t.run.arguments[last:] {
		words = append(words, rawOf(a.raw)...)
	}
	return strings.Join(words, " ")
}

// keeps reports whether Panel is still given an argument.
func (t *translation) keeps(a argument) bool {
	switch a.flag.name {
	case "--cookie-secret":
		// Panel reads PANEL_COOKIE_SECRET itself, and refuses both.
		return len(a.values[0].variables) == 1 && a.values[0].variables[0] != "PANEL_COOKIE_SECRET"
	case "--port":
		return t.upstream.port == ""
	}
	return !a.flag.leaves
}

func rawOf(words []word) []string {
	raw := make([]string, len(words))
	for i, w := range words {
		raw[i] = w.raw
	}
	return raw
}

// comments tell what to do with the Caddyfile, in it.
func (t *translation) comments(command string) string {
	var c strings.Builder
	c.WriteString("# 1. Set these variables where Caddy is started:\n#\n")
	width := 0
	for _, s := range t.secrets {
		width = max(width, len(s.variable))
	}
	for _, s := range t.secrets {
		fmt.Fprintf(&c, "#      %-*s  %s\n", width, s.variable, s.from)
	}
	if others := t.otherAssignments(); len(others) > 0 {
		fmt.Fprintf(&c, "#\n#    and these where Panel is started, as before: %s\n", strings.Join(others, ", "))
	}
	fmt.Fprintf(&c, "#\n# 2. Start Panel where the cookie secret is set, too:\n#\n#      %s\n", comment(command))
	c.WriteString("#\n# 3. Start Caddy with this file: caddy run --config Caddyfile\n")
	if len(t.notes) > 0 {
		c.WriteString("#\n# What is not as before:\n#\n")
		for _, note := range t.notes {
			c.WriteString("# - " + strings.ReplaceAll(wrap(comment(note), 90), "\n", "\n#   ") + "\n")
		}
	}
	c.WriteString("\n")
	return c.String()
}

// otherAssignments are the variables on the line that are the application's
// business.
func (t *translation) otherAssignments() (names []string) {
	for _, w := range t.run.assignments {
		name, _, _ := strings.Cut(w.text, "=")
		if !isOurs(name) {
			names = append(names, name)
		}
	}
	return names
}

// isOurs reports whether a variable has a say in who gets in.
func isOurs(variable string) bool {
	for _, extra := range extraVariables {
		if extra.variable == variable {
			return true
		}
	}
	return slices.ContainsFunc(flags, func(f flag) bool { return slices.Contains(f.variables, variable) })
}

// comment keeps a text from leaving its comment.
func comment(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ReplaceAll(text, "{$", "{ $"))
}

// wrap breaks a text into lines, between words.
func wrap(text string, width int) string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = word
			continue
		}
		line = strings.TrimLeft(line+" "+word, " ")
	}
	return strings.Join(append(lines, line), "\n")
}

func (t *translation) caddyfile() string {
	var c strings.Builder
	c.WriteString(t.site.address + " {\n")
	if len(t.tls) > 0 {
		c.WriteString("\ttls " + quote(t.tls[0]) + " " + quote(t.tls[1]) + "\n")
	}
	indent := "\t"
	if t.strip != "" {
		c.WriteString("\thandle_path " + quote(t.strip+"/*") + " {\n")
		indent = "\t\t"
	}
	c.WriteString(indent + "panelauth {\n")
	for _, l := range t.lines {
		l.write(&c, indent+"\t")
	}
	c.WriteString(indent + "}\n" + indent + "reverse_proxy " + quote(t.upstream.address) + "\n")
	if t.strip != "" {
		c.WriteString("\t}\n")
	}
	c.WriteString("}\n")
	return c.String()
}

func (l line) write(c *strings.Builder, indent string) {
	c.WriteString(indent + l.name)
	for _, value := range l.values {
		c.WriteString(" " + quote(value))
	}
	if len(l.block) > 0 {
		c.WriteString(" {\n")
		for _, pair := range l.block {
			c.WriteString(indent + "\t" + quote(pair[0]) + " " + quote(pair[1]) + "\n")
		}
		c.WriteString(indent + "}")
	}
	c.WriteString("\n")
}

// canBeWritten reports whether a Caddyfile can have a text as one word.
func canBeWritten(text string) bool {
	hasBoth := strings.Contains(text, "`") && strings.ContainsAny(text, `"\`)
	return !hasBoth && !strings.Contains(text, "{$") && !strings.ContainsFunc(text, unicode.IsControl)
}

// quote writes a text as one word of a Caddyfile.
func quote(text string) string {
	switch {
	case strings.ContainsAny(text, `"\`):
		return "`" + text + "`"
	case text == "", text == "{", text == "}", strings.ContainsAny(text, "`#"), strings.ContainsFunc(text, unicode.IsSpace),
		strings.HasPrefix(text, "<<"), strings.HasSuffix(text, "{"):
		return `"` + text + `"`
	}
	return text
}
