// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
	"github.com/panelauth/caddy-panelauth/caddyauth/session/sessiontest"
)

// broken are the ways in which a store does not work.
var broken = map[string]func(store *sessiontest.FaultyStore, on bool){
	"away": (*sessiontest.FaultyStore).SetAway,
	"hung": (*sessiontest.FaultyStore).SetHung,
	"deaf": func(store *sessiontest.FaultyStore, on bool) { // does not listen to its context
		store.SetDelay(0)
		if on {
			store.SetDelay(time.Minute)
		}
	},
}

func eachBroken(t *testing.T, test func(t *testing.T, store *sessiontest.FaultyStore, breakIt func(bool))) {
	for title, set := range broken {
		t.Run(title, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := newStore()
				test(t, store, func(on bool) { set(store, on) })
				time.Sleep(2 * time.Minute) // whatever is under way ends
				synctest.Wait()
			})
		})
	}
}

// within fails the test if what it does takes longer than a request waits for
// the store.
func within(t *testing.T, most time.Duration, do func()) {
	t.Helper()
	start := time.Now()
	do()
	if took := time.Since(start); took > most {
		t.Errorf("took %v", took)
	}
}

const storeTimeout = 500 * time.Millisecond

func TestBrokenStoreKeepsWhoIsKnown(t *testing.T) {
	eachBroken(t, func(t *testing.T, store *sessiontest.FaultyStore, breakIt func(bool)) {
		log := newLog()
		m := newManager(t, store, log.use)
		_, cookie := begin(t, m)
		breakIt(true)
		var waited time.Duration
		start := time.Now()
		for time.Since(start) < 10*time.Minute {
			before := time.Now()
			within(t, storeTimeout, func() { wantFound(t, m, cookie, 0) })
			waited += time.Since(before)
			time.Sleep(time.Second)
		}
		if waited > storeTimeout {
			t.Errorf("requests waited for %v altogether", waited)
		}
		if n := log.Len(); n == 0 || n > 61 {
			t.Errorf("%d complaints in ten minutes", n)
		}
		time.Sleep(lifetime)
		within(t, 0, func() { wantNone(t, m, cookie, 0) })
	})
}

func TestBrokenStoreLetsNobodyIn(t *testing.T) {
	eachBroken(t, func(t *testing.T, store *sessiontest.FaultyStore, breakIt func(bool)) {
		_, cookie := begin(t, newManager(t, store))
		m := newManager(t, store)
		breakIt(true)
		for range 3 {
			within(t, storeTimeout, func() { wantError(t, m, cookie, 0) })
			within(t, 0, func() { wantNone(t, m, "forged", 0) })
		}
		within(t, storeTimeout, func() {
			if s, cookie, err := m.Begin(background, record()); err == nil || s != nil || cookie != "" {
				t.Errorf("got %v, %q, %v", s, cookie, err)
			}
		})
		breakIt(false)
		time.Sleep(2 * time.Minute)
		wantFound(t, m, cookie, 0)
	})
}

func TestBrokenStoreRecovers(t *testing.T) {
	eachBroken(t, func(t *testing.T, store *sessiontest.FaultyStore, breakIt func(bool)) {
		m := newManager(t, store)
		s, cookie := begin(t, m)
		breakIt(true)
		time.Sleep(time.Minute)
		wantFound(t, m, cookie, 0)
		if err := store.Store.Delete(background, s.Key()); err != nil { // ended on another instance
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		wantFound(t, m, cookie, 0)
		breakIt(false)
		time.Sleep(2 * time.Minute)
		_, _ = m.Find(background, cookie, 0) // finds out that the store is back
		synctest.Wait()
		wantNone(t, m, cookie, 0)
	})
}

// TestCallThatFailsLate: one that was begun while the store hung says nothing of
// the store that has worked since.
func TestCallThatFailsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore()
		m, elsewhere := newManager(t, store), newManager(t, store)
		_, cookie := begin(t, m)
		_, unknown := begin(t, elsewhere)
		store.SetHung(true)
		wantError(t, m, unknown, 0) // and the call goes on
		store.SetHung(false)
		begin(t, m)
		time.Sleep(15 * time.Second)
		end(t, elsewhere, cookie)
		wantNone(t, m, cookie, 0)
		synctest.Wait()
	})
}

