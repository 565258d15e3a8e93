// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session_test

import (
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

const idle = 40 * time.Minute

func TestIdle(t *testing.T) {
	bothModes(t, func(t *testing.T, store session.Store) {
		synctest.Test(t, func(t *testing.T) {
			m := newManager(t, store)
			s, cookie := begin(t, m)
			for range 5 {
				time.Sleep(idle)
				wantFound(t, m, cookie, idle)
			}
			time.Sleep(idle + time.Second)
			wantNone(t, m, cookie, idle)
			if !s.Over(time.Now()) {
				t.Error("not over")
			}
			wantNone(t, m, cookie, 0)
			synctest.Wait()
			if store == nil {
				return
			}
			if _, err := store.Load(background, s.Key()); !errors.Is(err, session.ErrNotFound) {
				t.Errorf("the record is still there: %v", err)
			}
		})
	})
}

func TestIdleCountsFromTheMomentOfSignIn(t *testing.T) {
	// A record knows no fractions of a second, a limit of a few seconds does.
	const short = 2 * time.Second
	bothModes(t, func(t *testing.T, store session.Store) {
		for _, where := range []string{"here", "on another instance"} {
			t.Run(where, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					time.Sleep(900 * time.Millisecond) // of a clock that begins with a whole second
					m := newManager(t, store)
					_, cookie := begin(t, m)
					if where != "here" {
						m = newManager(t, store)
					}
					time.Sleep(short - 100*time.Millisecond)
					wantFound(t, m, cookie, short)
					synctest.Wait()
				})
			})
		}
	})
}

func TestNoIdleLimit(t *testing.T) {
	bothModes(t, func(t *testing.T, store session.Store) {
		synctest.Test(t, func(t *testing.T) {
			m := newManager(t, store)
			_, cookie := begin(t, m)
			time.Sleep(lifetime - time.Minute)
			m.Forget(time.Now())
			wantFound(t, m, cookie, 0)
			synctest.Wait()
		})
	})
}

func TestIdleOutlivesMemory(t *testing.T) {
	// Memory forgets what is not used before it is idle.
	bothModes(t, func(t *testing.T, store session.Store) {
		synctest.Test(t, func(t *testing.T) {
			m := newManager(t, store)
			_, cookie := begin(t, m)
			pause := func(d time.Duration) {
				for end := time.Now().Add(d); time.Now().Before(end); {
					time.Sleep(time.Minute)
					m.Forget(time.Now())
					runtime.GC() // or what is forgotten may still be known
				}
			}
			wantFound(t, m, cookie, idle)
			pause(idle - time.Minute)
			wantFound(t, m, cookie, idle)
			pause(idle + idle/8 + 2*time.Minute)
			wantNone(t, m, cookie, idle)
			synctest.Wait()
		})
	})
}

func TestIdleAcrossInstances(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore()
		here, there := newManager(t, store), newManager(t, store)
		s, cookie := begin(t, here)
		wantFound(t, here, cookie, idle)
		for range 10 { // two hours on the other
			time.Sleep(12 * time.Minute)
			wantFound(t, there, cookie, idle)
		}
		wantFound(t, here, cookie, idle)
		if s.Over(time.Now()) {
			t.Error("over")
		}
		time.Sleep(idle + idle/8 + 2*time.Minute)
		wantNone(t, here, cookie, idle)
		synctest.Wait()
		time.Sleep(11 * time.Second)
		wantNone(t, there, cookie, idle)
		synctest.Wait()
	})
}

func TestIdleAcrossRestart(t *testing.T) {
	for _, c := range []struct {
		title string
		pause time.Duration
		found bool
	}{
		{"soon", 30 * time.Minute, true},
		{"late", idle + idle/8 + 2*time.Minute, false},
	} {
		t.Run(c.title, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := newStore()
				before := newManager(t, store)
				_, cookie := begin(t, before)
				for range 10 {
					time.Sleep(20 * time.Minute)
					wantFound(t, before, cookie, idle)
				}
				time.Sleep(c.pause)
				after := newManager(t, store)
				if s, err := after.Find(background, cookie, idle); err != nil || (s != nil) != c.found {
					t.Errorf("got %v, %v", s, err)
				}
				synctest.Wait()
			})
		})
	}
}

func TestIdleWhileStoreIsAway(t *testing.T) {
	// Nobody can tell whether another instance saw the session: neither in nor
	// out.
	synctest.Test(t, func(t *testing.T) {
		store := newStore()
		m := newManager(t, store)
		_, cookie := begin(t, m)
		wantFound(t, m, cookie, idle)
		time.Sleep(idle + time.Minute)
		store.SetAway(true)
		wantError(t, m, cookie, idle)
		store.SetAway(false)
		time.Sleep(2 * time.Second)
		wantNone(t, m, cookie, idle)
		synctest.Wait()
	})
}

func TestLastUseIsSavedNowAndThen(t *testing.T) {
	for _, c := range []struct {
		title string
		idle  time.Duration
		most  int64
	}{
		{"no limit", 0, 0},
		{"long", 40 * time.Minute, 12},
		{"short", time.Second, 3600},
	} {
		t.Run(c.title, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := newStore()
				m := newManager(t, store)
				_, cookie := begin(t, m)
				before := store.Saves.Load()
				for start := time.Now(); time.Since(start) < time.Hour; time.Sleep(500 * time.Millisecond) {
					wantFound(t, m, cookie, c.idle)
				}
				synctest.Wait()
				if n := store.Saves.Load() - before; n > c.most || n < c.most*3/4 {
					t.Errorf("saved %d times in an hour", n)
				}
			})
		})
	}
}

func TestLastUseThatIsGarbage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore()
		m := newManager(t, store)
		s, cookie := begin(t, m)
		time.Sleep(2 * idle)
		if err := store.Save(background, s.Key()+".seen", []byte("just now"), s.Expires); err != nil {
			t.Fatal(err)
		}
		wantNone(t, m, cookie, idle)
		synctest.Wait()
	})
}

func TestClockThatIsSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore()
		var back time.Duration
		m := newManager(t, store, func(c *session.Config) {
			c.Now = func() time.Time { return time.Now().Add(-back) }
		})
		s, cookie := begin(t, m)
		time.Sleep(time.Hour)
		wantFound(t, m, cookie, idle*2)
		back = 30 * time.Minute
		wantFound(t, m, cookie, idle*2)
		if err := store.Delete(background, s.Key()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(11 * time.Second) // checks go on by the new clock
		_, _ = m.Find(background, cookie, 0)
		synctest.Wait()
		wantNone(t, m, cookie, 0)
	})
}
