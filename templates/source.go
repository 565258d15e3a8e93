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

func isNamePart(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }
