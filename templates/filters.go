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

	"github.com/nikolalohinski/gonja/v2/builtins"
	"github.com/nikolalohinski/gonja/v2/exec"
)

const (
	// turnsName is the filter that every loop's items go through. No template
	// can spell it.
	turnsName = "\x00turns"
	// maxNumber bounds arguments that are a width, a length or a count.
	maxNumber = 1000
	// maxArgument bounds, in bytes, the texts among a filter's arguments.
	maxArgument = 1 << 10
)

// filters are what a template can put a value through: those of Jinja2 that a
// page may want, without those that pick at random, make links of text or
// look into Go values.
var filters = map[string]exec.FilterFunction{
	"abs":         library("abs"),
	"batch":       sized("batch"),
	"capitalize":  onText(capitalize),
	"center":      sized("center"),
	"count":       library("length"),
	"d":           library("default"),
	"default":     library("default"),
	"dictsort":    library("dictsort"),
	"e":           library("escape"),
	"escape":      library("escape"),
	"first":       library("first"),
	"float":       library("float"),
	"forceescape": library("forceescape"),
	"format":      limited(format),
	"groupby":     overItems("groupby"),
	"indent":      sized("indent"),
	"int":         library("int"),
	"items":       library("items"),
	"join":        overItems("join"),
	"last":        library("last"),
	"length":      library("length"),
	"list":        library("list"),
	"lower":       onText(strings.ToLower),
	"map":         overItems("map"),
	"max":         overItems("max"),
	"min":         overItems("min"),
	"reject":      overItems("reject"),
	"rejectattr":  overItems("rejectattr"),
	"replace":     library("replace"),
	"reverse":     limited(reverse),
	"round":       sized("round"),
	"safe":        library("safe"),
	"select":      overItems("select"),
	"selectattr":  overItems("selectattr"),
	"slice":       sized("slice"),
	"sort":        overItems("sort"),
	"string":      library("string"),
	"striptags":   library("striptags"),
	"sum":         overItems("sum"),
	"title":       onText(title),
	"tojson":      limited(toJSON),
	"trim":        library("trim"),
	"truncate":    sized("truncate"),
	"unique":      overItems("unique"),
	"upper":       onText(strings.ToUpper),
	"urlencode":   limited(urlEncode),
	"wordcount":   library("wordcount"),
	"wordwrap":    sized("wordwrap"),
	"xmlattr":     limited(xmlAttributes),
}

// environment is all that a template can use, apart from its page's variables.
var environment = newEnvironment()

func newEnvironment() *exec.Environment {
	all := map[string]exec.FilterFunction{turnsName: turns}
	for name, filter := range filters {
		all[name] = filter
	}
	return &exec.Environment{
		Filters:           exec.NewFilterSet(all),
		Tests:             builtins.Tests,
		ControlStructures: exec.NewControlStructureSet(statements),
		Context:           exec.NewContext(map[string]any{"range": count}),
		Methods:           methods(),
	}
}

// library is one of the library's own filters, with its input, its arguments
// and its output bounded.
func library(name string) exec.FilterFunction {
	filter, ok := builtins.Filters.Get(name)
	if !ok {
		panic("templates: no filter " + name)
	}
	return limited(filter)
}

// overItems is a filter of the library's that goes over a list. Of a text it
// gets the characters, where it would go over the bytes.
func overItems(name string) exec.FilterFunction {
	filter := library(name)
	return func(e *exec.Evaluator, in *exec.Value, params *exec.VarArgs) *exec.Value {
		return filter(e, characters(in), params)
	}
}

func characters(v *exec.Value) *exec.Value {
	if !v.IsString() {
		return v
	}
	return exec.AsValue(strings.Split(v.String(), ""))
}

// sized is a filter of the library's that makes as much as a number says.
func sized(name string) exec.FilterFunction {
	filter := library(name)
	return func(e *exec.Evaluator, in *exec.Value, params *exec.VarArgs) *exec.Value {
		for _, arg := range params.Args {
			if tooHigh(arg) {
				return exec.AsValue(fmt.Errorf("too high a number for the filter %q", name))
			}
		}
		for _, arg := range params.KwArgs {
			if tooHigh(arg) {
				return exec.AsValue(fmt.Errorf("too high a number for the filter %q", name))
			}
		}
		return filter(e, in, params)
	}
}

func tooHigh(v *exec.Value) bool {
	n := v.Integer()
	return n > maxNumber || n < -maxNumber
}

func limited(filter exec.FilterFunction) exec.FilterFunction {
	return func(e *exec.Evaluator, in *exec.Value, params *exec.VarArgs) *exec.Value {
		if size(in) > maxText || argumentsSize(params) > maxArgument {
			return exec.AsValue(errTextTooLong)
		}
		out := filter(e, in, params)
		if size(out) > maxText {
			return exec.AsValue(errTextTooLong)
		}
		return out
	}
}

// onText is a filter without arguments that makes one text of another.
func onText(change func(string) string) exec.FilterFunction {
	return limited(func(_ *exec.Evaluator, in *exec.Value, params *exec.VarArgs) *exec.Value {
		if in.IsError() {
			return in
		}
		if err := params.Take(); err != nil {
			return exec.AsValue(exec.ErrInvalidCall(err))
		}
		return exec.AsValue(change(in.String()))
	})
}

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
