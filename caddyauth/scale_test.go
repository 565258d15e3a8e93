// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
	"github.com/panelauth/caddy-panelauth/caddyauth/session/sessiontest"
)

// BenchmarkScaleFiles is what many sessions cost in a folder, Caddy's default
// storage. Run it with -benchtime 1x: filling the folder takes its time. The
// figures are in docs/scaling.md.
func BenchmarkScaleFiles(b *testing.B) {
	for _, records := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(records), func(b *testing.B) { newFullFolder(b, records).run(b) })
	}
}

// fullFolder is a storage with sessions that end within a day, the same number
// each hour.
type fullFolder struct {
	*site
	storage certmagic.Storage
	store   *sessiontest.FaultyStore // counts
	records int
	cookie  string // of one of the sessions
	took    time.Duration
}

func newFullFolder(b *testing.B, records int) *fullFolder {
	b.Helper()
	storage := &certmagic.FileStorage{Path: newFolder(b)}
	s := newSiteIn(b, storage)
	f := &fullFolder{site: s, storage: storage, store: sessiontest.NewFaultyStore(s.door.storage), records: records}
	began := time.Now()
	m := f.manager(b, time.Now)
	var filling sync.WaitGroup
	const hands = 4
	for hand := range hands {
		filling.Go(func() {
			for i := hand; i < records; i += hands {
				_, cookie, err := m.Begin(context.Background(), scaleRecord(i))
				if err != nil {
					b.Error(err)
					return
				}
				if i == 0 {
					f.cookie = cookie
				}
			}
		})
	}
	filling.Wait()
	f.took = time.Since(began)
	return f
}

// scaleRecord is a session as a provider's sign-in makes it.
func scaleRecord(i int) session.Record {
	return session.Record{
		User: fmt.Sprint("user ", i), Provider: "oidc", Issuer: "https://issuer.example.com",
		Subject: fmt.Sprint(i), SID: fmt.Sprint("sid ", i),
		Claims:  map[string]any{"email": "user@example.com", "name": "A User", "groups": []string{"staff", "admins"}},
		Expires: time.Now().Add(time.Duration(i%24+1) * time.Hour),
	}
}

// manager is one that has nothing in memory.
func (f *fullFolder) manager(b *testing.B, now func() time.Time) *session.Manager {
	b.Helper()
	m, err := session.NewManager(session.Config{
		Secrets: f.settings.secrets, Store: f.store, Now: now,
		StoreTimeout: time.Minute, // a busy disk is slower than people would wait for
	})
	if err != nil {
		b.Fatal(err)
	}
	return m
}

func (f *fullFolder) run(b *testing.B) {
	b.Run("sign-in", func(b *testing.B) {
		m := f.manager(b, time.Now)
		for i := 0; b.Loop(); i++ {
			if s, _, err := m.Begin(b.Context(), scaleRecord(f.records)); err != nil || m.End(b.Context(), s) != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(f.took.Microseconds())/float64(f.records), "µs/sign-in-while-filling")
	})
	b.Run("start", func(b *testing.B) {
		for b.Loop() {
			newSiteIn(b, f.storage, func(h *Handler) { h.CookieSecret = append(h.CookieSecret, "one that makes another door") })
		}
	})
	b.Run("first request of a session", func(b *testing.B) {
		for b.Loop() {
			m := f.manager(b, time.Now)
			if s, err := m.Find(b.Context(), f.cookie, 0); s == nil || err != nil {
				b.Fatal(s, err)
			}
		}
	})
	b.Run("find a user", func(b *testing.B) { f.finds(b, session.Who{User: "user 77"}) })
	b.Run("find a sid", func(b *testing.B) {
		f.finds(b, session.Who{Issuer: "https://issuer.example.com", SID: "sid 77"})
	})
	b.Run("list", func(b *testing.B) {
		for b.Loop() {
			n := 0
			for _, err := range f.manager(b, time.Now).All(b.Context()) {
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
			if n != f.records {
				b.Fatal(n, "sessions")
			}
		}
	})
	b.Run("sweep of nothing", func(b *testing.B) { f.sweeps(b, time.Now) })
	b.Run("sweep of an hour", func(b *testing.B) { f.sweeps(b, in(3*time.Hour)) })
	b.Run("sweep of all", func(b *testing.B) { f.sweeps(b, in(48*time.Hour)) })
}

func in(d time.Duration) func() time.Time { return func() time.Time { return time.Now().Add(d) } }

func (f *fullFolder) finds(b *testing.B, who session.Who) {
	for b.Loop() {
		n := 0
		for _, err := range f.manager(b, time.Now).Of(b.Context(), who) {
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

func (f *fullFolder) sweeps(b *testing.B, now func() time.Time) {
	lists, loads, deletes := f.store.Lists.Load(), f.store.Loads.Load(), f.store.Deletes.Load()
	for b.Loop() {
		if err := f.manager(b, now).Sweep(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(f.store.Lists.Load()-lists)/float64(b.N), "lists/op")
	b.ReportMetric(float64(f.store.Loads.Load()-loads)/float64(b.N), "loads/op")
	b.ReportMetric(float64(f.store.Deletes.Load()-deletes)/float64(b.N), "deletes/op")
}

// BenchmarkScaleLook is what it costs to look after many open connections,
// which is done four times a second.
func BenchmarkScaleLook(b *testing.B) {
	for _, many := range []int{1000, 10_000} {
		b.Run(fmt.Sprint(many), func(b *testing.B) {
			s := newSite(b)
			s.door.stop() // nobody else looks
			var one *session.Session
			for i := range many {
				if i%100 == 0 { // each user has so many
					_, value, _ := strings.Cut(s.signInAlice(), "=")
					one, _ = s.door.sessions.Find(b.Context(), value, 0)
				}
				s.door.live.add(&connection{handler: s.Handler, session: one})
			}
			b.ReportAllocs()
			s.door.live.look(b.Context(), s.door, false) // knows the accounts then
			for b.Loop() {
				s.door.live.look(b.Context(), s.door, false)
			}
		})
	}
}