func TestEndWhileStoreIsBroken(t *testing.T) {
	eachBroken(t, func(t *testing.T, store *sessiontest.FaultyStore, breakIt func(bool)) {
		m, other := newManager(t, store), newManager(t, store)
		ctx, cancel := context.WithCancel(background)
		defer cancel()
		go m.Run(ctx)
		s, cookie := begin(t, m)
		breakIt(true)
		within(t, storeTimeout, func() {
			if err := m.End(background, s); err == nil {
				t.Error("no error")
			}
		})
		within(t, 0, func() { wantNone(t, m, cookie, 0) })
		time.Sleep(10 * time.Minute)
		wantNone(t, m, cookie, 0)
		breakIt(false)
		wantNone(t, m, cookie, 0)
		time.Sleep(3 * time.Minute)
		wantNone(t, other, cookie, 0)
		if _, err := store.Load(background, s.Key()); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("the record is still there: %v", err)
		}
	})
}

func TestEndSurvivesItsRequest(t *testing.T) {
	store := newStore()
	m := newManager(t, store)
	s, _ := begin(t, m)
	ctx, cancel := context.WithCancel(background)
	cancel()
	if err := m.End(ctx, s); err != nil {
		t.Error(err)
	}
	if _, err := store.Load(background, s.Key()); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("the record is still there: %v", err)
	}
}

func TestSlowStore(t *testing.T) {
	// It takes longer than a request waits: the next one finds the session.
	synctest.Test(t, func(t *testing.T) {
		store := newStore()
		_, cookie := begin(t, newManager(t, store))
		m := newManager(t, store)
		store.SetDelay(time.Second)
		within(t, storeTimeout, func() { wantError(t, m, cookie, 0) })
		time.Sleep(time.Second)
		runtime.GC() // nobody but the manager holds it
		within(t, 0, func() { wantFound(t, m, cookie, 0) })
		synctest.Wait()
	})
}

func TestClientThatLeaves(t *testing.T) {
	// One that does not wait stops neither the others nor what is under way,
	// and is no fault of the store.
	synctest.Test(t, func(t *testing.T) {
		store, log := newStore(), newLog()
		_, cookie := begin(t, newManager(t, store))
		m := newManager(t, store, log.use)
		store.SetDelay(200 * time.Millisecond)
		ctx, cancel := context.WithTimeout(background, 100*time.Millisecond)
		defer cancel()
		go func() { _, _ = m.Find(ctx, cookie, 0) }()
		wantFound(t, m, cookie, 0)
		time.Sleep(time.Minute)
		ctx, cancel = context.WithTimeout(background, 100*time.Millisecond)
		defer cancel()
		if s, err := m.Find(ctx, cookie, 0); s == nil || err != nil {
			t.Errorf("got %v, %v", s, err)
		}
		if n := log.Len(); n != 0 {
			t.Errorf("%d complaints", n)
		}
		if n := store.Loads.Load(); n != 2 {
			t.Errorf("%d reads", n)
		}
		time.Sleep(time.Second)
		ctx, cancel = context.WithTimeout(background, 100*time.Millisecond)
		defer cancel()
		if _, _, err := m.Begin(ctx, record()); err == nil {
			t.Error("began without waiting for the store")
		}
		time.Sleep(11 * time.Second)
		start := time.Now()
		wantFound(t, m, cookie, 0)
		if time.Since(start) == 0 {
			t.Error("the store is taken to be broken: it was not asked")
		}
	})
}

func TestHungStoreHoldsFewGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore()
		m := newManager(t, store)
		cookies := make([]string, 300)
		for i := range cookies {
			_, cookies[i] = begin(t, m)
		}
		loads := store.Loads.Load()
		time.Sleep(7 * time.Second)
		store.SetHung(true)
		for _, cookie := range cookies {
			wantFound(t, m, cookie, 0)
		}
		synctest.Wait()
		if n := store.Loads.Load() - loads; n != session.MaxBackground {
			t.Errorf("%d checks under way", n)
		}
		time.Sleep(time.Minute)
	})
}
