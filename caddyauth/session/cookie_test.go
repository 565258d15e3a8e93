// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// withClaims returns a record with so many bytes that cannot be compressed.
func withClaims(size int) session.Record {
	r, token := record(), make([]byte, size/2)
	_, _ = rand.Read(token)
	r.Claims = map[string]any{"token": fmt.Sprintf("%x", token)}
	return r
}

func TestCookieSizes(t *testing.T) {
	for _, c := range []struct {
		size int
		want error
	}{
		{0, nil}, {1000, nil}, {5000, nil}, {10_000, nil}, {16_000, session.ErrTooLarge}, {200_000, session.ErrTooLarge},
	} {
		t.Run(fmt.Sprint(c.size), func(t *testing.T) {
			m := newManager(t, nil)
			s, cookie, err := m.Begin(background, withClaims(c.size))
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if err != nil {
				return
			}
			chunks := session.Split(cookie)
			if len(chunks) > 4 {
				t.Errorf("%d chunks", len(chunks))
			}
			found := wantFound(t, newManager(t, nil), session.Join(chunks), 0)
			if found.ID != s.ID || found.Claims["token"] != s.Claims["token"] {
				t.Errorf("got %v", found.Record)
			}
			if len(chunks) > 1 { // a browser that lost one
				wantNone(t, newManager(t, nil), session.Join(chunks[1:]), 0)
				wantNone(t, newManager(t, nil), session.Join(chunks[:len(chunks)-1]), 0)
			}
		})
	}
}

func TestTicketSize(t *testing.T) {
	_, cookie, err := newManager(t, newStore()).Begin(background, withClaims(100_000))
	if err != nil || len(cookie) > 176 { // each request carries it
		t.Errorf("%d bytes, %v", len(cookie), err)
	}
}

func TestCookiesAreSealed(t *testing.T) {
	bothModes(t, func(t *testing.T, store session.Store) {
		_, cookie := begin(t, newManager(t, store))
		if strings.Trim(cookie, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=") != "" {
			t.Errorf("%q is not fit for a cookie", cookie)
		}
	})
}

func TestSplit(t *testing.T) {
	for size, want := range map[int]int{
		0: 1, 1: 1, session.MaxChunk: 1, session.MaxChunk + 1: 2, session.MaxRecordCookie: 4,
	} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			value := strings.Repeat("0123456789", size/10+1)[:size]
			chunks := session.Split(value)
			if len(chunks) != want || session.Join(chunks) != value {
				t.Errorf("%d chunks", len(chunks))
			}
			for _, chunk := range chunks {
				if len(chunk) > session.MaxChunk {
					t.Errorf("one has %d bytes", len(chunk))
				}
			}
		})
	}
}

func FuzzSplit(f *testing.F) {
	f.Add("", 1)
	f.Add("abc", 4000)
	f.Fuzz(func(t *testing.T, value string, times int) {
		value = strings.Repeat(value, max(0, times%5000))
		if len(value) < 1<<20 && session.Join(session.Split(value)) != value {
			t.Error("not what was split")
		}
	})
}
