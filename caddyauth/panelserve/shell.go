// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package panelserve

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// maxLine bounds what is read of a command line, or of a file of variables.
const maxLine = 64 << 10

// word is one argument of a command line.
type word struct {
	raw  string // as it was written
	text string // without quotes, and with {env.NAME} for $NAME
	// variables are those that text refers to.
	variables []string
}

// plain makes a word of an argument that no shell has to read any more.
func plain(text string) word { return word{raw: quoteForShell(text), text: text} }

var (
	errQuote   = errors.New("a quotation mark is not closed")
	errCommand = errors.New("another command runs inside it ($(…) or `…`): write a value or a variable in its place")
	errTooLong = fmt.Errorf("it is longer than %d bytes", maxLine)
)

// split reads text as a POSIX shell does, as far as command lines with plain
// values and variables go, and returns the words of each command.
func split(text string) ([][]word, error) {
	if len(text) > maxLine {
		return nil, errTooLong
	}
	l := lexer{rest: strings.ReplaceAll(text, "\r", "")} // which editors on Windows put at the end of lines
	for l.rest != "" {
		if err := l.next(); err != nil {
			return nil, err
		}
	}
	l.endCommand()
	return l.commands, nil
}

type lexer struct {
	rest     string
	commands [][]word
	words    []word
	inWord   bool
	raw      []byte // of the word
	text     []byte
	refers   []string
	dropped  bool // the next word is the file of a redirection
}

// next reads one character, or what belongs together.
func (l *lexer) next() error {
	switch c := l.rest[0]; {
	case strings.HasPrefix(l.rest, "\\\n"):
		l.rest = l.rest[2:] // the line goes on
	case c == ' ' || c == '\t':
		l.endWord()
		l.rest = l.rest[1:]
	case strings.IndexByte("\n;&|()", c) >= 0:
		l.endCommand()
		l.rest = l.rest[1:]
	case c == '<' || c == '>':
		l.redirect()
	case c == '#' && !l.inWord:
		_, l.rest, _ = strings.Cut(l.rest, "\n")
		l.endCommand()
	case c == '\'':
		return l.single()
	case c == '"':
		return l.double()
	case c == '`':
		return errCommand
	case c == '$':
		return l.reference()
	case c == '\\' && len(l.rest) > 1:
		l.take(2, l.rest[1:2])
	default:
		l.take(1, l.rest[:1])
	}
	return nil
}

// take moves n bytes into the word, which mean text.
func (l *lexer) take(n int, text string) {
	l.inWord = true
	l.raw = append(l.raw, l.rest[:n]...)
	l.text = append(l.text, text...)
	l.rest = l.rest[n:]
}

func (l *lexer) endWord() {
	if l.inWord && !l.dropped {
		l.words = append(l.words, word{string(l.raw), string(l.text), l.refers})
	}
	if l.inWord {
		l.dropped = false
	}
	l.forget()
}

func (l *lexer) forget() { l.inWord, l.raw, l.text, l.refers = false, nil, nil, nil }

func (l *lexer) endCommand() {
	l.endWord()
	if len(l.words) > 0 {
		l.commands = append(l.commands, l.words)
	}
	l.words, l.dropped = nil, false
}

var onlyDigits = regexp.MustCompile(`^[0-9]+$`)

// redirect passes over "> file", "2>&1" and the like, which say nothing of the
// command itself.
func (l *lexer) redirect() {
	if onlyDigits.Match(l.raw) {
		l.forget()
	}
	l.endWord()
	l.rest = strings.TrimLeft(l.rest, "<>&")
	l.dropped = true
}

func (l *lexer) single() error {
	end := strings.IndexByte(l.rest[1:], '\'')
	if end < 0 {
		return errQuote
	}
	l.take(end+2, l.rest[1:end+1])
	return nil
}

func (l *lexer) double() error {
	l.take(1, "")
	for l.rest != "" {
		switch c := l.rest[0]; {
		case c == '"':
			l.take(1, "")
			return nil
		case c == '`':
			return errCommand
		case c == '$':
			if err := l.reference(); err != nil {
				return err
			}
		case strings.HasPrefix(l.rest, "\\\n"):
			l.rest = l.rest[2:]
		case c == '\\' && len(l.rest) > 1 && strings.IndexByte("\"\\$`", l.rest[1]) >= 0:
			l.take(2, l.rest[1:2])
		default:
			l.take(1, l.rest[:1])
		}
	}
	return errQuote
}

// spreadReference is what may belong to a reference, where its lines go on.
var spreadReference = regexp.MustCompile(`^\$(?:\\\n|[A-Za-z0-9_{])*`)

var variableReference = regexp.MustCompile(`^\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})`)

// reference reads $NAME and ${NAME}, and leaves a dollar sign alone that
// stands for itself.
func (l *lexer) reference() error {
	if spread := spreadReference.FindString(l.rest); strings.Contains(spread, "\n") {
		l.rest = strings.ReplaceAll(spread, "\\\n", "") + l.rest[len(spread):] // a shell joins lines first
	}
	if found := variableReference.FindStringSubmatch(l.rest); found != nil {
		name := found[1] + found[2]
		l.refers = append(l.refers, name)
		l.take(len(found[0]), "{env."+name+"}")
		return nil
	}
	if strings.HasPrefix(l.rest, "$(") {
		return errCommand
	}
	if strings.HasPrefix(l.rest, "${") {
		return errors.New("${…} has more than a name in it: write the value, or a variable of its own")
	}
	l.take(1, "$")
	return nil
}

var safeInShell = regexp.MustCompile(`^[A-Za-z0-9_./:=@%+,-]+$`)

// quoteForShell writes a text so that a shell reads it as one word.
func quoteForShell(text string) string {
	if safeInShell.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
