// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"errors"
	"fmt"

	controls "github.com/nikolalohinski/gonja/v2/builtins/control_structures"
	"github.com/nikolalohinski/gonja/v2/exec"
	"github.com/nikolalohinski/gonja/v2/nodes"
	"github.com/nikolalohinski/gonja/v2/parser"
	"github.com/nikolalohinski/gonja/v2/tokens"
)

const (
	// maxWork bounds a page's work, in bytes of template gone through.
	maxWork = 4 << 20
	// minWork is what any statement and any turn of a loop costs at least.
	minWork = 256
	// includeWork is what reading another file costs.
	includeWork = 32 << 10
	// maxNesting bounds statements and macros within each other.
	maxNesting = 32
	// maxText bounds, in bytes, a variable and what a filter takes or gives.
	maxText = 32 << 10
	// budgetName is where a page's budget lies among its variables. No
	// template can spell it.
	budgetName = "\x00budget"
)

// budget keeps a template from taking long, or from calling itself until
// there is no memory left, which nothing could recover from.
type budget struct{ work, nesting int }

var (
	errTooMuchWork    = errors.New("the page takes too much work")
	errTooMuchNesting = errors.New("too many statements or macros within each other")
	errTextTooLong    = errors.New("a text is too long")
)

func budgetOf(c *exec.Context) *budget {
	value, _ := c.Get(budgetName)
	b, ok := value.(*budget)
	if !ok {
		return &budget{work: maxWork}
	}
	return b
}

func (b *budget) spend(times, work int) error {
	b.work += times * max(work, minWork)
	if b.work > maxWork {
		return errTooMuchWork
	}
	return nil
}

func (b *budget) enter(work int) error {
	if b.nesting++; b.nesting > maxNesting {
		return errTooMuchNesting
	}
	return b.spend(1, work)
}

func (b *budget) leave() { b.nesting-- }

// statements are what a template can say in {% … %}.
var statements = map[string]parser.ControlStructureParser{
	"autoescape": bounded("autoescape"),
	"block":      bounded("block"),
	"extends":    parseExtends,
	"filter":     bounded("filter"),
	"for":        bounded("for"),
	"if":         bounded("if"),
	"include":    bounded("include"),
	"macro":      bounded("macro"),
	"raw":        bounded("raw"),
	"set":        bounded("set"),
}

// statement is one of the library's, within the page's budget.
type statement struct {
	exec.ControlStructure
	kind string
	name string // of the macro or variable that it makes
	work int
}

// bounded parses a statement of the library's and binds it to the budget.
func bounded(kind string) parser.ControlStructureParser {
	return func(p, args *parser.Parser) (nodes.ControlStructure, error) {
		parse, ok := controls.All.Get(kind)
		if !ok {
			return nil, fmt.Errorf("no statement %q", kind)
		}
		start, name := p.Current(), args.Current()
		inner, err := parse(p, args)
		if err != nil {
			return nil, at(start, name, err)
		}
		control, ok := inner.(exec.ControlStructure)
		if !ok {
			return nil, fmt.Errorf("the statement %q cannot run", kind)
		}
		s := &statement{ControlStructure: control, kind: kind, name: name.Val, work: p.Current().Pos - start.Pos}
		if loop, ok := inner.(*controls.ForControlStructure); ok {
			loop.ObjectEvaluator = counted(loop.ObjectEvaluator, start, s.work)
		}
		if kind == "include" {
			s.work = includeWork
		}
		return s, nil
	}
}

// at gives an error the line of the statement that it is in, unless it has
// one: that of its first argument or, without, of what comes after it.
func at(next, argument *tokens.Token, err error) error {
	var syntax *parser.SyntaxError
	var known *fault
	if errors.As(err, &known) || errors.As(err, &syntax) && syntax.Line > 0 {
		return err
	}
	if argument.Line > 0 {
		next = argument
	}
	return &fault{line: next.Line, what: brief(err.Error())}
}

