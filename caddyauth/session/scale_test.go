// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// nowhere is a store that keeps nothing, so that memory is the Manager's.
type nowhere struct{}

func (nowhere) Save(context.Context, string, []byte, time.Time) error { return nil }
func (nowhere) Load(context.Context, string) ([]byte, error)          { return nil, session.ErrNotFound }
func (nowhere) Delete(context.Context, string) error                  { return nil }
func (nowhere) List(context.Context, string) ([]string, error)        { return nil, nil }
func (nowhere) Lock(context.Context, string) (func(), error)          { return func() {}, nil }

// BenchmarkScaleMemory is what many sessions in use cost in memory, and how
// long it takes to find one. Run it with -benchtime 100000x. The figures are in
// docs/scaling.md.
func BenchmarkScaleMemory(b *testing.B) {
	for name, record := range map[string]func() session.Record{"password": ofPassword, "provider": ofProvider} {
		for _, many := range []int{100_000, 1_000_000} {
			b.Run(fmt.Sprint(name, "/", many), func(b *testing.B) { scaleMemory(b, record, many) })
		}
	}
}

func ofPassword() session.Record {
	r := record()
	r.Claims = map[string]any{"user": "alice", "username": "alice"}
	return r
}

// ofProvider has what a provider says of a user, and its tokens.
func ofProvider() session.Record {
	r := record()
	r.Provider, r.Issuer, r.Subject, r.SID = "oidc", "https://issuer.example.com", "248289761001", "08a5019c-17e1-4977-8f42-65a12843ea02"
	r.Claims = map[string]any{
		"sub": "248289761001", "email": "alice@example.com", "email_verified": true, "name": "Alice Example",
		"preferred_username": "alice", "groups": []string{"staff", "admins"},
	}
	r.Tokens = &session.Tokens{
		Access: strings.Repeat("a", 800), Refresh: strings.Repeat("r", 600), ID: strings.Repeat("i", 1000),
		Expiry: r.Expires,
	}
	return r
}

func scaleMemory(b *testing.B, record func() session.Record, many int) {
	m := newManager(b, nowhere{}, func(c *session.Config) { c.Fresh = lifetime })
	cookies := make([]string, many) // a browser has these
	before := heapAfterGC()
	for i := range cookies {
		_, cookie, err := m.Begin(background, record())
		if err != nil {
			b.Fatal(err)
		}
		cookies[i] = cookie
	}
	after := heapAfterGC()
	inCookies := 0
	for _, cookie := range cookies {
		inCookies += len(cookie)
	}
	began := time.Now()
	runtime.GC()
	collecting := time.Since(began)
	began = time.Now()
	m.Forget(began)
	forgetting := time.Since(began)

	order := rand.Perm(many)
	for i := 0; b.Loop(); i++ {
		if s, err := m.Find(background, cookies[order[i%many]], time.Hour); s == nil || err != nil {
			b.Fatal(s, err)
		}
	}
	if held, _ := m.Known(); held != many {
		b.Errorf("%d of %d are in memory", held, many)
	}
	b.ReportMetric(float64(after-before-uint64(inCookies))/float64(many), "B/session")
	b.ReportMetric(float64(collecting.Microseconds())/1000, "ms/GC")
	b.ReportMetric(float64(forgetting.Microseconds())/1000, "ms/forget")
}

func heapAfterGC() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
