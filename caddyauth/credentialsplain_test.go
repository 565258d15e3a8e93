// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"reflect"
	"testing"
)

// TestParsePlain: which files are read the quick way.
func TestParsePlain(t *testing.T) {
	hash := bcryptDummy(10)
	tests := map[string]bool{
		`{}`:           true,
		` { } ` + "\n": true,
		`{"a":"b"}`:    true,
		"{\r\n\t\"a\" : \"b\" ,\n \"*\":\"" + hash + "\"}\n": true,
		``:                               false,
		`{`:                              false,
		`{"a"}`:                          false,
		`{"a":}`:                         false,
		`{"a":"b"`:                       false,
		`{"a":"b",}`:                     false,
		`{"a":"b" "c":"d"}`:              false,
		`{"a":"b"} x`:                    false,
		`{"a":"b","a":"b"}`:              false,
		`{"*":"b","*":"b"}`:              false,
		`{"a":"\u0062"}`:                 false,
		`{"ä":"b"}`:                      false,
		"{\"a\":\"b\tc\"}":               false,
		`{"a":{"password":"b"}}`:         false,
		`{"a":""}`:                       false,
		`{"guest":"b"}`:                  false,
		`{"a":"$2a$99` + hash[6:] + `"}`: false,
		"\xef\xbb\xbf" + `{"a":"b"}`:     false,
		"{\f}":                           false,
	}
	for file, want := range tests {
		if got := parsePlain([]byte(file)) != nil; got != want {
			t.Errorf("%q: %t", file, got)
		}
	}
}

// FuzzParsePlain: what is read the quick way means the same the long way.
func FuzzParsePlain(f *testing.F) {
	f.Add(`{"a":"b","*":"c"}`)
	f.Add(`{"a":"$2a$10$dummydummydummydummydu..............................."}`)
	f.Add(`{"a":"b","a":"c"}`)
	f.Add(`{ "a" : "b" , "A" : "\\" }`)
	f.Fuzz(func(t *testing.T, file string) {
		quick := parsePlain([]byte(file))
		if quick == nil {
			return
		}
		entries, err := decodeEntries([]byte(file))
		if err != nil {
			t.Fatalf("%q: %v", file, err)
		}
		thorough, err := newAccounts(entries)
		if err != nil || !reflect.DeepEqual(quick, thorough) {
			t.Errorf("%q: %+v, want %+v, %v", file, quick, thorough, err)
		}
	})
}
