// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nikolalohinski/gonja/v2/exec"
)

// Filters of our own stand in for the library's where those read bytes for
// characters, let too much through, or undo a value's disguise.

func capitalize(s string) string {
	_, first := utf8.DecodeRuneInString(s)
	return strings.ToUpper(s[:first]) + strings.ToLower(s[first:])
}

func title(s string) string {
	inWord := false
	return strings.Map(func(r rune) rune {
		first := !inWord
		inWord = unicode.IsLetter(r) || unicode.IsDigit(r) || inWord && r == disguise+'\''
		if first {
			return unicode.ToTitle(r)
		}
		return unicode.ToLower(r)
	}, s)
}

func reverse(e *exec.Evaluator, in *exec.Value, params *exec.VarArgs) *exec.Value {
	if !in.IsString() {
		return library("reverse")(e, in, params)
	}
	runes := []rune(in.String())
	slices.Reverse(runes)
	return exec.AsValue(string(runes))
}

var (
	wide       = regexp.MustCompile(`%[^a-zA-Z%]*(\*|\d{4})`)
	stringVerb = regexp.MustCompile(`(%[-\d.]*)s`)
)

// format is Python's %, as far as Go's verbs are the same.
func format(_ *exec.Evaluator, in *exec.Value, params *exec.VarArgs) *exec.Value {
	if in.IsError() {
		return in
	}
	if wide.MatchString(in.String()) {
		return exec.AsValue(errors.New("too wide a format"))
	}
	var args []any
	for _, arg := range params.Args {
		if arg.IsNumber() {
			args = append(args, arg.Interface())
		} else {
			args = append(args, arg.String())
		}
	}
	return exec.AsValue(fmt.Sprintf(stringVerb.ReplaceAllString(in.String(), "${1}v"), args...))
}

// urlEncode escapes values as they were before their disguise. What comes out
// needs none.
func urlEncode(_ *exec.Evaluator, in *exec.Value, params *exec.VarArgs) *exec.Value {
	if in.IsError() {
		return in
	}
	if err := params.Take(); err != nil {
		return exec.AsValue(exec.ErrInvalidCall(err))
	}
	if !in.IsDict() {
		escaped := strings.ReplaceAll(queryEscape(in.String()), "%2F", "/")
		return exec.AsValue(escaped)
	}
	var pairs []string
	in.Iterate(func(_, _ int, key, value *exec.Value) bool {
		pairs = append(pairs, queryEscape(key.String())+"="+queryEscape(value.String()))
		return true
	}, func() {})
	return exec.AsValue(strings.Join(pairs, "&"))
}

func queryEscape(s string) string {
	return strings.ReplaceAll(url.QueryEscape(unshield(s)), "+", "%20")
}

var attributeName = regexp.MustCompile(`^[A-Za-z_][\w:.-]*$`)

// xmlAttributes lets nothing through as an attribute's name that is none.
func xmlAttributes(e *exec.Evaluator, in *exec.Value, params *exec.VarArgs) *exec.Value {
	if !in.IsDict() {
		return exec.AsValue(errors.New("xmlattr needs a mapping"))
	}
	for _, key := range in.Keys() {
		if !attributeName.MatchString(key.String()) {
			return exec.AsValue(errors.New("not the name of an attribute"))
		}
	}
	return library("xmlattr")(e, in, params)
}

// turns charges a loop for its items before it begins, and splits a text into
// characters, where the library would go through its bytes.
func turns(e *exec.Evaluator, in *exec.Value, params *exec.VarArgs) *exec.Value {
	if in.IsError() {
		return in
	}
	in = characters(in)
	work := 0
	if len(params.Args) == 1 {
		work = params.Args[0].Integer()
	}
	if err := budgetOf(e.Environment.Context).spend(min(in.Len(), maxWork), work); err != nil {
		return exec.AsValue(err)
	}
	return in
}

// count is Jinja2's range. The library's leaves a goroutine behind where a
// loop does not go to its end.
func count(params *exec.VarArgs) *exec.Value {
	bounds := []int{0, 0, 1}
	switch n := len(params.Args); n {
	case 1:
		bounds[1] = params.Args[0].Integer()
	case 2, 3:
		for i, arg := range params.Args {
			bounds[i] = arg.Integer()
		}
	default:
		return exec.AsValue(errors.New("range takes one to three numbers"))
	}
	first, end, step := bounds[0], bounds[1], bounds[2]
	if step == 0 || slices.ContainsFunc(params.Args, func(v *exec.Value) bool { return !v.IsInteger() || tooHigh(v) }) {
		return exec.AsValue(fmt.Errorf("range takes whole numbers up to %d, and no step of 0", maxNumber))
	}
	list := []int{}
	for i := first; step > 0 && i < end || step < 0 && i > end; i += step {
		list = append(list, i)
	}
	return exec.AsValue(list)
}
