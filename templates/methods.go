// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"errors"
	"strings"

	"github.com/nikolalohinski/gonja/v2/builtins"
	"github.com/nikolalohinski/gonja/v2/exec"
)

// methods are what a template can call on a value: Python's for texts, as far
// as pages use them, and those of mappings that change nothing.
func methods() exec.Methods {
	dict := map[string]exec.Method[map[string]any]{}
	for _, name := range []string{"get", "items", "keys", "values"} {
		if method, ok := builtins.Methods.Dict.Get(name); ok {
			dict[name] = method
		}
	}
	return exec.Methods{
		Bool:  exec.NewMethodSet(map[string]exec.Method[bool]{}),
		Int:   exec.NewMethodSet(map[string]exec.Method[int]{}),
		Float: exec.NewMethodSet(map[string]exec.Method[float64]{}),
		List:  exec.NewMethodSet(map[string]exec.Method[[]any]{}),
		Dict:  exec.NewMethodSet(dict),
		Str: exec.NewMethodSet(map[string]exec.Method[string]{
			"lower":      plain(strings.ToLower),
			"upper":      plain(strings.ToUpper),
			"capitalize": plain(capitalize),
			"title":      plain(title),
			"strip":      plain(strings.TrimSpace),
			"split":      split,
			"startswith": compared(strings.HasPrefix),
			"endswith":   compared(strings.HasSuffix),
		}),
	}
}

var errArguments = errors.New("wrong arguments")

func plain(change func(string) string) exec.Method[string] {
	return func(s string, _ *exec.Value, params *exec.VarArgs) (any, error) {
		if len(params.Args)+len(params.KwArgs) > 0 {
			return nil, errArguments
		}
		return change(s), nil
	}
}

func compared(test func(s, with string) bool) exec.Method[string] {
	return func(s string, _ *exec.Value, params *exec.VarArgs) (any, error) {
		if len(params.Args) != 1 || !params.Args[0].IsString() {
			return nil, errArguments
		}
		return test(s, params.Args[0].String()), nil
	}
}

func split(s string, _ *exec.Value, params *exec.VarArgs) (any, error) {
	switch {
	case len(s) > maxText:
		return nil, errTextTooLong
	case len(params.Args) == 0:
		return strings.Fields(s), nil
	case len(params.Args) == 1 && params.Args[0].IsTrue():
		return strings.Split(s, params.Args[0].String()), nil
	}
	return nil, errArguments
}
