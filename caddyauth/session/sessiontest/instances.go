// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// Rig is a kind of store with several instances on it.
type Rig struct {
	// Open returns the store of one more instance. Nil: sessions are in their
	// cookies, and what needs a store is left out.
	Open func() session.Store
	// Break puts the store out of reach for all instances, until Mend.
	Break, Mend func()
	// Slow makes it take so long to answer, 0: no longer.
	Slow func(time.Duration)
}

// RunInstances is the second half of the conformance suite: what people get
// who use several instances that share a store. Each part has a rig of its own.
//
// Sessions in cookies pass it as far as there is something to pass: there is
// nothing to lock, to be away or to be slow, an end is known to the instance
// where it happened, and each instance renews tokens for itself.
func RunInstances(t *testing.T, newRig func(t *testing.T) Rig) {
	const busy = 10 * time.Second
	for _, part := range []struct {
		title      string
		needsStore bool
		patience   time.Duration // with the store: the machine may be busy
		test       func(*instances)
	}{
		{"save", false, busy, (*instances).save},
		{"load", false, busy, (*instances).load},
		{"expiry", false, busy, (*instances).expiry},
		{"delete", false, busy, (*instances).delete},
		{"lock", true, busy, (*instances).lock},
		{"concurrent refresh", false, busy, (*instances).refresh},
		{"broken record", false, busy, (*instances).broken},
		{"unreachable", true, busy, (*instances).unreachable},
		{"slow", true, time.Second, (*instances).slow},
	} {
		t.Run(part.title, func(t *testing.T) {
			t.Parallel()
			i := newInstances(t, newRig(t), part.patience)
			if part.needsStore && i.stateless() {
				t.Skip("not for sessions in cookies")
			}
			part.test(i)
		})
	}
}

// instances are two managers, with a clock that the test can turn on.
type instances struct {
	Rig
	t          *testing.T
	patience   time.Duration
	ahead      atomic.Int64
	one, other *session.Manager
}

func newInstances(t *testing.T, rig Rig, patience time.Duration) *instances {
	t.Helper()
	i := &instances{Rig: rig, t: t, patience: patience}
	i.one, i.other = i.start(), i.start()
	return i
}

func (i *instances) stateless() bool { return i.Open == nil }

func (i *instances) now() time.Time { return time.Now().Add(time.Duration(i.ahead.Load())) }

func (i *instances) pass(d time.Duration) { i.ahead.Add(int64(d)) }

// start starts one more instance.
func (i *instances) start() *session.Manager {
	i.t.Helper()
	config := session.Config{Secrets: [][]byte{[]byte("a secret of the conformance suite")}, Now: i.now, StoreTimeout: i.patience}
	if !i.stateless() {
		config.Store = i.Open()
	}
	m, err := session.NewManager(config)
	if err != nil {
		i.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { m.Run(ctx) })
	i.t.Cleanup(func() { cancel(); running.Wait() })
	return m
}

func (i *instances) begin(m *session.Manager, user string) (*session.Session, string) {
	i.t.Helper()
	s, cookie, err := m.Begin(context.Background(), i.record(user))
	if err != nil {
		i.t.Fatalf("beginning a session: %v", err)
	}
	return s, cookie
}

func (i *instances) record(user string) session.Record {
	return session.Record{
		User: user, Provider: "x", Expires: i.now().Add(time.Hour),
		Claims: map[string]any{"name": "Ä <" + user + ">", "groups": []any{"a", "b"}},
		Tokens: &session.Tokens{Access: "access-0", Refresh: "refresh-0", ID: "id", Expiry: i.now().Add(time.Second)},
	}
}

// wants is the session of a cookie, which must be good.
func (i *instances) wants(m *session.Manager, cookie string) *session.Session {
	i.t.Helper()
	s, err := m.Find(context.Background(), cookie, 0)
	if s == nil || err != nil {
		i.t.Fatalf("a session is not found: %v", err)
	}
	return s
}

func (i *instances) wantsNone(m *session.Manager, cookie string) {
	i.t.Helper()
	if s, err := m.Find(context.Background(), cookie, 0); s != nil || err != nil {
		i.t.Errorf("got the session %v, error %v; want none", s, err)
	}
}

// eventually waits for what happens in the background.
func (i *instances) eventually(what string, happened func() bool) {
	i.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !happened(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			i.t.Fatal("did not happen:", what)
		}
	}
}

