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
	sealed, err := s.sealRecord("sessions/1/x", Record{User: "alice"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("sessions/1/x", sealed)
	f.Add("sessions/1/y", sealed)
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		if r, ok := s.openRecord(key, value); ok && (r.User != "alice" || key != "sessions/1/x") {
			t.Errorf("opened %v under %q", r, key)
		}
	})
}
