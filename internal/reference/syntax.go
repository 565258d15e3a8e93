// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"go/ast"
	goparser "go/parser"
	"go/token"
	"strings"
)

// subdirective is what the syntax block says of one.
type subdirective struct {
	name string
	// lines are its forms, one below the other, blocks indented.
	lines []string
}

// readSyntax reads the syntax block in the comment of parseDirective, which a
// test of that package compares with what is parsed.
func readSyntax(file string) ([]subdirective, error) {
	source, err := goparser.ParseFile(token.NewFileSet(), file, nil, goparser.ParseComments)
	if err != nil {
		return nil, err
	}
	for _, declaration := range source.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if ok && function.Name.Name == "parseDirective" {
			return parseSyntax(function.Doc.Text()), nil
		}
	}
	return nil, fmt.Errorf("%s has no function parseDirective", file)
}

// parseSyntax finds the lines that are indented as the lines of the directive's
// block are.
func parseSyntax(comment string) []subdirective {
	var found []subdirective
	for line := range strings.Lines(comment) {
		line, inBlock := strings.CutPrefix(strings.TrimRight(line, "\n"), "\t\t")
		if !inBlock || strings.HasPrefix(line, "#") {
			continue
		}
		name, _, _ := strings.Cut(line, " ")
		last := len(found) - 1
		switch {
		case strings.HasPrefix(line, "\t") || line == "}" || last >= 0 && found[last].name == name:
			found[last].lines = append(found[last].lines, line)
		default:
			found = append(found, subdirective{name: name, lines: []string{line}})
		}
	}
	return found
}

// option is the line for an option in the block of a subdirective, with what
// its own block takes; "" if there is none.
func (s subdirective) option(key string) string {
	for i, line := range s.lines {
		if name, _, _ := strings.Cut(line, " "); name != "\t"+key {
			continue
		}
		text := strings.TrimSpace(line)
		for _, inner := range s.lines[i+1:] {
			if !strings.HasSuffix(line, "{") || strings.HasSuffix(text, "}") {
				break
			}
			text += " " + strings.TrimSpace(inner)
		}
		return text
	}
	return ""
}
