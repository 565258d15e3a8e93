// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// entry is the section of a subdirective.
func entry(s subdirective, o *option, shown example) string {
	var text strings.Builder
	fmt.Fprintf(&text, "### `%s`\n\n", s.name)
	fmt.Fprintf(&text, "```\n%s\n```\n\n", strings.Join(s.lines, "\n"))
	text.WriteString(wrapped(o.purpose))
	text.WriteString(wrapped("**Default:** " + o.byDefault))
	if rows := tableOf(s, o.inner, ""); rows != "" {
		first := "in JSON"
		if slices.ContainsFunc(o.inner, func(inner option) bool { return s.option(inner.key) != "" }) {
			first = "option"
		}
		fmt.Fprintf(&text, "| %s | what it is for | default |\n|---|---|---|\n%s\n", first, rows)
	}
	fmt.Fprintf(&text, "```caddyfile\n%s```\n\n", shown.lines)
	fmt.Fprintf(&text, "**JSON:** `\"%s\": %s`\n\n", o.key, shown.json)
	return text.String()
}

// tableOf has a row for each option in a block, or in an object of JSON alone.
func tableOf(s subdirective, options []option, within string) string {
	var rows strings.Builder
	for _, o := range options {
		name := s.option(o.key)
		if name == "" {
			name = within + o.key
		}
		fmt.Fprintf(&rows, "| `%s` | %s | %s |\n", strings.ReplaceAll(name, "|", `\|`), strings.TrimSuffix(o.purpose, "."), o.byDefault)
		rows.WriteString(tableOf(s, o.inner, within+o.key+"."))
	}
	return rows.String()
}

const width = 120

// wrapped is a paragraph in lines that are not too long.
func wrapped(text string) string {
	var lines strings.Builder
	length := 0
	for _, word := range strings.Fields(text) {
		switch {
		case length == 0:
		case length+1+len(word) > width:
			lines.WriteByte('\n')
			length = 0
		default:
			lines.WriteByte(' ')
			length++
		}
		lines.WriteString(word)
		length += len(word)
	}
	return lines.String() + "\n\n"
}

var (
	entriesPart  = regexp.MustCompile(`(?s)(<!-- entries: ([a-z_ ]+) -->\n).*?(<!-- end of entries -->\n)`)
	contentsPart = regexp.MustCompile(`(?s)(<!-- contents -->\n).*?(<!-- end of contents -->\n)`)
)

// fill puts the entries where the page asks for them, and then a table of
// contents.
func fill(page []byte, entries map[string]string) ([]byte, error) {
	var asked []string
	text := entriesPart.ReplaceAllStringFunc(string(page), func(part string) string {
		match := entriesPart.FindStringSubmatch(part)
		names := strings.Fields(match[2])
		asked = append(asked, names...)
		var filled strings.Builder
		for _, name := range names {
			filled.WriteString(entries[name])
		}
		return match[1] + "\n" + filled.String() + match[3]
	})
	var wrong []error
	for name := range entries {
		if !slices.Contains(asked, name) {
			wrong = append(wrong, fmt.Errorf("%s: the page has no place for it", name))
		}
	}
	slices.Sort(asked)
	for i, name := range asked {
		if entries[name] == "" || i > 0 && name == asked[i-1] {
			wrong = append(wrong, fmt.Errorf("%s: the page asks for it twice, or there is no such subdirective", name))
		}
	}
	list := contents(text)
	text = contentsPart.ReplaceAllStringFunc(text, func(part string) string {
		match := contentsPart.FindStringSubmatch(part)
		return match[1] + "\n" + list + "\n" + match[2]
	})
	return []byte(text), errors.Join(wrong...)
}

var (
	heading = regexp.MustCompile(`(?m)^(##|###) (.*)$`)
	fence   = regexp.MustCompile("(?s)\n```.*?\n```\n")
	unwords = regexp.MustCompile(`[^\w -]`)
)

// contents lists the sections of a page: of each the entries on one line, and
// on another what else there is.
func contents(page string) string {
	var list strings.Builder
	line := "" // "entries" or "more", of the section
	for _, match := range heading.FindAllStringSubmatch(fence.ReplaceAllString(page, "\n"), -1) {
		link := fmt.Sprintf("[%s](#%s)", match[2], anchor(match[2]))
		goesOn := "more"
		if strings.HasPrefix(match[2], "`") {
			goesOn = "entries"
		}
		switch {
		case match[1] == "##":
			list.WriteString("\n- **" + link + "**")
			goesOn = ""
		case goesOn == line:
			list.WriteString(" · " + link)
		default:
			list.WriteString("\n  - " + link)
		}
		line = goesOn
	}
	return strings.TrimPrefix(list.String(), "\n") + "\n"
}

// anchor is what GitHub makes of a heading.
func anchor(heading string) string {
	return strings.ReplaceAll(unwords.ReplaceAllString(strings.ToLower(heading), ""), " ", "-")
}
