// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/gorilla/securecookie"
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

// TestTicket: what is sealed as a ticket is one only if it is as long as one.
func TestTicket(t *testing.T) {
	s, err := newSealer([][]byte{[]byte("a secret")})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1795295794, 0)
	want := ticket{newSecretID(), now.Unix(), now.Add(time.Hour).Unix()}
	for more, good := range map[int]bool{-1: false, 0: true, 1: false} {
		plain := append(want.encode(), 0)[:ticketSize+more]
		cookie, err := securecookie.EncodeMulti(ticketName, plain, s.cookies...)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := s.openTicket(cookie, now)
		if ok != good || ok && !reflect.DeepEqual(got, want) {
			t.Errorf("%d bytes: %v, %t", len(plain), got, ok)
		}
	}
	cookie, _ := s.sealTicket(want)
	for _, at := range []time.Time{now.Add(-2 * skew), now.Add(time.Hour)} {
		if _, ok := s.openTicket(cookie, at); ok {
			t.Errorf("it is good %s after it was made", at.Sub(now))
		}
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
