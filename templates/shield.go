// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A value goes through an operator's template in disguise: each character that
// means something to HTML is replaced by one that means nothing to anybody, in
// a private-use plane of Unicode, and the finished page has an entity in its
// place. So it does not matter what a template does on the way (safe, tojson,
// concatenation, macros, autoescape off …): no filter knows how to turn the
// disguise back into markup, and nothing is escaped twice.
const (
	// disguise is added to a character's code point.
	disguise = 0xF0000
	// dangerous are the characters in disguise. The last three do no harm in
	// HTML, but delimit, interpolate and escape in strings of scripts.
	dangerous = "<>\"'&`$\\"
	// maxValue bounds, in bytes, what a template has to carry of one value.
	maxValue = 8 << 10
)

// reveal turns the disguised characters of a finished page into entities.
var reveal = revealer()

func revealer() *strings.Replacer {
	var pairs []string
	for _, r := range dangerous {
		entity := html.EscapeString(string(r))
		switch r {
		case '`':
			entity = "&#96;"
		case '$':
			entity = "&#36;"
		case '\\':
			entity = "&#92;"
		}
		pairs = append(pairs, string(disguise+r), entity)
	}
	return strings.NewReplacer(pairs...)
}

// shield disguises a value. Control characters, which no page can show, and
// characters that are a disguise already become the replacement character.
func shield(s string) string {
	s = strings.ToValidUTF8(clip(s, maxValue), string(utf8.RuneError))
	return strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune(dangerous, r):
			return disguise + r
		case r >= disguise && r < disguise+utf8.RuneSelf:
			return utf8.RuneError
		case unicode.IsControl(r) && r != '\n' && r != '\t':
			return utf8.RuneError
		}
		return r
	}, s)
}

// unshield gives the value back, for filters whose output needs no entities.
func unshield(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= disguise && r < disguise+utf8.RuneSelf {
			return r - disguise
		}
		return r
	}, s)
}

// expose finishes a page. What is left of a disguise that a template took
// apart byte by byte is no longer UTF-8, and goes.
func expose(page string) []byte {
	return []byte(reveal.Replace(strings.ToValidUTF8(page, string(utf8.RuneError))))
}

// clip cuts a text to so many bytes, at the end of a character.
func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}
