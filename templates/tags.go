// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"strings"
)

// joinLines puts spaces around the line ends within {{ … }} and {% … %}, where
// the library takes a line end for part of a name. Lines keep their numbers.
func joinLines(text string) string {
	var out strings.Builder
	for {
		start := nextTag(text)
		if start < 0 {
			out.WriteString(text)
			return out.String()
		}
		out.WriteString(text[:start])
		text = text[start:]
		n := tagLength(text)
		tag := text[:n]
		text = text[n:]
		if tag[1] == '#' {
			out.WriteString(tag)
			continue
		}
		joined, statement := joinTag(tag)
		out.WriteString(joined)
		if statement == "raw" {
			n := rawLength(text)
			out.WriteString(text[:n])
			text = text[n:]
		}
	}
}

func nextTag(text string) int {
	for i := 0; i+1 < len(text); i++ {
		if text[i] == '{' && strings.IndexByte("{%#", text[i+1]) >= 0 {
			return i
		}
	}
	return -1
}

// tagLength is the length of the comment or tag that the text begins with.
func tagLength(text string) int {
	if text[1] == '#' {
		if end := strings.Index(text, "#}"); end >= 0 {
			return end + 2
		}
		return len(text)
	}
	end := "}}"
	if text[1] == '%' {
		end = "%}"
	}
	braces := 0
	for i := 2; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"' || c == '\'':
			i += stringLength(text[i:]) - 1
		case c == '{':
			braces++
		case c == '}' && braces > 0:
			braces--
		case braces == 0 && strings.HasPrefix(text[i:], end):
			return i + 2
		}
	}
	return len(text)
}

// stringLength is the length of the quoted string that the text begins with,
// by the library's reckoning.
func stringLength(text string) int {
	for i := 1; i < len(text); i++ {
		if text[i] == text[0] && text[i-1] != '\\' {
			return i + 1
		}
	}
	return len(text)
}

// rawLength is the length of what stands before {% endraw %}.
func rawLength(text string) int {
	for i := 0; ; i++ {
		next := strings.Index(text[i:], "{%")
		if next < 0 {
			return len(text)
		}
		i += next
		if strings.HasPrefix(strings.TrimLeft(text[i+2:], "-+ \t\n"), "endraw") {
			return i
		}
	}
}

// joinTag joins the lines of one tag and says which statement it is.
func joinTag(tag string) (joined, statement string) {
	if tag[1] != '%' {
		return tag[:2] + joinExpression(tag[2:]), ""
	}
	rest := strings.TrimLeft(tag[2:], "-+")
	control := tag[:len(tag)-len(rest)]
	body := strings.TrimLeft(rest, " \t\n")
	lines := strings.Count(rest[:len(rest)-len(body)], "\n")
	end := strings.IndexFunc(body, func(r rune) bool { return !isNamePart(r) })
	if end < 0 {
		end = len(body)
	}
	// Line ends before the name go after it, where the library can bear them.
	head := control + " " + body[:end] + strings.Repeat(" \n ", lines)
	return head + joinExpression(body[end:]), body[:end]
}

func joinExpression(text string) string {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '"', '\'':
			n := stringLength(text[i:])
			out.WriteString(text[i : i+n])
			i += n - 1
		case '\n':
			out.WriteString(" \n ")
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}
