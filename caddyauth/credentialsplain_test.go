// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"reflect"
	"slices"
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
		``:                    false,
		`{`:                   false,
		`{"a"}`:               false,
		`{"a":}`:              false,
		`{"a":"b"`:            false,
		`{"a":"b",}`:          false,
		`{"a":"b" "c":"d"}`:   false,
		`{"a":"b"} x`:         false,
		`{"a":"b","a":"b"}`:   false,
		`{"*":"b","*":"b"}`:   false,
		`{"a":"\u0062"}`:      false,
		`{"ä":"b"}`:           true,
		`{"a":"ä"}`:           false,
		"{\"\xe4\":\"b\"}":    false,
		"{\"a\u2028\":\"b\"}": false,
		"{\"a\":\"" + hash[:30] + "\n" + hash[31:] + "\"}": false,
		"{\"a\":\"b\tc\"}":               false,
		`{"a":{"password":"b"}}`:         false,
		`{"a":""}`:                       false,
		`{"guest":"b"}`:                  false,
		`{"a":"$2a$99` + hash[6:] + `"}`: false,
		"\xef\xbb\xbf" + `{"a":"b"}`:     false,
		"{\f}":                           false,
	}
	for file, want := range tests {
		if got := parsePlain(file) != nil; got != want {
			t.Errorf("%q: %t", file, got)
		}
	}
}

// TestParsePlainAllocations: an account takes nothing but its place.
func TestParsePlainAllocations(t *testing.T) {
	file := manyUsers(1000)
	if n := testing.AllocsPerRun(5, func() { parsePlain(file) }); n > 50 {
		t.Errorf("%v allocations for 1,000 users", n)
	}
}

// FuzzParsePlain: what is read the quick way means the same the long way.
func FuzzParsePlain(f *testing.F) {
	f.Add(`{"a":"b","*":"c"}`)
	f.Add(`{"a":"b","c":"d","e":"f"}`)
	f.Add(`{"a":"$2a$10$dummydummydummydummydu..............................."}`)
	f.Add(`{"a":"b","a":"c"}`)
	f.Add(`{ "a" : "b" , "A" : "\\" }`)
	f.Fuzz(func(t *testing.T, file string) {
		quick := parsePlain(file)
		if quick == nil {
			return
		}
		entries, err := decodeEntries(file)
		if err != nil {
			t.Fatalf("%q: %v", file, err)
		}
		thorough, err := newAccounts(entries)
		if err != nil || !sameAccounts(quick, thorough) {
			t.Errorf("%q: %+v, want %+v, %v", file, quick, thorough, err)
		}
	})
}

// sameAccounts does not care for the order in which accounts were added.
func sameAccounts(a, b *accounts) bool {
	if len(a.all) != len(b.all) || len(a.effort.argon) != len(b.effort.argon) || a.effort.bcryptCost != b.effort.bcryptCost {
		return false
	}
	for user := range a.places {
		one, _ := a.find(user)
		if other, known := b.find(user); !known || !reflect.DeepEqual(one, other) {
			return false
		}
	}
	for _, kind := range a.effort.argon {
		if !slices.ContainsFunc(b.effort.argon, func(k *hashKind) bool { return k.argon == kind.argon }) {
			return false
		}
	}
	return reflect.DeepEqual(a.anyUser, b.anyUser) && reflect.DeepEqual(a.keys, b.keys)
}
