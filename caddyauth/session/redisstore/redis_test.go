// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package redisstore

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
	"github.com/panelauth/caddy-panelauth/caddyauth/session/sessiontest"
)

// minimalRights are what docs/reference.md says that a user needs.
const minimalRights = "~panelauth:* &panelauth:* +get +set +del +zadd +zscore +zrem +zremrangebyscore +zscan +pttl +pexpire +eval +evalsha +publish +subscribe +ping"

const (
	background = 10 * time.Second
	key        = "sessions/495218/0123456789abcdef0123456789abcdef"
)

// conforms runs the conformance suite on a Redis that is emptied in between.
func conforms(t *testing.T, url string, empty func()) {
	sessiontest.RunStore(t, func(t *testing.T) session.Store {
		empty()
		return open(t, url)
	})
}

func TestServerIsASessionStore(t *testing.T) {
	t.Parallel()
	s := serve(t)
	conforms(t, s.url()+"/3", func() { s.ask("flushall") })
}

func TestSocketIsASessionStore(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "s")
	s := serve(t, "--unixsocket", socket)
	conforms(t, "unix://"+socket+"?db=2", func() { s.ask("flushall") })
}

func TestServerWithTLSIsASessionStore(t *testing.T) {
	t.Parallel()
	ca, cert, key := certificates(t)
	port := freePort(t)
	s := serve(t, "--tls-port", strconv.Itoa(port), "--tls-ca-cert-file", ca, "--tls-cert-file", cert, "--tls-key-file", key)
	url := fmt.Sprintf("rediss://127.0.0.1:%d?ca=%s", port, ca)
	conforms(t, url+"&cert="+cert+"&key="+key, func() { s.ask("flushall") })

	ctx, cancel := context.WithTimeout(t.Context(), background)
	defer cancel()
	for title, url := range map[string]string{
		"without its own certificate":   url,
		"without the CA":                fmt.Sprintf("rediss://127.0.0.1:%d?cert=%s&key=%s", port, cert, key),
		"under another name":            strings.Replace(url, "127.0.0.1", "localhost", 1) + "&cert=" + cert + "&key=" + key,
		"without TLS":                   fmt.Sprintf("redis://127.0.0.1:%d", port),
		"with TLS, where there is none": fmt.Sprintf("rediss://127.0.0.1:%d?ca=%s&cert=%s&key=%s", s.port, ca, cert, key),
	} {
		if _, err := open(t, url).Load(ctx, key); err == nil || errors.Is(err, session.ErrNotFound) {
			t.Errorf("%s: got error %v", title, err)
		}
	}
}

// A user needs no more rights than the documentation says.
func TestUserWithFewRights(t *testing.T) {
	t.Parallel()
	const password = "a/pass@word:with?every#thing%"
	s := serve(t)
	s.ask(append([]any{"acl", "setuser", "panelauth", "on", ">" + password}, words(minimalRights)...)...)
	url := fmt.Sprintf("redis://panelauth:%s@127.0.0.1:%d", "a%2Fpass%40word:with%3Fevery%23thing%25", s.port)
	conforms(t, url, func() { s.ask("flushall") })
	follows(t, open(t, url), open(t, url))
}

func TestUserWithFewRightsElsewhere(t *testing.T) {
	t.Parallel()
	t.Run("in another database", func(t *testing.T) {
		s := serve(t)
		s.ask(append([]any{"acl", "setuser", "panelauth", "on", ">pw", "+select"}, words(minimalRights)...)...)
		conforms(t, fmt.Sprintf("redis://panelauth:pw@127.0.0.1:%d/3", s.port), func() { s.ask("flushall") })
	})
	t.Run("in a cluster", func(t *testing.T) {
		nodes, url := cluster(t)
		for _, node := range nodes {
			node.ask(append([]any{"acl", "setuser", "panelauth", "on", ">pw", "+cluster|slots"}, words(minimalRights)...)...)
		}
		url = strings.Replace(url, "://", "://panelauth:pw@", 1)
		conforms(t, url, func() {
			for _, node := range nodes {
				node.ask("flushall")
			}
		})
		follows(t, open(t, url), open(t, url))
	})
}

func words(text string) (all []any) {
	for word := range strings.FieldsSeq(text) {
		all = append(all, word)
	}
	return all
}

