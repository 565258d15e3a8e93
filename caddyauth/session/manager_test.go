// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
	"github.com/panelauth/caddy-panelauth/caddyauth/session/sessiontest"
)

// Most tests here run in a synctest bubble: time passes as they say, and a
// goroutine that is left behind fails them.

const (
	lifetime = 24 * time.Hour
	secret   = "a secret of thirty-two characters"
)

var background = context.Background()

func newManager(t testing.TB, store session.Store, change ...func(*session.Config)) *session.Manager {
	t.Helper()
	c := session.Config{Secrets: [][]byte{[]byte(secret)}, Store: store}
	for _, change := range change {
		change(&c)
	}
	m, err := session.NewManager(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func newStore() *sessiontest.FaultyStore {
	return sessiontest.NewFaultyStore(sessiontest.NewMemoryStore())
}

func begin(t testing.TB, m *session.Manager) (*session.Session, string) {
	t.Helper()
	s, cookie, err := m.Begin(background, record())
	if err != nil {
		t.Fatal(err)
	}
	return s, cookie
}

func record() session.Record {
	return session.Record{
		User: "alice", Provider: "password", Proof: session.Fingerprint("x"),
		Expires: time.Now().Add(lifetime),
	}
}

func wantFound(t testing.TB, m *session.Manager, cookie string, idle time.Duration) *session.Session {
	t.Helper()
	s, err := m.Find(background, cookie, idle)
	if err != nil || s == nil {
		t.Fatalf("got session %v and error %v, want a session", s, err)
	}
	return s
}

func wantNone(t testing.TB, m *session.Manager, cookie string, idle time.Duration) {
	t.Helper()
	if s, err := m.Find(background, cookie, idle); err != nil || s != nil {
		t.Fatalf("got session %v and error %v, want none", s, err)
	}
}

func wantError(t testing.TB, m *session.Manager, cookie string, idle time.Duration) {
	t.Helper()
	if s, err := m.Find(background, cookie, idle); err == nil || s != nil {
		t.Fatalf("got session %v and error %v, want an error", s, err)
	}
}

// bothModes runs a test with a store and without.
func bothModes(t *testing.T, test func(t *testing.T, store session.Store)) {
	t.Run("store", func(t *testing.T) { test(t, newStore()) })
	t.Run("cookie", func(t *testing.T) { test(t, nil) })
}

func TestNewManagerRefuses(t *testing.T) {
	for title, secrets := range map[string][][]byte{
		"no secret":        nil,
		"an empty secret":  {[]byte("")},
		"an empty old one": {[]byte(secret), nil},
	} {
		t.Run(title, func(t *testing.T) {
			if _, err := session.NewManager(session.Config{Secrets: secrets}); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestManagerDoesNotShowItsSecret(t *testing.T) {
	m := newManager(t, nil)
	for _, format := range []string{"%v", "%+v", "%#v"} {
		if strings.Contains(fmt.Sprintf(format, m), secret) {
			t.Errorf("%s shows the secret", format)
		}
	}
}

func TestBegin(t *testing.T) {
	bothModes(t, func(t *testing.T, store session.Store) {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(1500 * time.Millisecond) // not on a whole second
			r := record()
			r.Claims = map[string]any{
				"email": "alice@example.org", "id": 12345678901234567, "groups": []string{"a", "b"},
			}
			r.ClientIP = "192.0.2.1"
			m := newManager(t, store)
			s, cookie, err := m.Begin(background, r)
			if err != nil {
				t.Fatal(err)
			}
			if wantFound(t, m, cookie, 0) != s {
				t.Error("another session was found")
			}
			again := wantFound(t, newManager(t, store), cookie, 0)
			if again.ID != s.ID || !reflect.DeepEqual(again.Record, s.Record) {
				t.Errorf("after a restart it is\n%+v, was\n%+v", again.Record, s.Record)
			}
			if id := s.Claims["id"]; id != json.Number("12345678901234567") {
				t.Errorf("the claim id became %v", id)
			}
			if s.User != r.User || s.ClientIP != r.ClientIP || !bytes.Equal(s.Proof, r.Proof) {
				t.Errorf("got %+v", s.Record)
			}
			if late := time.Since(s.Created); late < 0 || late > time.Second {
				t.Errorf("created %v ago", late)
			}
			if len(s.ID) != 32 || strings.Contains(cookie, s.ID) {
				t.Errorf("the name is %q", s.ID)
			}
		})
	})
}

// tardyStore saves records when it comes to it, however long nobody waits.
type tardyStore struct {
	*sessiontest.MemoryStore
	delay time.Duration
}

func (s tardyStore) Save(_ context.Context, key string, value []byte, expires time.Time) error {
	if strings.HasPrefix(key, "sessions/") {
		time.Sleep(s.delay)
	}
	return s.MemoryStore.Save(background, key, value, expires)
}

// TestBeginTooLate: a record that is saved when nobody waits for it any more is
// nobody's session.
func TestBeginTooLate(t *testing.T) {
	for _, delay := range []time.Duration{501 * time.Millisecond, 3 * time.Second, time.Minute} {
		t.Run(delay.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := tardyStore{sessiontest.NewMemoryStore(), delay}
				m := newManager(t, store)
				run(t, m)
				if s, cookie, err := m.Begin(background, record()); s != nil || cookie != "" || err == nil {
					t.Errorf("got %v, %q, %v", s, cookie, err)
				}
				time.Sleep(delay + time.Minute)
				if n := store.Len(); n != 0 {
					t.Errorf("%d values are left", n)
				}
				wantIDs(t, newManager(t, store).All(background))
			})
		})
	}
}

func TestBeginRefuses(t *testing.T) {
	for _, c := range []struct {
		title  string
		change func(*session.Record)
	}{
		{"no user", func(r *session.Record) { r.User = "" }},
		{"no lifetime", func(r *session.Record) { r.Expires = time.Time{} }},
		{"over already", func(r *session.Record) { r.Expires = time.Now() }},
		{"not for JSON", func(r *session.Record) { r.Claims = map[string]any{"f": func() {}} }},
		{"too large", func(r *session.Record) { r.ClientIP = strings.Repeat("1", session.MaxRecord) }},
	} {
		t.Run(c.title, func(t *testing.T) {
			bothModes(t, func(t *testing.T, store session.Store) {
				r := record()
				c.change(&r)
				if s, cookie, err := newManager(t, store).Begin(background, r); err == nil || s != nil || cookie != "" {
					t.Errorf("got %v, %q, %v", s, cookie, err)
				}
			})
		})
	}
}

func TestCookiesAreDistinct(t *testing.T) {
	bothModes(t, func(t *testing.T, store session.Store) {
		m := newManager(t, store)
		s1, cookie1 := begin(t, m)
		s2, cookie2 := begin(t, m)
		if s1.ID == s2.ID || cookie1 == cookie2 || s1 == s2 {
			t.Error("two sessions are one")
		}
	})
}

func TestFindNone(t *testing.T) {
	bothModes(t, func(t *testing.T, store session.Store) {
		synctest.Test(t, func(t *testing.T) {
			m := newManager(t, store)
			_, good := begin(t, m)
			other := func(secret string) string {
				m := newManager(t, store, func(c *session.Config) { c.Secrets = [][]byte{[]byte(secret)} })
				_, cookie := begin(t, m)
				return cookie
			}
			otherMode := session.Store(newStore())
			if store != nil {
				otherMode = nil
			}
			_, wrongMode := begin(t, newManager(t, otherMode))
			_, future := begin(t, newManager(t, store, func(c *session.Config) {
				c.Now = func() time.Time { return time.Now().Add(time.Minute + 2*time.Second) }
			}))
			for _, c := range []struct{ title, cookie string }{
				{"empty", ""},
				{"plain", "alice"},
				{"not base64", good[:20] + "!" + good[21:]},
				{"cut", good[:len(good)-8]},
				{"changed", good[:40] + string(good[40]^1) + good[41:]},
				{"longer", good + "AAAA"},
				{"another secret's", other("another secret of thirty-two characters")},
				{"the other kind", wrongMode},
				{"from the future", future},
				{"too long", strings.Repeat("A", 100_000)},
			} {
				if s, err := m.Find(background, c.cookie, 0); s != nil || err != nil {
					t.Errorf("%s: got session %v and error %v", c.title, s, err)
				}
			}
			wantFound(t, m, good, 0)
		})
	})
}

func TestClockSkew(t *testing.T) {
	// Two instances' clocks are a minute apart, either way.
	for _, skew := range []time.Duration{time.Minute, -time.Minute} {
		t.Run(skew.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := newStore()
				here := newManager(t, store)
				there := newManager(t, store, func(c *session.Config) {
					c.Now = func() time.Time { return time.Now().Add(skew) }
				})
				_, cookie := begin(t, there)
				const idle, pause = 5 * time.Minute, 4*time.Minute + 50*time.Second
				for range 20 { // a while on the one, a while on the other
					for range 5 {
						wantFound(t, here, cookie, idle)
						time.Sleep(pause)
					}
					for range 5 {
						wantFound(t, there, cookie, idle)
						time.Sleep(pause)
					}
				}
				synctest.Wait()
			})
		})
	}
}

