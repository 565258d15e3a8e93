// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"reflect"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/parser"
	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// celMatcher makes a matcher known to CEL expressions, as a function of one or
// more texts. Placeholders in them are the expression's, which has replaced
// them: to do it again would replace what a request brings along.
func celMatcher(name string, matcher func([]string) (caddyhttp.RequestMatcherWithError, error)) (cel.Library, error) {
	texts := cel.ListType(cel.StringType)
	return caddyhttp.CELMatcherImpl(name, name+"_request_list", []*cel.Type{texts},
		func(data ref.Val) (caddyhttp.RequestMatcherWithError, error) {
			values, err := data.ConvertToNative(reflect.TypeFor[[]string]())
			if err != nil {
				return nil, err
			}
			return matcher(values.([]string))
		})
}

// CELLibrary implements caddyhttp.CELLibraryProducer. It is written out because
// what Caddy offers for this takes functions with arguments only.
func (m MatchGuest) CELLibrary(caddy.Context) (cel.Library, error) {
	const function = "auth_guest_request"
	macro := cel.GlobalMacro("auth_guest", 0,
		func(factory parser.ExprHelper, _ ast.Expr, _ []ast.Expr) (ast.Expr, *common.Error) {
			return factory.NewCall(function, factory.NewIdent(caddyhttp.CELRequestVarName)), nil
		})
	binding := cel.UnaryBinding(func(value ref.Val) ref.Val {
		native, err := value.ConvertToNative(reflect.TypeFor[*http.Request]())
		if err != nil {
			return types.WrapErr(err)
		}
		r, ok := native.(*http.Request)
		if !ok {
			return types.NewErr("auth_guest was asked about something that is no request")
		}
		matches, _ := m.MatchWithError(r)
		return types.Bool(matches)
	})
	overload := cel.Overload(function, []*cel.Type{cel.ObjectType("http.Request")}, cel.BoolType, binding)
	return caddyhttp.NewMatcherCELLibrary([]cel.EnvOption{cel.Macros(macro), cel.Function(function, overload)}, nil), nil
}
