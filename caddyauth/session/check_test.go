// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
	"github.com/panelauth/caddy-panelauth/caddyauth/session/sessiontest"
)

// told remembers which sessions Ended was told about.
type told struct {
	mu  sync.Mutex
	ids map[string]int
}

func (e *told) hook(c *session.Config) {
	e.ids = map[string]int{}
	c.Ended = func(s *session.Session) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.ids[s.ID]++
	}
}

func (e *told) want(t *testing.T, s *session.Session, times int) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ids[s.ID] != times {
		t.Errorf("told %d times of the end, want %d", e.ids[s.ID], times)
	}
}

func open(s *session.Session, limit time.Duration) map[*session.Session]time.Duration {
	return map[*session.Session]time.Duration{s: limit}
}

func TestEndedIsTold(t *testing.T) {
	bothModes(t, func(t *testing.T, store session.Store) {
		var e told
		m := newManager(t, store, e.hook)
		s, _ := begin(t, m)
		e.want(t, s, 0)
		_ = m.End(background, s)
		_ = m.End(background, s)
		e.want(t, s, 1)
	})
}

func TestCheckSeesEndElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore()
		var e told
		m := newManager(t, store, e.hook)
		s, cookie := begin(t, m)
		other := newManager(t, store)
		_ = other.End(background, wantFound(t, other, cookie, 0))
		m.Check(background, open(s, 0))
		e.want(t, s, 0) // it was there a moment ago
		time.Sleep(5*time.Second + time.Millisecond)
		m.Check(background, open(s, 0))
		e.want(t, s, 1)
		if !s.Over(time.Now()) {
			t.Error("not over")
		}
		synctest.Wait()
	})
}

func TestCheckWhileStoreIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore()
		var e told
		m := newManager(t, store, e.hook)
		s, _ := begin(t, m)
		store.SetAway(true)
		for range 50 {
			time.Sleep(time.Second)
			m.Check(background, open(s, 10*time.Second))
		}
		e.want(t, s, 0)
		store.SetAway(false)
		time.Sleep(2 * time.Second)
		m.Check(background, open(s, 0))
		e.want(t, s, 0)
		synctest.Wait()
	})
}

func TestCheckEndsUnused(t *testing.T) {
	bothModes(t, func(t *testing.T, store session.Store) {
		synctest.Test(t, func(t *testing.T) {
			var e told
			m := newManager(t, store, e.hook)
			s, cookie := begin(t, m)
			for range 5 {
				time.Sleep(idle)
				m.Use(s, idle)
				m.Check(background, open(s, idle))
			}
			wantFound(t, m, cookie, idle)
			time.Sleep(idle)
			m.Check(background, open(s, idle))
			e.want(t, s, 0)
			time.Sleep(time.Second)
			m.Check(background, open(s, 0))
			e.want(t, s, 0)
			m.Check(background, open(s, idle))
			e.want(t, s, 1)
			wantNone(t, m, cookie, idle)
			synctest.Wait()
		})
	})
}

// TestUseIsSeenElsewhere: what is open on one instance keeps a session from
// being idle on another, and the other way round.
func TestUseIsSeenElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore()
		here, there := newManager(t, store), newManager(t, store)
		s, cookie := begin(t, here)
		same := wantFound(t, there, cookie, idle)
		for range 20 {
			time.Sleep(idle / 2)
			here.Use(s, idle)
			synctest.Wait()
			there.Check(background, open(same, idle))
		}
		wantFound(t, there, cookie, idle)
		time.Sleep(2*idle + time.Second)
		there.Check(background, open(same, idle))
		if !same.Over(time.Now()) {
			t.Error("nobody used it, and it goes on")
		}
		synctest.Wait()
	})
}

// TestCheckOfWhatIsAnnounced: who hears of ends elsewhere seldom asks for what
// is open, and as often as ever while it cannot hear.
func TestCheckOfWhatIsAnnounced(t *testing.T) {
	twoThatHear(t, func(t *testing.T, store *sessiontest.AnnouncingStore, a, b *session.Manager, cookie string) {
		s := wantFound(t, b, cookie, 0)
		pass := func(seconds int) (loads int64) {
			before := store.Loads.Load()
			for range seconds {
				time.Sleep(time.Second)
				b.Check(background, open(s, 0))
			}
			return store.Loads.Load() - before
		}
		if n := pass(120); n < 1 || n > 4 {
			t.Errorf("the store was asked %d times in two minutes", n)
		}
		store.SetCut(true)
		synctest.Wait()
		if n := pass(20); n < 8 {
			t.Errorf("without hearing anything it was asked %d times in 20 s", n)
		}
		end(t, a, cookie)
		store.SetCut(false) // which makes up for what was missed
		if pass(3); !s.Over(time.Now()) {
			t.Error("what ended meanwhile goes on")
		}
	})
}

// TestCheckOfMany asks the store about each session once in a while, and about
// few at a time.
func TestCheckOfMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore()
		var e told
		m := newManager(t, store, e.hook)
		sessions := map[*session.Session]time.Duration{}
		for i := range 1000 {
			s, _ := begin(t, m)
			sessions[s] = 0
			if i%2 == 0 {
				_ = store.Delete(background, s.Key())
			}
		}
		time.Sleep(6 * time.Second)
		m.Check(background, sessions)
		if n := len(e.ids); n != 500 {
			t.Errorf("%d of 500 have ended", n)
		}
		synctest.Wait()
	})
}
