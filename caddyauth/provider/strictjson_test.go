// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestDecodeObject(t *testing.T) {
	tests := map[string]struct {
		text string
		ok   bool
	}{
		"empty":              {`{}`, true},
		"all kinds":          {`{"a":"x","b":1,"c":true,"d":null,"e":[1,[2]],"f":{"g":{}}}`, true},
		"space around":       {" {\"a\":1}\n", true},
		"as deep as allowed": {`{"a":` + strings.Repeat("[", 31) + strings.Repeat("]", 31) + `}`, true},
		"deeper":             {`{"a":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`, false},
		"very deep":          {`{"a":` + strings.Repeat("[", 100000), false},
		"twice":              {`{"a":1,"a":2}`, false},
		"twice, escaped":     {`{"a":1,"\u0061":2}`, false},
		"twice, inside":      {`{"x":[{"a":1,"a":2}]}`, false},
		"same inside":        {`{"a":{"a":1}}`, true},
		"another case":       {`{"a":1,"A":2}`, true},
		"a list":             {`[]`, false},
		"a text":             {`"x"`, false},
		"null":               {`null`, false},
		"nothing":            {``, false},
		"two":                {`{}{}`, false},
		"more":               {`{} x`, false},
		"not closed":         {`{"a":1`, false},
		"wrongly closed":     {`{"a":[1}`, false},
		"comma at the end":   {`{"a":1,}`, false},
		"no quotes":          {`{a:1}`, false},
		"a name no text":     {`{1:1}`, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			object, err := decodeObject([]byte(test.text))
			if (err == nil) != test.ok {
				t.Errorf("decodeObject gives %v, %v", object, err)
			}
		})
	}
}

func TestDecodeObjectErrors(t *testing.T) {
	for _, text := range []string{`{"access_token":"hunter2`, `{"x":hunter2}`, `hunter2`, `{"x":"hunter2","y":nope}`} {
		if _, err := decodeObject([]byte(text)); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("error is %v", err)
		}
	}
}

func TestRepairEscapes(t *testing.T) {
	tests := map[string][2]string{
		"none":             {`{"a":"b\n"}`, `{"a":"b\n"}`},
		"one":              {`{"a":"\'b\'"}`, `{"a":"'b'"}`},
		"after backslash":  {`{"a":"\\'b"}`, `{"a":"\\'b"}`},
		"after two":        {`{"a":"\\\'b"}`, `{"a":"\\'b"}`},
		"backslash at end": {`\'\`, `'\`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := string(repairEscapes([]byte(test[0]))); got != test[1] {
				t.Errorf("repairEscapes gives %s, want %s", got, test[1])
			}
		})
	}
}

func FuzzDecodeObject(f *testing.F) {
	f.Add([]byte(`{"a":[1,{"b":null}]}`))
	f.Add([]byte(`{"a":1,"a":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		object, err := decodeObject(data)
		if err != nil {
			return
		}
		// Whatever is accepted is what the usual decoder reads.
		var usual map[string]any
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		if err := d.Decode(&usual); err != nil {
			t.Fatalf("accepted what is no JSON: %v", err)
		}
		a, _ := json.Marshal(object)
		b, _ := json.Marshal(usual)
		if !bytes.Equal(a, b) {
			t.Fatalf("read %s as %s", b, a)
		}
	})
}

func FuzzRepairEscapes(f *testing.F) {
	f.Add([]byte(`{"error_description":"\'x\'"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		repaired := repairEscapes(data)
		if json.Valid(data) && !bytes.Equal(repaired, data) {
			t.Fatalf("changed valid JSON %s to %s", data, repaired)
		}
	})
}

func FuzzParseToken(f *testing.F) {
	f.Add("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.AAAA")
	f.Add("a.b.c.d.e")
	f.Fuzz(func(t *testing.T, raw string) {
		parsed, err := parseToken(raw)
		if err == nil && (parsed.header == nil || parsed.payload == nil) {
			t.Fatal("a token without parts")
		}
	})
}