func TestLifetime(t *testing.T) {
	bothModes(t, func(t *testing.T, store session.Store) {
		synctest.Test(t, func(t *testing.T) {
			m := newManager(t, store)
			s, cookie := begin(t, m)
			time.Sleep(lifetime - time.Second)
			wantFound(t, m, cookie, 0)
			if s.Over(time.Now()) {
				t.Error("over too early")
			}
			time.Sleep(time.Second)
			if !s.Over(time.Now()) {
				t.Error("not over")
			}
			wantNone(t, m, cookie, 0)
			wantNone(t, newManager(t, store), cookie, 0)
			synctest.Wait()
		})
	})
}

func TestExpiredCookieCostsNoReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore()
		_, cookie := begin(t, newManager(t, store))
		time.Sleep(lifetime)
		wantNone(t, newManager(t, store), cookie, 0)
		if n := store.Loads.Load(); n != 0 {
			t.Errorf("%d reads", n)
		}
	})
}

func TestKeyRotation(t *testing.T) {
	const older = "the secret that was used before"
	bothModes(t, func(t *testing.T, store session.Store) {
		with := func(secrets ...string) *session.Manager {
			return newManager(t, store, func(c *session.Config) {
				c.Secrets = nil
				for _, s := range secrets {
					c.Secrets = append(c.Secrets, []byte(s))
				}
			})
		}
		_, cookie := begin(t, with(older))
		wantFound(t, with(secret, older), cookie, 0)
		wantNone(t, with(secret), cookie, 0)
		_, cookie = begin(t, with(secret, older))
		wantFound(t, with(secret), cookie, 0)
		wantNone(t, with(older), cookie, 0)
	})
}