func (i *instances) save() {
	cookies := make([]string, 20)
	var group sync.WaitGroup
	for n := range cookies {
		group.Go(func() {
			_, cookie, err := i.one.Begin(context.Background(), i.record(fmt.Sprint("user", n)))
			if err != nil {
				i.t.Errorf("beginning a session: %v", err)
			}
			cookies[n] = cookie
		})
	}
	group.Wait()
	restarted := i.start()
	for n, cookie := range cookies {
		for _, m := range []*session.Manager{i.other, restarted} {
			if s := i.wants(m, cookie); s.User != fmt.Sprint("user", n) {
				i.t.Errorf("the session of user%d is that of %s", n, s.User)
			}
		}
	}
}

func (i *instances) load() {
	saved, cookie := i.begin(i.one, "alice")
	loaded := i.wants(i.other, cookie)
	if !reflect.DeepEqual(loaded.Record, saved.Record) || loaded.ID != saved.ID {
		i.t.Errorf("saved %+v, loaded %+v", saved.Record, loaded.Record)
	}
	if !reflect.DeepEqual(loaded.Tokens(), saved.Tokens()) {
		i.t.Error("the tokens are others")
	}
	i.wantsNone(i.other, "x"+cookie)
}

func (i *instances) expiry() {
	_, cookie := i.begin(i.one, "alice")
	i.pass(59 * time.Minute)
	i.wants(i.one, cookie)
	i.wants(i.other, cookie)
	i.pass(time.Minute)
	for _, m := range []*session.Manager{i.one, i.other, i.start()} {
		i.wantsNone(m, cookie)
	}
	i.pass(3 * time.Hour)
	if err := i.one.Sweep(context.Background()); err != nil {
		i.t.Error(err)
	}
	if i.stateless() {
		return
	}
	store := i.Open()
	if e, ok := store.(session.Expirer); ok && e.Expires() {
		return
	}
	wantList(i.t, store, "sessions")
	wantList(i.t, store, "index")
}

func (i *instances) delete() {
	s, cookie := i.begin(i.one, "alice")
	held := i.wants(i.other, cookie)
	if err := i.one.End(context.Background(), s); err != nil {
		i.t.Fatal(err)
	}
	i.wantsNone(i.one, cookie)
	i.pass(11 * time.Second)
	if i.stateless() {
		i.wants(i.other, cookie)
		return
	}
	i.wantsNone(i.other, cookie)
	i.wantsNone(i.start(), cookie)
	if !held.Over(i.now()) {
		i.t.Error("who holds it does not notice")
	}
}

// provider hands out tokens once for each refresh token.
type provider struct{ calls atomic.Int64 }

func (p *provider) renew(_ context.Context, had session.Tokens) (session.Tokens, error) {
	time.Sleep(50 * time.Millisecond)
	n := p.calls.Add(1)
	if had.Refresh != fmt.Sprint("refresh-", n-1) {
		return session.Tokens{}, errors.New("the refresh token was used before")
	}
	return session.Tokens{Access: fmt.Sprint("access-", n), Refresh: fmt.Sprint("refresh-", n), Expiry: time.Now().Add(24 * time.Hour)}, nil
}

func (i *instances) lock() {
	s, cookie := i.begin(i.one, "alice")
	there := i.wants(i.other, cookie)
	unlock := mustLock(i.t, i.Open(), i.keyOf(s)+".tokens")
	p, done := new(provider), make(chan error, 1)
	go func() { done <- i.other.Renew(context.Background(), there, p.renew) }()
	time.Sleep(200 * time.Millisecond)
	if p.calls.Load() != 0 {
		i.t.Error("renewed while another instance had the lock")
	}
	unlock()
	if err := <-done; err != nil || p.calls.Load() != 1 {
		i.t.Errorf("%d renewals, %v", p.calls.Load(), err)
	}
}

func (i *instances) refresh() {
	_, cookie := i.begin(i.one, "alice")
	managers := []*session.Manager{i.one, i.other, i.start()}
	if i.stateless() {
		managers = managers[:1]
	}
	p := new(provider)
	var group sync.WaitGroup
	for n := range 50 {
		group.Go(func() {
			m := managers[n%len(managers)]
			s := i.wants(m, cookie)
			if err := m.Renew(context.Background(), s, p.renew); err != nil {
				i.t.Error(err)
			}
			if access := s.Tokens().Access; access != "access-1" {
				i.t.Errorf("the token is %s", access)
			}
		})
	}
	group.Wait()
	if n := p.calls.Load(); n != 1 {
		i.t.Errorf("%d renewals", n)
	}
}

