// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestBasicAuthJSON(t *testing.T) {
	tests := []struct {
		json string
		want BasicAuth
	}{
		{`"secret"`, BasicAuth{Source: "secret"}},
		{`"./users.json"`, BasicAuth{Source: "./users.json"}},
		{`""`, BasicAuth{}},
		{`"{env.X}"`, BasicAuth{Source: "{env.X}"}},
		{`{"alice":"pw","*":"other"}`, BasicAuth{Accounts: map[string]string{"alice": "pw", "*": "other"}}},
		{` {"alice":"pw"} `, BasicAuth{Accounts: map[string]string{"alice": "pw"}}},
		{`{}`, BasicAuth{Accounts: map[string]string{}}},
	}
	for _, test := range tests {
		t.Run(test.json, func(t *testing.T) {
			var got BasicAuth
			if err := json.Unmarshal([]byte(test.json), &got); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Fatalf("read as %+v", got)
			}
			written, err := json.Marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			var again BasicAuth
			if err := json.Unmarshal(written, &again); err != nil || !reflect.DeepEqual(again, got) {
				t.Errorf("written as %s, which is %+v, %v", written, again, err)
			}
		})
	}
}

func TestBasicAuthJSONMistakes(t *testing.T) {
	for _, text := range []string{`1`, `true`, `["hunter2"]`, `{"alice":["hunter2"]}`, `{"alice":{"password":"hunter2"}}`, `{"alice":1}`} {
		var b BasicAuth
		err := json.Unmarshal([]byte(text), &b)
		if err == nil {
			t.Errorf("%s is read as %+v", text, b)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error shows the password: %v", text, err)
		}
	}
}

func TestIsCredentialsFile(t *testing.T) {
	for source, want := range map[string]bool{
		"users.json": true, "/etc/users": true, "./users": true, "../users": true, "/": true, "a b.json": true,
		"secret": false, "": false, "json": false, "users.JSON": false, "a/b": false, ".hidden": false, "users.json ": false, "~/users": false, "..x": false,
	} {
		if got := isCredentialsFile(source); got != want {
			t.Errorf("%q is a file: %t", source, got)
		}
	}
}
