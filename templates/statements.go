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
