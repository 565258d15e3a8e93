// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"bytes"
	"errors"
	"testing"
)

func TestInflate(t *testing.T) {
	for _, size := range []int{0, 1, maxRecord} {
		plain := bytes.Repeat([]byte("x"), size)
		got, err := inflate(deflate(plain))
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes became %d, %v", size, len(got), err)
		}
	}
	if _, err := inflate(deflate(make([]byte, 3*maxRecord))); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a bomb gives %v", err)
	}
	if _, err := inflate([]byte("garbage")); err == nil {
		t.Error("garbage gives no error")
	}
}

func FuzzInflate(f *testing.F) {
	f.Add([]byte{})
	f.Add(deflate([]byte(`{"id":"x"}`)))
	f.Fuzz(func(t *testing.T, packed []byte) {
		if plain, err := inflate(packed); err == nil && len(plain) > maxRecord {
			t.Errorf("%d bytes", len(plain))
		}
	})
}

func FuzzOpenRecord(f *testing.F) {
	s, err := newSealer([][]byte{[]byte("a secret")})
	if err != nil {
		f.Fatal(err)
	}
	sealed, err := s.seal("sessions/1/x", Record{User: "alice"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("sessions/1/x", sealed)
	f.Add("sessions/1/y", sealed)
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		var r Record
		if s.open(key, value, &r) && (r.User != "alice" || key != "sessions/1/x") {
			t.Errorf("opened %v under %q", r, key)
		}
	})
}

func FuzzOpenTokens(f *testing.F) {
	s, err := newSealer([][]byte{[]byte("a secret")})
	if err != nil {
		f.Fatal(err)
	}
	key := tokensKey("sessions/1/x")
	sealed, err := s.seal(key, Tokens{Access: "a"})
	if err != nil {
		f.Fatal(err)
	}
	record, err := s.seal("sessions/1/x", Record{Tokens: &Tokens{Access: "b"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(key, sealed)
	f.Add(key, record)
	f.Add("sessions/1/x", sealed)
	f.Fuzz(func(t *testing.T, at string, value []byte) {
		var got Tokens
		if s.open(at, value, &got) && at != "sessions/1/x" && (got.Access != "a" || at != key) {
			t.Errorf("opened tokens under %q", at)
		}
	})
}
