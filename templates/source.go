// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nikolalohinski/gonja/v2/tokens"
)

// maxTokens bounds one {{ … }} or {% … %}, and with it how deep an expression
// can nest.
const maxTokens = 256

// fitted checks a template's source and makes it fit for the library, which
// loses what it cannot read where Jinja2 would complain: the rest of a file
// after an unclosed comment, a name with a stray character before it.
func fitted(source []byte) (string, *fault) {
	if len(source) > maxSource {
		return "", &fault{line: 1, what: fmt.Sprintf("larger than %d KiB", maxSource>>10)}
	}
	if !utf8.Valid(source) {
		return "", &fault{line: lineOfInvalid(source), what: "not UTF-8"}
	}
	text := strings.TrimPrefix(string(source), "\ufeff")
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	text = joinLines(text)
	return text, check(text)
}

func lineOfInvalid(source []byte) int {
	valid := bytes.ToValidUTF8(source, nil)
	for i := range valid {
		if valid[i] != source[i] {
			return 1 + bytes.Count(source[:i], []byte("\n"))
		}
	}
	return 1 + bytes.Count(valid, []byte("\n"))
}

// check reads the source as tokens and says what is wrong with the first that
// is not as it should be.
func check(text string) *fault {
	stream := tokens.LexAll(text, dialect())
	reader := tokenReader{text: text}
	for {
		token := stream.Current()
		if token.Type == tokens.EOF {
			return nil
		}
		if token.Type == tokens.Error {
			line := 1 + strings.Count(text[:min(token.Pos, len(text))], "\n")
			return &fault{line: line, what: lexicalError(token.Val)}
		}
		if what := reader.read(token); what != "" {
			return &fault{line: token.Line, what: what}
		}
		stream.Next()
	}
}

// lexicalError passes on what the library says of an error, which for an
// unclosed string is the string.
func lexicalError(message string) string {
	for _, known := range []string{"Un", "un", "invalid", "two dots"} {
		if strings.HasPrefix(message, known) {
			return brief(message)
		}
	}
	return "a string is not closed"
}

// tokenReader remembers what it has read of a tag.
type tokenReader struct {
	text      string
	statement string // name of the {% statement %} being read
	last      tokens.Type
	beforeIt  tokens.Type
	count     int
}

// read takes the next token and says what is wrong with it.
func (r *tokenReader) read(t *tokens.Token) string {
	defer func() { r.beforeIt, r.last = r.last, t.Type }()
	switch t.Type {
	case tokens.VariableBegin, tokens.BlockBegin:
		r.statement, r.count = "", 0
		return ""
	case tokens.Data, tokens.CommentBegin, tokens.CommentEnd, tokens.VariableEnd, tokens.BlockEnd:
		return ""
	}
	if r.count++; r.count > maxTokens {
		return "this expression is too long"
	}
	if t.Val != "" && !r.asWritten(t) {
		return "unexpected character"
	}
	switch t.Type {
	case tokens.Multiply, tokens.Power:
		return `the operator "*" is not supported here`
	case tokens.Name:
		return r.name(t.Val)
	}
	if r.statement == "set" && r.count == 3 && t.Type != tokens.Assign {
		return "only a plain name can be set"
	}
	return ""
}

// asWritten says whether a token is nothing but itself: the library keeps
// characters that it does not know at the beginning of the next token.
func (r *tokenReader) asWritten(t *tokens.Token) bool {
	if t.Pos < 0 || t.Pos >= len(r.text) {
		return false
	}
	first, _ := utf8.DecodeRuneInString(r.text[t.Pos:])
	switch t.Type {
	case tokens.String:
		return first == '"' || first == '\''
	case tokens.Integer, tokens.Float:
		return first >= '0' && first <= '9'
	case tokens.Name, tokens.Not, tokens.Is, tokens.In, tokens.And, tokens.Or:
		return isNamePart(first)
	}
	return strings.ContainsRune("+-*/%~:.,|<>=!(){}[]", first)
}

func (r *tokenReader) name(name string) string {
	switch {
	case r.last == tokens.BlockBegin:
		r.statement = name
		if !isStatement(name) {
			return fmt.Sprintf("the statement %q is not supported here", name)
		}
	case r.last == tokens.Pipe, r.statement == "filter" && r.count == 2:
		if _, ok := filters[name]; !ok {
			return fmt.Sprintf("there is no filter %q", name)
		}
	case r.last == tokens.Is, r.last == tokens.Not && r.beforeIt == tokens.Is:
		if !environment.Tests.Exists(name) {
			return fmt.Sprintf("there is no test %q", name)
		}
	case r.last == tokens.Dot:
	case name == "self":
		return `"self" is not supported here`
	case name == "recursive" && r.statement == "for":
		return "recursive loops are not supported here"
	}
	return ""
}

// isStatement knows the statements and what goes with them.
func isStatement(name string) bool {
	switch name {
	case "else", "elif":
		return true
	case "endextends", "endinclude":
		return false
	}
	_, ok := statements[strings.TrimPrefix(name, "end")]
	return ok
}

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

func isNamePart(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

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
