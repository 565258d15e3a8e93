// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package redisstore

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// patience is how long a request waits.
const patience = 300 * time.Millisecond

func open(t *testing.T, url string) *Store {
	t.Helper()
	a, err := Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	store := New(a, zap.NewNop())
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// nowhere is an address where nobody listens, and silence one where somebody
// does who never answers.
func nowhere(t *testing.T) string {
	t.Helper()
	l := listen(t)
	_ = l.Close()
	return l.Addr().String()
}

func silence(t *testing.T) string {
	t.Helper()
	l := listen(t)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = c.Close() })
		}
	}()
	return l.Addr().String()
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// A Redis that is not there is an error, and soon, however it is not there.
func TestAway(t *testing.T) {
	for title, address := range map[string]string{"nowhere": nowhere(t), "silence": silence(t)} {
		for _, scheme := range []string{"redis://%s", "rediss://%s", "redis+cluster://%s", "redis+sentinel://%s?master=m"} {
			if title == "silence" && strings.Contains(scheme, "sentinel") {
				continue // takes as long as dialling may
			}
			url := strings.Replace(scheme, "%s", address, 1)
			t.Run(title+" "+url, func(t *testing.T) {
				t.Parallel()
				checkAway(t, open(t, url))
			})
		}
	}
}

func checkAway(t *testing.T, store *Store) {
	t.Helper()
	var wg sync.WaitGroup
	for name, call := range map[string]func(context.Context) error{
		"save":     func(ctx context.Context) error { return store.Save(ctx, "sessions/1/x", nil, time.Now()) },
		"load":     func(ctx context.Context) error { _, err := store.Load(ctx, "sessions/1/x"); return err },
		"delete":   func(ctx context.Context) error { return store.Delete(ctx, "sessions/1/x") },
		"list":     func(ctx context.Context) error { _, err := store.List(ctx, "sessions"); return err },
		"lock":     func(ctx context.Context) error { _, err := store.Lock(ctx, "sessions/1/x"); return err },
		"announce": func(ctx context.Context) error { return store.Announce(ctx, "sessions/1/x") },
	} {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			start := time.Now()
			err := call(ctx)
			if err == nil || errors.Is(err, session.ErrNotFound) {
				t.Errorf("%s: got error %v", name, err)
			}
			if took := time.Since(start); took > patience+time.Second {
				t.Errorf("%s took %v", name, took)
			}
		})
	}
	wg.Wait()
}
