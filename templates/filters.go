// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"fmt"
	"strings"

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
