// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
	"github.com/panelauth/caddy-panelauth/caddyauth/session/sessiontest"
)

// run runs what a Manager does in the background until the test ends.
func run(t *testing.T, managers ...*session.Manager) {
	t.Helper()
	ctx, cancel := context.WithCancel(background)
	for _, m := range managers {
		go m.Run(ctx)
	}
	t.Cleanup(func() {
		cancel()
		time.Sleep(time.Minute) // whatever is under way ends
		synctest.Wait()
	})
	synctest.Wait()
}

func newAnnouncingStore() *sessiontest.AnnouncingStore {
	return sessiontest.NewAnnouncingStore(sessiontest.NewMemoryStore())
}

// twoThatHear runs a test with two instances that share a store that announces,
// and a session that both know.
func twoThatHear(t *testing.T, test func(t *testing.T, store *sessiontest.AnnouncingStore, a, b *session.Manager, cookie string)) {
	synctest.Test(t, func(t *testing.T) {
		store := newAnnouncingStore()
		a, b := newManager(t, store), newManager(t, store)
		run(t, a, b)
		time.Sleep(time.Second)
		_, cookie := begin(t, a)
		wantFound(t, b, cookie, 0)
		test(t, store, a, b, cookie)
	})
}

func end(t *testing.T, m *session.Manager, cookie string) {
	t.Helper()
	if err := m.End(background, wantFound(t, m, cookie, 0)); err != nil {
		t.Fatal(err)
	}
}

func TestEndIsHeardAtOnce(t *testing.T) {
	twoThatHear(t, func(t *testing.T, store *sessiontest.AnnouncingStore, a, b *session.Manager, cookie string) {
		stream := wantFound(t, b, cookie, 0) // held by a connection that makes no requests
		end(t, a, cookie)
		synctest.Wait()
		loads := store.Loads.Load()
		wantNone(t, b, cookie, 0)
		if !stream.Over(time.Now()) {
			t.Error("the session that is held is not over")
		}
		if n := store.Loads.Load(); n != loads {
			t.Errorf("the store was asked %d times", n-loads)
		}
	})
}

// A record that is being read while its deletion is heard of lets nobody in.
func TestEndIsHeardWhileLoading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newAnnouncingStore()
		slow := sessiontest.NewAnnouncingStore(store.Store)
		a, b := newManager(t, store), newManager(t, slow)
		run(t, a, b)
		s, cookie := begin(t, a)
		loaded := make(chan *session.Session)
		slow.SetDelay(100 * time.Millisecond)
		go func() {
			found, _ := b.Find(background, cookie, 0)
			loaded <- found
		}()
		time.Sleep(50 * time.Millisecond)
		slow.SetDelay(0)
		if err := slow.Announce(background, s.Key()); err != nil {
			t.Fatal(err)
		}
		if found := <-loaded; found != nil && !found.Over(time.Now()) {
			t.Error("the session is going on")
		}
		wantNone(t, b, cookie, 0)
	})
}

// What ended while nobody could hear it is not used again.
func TestGapIsMadeUpFor(t *testing.T) {
	twoThatHear(t, func(t *testing.T, store *sessiontest.AnnouncingStore, a, b *session.Manager, cookie string) {
		_, other := begin(t, a)
		wantFound(t, b, other, 0)
		store.SetCut(true)
		end(t, a, cookie)
		store.SetCut(false)
		time.Sleep(500 * time.Millisecond)
		if n := store.Followers(); n != 2 {
			t.Fatalf("%d follow", n)
		}
		wantNone(t, b, cookie, 0)
		wantFound(t, b, other, 0)
		loads := store.Loads.Load()
		wantFound(t, b, other, 0)
		if n := store.Loads.Load(); n != loads {
			t.Error("a session that was checked is checked again")
		}
	})
}