func TestEnd(t *testing.T) {
	bothModes(t, func(t *testing.T, store session.Store) {
		synctest.Test(t, func(t *testing.T) {
			m := newManager(t, store)
			s, cookie := begin(t, m)
			_, bystander := begin(t, m)
			if err := m.End(background, s); err != nil {
				t.Fatal(err)
			}
			if !s.Over(time.Now()) {
				t.Error("not over")
			}
			for range 3 {
				wantNone(t, m, cookie, 0)
				time.Sleep(time.Hour)
				m.Forget(time.Now())
			}
			if err := m.End(background, s); err != nil {
				t.Errorf("ending it again: %v", err)
			}
			wantFound(t, m, bystander, 0)
			if err := m.End(background, nil); err != nil {
				t.Errorf("ending none: %v", err)
			}
			synctest.Wait()
		})
	})
}

func TestEndIsForEveryCopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, newStore())
		s, cookie := begin(t, m)
		copied := m.Reseal(cookie, time.Now())
		if copied == cookie {
			t.Fatal("not another cookie")
		}
		if wantFound(t, m, copied, 0) != s {
			t.Error("two cookies of one session give two sessions")
		}
		if err := m.End(background, s); err != nil {
			t.Fatal(err)
		}
		wantNone(t, m, copied, 0)
		wantNone(t, m, cookie, 0)
		wantNone(t, m, m.Reseal(cookie, time.Now()), 0)
		synctest.Wait()
	})
}