// Execute runs the statement if there is budget left for it.
func (s *statement) Execute(r *exec.Renderer, tag *nodes.ControlStructureBlock) error {
	b := budgetOf(r.Environment.Context)
	defer b.leave()
	if err := b.enter(s.work); err != nil {
		return err
	}
	if err := s.ControlStructure.Execute(r, tag); err != nil {
		return err
	}
	switch s.kind {
	case "set":
		return s.boundVariable(r.Environment.Context)
	case "macro":
		s.boundMacro(r.Environment.Context)
	}
	return nil
}

// boundVariable keeps variables from doubling line by line.
func (s *statement) boundVariable(c *exec.Context) error {
	value, _ := c.Get(s.name)
	if size(exec.ToValue(value)) > maxText {
		return errTextTooLong
	}
	return nil
}

// boundMacro puts a macro in place of itself that counts its calls.
func (s *statement) boundMacro(c *exec.Context) {
	value, _ := c.Get(s.name)
	macro, ok := value.(exec.Macro)
	if !ok {
		return
	}
	c.Set(s.name, exec.Macro(func(params *exec.VarArgs) *exec.Value {
		b := budgetOf(c)
		defer b.leave()
		if err := b.enter(s.work); err != nil {
			return exec.AsValue(err)
		}
		if argumentsSize(params) > maxText {
			return exec.AsValue(errTextTooLong)
		}
		return macro(params)
	}))
}

// counted puts what a loop goes over through the filter turns.
func counted(over nodes.Expression, at *tokens.Token, work int) nodes.Expression {
	return &nodes.FilteredExpression{
		Expression: over,
		Filters: []*nodes.FilterCall{{
			Token:  at,
			Name:   turnsName,
			Args:   []nodes.Expression{&nodes.Integer{Location: at, Val: work}},
			Kwargs: map[string]nodes.Expression{},
		}},
	}
}

// parseExtends replaces the library's, whose errors lose their place.
func parseExtends(p, args *parser.Parser) (nodes.ControlStructure, error) {
	start, first := p.Current(), args.Current()
	if p.Template.Parent != nil {
		return nil, at(start, first, errors.New("this template extends another one already"))
	}
	name := args.Match(tokens.String)
	if name == nil || !args.End() {
		return nil, at(start, first, errors.New("extends needs the name of a file, in quotes"))
	}
	// The library wraps what Read says into a text: ask for it first.
	if _, err := p.Loader.Read(name.Val); err != nil {
		return nil, err
	}
	parent, err := p.Extend(name.Val)
	if err != nil {
		return nil, placed(name.Val, err)
	}
	p.Template.Parent = parent
	return &extends{start}, nil
}

// placed gives an error of another file that file's name.
func placed(file string, err error) error {
	var known *fault
	if errors.As(err, &known) {
		return known
	}
	var syntax *parser.SyntaxError
	if errors.As(err, &syntax) {
		return &fault{file: file, line: max(syntax.Line, 1), what: brief(syntax.Message)}
	}
	return &fault{file: file, line: 1, what: brief(err.Error())}
}

// extends does nothing when the template runs: it did all when it was read.
type extends struct{ at *tokens.Token }

func (e *extends) Position() *tokens.Token { return e.at }
func (e *extends) String() string          { return "extends" }

// size is about how many bytes a value takes as text. It stops counting where
// it is too much anyway: a list of lists of one list can be endless.
func size(v *exec.Value) int { return sizeUpTo(v, maxText+1) }

func sizeUpTo(v *exec.Value, limit int) int {
	if v.IsString() {
		return len(v.String())
	}
	total := 1
	if !v.IsList() && !v.IsDict() {
		return total
	}
	v.Iterate(func(_, _ int, key, value *exec.Value) bool {
		total += sizeUpTo(key, limit-total)
		if value != nil {
			total += sizeUpTo(value, limit-total)
		}
		return total < limit
	}, func() {})
	return total
}

func argumentsSize(params *exec.VarArgs) int {
	total := 0
	for _, arg := range params.Args {
		total += size(arg)
	}
	for _, arg := range params.KwArgs {
		total += size(arg)
	}
	return total
}