// Who cannot hear asks more often.
func TestDeafInstanceAsksMoreOften(t *testing.T) {
	twoThatHear(t, func(t *testing.T, store *sessiontest.AnnouncingStore, a, b *session.Manager, cookie string) {
		store.SetCut(true)
		synctest.Wait()
		end(t, a, cookie)
		start := time.Now()
		for {
			s, err := b.Find(background, cookie, 0)
			if err != nil {
				t.Fatal(err)
			}
			if s == nil {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// While the store is away nobody is signed out, for as long as that takes.
func TestStoreThatAnnouncesGoesAway(t *testing.T) {
	for title, set := range map[string]func(*sessiontest.AnnouncingStore, bool){
		"away": func(s *sessiontest.AnnouncingStore, on bool) { s.SetAway(on) },
		"hung": func(s *sessiontest.AnnouncingStore, on bool) { s.SetHung(on) },
	} {
		t.Run(title, func(t *testing.T) {
			twoThatHear(t, func(t *testing.T, store *sessiontest.AnnouncingStore, a, b *session.Manager, cookie string) {
				_, other := begin(t, a)
				wantFound(t, b, other, 0)
				set(store, true)
				store.SetCut(true)
				for range 60 {
					wantFound(t, b, cookie, 0)
					time.Sleep(time.Second)
				}
				if err := a.End(background, wantFound(t, a, other, 0)); err == nil {
					t.Error("the store was told while it was away")
				}
				wantNone(t, a, other, 0)
				set(store, false)
				store.SetCut(false)
				time.Sleep(45 * time.Second)
				wantFound(t, b, cookie, 0) // and so asks whether the store is back
				time.Sleep(time.Second)
				wantNone(t, b, other, 0)
				end(t, a, cookie)
				synctest.Wait()
				wantNone(t, b, cookie, 0)
			})
		})
	}
}

// A session that could not be announced is found out about all the same.
func TestAnnouncingFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mute := newAnnouncingStore()
		mute.SetCut(true)
		log := newLog()
		a, b := newManager(t, mute, log.use), newManager(t, sessiontest.NewAnnouncingStore(mute.Store))
		run(t, b)
		_, cookie := begin(t, a)
		wantFound(t, b, cookie, 0)
		end(t, a, cookie)
		time.Sleep(11 * time.Second)
		wantNone(t, b, cookie, 0)
		if n := log.count("telling other instances of an ended session failed, they will find out when they ask"); n != 1 {
			t.Errorf("%d complaints", n)
		}
	})
}

// What is announced may be anything.
func TestHearsNonsense(t *testing.T) {
	twoThatHear(t, func(t *testing.T, store *sessiontest.AnnouncingStore, _, b *session.Manager, cookie string) {
		remembered := b.Remembered()
		id := strings.Repeat("0f", 16)
		now := time.Now().Unix() / 3600
		for _, key := range []string{
			"", "sessions", "sessions/", "sessions//", "sessions/" + id, fmt.Sprintf("sessions/%d/", now),
			fmt.Sprintf("sessions/%d/%s.tokens", now, id), fmt.Sprintf("sessions/%d/%s/x", now, id),
			fmt.Sprintf("sessions/+%d/%s", now, id), fmt.Sprintf("sessions/0%d/%s", now, id),
			fmt.Sprintf("sessions/%d/%s", now, strings.ToUpper(id)), fmt.Sprintf("sessions/%d/%s", now, strings.Repeat("zz", 16)),
			fmt.Sprintf("%d/%s", now, id), fmt.Sprintf("sessions/%d/%s", now-2, id), fmt.Sprintf("sessions/%d/%s", now+402*24, id),
			fmt.Sprintf("sessions/%d/%s", math.MaxInt64, id), fmt.Sprintf("sessions/%d/%s", math.MinInt64, id),
			strings.Repeat("x", 1<<16),
		} {
			if err := store.Announce(background, key); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if n := b.Remembered(); n != remembered {
				t.Errorf("%.80q is taken for a session", key)
			}
		}
		wantFound(t, b, cookie, 0)
		if err := store.Announce(background, fmt.Sprintf("sessions/%d/%s", now+1, id)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := b.Remembered(); n != remembered+1 {
			t.Error("a session is not remembered")
		}
	})
}

// What is remembered of an announcement is forgotten when it no longer matters.
func TestForgetsWhatItHeard(t *testing.T) {
	twoThatHear(t, func(t *testing.T, _ *sessiontest.AnnouncingStore, a, b *session.Manager, cookie string) {
		end(t, a, cookie)
		synctest.Wait()
		if b.Remembered() == 0 {
			t.Error("the end is not remembered")
		}
		b.Forget(time.Now().Add(lifetime - time.Second))
		if b.Remembered() == 0 {
			t.Error("the end is forgotten while the cookie is good")
		}
		b.Forget(time.Now().Add(lifetime + 2*time.Hour))
		if n := b.Remembered(); n != 0 {
			t.Errorf("%d ends are remembered for ever", n)
		}
	})
}

// A store without announcements is asked as before.
func TestStoreWithoutAnnouncements(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore()
		a, b := newManager(t, store), newManager(t, store)
		run(t, a, b)
		_, cookie := begin(t, a)
		wantFound(t, b, cookie, 0)
		loads := store.Loads.Load()
		time.Sleep(4 * time.Second)
		wantFound(t, b, cookie, 0)
		if n := store.Loads.Load(); n != loads {
			t.Error("a fresh session is checked")
		}
	})
}

// expiringStore forgets by itself.
type expiringStore struct{ *sessiontest.FaultyStore }

func (expiringStore) Expires() bool { return true }

func TestStoreThatExpiresIsNotSwept(t *testing.T) {
	store := expiringStore{newStore()}
	if err := newManager(t, store).Sweep(background); err != nil {
		t.Error(err)
	}
	if n := store.Lists.Load(); n != 0 {
		t.Errorf("listed %d times", n)
	}
}
