// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

func pauseNot() {}

// TestMatchesBcrypt compares with the library, at passwords of every length.
func TestMatchesBcrypt(t *testing.T) {
	for length := range bcryptMaxLength + 1 {
		password := []byte(strings.Repeat("pä\x00$1", 15))[:length]
		hash, err := bcrypt.GenerateFromPassword(password, bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		if !matchesBcrypt(string(hash), password, pauseNot) {
			t.Errorf("the password of %d bytes does not match", length)
		}
		other := append(bytes.Clone(password[:max(length-1, 0)]), 'x')
		if matchesBcrypt(string(hash), other, pauseNot) {
			t.Errorf("another password of %d bytes matches", length)
		}
	}
}

// TestMatchesBcryptPauses counts the rounds, which are the cost.
func TestMatchesBcryptPauses(t *testing.T) {
	for cost := 4; cost < 8; cost++ {
		rounds := 0
		matchesBcrypt(bcryptDummy(cost), []byte("x"), func() { rounds++ })
		if rounds != 1<<cost {
			t.Errorf("cost %d: %d rounds", cost, rounds)
		}
	}
}

func FuzzMatchesBcrypt(f *testing.F) {
	f.Add([]byte("password"), []byte("password"))
	f.Add([]byte("abc"), []byte("abc\x00abc"))
	f.Add([]byte(""), []byte("\x00"))
	f.Fuzz(func(t *testing.T, password, typed []byte) {
		if len(password) > bcryptMaxLength {
			t.Skip()
		}
		hash, err := bcrypt.GenerateFromPassword(password, bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		want := bcrypt.CompareHashAndPassword(hash, typed) == nil
		if got := matchesBcrypt(string(hash), typed, pauseNot); got != want {
			t.Errorf("%q for %q: %t, want %t", typed, password, got, want)
		}
	})
}