// keyOf is where a session's record is.
func (i *instances) keyOf(s *session.Session) string {
	i.t.Helper()
	store := i.Open()
	buckets, err := store.List(context.Background(), "sessions")
	if err != nil {
		i.t.Fatal(err)
	}
	for _, bucket := range buckets {
		keys, err := store.List(context.Background(), bucket)
		if err != nil {
			i.t.Fatal(err)
		}
		for _, key := range keys {
			if strings.HasSuffix(key, "/"+s.ID) {
				return key
			}
		}
	}
	i.t.Fatal("the store has no record of the session")
	return ""
}

func (i *instances) broken() {
	s, cookie := i.begin(i.one, "alice")
	mallory, _ := i.begin(i.one, "mallory")
	if i.stateless() {
		for n := 0; n < len(cookie); n += 7 {
			other := byte('A')
			if cookie[n] == other {
				other = 'B'
			}
			i.wantsNone(i.other, cookie[:n]+string(other)+cookie[n+1:])
		}
		return
	}
	store, key := i.Open(), i.keyOf(s)
	whole, err := store.Load(context.Background(), key)
	if err != nil {
		i.t.Fatal(err)
	}
	others, err := store.Load(context.Background(), i.keyOf(mallory))
	if err != nil {
		i.t.Fatal(err)
	}
	flipped := append([]byte(nil), whole...)
	flipped[len(flipped)/2] ^= 1
	for what, broken := range map[string][]byte{"cut off": whole[:len(whole)/2], "flipped": flipped, "empty": {}, "somebody else's": others} {
		save(i.t, store, key, broken)
		i.wantsNone(i.start(), cookie)
		if i.wants(i.one, cookie) != s {
			i.t.Errorf("%s: who is in memory is signed out", what)
		}
	}
	save(i.t, store, key, whole)
	i.wants(i.start(), cookie)
}

// wantsError checks that somebody is told that the store could not be asked.
func (i *instances) wantsError(m *session.Manager, cookie string) {
	i.t.Helper()
	if s, err := m.Find(context.Background(), cookie, 0); s != nil || err == nil {
		i.t.Errorf("got the session %v, error %v; want an error", s, err)
	}
}

func (i *instances) unreachable() {
	_, warm := i.begin(i.one, "warm")
	_, cold := i.begin(i.other, "cold")
	ended, out := i.begin(i.one, "out")
	i.Break()
	i.wantsError(i.one, cold)
	i.wantsError(i.start(), warm)
	for range 5 {
		i.pass(20 * time.Second)
		i.wants(i.one, warm)
	}
	if _, _, err := i.one.Begin(context.Background(), i.record("late")); err == nil {
		i.t.Error("a session began that is not saved")
	}
	if err := i.one.End(context.Background(), ended); err == nil {
		i.t.Error("nobody is told that the store was not told")
	}
	i.wantsNone(i.one, out)
	i.Mend()
	i.eventually("the store is asked again", func() bool {
		s, err := i.one.Find(context.Background(), cold, 0)
		return s != nil && err == nil
	})
	i.wants(i.one, warm)
	i.begin(i.one, "later")
	i.eventually("the store is told of the end", func() bool {
		s, err := i.start().Find(context.Background(), out, 0)
		return s == nil && err == nil
	})
}

// slow: nobody waits for longer than the manager is told to, and what comes
// later is not lost.
func (i *instances) slow() {
	const takes, most = 5 * time.Second, 4 * time.Second
	_, warm := i.begin(i.one, "warm")
	_, cold := i.begin(i.other, "cold")
	i.Slow(takes)
	for what, do := range map[string]func(){
		"somebody unknown": func() { i.wantsError(i.one, cold) },
		"somebody known":   func() { i.wants(i.one, warm) },
		"a sign-in": func() {
			if _, _, err := i.one.Begin(context.Background(), i.record("late")); err == nil {
				i.t.Error("a session began that may not be saved")
			}
		},
	} {
		began := time.Now()
		do()
		if took := time.Since(began); took > most {
			i.t.Errorf("%s waits %v for a store that takes %v", what, took, takes)
		}
	}
	i.Slow(0)
	i.eventually("the store is asked again", func() bool {
		s, err := i.one.Find(context.Background(), cold, 0)
		return s != nil && err == nil
	})
	i.wants(i.one, warm)
}