func TestClusterIsASessionStore(t *testing.T) {
	t.Parallel()
	nodes, url := cluster(t)
	conforms(t, url, func() {
		for _, node := range nodes {
			node.ask("flushall")
		}
	})
	follows(t, open(t, url), open(t, strings.Replace(url, "://", "://127.0.0.1:1,", 1)))
}

func TestSentinelsAreASessionStore(t *testing.T) {
	t.Parallel()
	master, _, url := sentinels(t)
	conforms(t, url, func() { master.ask("flushall") })
	follows(t, open(t, url), open(t, url))
}

// When a master dies its replica takes over, and in between nobody says that a
// session is not there.
func TestFailover(t *testing.T) {
	t.Parallel()
	master, replica, url := sentinels(t)
	store := open(t, url)
	if err := store.Save(t.Context(), key, []byte("x"), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	eventually(t, background, "the replica has it", func() bool { return replica.ask("exists", root+key) == "1" })
	master.stop()
	eventually(t, time.Minute, "the replica has taken over", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		value, err := store.Load(ctx, key)
		if errors.Is(err, session.ErrNotFound) {
			t.Fatal("the session is not there")
		}
		return err == nil && string(value) == "x" && store.Save(ctx, key, []byte("x"), time.Now().Add(time.Hour)) == nil
	})
	follows(t, store, open(t, url))
}

func TestWrongPassword(t *testing.T) {
	t.Parallel()
	s := serve(t, "--requirepass", "the-right-one")
	for title, user := range map[string]string{"wrong": ":hunter2@", "none": "", "unknown user": "hunter2:hunter2@"} {
		store := open(t, fmt.Sprintf("redis://%s127.0.0.1:%d", user, s.port))
		ctx, cancel := context.WithTimeout(t.Context(), background)
		_, err := store.Load(ctx, key)
		cancel()
		if err == nil || errors.Is(err, session.ErrNotFound) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got error %v", title, err)
		}
	}
	if _, err := open(t, fmt.Sprintf("redis://:the-right-one@127.0.0.1:%d", s.port)).Load(t.Context(), key); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("got error %v", err)
	}
}

