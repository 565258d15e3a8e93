// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package redisstore

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
	"github.com/panelauth/caddy-panelauth/caddyauth/session/sessiontest"
)

// instances are several that share a Redis.
func instances(t *testing.T, url string, n int) (all []*session.Manager) {
	t.Helper()
	for range n {
		m, err := session.NewManager(session.Config{Secrets: [][]byte{[]byte("a secret of these tests")}, Store: open(t, url)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { defer close(done); m.Run(ctx) }()
		t.Cleanup(func() { cancel(); <-done })
		all = append(all, m)
	}
	return all
}

func begin(t *testing.T, m *session.Manager) (*session.Session, string) {
	t.Helper()
	now := time.Now()
	s, cookie, err := m.Begin(t.Context(), session.Record{
		User: "alice", Provider: "x", Expires: now.Add(time.Hour),
		Tokens: &session.Tokens{Access: "first", Refresh: "r", Expiry: now.Add(time.Second)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, cookie
}

func find(t *testing.T, m *session.Manager, cookie string) *session.Session {
	t.Helper()
	s, err := m.Find(t.Context(), cookie, 0)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// gate is the way to a Redis, which can be shut and be long.
type gate struct {
	server string
	shut   atomic.Bool
	delay  atomic.Int64

	mu   sync.Mutex
	open []net.Conn
}

func newGate(t *testing.T, server string) (g *gate, url string) {
	t.Helper()
	l := listen(t)
	g = &gate{server: server}
	t.Cleanup(func() { _ = l.Close(); g.set(true) })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go g.pass(client)
		}
	}()
	return g, "redis://" + l.Addr().String()
}

// set shuts the gate, which cuts all connections, or opens it again.
func (g *gate) set(shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut.Store(shut)
	for _, c := range g.open {
		_ = c.Close()
	}
	g.open = nil
}

func (g *gate) pass(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", g.server)
	if err != nil || g.shut.Load() {
		return
	}
	defer server.Close()
	g.mu.Lock()
	g.open = append(g.open, client, server)
	g.mu.Unlock()
	go func() { _, _ = io.Copy(server, client) }()
	answer := make([]byte, 64<<10)
	for {
		n, err := server.Read(answer)
		if err != nil {
			return
		}
		time.Sleep(time.Duration(g.delay.Load()))
		if _, err := client.Write(answer[:n]); err != nil {
			return
		}
	}
}

func TestServerInstances(t *testing.T) {
	t.Parallel()
	sessiontest.RunInstances(t, func(t *testing.T) sessiontest.Rig {
		s := serve(t)
		g, url := newGate(t, strings.TrimPrefix(s.url(), "redis://"))
		return sessiontest.Rig{
			Open:  func() session.Store { return open(t, url) },
			Break: func() { g.set(true) },
			Mend:  func() { g.set(false) },
			Slow:  func(d time.Duration) { g.delay.Store(int64(d)) },
		}
	})
}

// Many requests on many instances renew tokens once.
func TestInstancesRenewOnce(t *testing.T) {
	t.Parallel()
	for title, url := range map[string]func(t *testing.T) string{
		"server":  func(t *testing.T) string { return serve(t).url() },
		"cluster": func(t *testing.T) string { _, url := cluster(t); return url },
	} {
		t.Run(title, func(t *testing.T) {
			all := instances(t, url(t), 3)
			_, cookie := begin(t, all[0])
			var renewals atomic.Int64
			renew := func(context.Context, session.Tokens) (session.Tokens, error) {
				time.Sleep(100 * time.Millisecond)
				renewals.Add(1)
				return session.Tokens{Access: "second", Expiry: time.Now().Add(time.Hour)}, nil
			}
			var wg sync.WaitGroup
			for i := range 50 {
				wg.Go(func() {
					m := all[i%len(all)]
					s := find(t, m, cookie)
					if err := m.Renew(t.Context(), s, renew); err != nil {
						t.Error(err)
					}
					if access := s.Tokens().Access; access != "second" {
						t.Errorf("the token is %q", access)
					}
				})
			}
			wg.Wait()
			if n := renewals.Load(); n != 1 {
				t.Errorf("renewed %d times", n)
			}
		})
	}
}

// What ends on one instance is over on the others, whatever they use it for.
func TestInstancesEndTogether(t *testing.T) {
	t.Parallel()
	all := instances(t, serve(t).url(), 3)
	time.Sleep(500 * time.Millisecond)
	s, cookie := begin(t, all[0])
	held := []*session.Session{find(t, all[1], cookie), find(t, all[2], cookie)}
	if err := all[0].End(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	eventually(t, 2*time.Second, "the session is over on all", func() bool {
		return held[0].Over(time.Now()) && held[1].Over(time.Now())
	})
	for _, m := range all {
		if find(t, m, cookie) != nil {
			t.Error("the cookie is good")
		}
	}
}
