// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// growing are sizes that a request must not notice. The largest takes long to
// make.
func growing(b *testing.B, largest int) []int {
	sizes := []int{1, 1000}
	if testing.Short() {
		b.Log("NOT MEASURED with -short: the largest size")
		return sizes
	}
	return append(sizes, largest)
}

// askers is how many different sessions ask at the most: more cookies would
// fill the memory by themselves.
const askers = 1 << 14

// BenchmarkSessions is a whole request, of one among many sessions in memory.
func BenchmarkSessions(b *testing.B) {
	for _, sessions := range growing(b, 1_000_000) {
		b.Run(fmt.Sprint("sessions=", sessions), func(b *testing.B) {
			s := newSite(b)
			lines := s.withSessions(b, sessions)
			ask := func(line string) *http.Request {
				return get("/app?x=1", fullBrowser, cookieLine(foreignCookies+"; panelauth="+line))
			}
			serve := func(w http.ResponseWriter, r *http.Request) {
				if err := s.ServeHTTP(w, r, nobody); err != nil {
					b.Fatal(err)
				}
			}
			for _, line := range lines { // the first request of each is another matter
				serve(&discard{header: make(http.Header)}, prepared(ask(line)))
			}
			onEach(b, func() *http.Request { return ask(lines[rand.IntN(len(lines))]) }, serve)
		})
	}
}

// withSessions gives a site sessions, and returns the cookies of some. They are
// in memory alone, in a store that has whatever it is asked for.
func (s *site) withSessions(b *testing.B, n int) (cookies []string) {
	manager, err := session.NewManager(session.Config{
		Secrets: s.settings.secrets, Store: allKnowing{s.door.storage}, MaxSessions: 2 * n * 64, Fresh: time.Hour, Stale: 2 * time.Hour,
	})
	if err != nil {
		b.Fatal(err)
	}
	s.door.sessions = manager
	proof, ok := s.accounts().signIn(testUser, testPassword)
	if !ok {
		b.Fatal("the password is not known")
	}
	record := session.Record{User: testUser, Provider: passwordProvider, Proof: proof, Expires: time.Now().Add(time.Hour)}
	for i := range n {
		_, cookie, err := manager.Begin(context.Background(), record)
		if err != nil {
			b.Fatal(err)
		}
		if i%max(1, n/askers) == 0 {
			cookies = append(cookies, cookie)
		}
	}
	return cookies
}

// allKnowing is a store that keeps nothing and has everything.
type allKnowing struct{ *caddyStorage }

func (allKnowing) Save(context.Context, string, []byte, time.Time) error   { return nil }
func (allKnowing) Load(context.Context, string) ([]byte, error)            { return []byte("1"), nil }
func (allKnowing) Delete(context.Context, string) error                    { return nil }
func (allKnowing) List(context.Context, string) (keys []string, err error) { return nil, nil }

// BenchmarkUsers is a whole request, where many have an account.
func BenchmarkUsers(b *testing.B) {
	for _, users := range growing(b, 100_000) {
		b.Run(fmt.Sprint("users=", users), func(b *testing.B) {
			s := newSite(b, func(h *Handler) {
				h.BasicAuth.Accounts = map[string]string{testUser: testPassword}
				for i := range users - 1 {
					h.BasicAuth.Accounts[fmt.Sprint("user", i)] = "password"
				}
			})
			repeated(b, s, get("/app?x=1", overTLS, fullBrowser, cookieLine(foreignCookies+"; "+s.signInAlice(overTLS))), testUser)
		})
	}
}

// BenchmarkGuestEndpoints is a whole request of a guest, where many pages are
// open.
func BenchmarkGuestEndpoints(b *testing.B) {
	for _, endpoints := range growing(b, 10_000) {
		b.Run(fmt.Sprint("endpoints=", endpoints), func(b *testing.B) {
			pages := []string{"/app"}
			for i := range endpoints - 1 {
				pages = append(pages, fmt.Sprint("/page", i))
			}
			s := newSite(b, guestPages(pages...))
			repeated(b, s, get("/app?x=1", overTLS, fullBrowser, cookieLine(foreignCookies)), guestUser)
		})
	}
}

// BenchmarkAtOnce is a whole request, of as many at once as -cpu says, while
// something else goes on all the time. Making a request is part of it; what
// that costs is the first figure.
func BenchmarkAtOnce(b *testing.B) {
	storage := &certmagic.FileStorage{Path: newFolder(b)}
	s := newSiteIn(b, storage)
	r := get("/app?x=1", overTLS, fullBrowser, cookieLine(foreignCookies+"; "+s.signInAlice(overTLS)))
	serve := func(w http.ResponseWriter, r *http.Request) error { return s.ServeHTTP(w, r, nobody) }
	tests := []struct {
		name  string
		serve func(http.ResponseWriter, *http.Request) error
		other func(context.Context) // returns when it was done once
	}{
		{"making the request alone", nobody, nil},
		{"nothing else", serve, nil},
		{"sign-ins", serve, func(context.Context) { s.in(b).signInAlice(overTLS) }},
		{"reloads", serve, func(ctx context.Context) { reloaded(ctx, storage) }},
		{"sweeps", serve, func(ctx context.Context) { _ = s.door.sessions.Sweep(ctx) }},
	}
	for _, test := range tests {
		b.Run(test.name, func(b *testing.B) {
			defer meanwhile(test.other)()
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := test.serve(&discard{header: make(http.Header)}, prepared(r.Clone(b.Context()))); err != nil {
						b.Error(err)
					}
				}
			})
			b.StopTimer()
		})
	}
}

// meanwhile does something again and again, with pauses as long as itself,
// until stop is called.
func meanwhile(other func(context.Context)) (stop func()) {
	if other == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			start := time.Now()
			other(ctx)
			time.Sleep(time.Since(start))
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// reloaded loads the configuration of a site again and lets it go.
func reloaded(ctx context.Context, storage certmagic.Storage) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	h := &Handler{BasicAuth: &BasicAuth{Accounts: map[string]string{testUser: testPassword}}, CookieSecret: []string{testSecret}}
	if err := h.provision(caddy.Context{Context: ctx}, zap.NewNop(), storage); err == nil {
		_ = h.Cleanup()
	}
}