// Redis forgets a value soon after it expires, and no earlier.
func TestValuesExpire(t *testing.T) {
	t.Parallel()
	s := serve(t)
	store := open(t, s.url())
	for title, expires := range map[string]time.Duration{"in an hour": time.Hour, "in a year": 365 * 24 * time.Hour, "now": 0, "long ago": -time.Hour} {
		if err := store.Save(t.Context(), key, []byte("x"), time.Now().Add(expires)); err != nil {
			t.Fatal(err)
		}
		left, err := strconv.Atoi(s.ask("pttl", root+key))
		want := max(expires+keepLonger, time.Second)
		if got := time.Duration(left) * time.Millisecond; err != nil || got > want || got < want-5*time.Second {
			t.Errorf("%s: expires in %v, want %v (%v)", title, got, want, err)
		}
	}
	if err := store.Save(t.Context(), key, []byte("x"), time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	eventually(t, background, "the value is forgotten", func() bool {
		_, err := store.Load(t.Context(), key)
		return errors.Is(err, session.ErrNotFound)
	})
}

// A Redis that is full says so, and finds what it has.
func TestFullServer(t *testing.T) {
	t.Parallel()
	s := serve(t)
	store := open(t, s.url())
	if err := store.Save(t.Context(), key, []byte("x"), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	s.ask("config", "set", "maxmemory", "1")
	if err := store.Save(t.Context(), key+"0", []byte("y"), time.Now().Add(time.Hour)); err == nil {
		t.Error("saved nevertheless")
	}
	if value, err := store.Load(t.Context(), key); err != nil || string(value) != "x" {
		t.Errorf("got %q, %v", value, err)
	}
	if err := store.Delete(t.Context(), key); err != nil {
		t.Error(err)
	}
}

func TestAbandonedLock(t *testing.T) {
	t.Parallel()
	s := serve(t)
	sessiontest.RunAbandonedLock(t, open(t, s.url()), func(key string) {
		left, err := strconv.Atoi(s.ask("pttl", lockRoot+key))
		if lease := time.Duration(left) * time.Millisecond; err != nil || lease > session.LockLease || lease < session.LockLease-5*time.Second {
			t.Errorf("the lock lasts for %v (%v)", lease, err)
		}
		s.ask("pexpire", lockRoot+key, "1")
	})
}

// What is unlocked after its lease is not somebody else's.
func TestUnlockAfterLease(t *testing.T) {
	t.Parallel()
	s := serve(t)
	a, b := open(t, s.url()), open(t, s.url())
	unlock, err := a.Lock(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	s.ask("del", lockRoot+key)
	if _, err := b.Lock(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	unlock()
	if s.ask("exists", lockRoot+key) != "1" {
		t.Error("the lock of another was given back")
	}
}

// A lock whose answer never came does not stay for its whole lease, nor does
// one that could not be given back.
func TestLocksOfPausedServer(t *testing.T) {
	t.Parallel()
	s := serve(t)
	store := open(t, s.url())
	unlock, err := store.Lock(t.Context(), key+"0")
	if err != nil {
		t.Fatal(err)
	}
	s.signal(syscall.SIGSTOP)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if _, err := store.Lock(ctx, key); err == nil {
		t.Fatal("got a lock of a server that is paused")
	}
	start := time.Now()
	unlock()
	if took := time.Since(start); took > 2*unlockTimeout {
		t.Errorf("unlocking took %v", took)
	}
	s.signal(syscall.SIGCONT)
	for _, name := range []string{key, key + "0"} {
		eventually(t, 5*time.Second, "the lock is free", func() bool { return s.ask("exists", lockRoot+name) == "0" })
	}
}

// A subscription is heard from the moment it says so until it ends.
func follows(t *testing.T, from, to *Store) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	heard, result := follow(ctx, t, to)
	for range 3 {
		if err := from.Announce(ctx, key); err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-heard:
			if got != key {
				t.Errorf("heard %q", got)
			}
		case <-time.After(2 * time.Second):
			t.Error("heard nothing")
		}
	}
	cancel()
	select {
	case <-result:
	case <-time.After(2 * time.Second):
		t.Error("does not stop")
	}
}

// follow returns when it is listening.
func follow(ctx context.Context, t *testing.T, store *Store) (heard chan string, result chan error) {
	t.Helper()
	listening := make(chan struct{})
	heard, result = make(chan string, 16), make(chan error, 1)
	go func() {
		result <- store.Follow(ctx, func() { close(listening) }, func(key string) { heard <- key })
	}()
	select {
	case <-listening:
	case err := <-result:
		t.Fatalf("does not listen: %v", err)
	case <-time.After(background):
		t.Fatal("does not listen")
	}
	return heard, result
}

// Who may have missed something is told so: soon, whatever it was.
func TestFollowEnds(t *testing.T) {
	t.Parallel()
	for title, test := range map[string]struct {
		do   func(s *server)
		soon time.Duration
	}{
		"disconnected": {func(s *server) { s.ask("client", "kill", "type", "pubsub") }, time.Second},
		"killed":       {(*server).stop, 3 * time.Second},
		"paused":       {func(s *server) { s.signal(syscall.SIGSTOP) }, 5 * time.Second},
		"too much": {func(s *server) {
			s.ask("config", "set", "client-output-buffer-limit", "pubsub 1 1 1")
			s.ask("publish", channel, strings.Repeat("x", 1<<20))
		}, 3 * time.Second},
	} {
		t.Run(title, func(t *testing.T) {
			s := serve(t)
			_, result := follow(t.Context(), t, open(t, s.url()))
			time.Sleep(2 * time.Second) // that it is silent is no reason to end
			select {
			case err := <-result:
				t.Fatalf("ended before: %v", err)
			default:
			}
			start := time.Now()
			test.do(s)
			select {
			case err := <-result:
				if err == nil {
					t.Error("ended without a reason")
				}
				t.Logf("after %v: %v", time.Since(start), err)
			case <-time.After(test.soon):
				t.Errorf("still follows after %v", test.soon)
			}
		})
	}
}

func TestFollowIgnoresLongMessages(t *testing.T) {
	t.Parallel()
	s := serve(t)
	heard, _ := follow(t.Context(), t, open(t, s.url()))
	s.ask("publish", channel, strings.Repeat("x", maxAnnouncement+1))
	s.ask("publish", channel, "short")
	if got := <-heard; got != "short" {
		t.Errorf("heard %.40q", got)
	}
}
