// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/nikolalohinski/gonja/v2/exec"
)

// maxJSONDepth bounds lists and mappings within each other.
const maxJSONDepth = 8

// toJSON is for values in scripts, where an entity would stay an entity. All
// that is not a letter or a digit is written as \u…, so that a value says
// nothing to HTML either, even where it stands in an attribute without quotes.
func toJSON(_ *exec.Evaluator, in *exec.Value, _ *exec.VarArgs) *exec.Value {
	if in.IsError() {
		return in
	}
	var out strings.Builder
	if err := writeJSON(&out, in, maxJSONDepth); err != nil {
		return exec.AsValue(err)
	}
	return exec.AsSafeValue(out.String())
}

func writeJSON(out *strings.Builder, v *exec.Value, depth int) error {
	switch {
	case depth == 0:
		return errors.New("too deep for JSON")
	case v.IsNil():
		out.WriteString("null")
	case v.IsString():
		writeJSONString(out, unshield(v.String()))
	case v.IsList():
		return writeJSONList(out, v, depth)
	case v.IsDict():
		return writeJSONObject(out, v, depth)
	case v.IsBool(), v.IsNumber():
		number, err := json.Marshal(v.Interface())
		if err != nil {
			return errors.New("not a number for JSON")
		}
		out.Write(number)
	default:
		return errors.New("not a value for JSON")
	}
	return nil
}

func writeJSONList(out *strings.Builder, v *exec.Value, depth int) (err error) {
	out.WriteByte('[')
	v.Iterate(func(i, _ int, item, _ *exec.Value) bool {
		if i > 0 {
			out.WriteString(", ")
		}
		err = writeJSON(out, item, depth-1)
		return err == nil
	}, func() {})
	out.WriteByte(']')
	return err
}

func writeJSONObject(out *strings.Builder, v *exec.Value, depth int) (err error) {
	out.WriteByte('{')
	v.Iterate(func(i, _ int, key, item *exec.Value) bool {
		if i > 0 {
			out.WriteString(", ")
		}
		writeJSONString(out, unshield(key.String()))
		out.WriteString(": ")
		err = writeJSON(out, item, depth-1)
		return err == nil
	}, func() {})
	out.WriteByte('}')
	return err
}

func writeJSONString(out *strings.Builder, s string) {
	out.WriteByte('"')
	for _, r := range s {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), strings.ContainsRune("_-./:,?", r):
			out.WriteRune(r)
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(out, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(out, `\u%04x`, r)
		}
	}
	out.WriteByte('"')
}
