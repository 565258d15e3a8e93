// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package redisstore

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// BenchmarkScaleRedis is what many sessions cost in a Redis. Run it with
// -benchtime 1x. The figures are in docs/scaling.md.
func BenchmarkScaleRedis(b *testing.B) {
	for _, records := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(records), func(b *testing.B) { scaleRedis(b, records) })
	}
}

func scaleRedis(b *testing.B, records int) {
	s := serve(b, "--save", "")
	before := s.memory()
	began := time.Now()
	fill(b, scaleManager(b, s), records)
	perSession := float64(s.memory()-before) / float64(records)
	signIn := float64(time.Since(began).Microseconds()) / float64(records)

	b.Run("sign-in", func(b *testing.B) {
		m := scaleManager(b, s)
		for b.Loop() {
			if one, _, err := m.Begin(b.Context(), scaleRecord(records)); err != nil || m.End(b.Context(), one) != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(signIn, "µs/sign-in-while-filling")
		b.ReportMetric(perSession, "B/session")
	})
	b.Run("find a user", func(b *testing.B) {
		finds(b, s, session.Who{User: "user 77"})
	})
	b.Run("find a sid", func(b *testing.B) {
		finds(b, s, session.Who{Issuer: "https://issuer.example.com", SID: "sid 77"})
	})
	b.Run("list", func(b *testing.B) {
		for b.Loop() {
			n := 0
			for _, err := range scaleManager(b, s).All(b.Context()) {
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
			if n != records {
				b.Fatal(n, "sessions")
			}
		}
	})
}

// scaleManager is one that has nothing in memory.
func scaleManager(b *testing.B, s *server) *session.Manager {
	b.Helper()
	address, err := Parse(s.url())
	if err != nil {
		b.Fatal(err)
	}
	store := New(address, zap.NewNop())
	b.Cleanup(func() { store.Close() })
	m, err := session.NewManager(session.Config{
		Secrets: [][]byte{[]byte("a secret of thirty-two characters")}, Store: store,
		StoreTimeout: time.Minute, // a busy machine is slower than people would wait for
	})
	if err != nil {
		b.Fatal(err)
	}
	return m
}

func fill(b *testing.B, m *session.Manager, records int) {
	b.Helper()
	var filling sync.WaitGroup
	const hands = 8
	for hand := range hands {
		filling.Go(func() {
			for i := hand; i < records; i += hands {
				if _, _, err := m.Begin(context.Background(), scaleRecord(i)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	filling.Wait()
}

// scaleRecord is a session as a provider's sign-in makes it, of those that end
// within a day.
func scaleRecord(i int) session.Record {
	return session.Record{
		User: fmt.Sprint("user ", i), Provider: "oidc", Issuer: "https://issuer.example.com",
		Subject: fmt.Sprint(i), SID: fmt.Sprint("sid ", i),
		Claims:  map[string]any{"email": "user@example.com", "name": "A User", "groups": []string{"staff", "admins"}},
		Expires: time.Now().Add(time.Duration(i%24+1) * time.Hour),
	}
}

func finds(b *testing.B, s *server, who session.Who) {
	for b.Loop() {
		n := 0
		for _, err := range scaleManager(b, s).Of(b.Context(), who) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != 1 {
			b.Fatal(n, "sessions")
		}
	}
}

var usedMemory = regexp.MustCompile(`used_memory:(\d+)`)

// memory is how many bytes the server uses.
func (s *server) memory() int {
	s.t.Helper()
	found := usedMemory.FindStringSubmatch(s.ask("info", "memory"))
	if found == nil {
		s.t.Fatal("the server does not say how much memory it uses")
	}
	n, _ := strconv.Atoi(found[1])
	return n
}
