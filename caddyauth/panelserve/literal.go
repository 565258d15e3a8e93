// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package panelserve

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds of what is read of Python. Parameters of a provider are few and flat.
const (
	maxDepth = 16
	maxItems = 1000
)

// A literal is a value of Python's: text, a number, a name such as None, a list
// (or tuple), or a dictionary.
type literal struct {
	kind  literalKind
	text  string // what str() gives of text, number and name
	items []literal
	keys  []literal // of a dictionary, one for each item
}

type literalKind int

const (
	literalText literalKind = iota
	literalNumber
	literalName // True, False or None
	literalList
	literalDict
)

// parseLiteral reads what Python's ast.literal_eval reads, but for sets,
// complex numbers and bytes, for which no option has a use. Its errors say
// where and never repeat the text, which may hold a secret.
func parseLiteral(text string) (literal, error) {
	if len(text) > maxLine {
		return literal{}, errTooLong
	}
	if !utf8.ValidString(text) {
		return literal{}, errors.New("it is not UTF-8")
	}
	p := python{text: text}
	value, err := p.value(0)
	if err == nil {
		p.space()
		if p.at < len(p.text) {
			err = errors.New("there is something after the value")
		}
	}
	if err != nil {
		return literal{}, fmt.Errorf("at character %d: %w", utf8.RuneCountInString(p.text[:p.at])+1, err)
	}
	return value, nil
}

type python struct {
	text  string
	at    int
	items int
}

func (p *python) rest() string { return p.text[p.at:] }

func (p *python) space() {
	p.at = len(p.text) - len(strings.TrimLeft(p.rest(), " \t\r\n\f"))
}

// sees passes over a sign, if it comes next.
func (p *python) sees(sign string) bool {
	p.space()
	if !strings.HasPrefix(p.rest(), sign) {
		return false
	}
	p.at += len(sign)
	return true
}

var (
	pythonName   = regexp.MustCompile(`^(True|False|None)\b`)
	pythonNumber = regexp.MustCompile(`^[+-]?(0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|([0-9](_?[0-9])*)?\.?[0-9](_?[0-9])*\.?([eE][+-]?[0-9]+)?)`)
	stringStart  = regexp.MustCompile(`^([rRuU]?)('''|"""|'|")`)
)

func (p *python) value(depth int) (literal, error) {
	p.items++
	if depth > maxDepth || p.items > maxItems {
		return literal{}, errors.New("it is nested too deep or too long")
	}
	p.space()
	rest := p.rest()
	switch {
	case rest == "":
		return literal{}, errors.New("a value is missing")
	case rest[0] == '{':
		return p.dict(depth)
	case rest[0] == '[':
		return p.list("]", depth)
	case rest[0] == '(':
		return p.list(")", depth)
	case stringStart.MatchString(rest):
		return p.strings()
	}
	if name := pythonName.FindString(rest); name != "" {
		p.at += len(name)
		return literal{kind: literalName, text: name}, nil
	}
	return p.number()
}

// number reads a number, whose text is what Python prints for it, as far as
// whole numbers go.
func (p *python) number() (literal, error) {
	digits := pythonNumber.FindString(p.rest())
	after := strings.TrimPrefix(p.rest(), digits)
	if digits == "" || after != "" && (after[0] == '_' || after[0] == '.' || after[0] >= '0' && after[0] <= '9' || isLetter(after[0])) {
		return literal{}, errors.New("this is no text in quotes, number, True, False, None, list or dictionary")
	}
	p.at += len(digits)
	text := strings.TrimPrefix(digits, "+")
	if whole, err := strconv.ParseInt(text, 0, 64); err == nil {
		text = strconv.FormatInt(whole, 10)
	}
	return literal{kind: literalNumber, text: text}, nil
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= utf8.RuneSelf }

// list reads a list or a tuple; one value in parentheses without a comma is
// the value itself.
func (p *python) list(end string, depth int) (literal, error) {
	p.at++
	list := literal{kind: literalList}
	comma := false
	for !p.sees(end) {
		if len(list.items) > 0 && !comma {
			return literal{}, errors.New("a comma is missing")
		}
		item, err := p.value(depth + 1)
		if err != nil {
			return literal{}, err
		}
		list.items = append(list.items, item)
		comma = p.sees(",")
	}
	if end == ")" && len(list.items) == 1 && !comma {
		return list.items[0], nil
	}
	return list, nil
}

func (p *python) dict(depth int) (literal, error) {
	p.at++
	dict := literal{kind: literalDict}
	comma := true
	for !p.sees("}") {
		if !comma {
			return literal{}, errors.New("a comma is missing")
		}
		key, err := p.value(depth + 1)
		if err != nil {
			return literal{}, err
		}
		if !p.sees(":") {
			return literal{}, errors.New("a colon is missing")
		}
		item, err := p.value(depth + 1)
		if err != nil {
			return literal{}, err
		}
		dict.keys, dict.items = append(dict.keys, key), append(dict.items, item)
		comma = p.sees(",")
	}
	return dict, nil
}

// strings reads a string, and those right beside it, which Python joins.
func (p *python) strings() (literal, error) {
	text := ""
	for {
		p.space()
		start := stringStart.FindStringSubmatch(p.rest())
		if start == nil {
			return literal{kind: literalText, text: text}, nil
		}
		p.at += len(start[0])
		part, err := p.string(start[2], strings.EqualFold(start[1], "r"))
		if err != nil {
			return literal{}, err
		}
		text += part
	}
}

func (p *python) string(quote string, raw bool) (string, error) {
	var text strings.Builder
	for {
		rest := p.rest()
		switch {
		case rest == "" || len(quote) == 1 && rest[0] == '\n':
			return "", errors.New("a quotation mark is not closed")
		case strings.HasPrefix(rest, quote):
			p.at += len(quote)
			return text.String(), nil
		case rest[0] != '\\':
			_, size := utf8.DecodeRuneInString(rest)
			text.WriteString(rest[:size])
			p.at += size
		case raw && len(rest) > 1:
			_, size := utf8.DecodeRuneInString(rest[1:])
			text.WriteString(rest[:1+size])
			p.at += 1 + size
		default:
			if err := p.escape(&text); err != nil {
				return "", err
			}
		}
	}
}

// simpleEscapes are those of one letter.
var simpleEscapes = map[byte]string{
	'\\': "\\", '\'': "'", '"': "\"", '\n': "", 'a': "\a", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v",
}

var numberedEscape = regexp.MustCompile(`^\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3}))`)

func (p *python) escape(text *strings.Builder) error {
	rest := p.rest()
	if len(rest) < 2 {
		return errors.New("a quotation mark is not closed")
	}
	if plain, ok := simpleEscapes[rest[1]]; ok {
		text.WriteString(plain)
		p.at += 2
		return nil
	}
	if found := numberedEscape.FindStringSubmatch(rest); found != nil {
		base := 16
		if found[4] != "" {
			base = 8
		}
		code, err := strconv.ParseUint(found[1]+found[2]+found[3]+found[4], base, 32)
		if err != nil || code > utf8.MaxRune || !utf8.ValidRune(rune(code)) {
			return errors.New("this escape is no character")
		}
		text.WriteRune(rune(code))
		p.at += len(found[0])
		return nil
	}
	if strings.IndexByte("xuUN", rest[1]) >= 0 {
		return errors.New("this escape is not complete, or has a name: write the character itself")
	}
	text.WriteByte('\\') // as Python leaves those that it does not know
	p.at++
	return nil
}
