// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"go/ast"
	goparser "go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// option is an exported field of the configuration.
type option struct {
	key       string // in JSON
	purpose   string
	byDefault string // "Required …" where there is none
	inner     []option
}

func find(options []option, key string) *option {
	i := slices.IndexFunc(options, func(o option) bool { return o.key == key })
	if i < 0 {
		return nil
	}
	return &options[i]
}

// complete says what is missing in the comments of a field and those in it.
func (o *option) complete() error {
	var missing []error
	if o.purpose == "" {
		missing = append(missing, fmt.Errorf("%s: the doc comment does not say what it is for", o.key))
	}
	if o.byDefault == "" {
		missing = append(missing, fmt.Errorf("%s: the doc comment does not end with \"Default: …\" or \"Required\"", o.key))
	}
	for i := range o.inner {
		missing = append(missing, o.inner[i].complete())
	}
	return errors.Join(missing...)
}

// types are those of a package, by name.
type types map[string]ast.Expr

// readOptions reads the fields of a struct, and of the structs they hold.
func readOptions(folder, name string) ([]option, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	known := make(types)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := goparser.ParseFile(token.NewFileSet(), file, nil, goparser.ParseComments|goparser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for node := range ast.Preorder(source) {
			if declared, ok := node.(*ast.TypeSpec); ok {
				known[declared.Name.Name] = declared.Type
			}
		}
	}
	return known.options(known[name]), nil
}

// options are the fields of a type with keys in JSON, if it is a struct, or
// points to some, or holds many.
func (t types) options(of ast.Expr) []option {
	switch of := of.(type) {
	case *ast.StarExpr:
		return t.options(of.X)
	case *ast.ArrayType:
		return t.options(of.Elt)
	case *ast.Ident:
		return t.options(t[of.Name])
	case *ast.StructType:
		var found []option
		for _, field := range of.Fields.List {
			if key := jsonKey(field); key != "" {
				purpose, byDefault := parseComment(field.Doc.Text())
				found = append(found, option{key, purpose, byDefault, t.options(field.Type)})
			}
		}
		return found
	}
	return nil
}

// jsonKey is what a field is called in JSON, "" if it is not there.
func jsonKey(field *ast.Field) string {
	if field.Tag == nil || !field.Names[0].IsExported() {
		return ""
	}
	tag, err := strconv.Unquote(field.Tag.Value)
	if err != nil {
		return ""
	}
	key, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
	return strings.TrimPrefix(key, "-")
}

var defaultAtEnd = regexp.MustCompile(`(?s)^(.*?)\b(?:Default:\s+(.+?)\.?|(Required.*?)\.?)$`)

// parseComment tells what a field is for from what it is by default, which is
// said at the end.
func parseComment(comment string) (purpose, byDefault string) {
	comment = strings.ReplaceAll(strings.TrimSpace(comment), "\n", " ")
	parts := defaultAtEnd.FindStringSubmatch(comment)
	if parts == nil {
		return comment, ""
	}
	return strings.TrimSpace(parts[1]), parts[2] + parts[3]
}