func TestEndReachesWhoHoldsOn(t *testing.T) {
	// A websocket holds a session long after the last request; then the user
	// comes back and signs out.
	bothModes(t, func(t *testing.T, store session.Store) {
		synctest.Test(t, func(t *testing.T) {
			m := newManager(t, store)
			held, cookie := begin(t, m)
			time.Sleep(time.Hour)
			m.Forget(time.Now())
			if cookies, _ := m.Known(); cookies != 0 {
				t.Fatalf("%d cookies in memory", cookies)
			}
			s := wantFound(t, m, cookie, 0)
			if err := m.End(background, s); err != nil {
				t.Fatal(err)
			}
			if !held.Over(time.Now()) {
				t.Error("who held the session was not told")
			}
			synctest.Wait()
		})
	})
}

func TestEndOfAnotherManagersSession(t *testing.T) {
	// As after a reload, when a stream holds a session of the one before.
	bothModes(t, func(t *testing.T, store session.Store) {
		m := newManager(t, store)
		s, cookie := begin(t, m)
		before := wantFound(t, newManager(t, store), cookie, 0)
		if err := m.End(background, before); err != nil {
			t.Fatal(err)
		}
		wantNone(t, m, cookie, 0)
		if !s.Over(time.Now()) || !before.Over(time.Now()) {
			t.Error("not over")
		}
	})
}

func TestSessionThatTakesItsTime(t *testing.T) {
	// A store that is many computers may not show at once what another saved.
	synctest.Test(t, func(t *testing.T) {
		store := newStore()
		_, cookie := begin(t, newManager(t, store))
		m := newManager(t, store)
		full := store.Store
		store.Store = sessiontest.NewMemoryStore()
		wantNone(t, m, cookie, 0)
		store.Store = full
		time.Sleep(time.Second)
		wantFound(t, m, cookie, 0)
	})
}

func TestEndDuringLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore()
		s, cookie := begin(t, newManager(t, store))
		m := newManager(t, store)
		store.SetDelay(100 * time.Millisecond)
		go func() {
			time.Sleep(50 * time.Millisecond)
			_ = m.End(background, s) // the same session, known from elsewhere
		}()
		wantNone(t, m, cookie, 0)
		time.Sleep(time.Minute)
		wantNone(t, m, cookie, 0)
		synctest.Wait()
	})
}

func TestEndElsewhere(t *testing.T) {
	for _, c := range []struct {
		title string
		pause time.Duration
		first bool // whether the first request after the pause still gets in
	}{
		{"fresh", 4 * time.Second, true},
		{"checked in the background", 7 * time.Second, true},
		{"checked before use", 11 * time.Second, false},
	} {
		t.Run(c.title, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := newStore()
				here, there := newManager(t, store), newManager(t, store)
				s, cookie := begin(t, here)
				if err := there.End(background, wantFound(t, there, cookie, 0)); err != nil {
					t.Fatal(err)
				}
				time.Sleep(c.pause)
				got, err := here.Find(background, cookie, 0)
				if err != nil || (got != nil) != c.first {
					t.Errorf("first request: got %v, %v", got, err)
				}
				time.Sleep(5100*time.Millisecond - min(c.pause, 5*time.Second))
				_, _ = here.Find(background, cookie, 0)
				synctest.Wait()
				wantNone(t, here, cookie, 0)
				if !s.Over(time.Now()) {
					t.Error("who holds it does not know that it is over")
				}
			})
		})
	}
}

func TestStoreIsNotReadPerRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore()
		m := newManager(t, store)
		_, cookie := begin(t, m)
		for range 100 { // in ten seconds
			for range 10 {
				wantFound(t, m, cookie, 0)
			}
			time.Sleep(100 * time.Millisecond)
		}
		synctest.Wait()
		if n := store.Loads.Load(); n != 1 {
			t.Errorf("%d reads", n)
		}
	})
}

func TestUnknownIsLoadedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore()
		_, cookie := begin(t, newManager(t, store))
		m := newManager(t, store)
		store.SetDelay(100 * time.Millisecond)
		found := make([]*session.Session, 100)
		var wg sync.WaitGroup
		for i := range found {
			wg.Go(func() { found[i], _ = m.Find(background, cookie, 0) })
		}
		wg.Wait()
		for _, s := range found {
			if s == nil || s != found[0] {
				t.Fatalf("got %v, want %v", s, found[0])
			}
		}
		if n := store.Loads.Load(); n != 1 {
			t.Errorf("%d reads", n)
		}
	})
}

func TestReplayCostsNoReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore()
		there := newManager(t, store)
		s, cookie := begin(t, there)
		if err := there.End(background, s); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		m := newManager(t, store)
		for range 1000 {
			wantNone(t, m, cookie, 0)
		}
		if n := store.Loads.Load(); n != 1 {
			t.Errorf("%d reads", n)
		}
		// Not for ever: the store may have been an empty mount point.
		for range 10 {
			time.Sleep(30 * time.Second)
			wantNone(t, m, cookie, 0)
		}
		if n := store.Loads.Load(); n > 6 {
			t.Errorf("%d reads", n)
		}
		wantNone(t, there, cookie, 0)
		synctest.Wait()
	})
}

func TestStoreEmptyForAWhile(t *testing.T) {
	// A shared folder that is not mounted looks like one without sessions.
	synctest.Test(t, func(t *testing.T) {
		store := newStore()
		m := newManager(t, store)
		_, cookie := begin(t, m)
		full := store.Store
		store.Store = sessiontest.NewMemoryStore()
		time.Sleep(time.Minute)
		wantNone(t, m, cookie, 0)
		store.Store = full
		time.Sleep(time.Minute)
		wantFound(t, m, cookie, 0)
		synctest.Wait()
	})
}

func TestRecordThatCannotBeOpened(t *testing.T) {
	for _, c := range []struct {
		title string
		spoil func(sealed, other []byte) []byte
	}{
		{"cut", func(sealed, _ []byte) []byte { return sealed[:len(sealed)/2] }},
		{"empty", func(_, _ []byte) []byte { return nil }},
		{"plain", func(_, _ []byte) []byte { return []byte(`{"user":"mallory"}`) }},
		{"another's", func(_, other []byte) []byte { return other }},
		{"huge", func(_, _ []byte) []byte { return make([]byte, 3*session.MaxRecord) }},
	} {
		t.Run(c.title, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, log := newStore(), newLog()
				there := newManager(t, store)
				s, cookie := begin(t, there)
				other, _ := begin(t, there)
				sealed, otherSealed := mustLoad(t, store, s.Key()), mustLoad(t, store, other.Key())
				spoilt := c.spoil(sealed, otherSealed)
				if err := store.Save(background, s.Key(), spoilt, s.Expires); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Hour)
				m := newManager(t, store, log.use)
				for range 5 {
					wantNone(t, m, cookie, 0)
				}
				if got := mustLoad(t, store, s.Key()); !bytes.Equal(got, spoilt) {
					t.Error("the record was touched")
				}
				if n := log.count("session record cannot be opened"); n != 1 {
					t.Errorf("said %d times", n)
				}
			})
		})
	}
}

func mustLoad(t *testing.T, store session.Store, key string) []byte {
	t.Helper()
	value, err := store.Load(background, key)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestRecordsAreSealed(t *testing.T) {
	store := newStore()
	m := newManager(t, store)
	s, cookie := begin(t, m)
	if sealed := mustLoad(t, store, s.Key()); bytes.Contains(sealed, []byte("alice")) {
		t.Error("the record can be read")
	}
	if strings.Contains(s.Key(), cookie) || !strings.HasPrefix(s.Key(), "sessions/") {
		t.Errorf("the key is %s", s.Key())
	}
}

func TestHardCap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, newStore(), func(c *session.Config) { c.MaxSessions = 128 })
		var cookies []string
		for range 1000 {
			_, cookie := begin(t, m)
			cookies = append(cookies, cookie)
		}
		if n, _ := m.Known(); n > 128 {
			t.Errorf("%d in memory", n)
		}
		for _, cookie := range cookies {
			wantFound(t, m, cookie, 0)
		}
	})
}

func TestMemo(t *testing.T) {
	m := newManager(t, newStore())
	s, cookie := begin(t, m)
	s.Memo.Store("derived")
	if got := wantFound(t, m, cookie, 0).Memo.Load(); got != "derived" {
		t.Errorf("got %v", got)
	}
}

func TestLastSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, nil)
		s, cookie := begin(t, m)
		time.Sleep(time.Hour)
		if since := time.Since(s.LastSeen()); since != time.Hour {
			t.Errorf("seen %v ago", since)
		}
		wantFound(t, m, cookie, 0)
		if since := time.Since(s.LastSeen()); since != 0 {
			t.Errorf("seen %v ago", since)
		}
	})
}

func TestAllAtOnce(t *testing.T) {
	// For the race detector.
	store := newStore()
	m := newManager(t, store, func(c *session.Config) { c.Fresh, c.Stale = 1, 2 })
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				s, cookie, err := m.Begin(background, record())
				if err != nil {
					t.Error(err)
					return
				}
				for range 5 {
					wg.Go(func() { _, _ = m.Find(background, cookie, time.Second) })
				}
				_ = s.LastSeen()
				if err := m.End(background, s); err != nil {
					t.Error(err)
				}
				if found, err := m.Find(background, cookie, 0); found != nil || err != nil {
					t.Errorf("got %v, %v after its end", found, err)
				}
				m.Forget(time.Now())
			}
		})
	}
	wg.Wait()
}

func TestFindAllocatesNothing(t *testing.T) {
	m := newManager(t, newStore())
	_, cookie := begin(t, m)
	if n := testing.AllocsPerRun(100, func() { _, _ = m.Find(background, cookie, time.Hour) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzFind(f *testing.F) {
	stored, bare := newManager(f, newStore()), newManager(f, nil)
	_, ticket := begin(f, stored)
	_, carried := begin(f, bare)
	for _, cookie := range []string{"", "x", ticket, carried, ticket[1:], carried[:50]} {
		f.Add(cookie)
	}
	f.Fuzz(func(t *testing.T, cookie string) {
		for _, m := range []*session.Manager{stored, bare} {
			s, err := m.Find(background, cookie, 0)
			if err != nil {
				t.Errorf("error %v", err)
			}
			if s != nil && (s.User != "alice" || len(cookie) < 100) {
				t.Errorf("%q is a session of %s", cookie, s.User)
			}
		}
	})
}

func BenchmarkFind(b *testing.B) {
	for name, store := range map[string]session.Store{"store": newStore(), "cookie": nil} {
		b.Run(name, func(b *testing.B) {
			m := newManager(b, store)
			_, cookie := begin(b, m)
			b.ReportAllocs()
			for b.Loop() {
				if s, err := m.Find(background, cookie, time.Hour); s == nil || err != nil {
					b.Fatal(s, err)
				}
			}
		})
	}
	b.Run("parallel", func(b *testing.B) {
		m := newManager(b, newStore())
		_, cookie := begin(b, m)
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				_, _ = m.Find(background, cookie, time.Hour)
			}
		})
	})
	b.Run("forged", func(b *testing.B) {
		m := newManager(b, newStore())
		_, cookie := begin(b, m)
		forged := "B" + cookie[1:]
		b.ReportAllocs()
		for b.Loop() {
			if s, err := m.Find(background, forged, 0); s != nil || err != nil {
				b.Fatal(s, err)
			}
		}
	})
}

func BenchmarkBegin(b *testing.B) {
	m := newManager(b, newStore())
	r := record()
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := m.Begin(background, r); err != nil {
			b.Fatal(err)
		}
	}
}
