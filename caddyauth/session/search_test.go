// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
	"github.com/panelauth/caddy-panelauth/caddyauth/session/sessiontest"
)

// beginAs begins the session of a record, changed, and returns both names.
func beginAs(t testing.TB, m *session.Manager, change func(*session.Record)) (id, cookie string) {
	t.Helper()
	r := record()
	change(&r)
	s, cookie, err := m.Begin(background, r)
	if err != nil {
		t.Fatal(err)
	}
	return s.ID, cookie
}

// idsOf collects what a search finds, and its error.
func idsOf(found iter.Seq2[*session.Session, error]) (ids []string, err error) {
	for s, failed := range found {
		if failed != nil {
			return ids, failed
		}
		ids = append(ids, s.ID)
	}
	slices.Sort(ids)
	return ids, nil
}

func wantIDs(t testing.TB, found iter.Seq2[*session.Session, error], want ...string) {
	t.Helper()
	ids, err := idsOf(found)
	slices.Sort(want)
	if err != nil || !slices.Equal(ids, want) {
		t.Errorf("found %q and error %v, want %q", ids, err, want)
	}
}

// Some people, at two issuers that call them alike.
const (
	issuer = "https://issuer.example.com"
	other  = "https://other.example.com"
)

func at(iss, sub, sid string) func(*session.Record) {
	return func(r *session.Record) {
		r.User, r.Provider, r.Issuer, r.Subject, r.SID = "name of "+sub, "oidc", iss, sub, sid
	}
}

func named(user string) func(*session.Record) {
	return func(r *session.Record) { r.User = user }
}

func TestOf(t *testing.T) {
	bothModes(t, func(t *testing.T, store session.Store) {
		m := newManager(t, store)
		ids := map[string]string{}
		for name, change := range map[string]func(*session.Record){
			"alice":       named("alice"),
			"alice too":   named("alice"),
			"bob":         named("bob"),
			"1 phone":     at(issuer, "1", "phone"),
			"1 desk":      at(issuer, "1", "desk"),
			"1 unsaid":    at(issuer, "1", ""),
			"2 desk":      at(issuer, "2", "desk of 2"),
			"1 elsewhere": at(other, "1", "phone"),
		} {
			ids[name], _ = beginAs(t, m, change)
		}
		for title, c := range map[string]struct {
			who  session.Who
			want []string
		}{
			"nobody":                   {session.Who{}, nil},
			"an issuer alone":          {session.Who{Issuer: issuer}, nil},
			"a provider alone":         {session.Who{Provider: "oidc"}, nil},
			"a user":                   {session.Who{User: "alice"}, []string{"alice", "alice too"}},
			"a user in another case":   {session.Who{User: "Alice"}, nil},
			"a user of a provider":     {session.Who{User: "alice", Provider: "password"}, []string{"alice", "alice too"}},
			"a user of another":        {session.Who{User: "alice", Provider: "oidc"}, nil},
			"a subject":                {session.Who{Issuer: issuer, Subject: "1"}, []string{"1 phone", "1 desk", "1 unsaid"}},
			"a subject elsewhere":      {session.Who{Issuer: other, Subject: "1"}, []string{"1 elsewhere"}},
			"a subject without issuer": {session.Who{Subject: "1"}, nil},
			"a session":                {session.Who{Issuer: issuer, SID: "phone"}, []string{"1 phone"}},
			"a session elsewhere":      {session.Who{Issuer: other, SID: "phone"}, []string{"1 elsewhere"}},
			"a session of a subject":   {session.Who{Issuer: issuer, Subject: "1", SID: "phone"}, []string{"1 phone", "1 unsaid"}},
			"another's session":        {session.Who{Issuer: issuer, Subject: "2", SID: "phone"}, nil},
			"a user who is a subject":  {session.Who{User: "name of 1", Subject: "1", Issuer: issuer}, []string{"1 phone", "1 desk", "1 unsaid"}},
		} {
			t.Run(title, func(t *testing.T) {
				var want []string
				for _, name := range c.want {
					want = append(want, ids[name])
				}
				wantIDs(t, m.Of(background, c.who), want...)
				if store != nil { // once more, without memory
					wantIDs(t, newManager(t, store).Of(background, c.who), want...)
				}
			})
		}
	})
}

func TestOfOpensNoOthers(t *testing.T) {
	store := newStore()
	m := newManager(t, store)
	for i := range 100 {
		beginAs(t, m, named(fmt.Sprint("somebody ", i)))
	}
	id, _ := beginAs(t, m, named("alice"))
	wantIDs(t, newManager(t, store).Of(background, session.Who{User: "alice"}), id)
	if n := store.Loads.Load(); n != 1 {
		t.Errorf("%d records were read", n)
	}
}

func TestOfLooksInEveryBucket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, newStore())
		var want []string
		for range 30 {
			id, _ := beginAs(t, m, named("alice"))
			want = append(want, id)
			time.Sleep(time.Hour)
		}
		synctest.Wait()
		wantIDs(t, m.Of(background, session.Who{User: "alice"}), want[len(want)-23:]...)
	})
}

// TestSearchAfterKeyRotation: what was written with an older secret is found.
func TestSearchAfterKeyRotation(t *testing.T) {
	store := newStore()
	id, cookie := beginAs(t, newManager(t, store), named("alice"))
	m := newManager(t, store, func(c *session.Config) {
		c.Secrets = [][]byte{[]byte("a new secret of enough characters"), []byte(secret)}
	})
	wantIDs(t, m.Of(background, session.Who{User: "alice"}), id)
	wantIDs(t, m.All(background), id)
	for s := range m.Of(background, session.Who{User: "alice"}) {
		if err := m.End(background, s); err != nil {
			t.Fatal(err)
		}
	}
	wantNone(t, m, cookie, 0)
	wantNone(t, newManager(t, store), cookie, 0)
}

// TestOthersRecords: a Manager with other secrets neither sees nor ends them.
func TestOthersRecords(t *testing.T) {
	store := newStore()
	id, _ := beginAs(t, newManager(t, store), named("alice"))
	m := newManager(t, store, func(c *session.Config) { c.Secrets = [][]byte{[]byte("another secret of enough characters")} })
	wantIDs(t, m.All(background))
	wantIDs(t, m.Of(background, session.Who{User: "alice"}))
	if s, err := m.ByID(background, id); s != nil || err != nil {
		t.Errorf("found %v, %v", s, err)
	}
}

func TestByID(t *testing.T) {
	bothModes(t, func(t *testing.T, store session.Store) {
		m := newManager(t, store)
		id, cookie := beginAs(t, m, named("alice"))
		managers := []*session.Manager{m}
		if store != nil {
			managers = append(managers, newManager(t, store))
		}
		for _, m := range managers {
			s, err := m.ByID(background, id)
			if err != nil || s == nil || s.ID != id || s.User != "alice" {
				t.Fatalf("found %v, %v", s, err)
			}
			for _, name := range []string{
				"", "x", id[1:], id + "0", strings.ToUpper(id), "../" + id, id + ".seen", strings.Repeat("0", 32), cookie,
			} {
				if s, err := m.ByID(background, name); s != nil || err != nil {
					t.Errorf("%q is %v, %v", name, s, err)
				}
			}
		}
		s, _ := managers[len(managers)-1].ByID(background, id)
		if err := managers[len(managers)-1].End(background, s); err != nil {
			t.Fatal(err)
		}
		if s, err := managers[len(managers)-1].ByID(background, id); s != nil || err != nil {
			t.Errorf("after its end it is %v, %v", s, err)
		}
	})
}

// TestEndOfWhatIsNotKnown: a session that no cookie has come for is over, for
// its cookie and for who holds it.
func TestEndOfWhatIsNotKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := sessiontest.NewMemoryStore()
		there := newManager(t, store)
		r := record()
		r.Tokens = tokensFor(0)
		held, cookie, err := there.Begin(background, r)
		if err != nil {
			t.Fatal(err)
		}
		here := newManager(t, store)
		for s := range here.Of(background, session.Who{User: "alice"}) {
			if here.LoadTokens(s); s.Tokens().Access != r.Tokens.Access {
				t.Error("the tokens are not those of the session")
			}
			if err := here.End(background, s); err != nil {
				t.Fatal(err)
			}
		}
		wantNone(t, here, cookie, 0)
		time.Sleep(10*time.Second + time.Millisecond)
		wantNone(t, there, cookie, 0)
		synctest.Wait()
		if !held.Over(time.Now()) || store.Len() != 0 || store.LenIndex() != 0 {
			t.Errorf("over: %v, %d values and %d entries are left", held.Over(time.Now()), store.Len(), store.LenIndex())
		}
	})
}

func TestAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore()
		m := newManager(t, store)
		beginAs(t, m, func(r *session.Record) { r.Expires = time.Now().Add(30 * time.Minute) })
		time.Sleep(35 * time.Minute)
		var want []string
		for i := range 5 {
			id, cookie := beginAs(t, m, named(fmt.Sprint("somebody ", i)))
			want = append(want, id)
			time.Sleep(time.Hour)
			wantFound(t, m, cookie, 6*time.Hour)
		}
		synctest.Wait()
		for _, key := range []string{"sessions/x/y", "sessions/999999999/z", "sessions/999999999/" + strings.Repeat("0", 32)} {
			if err := store.Save(background, key, []byte("x"), time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		elsewhere := newManager(t, store)
		wantIDs(t, m.All(background), want...)
		wantIDs(t, elsewhere.All(background), want...)
		before := store.Loads.Load()
		for s, err := range elsewhere.All(background) {
			if err != nil || s.LastSeen().Sub(s.Created) != time.Hour {
				t.Errorf("it was last seen at %v: %v", s.LastSeen(), err)
			}
			break
		}
		if n := store.Loads.Load() - before; n > 2 {
			t.Errorf("%d values were read for one session", n)
		}
		store.SetAway(true)
		if ids, err := idsOf(elsewhere.All(background)); err == nil {
			t.Errorf("found %q in a store that is away", ids)
		}
		synctest.Wait()
	})
}

func TestAllWithoutStore(t *testing.T) {
	m := newManager(t, nil)
	one, cookie := beginAs(t, m, named("alice"))
	two, _ := beginAs(t, m, named("bob"))
	wantIDs(t, m.All(background), one, two)
	if err := m.End(background, wantFound(t, m, cookie, 0)); err != nil {
		t.Fatal(err)
	}
	wantIDs(t, m.All(background), two)
}

// TestOfStoreAway: who ends what is known here hears that it is not all.
func TestOfStoreAway(t *testing.T) {
	store := newStore()
	m := newManager(t, store)
	id, _ := beginAs(t, m, named("alice"))
	beginAs(t, m, named("bob"))
	store.SetAway(true)
	ids, err := idsOf(m.Of(background, session.Who{User: "alice"}))
	if err == nil || !slices.Equal(ids, []string{id}) {
		t.Errorf("found %q and error %v", ids, err)
	}
	if s, err := m.ByID(background, id); s == nil || err != nil {
		t.Errorf("found %v, %v", s, err)
	}
	if s, err := m.ByID(background, strings.Repeat("0", 32)); s != nil || err == nil {
		t.Errorf("found %v, %v", s, err)
	}
}

// loseIndex deletes the index of a store.
func loseIndex(t testing.TB, store session.Store) {
	t.Helper()
	keys := []string{"index"}
	for range 3 {
		var below []string
		for _, key := range keys {
			found, err := store.List(background, key)
			if err != nil {
				t.Fatal(err)
			}
			below = append(below, found...)
		}
		keys = below
	}
	if len(keys) == 0 {
		t.Fatal("the index is empty")
	}
	for _, key := range keys {
		if err := store.Delete(background, key); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOfWithoutIndex: what this process knows is found, once, whatever the store
// has lost.
func TestOfWithoutIndex(t *testing.T) {
	store := newStore()
	m := newManager(t, store)
	one, _ := beginAs(t, m, named("alice"))
	beginAs(t, m, named("bob"))
	loseIndex(t, store)
	two, _ := beginAs(t, newManager(t, store), named("alice"))
	three, _ := beginAs(t, m, named("alice"))
	found := m.Of(background, session.Who{User: "alice"})
	wantIDs(t, found, one, two, three)
	for s := range found {
		if err := m.End(background, s); err != nil {
			t.Fatal(err)
		}
	}
	wantIDs(t, m.Of(background, session.Who{User: "alice"}))
}

// TestByIDAsksForManyAtOnce: a session may be in any of a month's buckets.
func TestByIDAsksForManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore()
		elsewhere := newManager(t, store)
		id := ""
		for i := range 720 {
			id, _ = beginAs(t, elsewhere, func(r *session.Record) { r.Expires = time.Now().Add(time.Duration(i+1) * time.Hour) })
		}
		m := newManager(t, store)
		store.SetDelay(10 * time.Millisecond)
		began := time.Now()
		s, err := m.ByID(background, id)
		if err != nil || s == nil || s.ID != id {
			t.Fatalf("found %v, %v", s, err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

// failingLoads finds entries and reads no record.
type failingLoads struct{ session.Store }

func (failingLoads) Load(context.Context, string) ([]byte, error) { return nil, sessiontest.ErrAway }

func TestOfRecordThatCannotBeRead(t *testing.T) {
	store := newStore()
	beginAs(t, newManager(t, store), named("alice"))
	if ids, err := idsOf(newManager(t, failingLoads{store}).Of(background, session.Who{User: "alice"})); err == nil {
		t.Errorf("found %q", ids)
	}
}

// TestBeginWithoutIndex: a session that nobody could find is not begun.
func TestBeginWithoutIndex(t *testing.T) {
	store := &orderStore{MemoryStore: sessiontest.NewMemoryStore()}
	store.refuse = func(key string) bool { return strings.HasPrefix(key, "index/") }
	if s, cookie, err := newManager(t, store).Begin(background, record()); s != nil || cookie != "" || err == nil {
		t.Errorf("got %v, %q, %v", s, cookie, err)
	}
}

// TestIndexTellsNothing: neither names nor who is the same person in another
// bucket.
func TestIndexTellsNothing(t *testing.T) {
	store := &orderStore{MemoryStore: sessiontest.NewMemoryStore()}
	m := newManager(t, store)
	folders := map[string]bool{}
	for i := range 3 {
		beginAs(t, m, func(r *session.Record) {
			at(issuer, "subject-7", "session-7")(r)
			r.Expires = r.Expires.Add(time.Duration(i) * time.Hour)
		})
	}
	buckets, _ := store.List(background, "index")
	for _, bucket := range buckets {
		found, _ := store.List(background, bucket)
		for _, folder := range found {
			name := folder[strings.LastIndexByte(folder, '/')+1:]
			if folders[name] || len(name) != 32 {
				t.Errorf("folder %s", folder)
			}
			folders[name] = true
		}
	}
	if len(folders) != 9 {
		t.Errorf("%d folders", len(folders))
	}
}

func TestSweepTakesTheIndexAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := sessiontest.NewMemoryStore()
		m := newManager(t, store)
		beginAs(t, m, at(issuer, "1", "phone"))
		beginAs(t, m, at(issuer, "1", "phone"))
		if n := store.LenIndex(); n != 6 {
			t.Errorf("%d entries", n)
		}
		time.Sleep(lifetime - time.Hour)
		beginAs(t, m, named("alice"))
		time.Sleep(4 * time.Hour)
		if err := m.Sweep(background); err != nil {
			t.Fatal(err)
		}
		if n := store.LenIndex(); n != 1 {
			t.Errorf("%d entries are left", n)
		}
	})
}

// TestBar: without a store, a cookie that this process has not met, or has
// forgotten, is no good either.
func TestBar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, elsewhere := newManager(t, nil), newManager(t, nil)
		_, alice := beginAs(t, elsewhere, named("alice"))
		_, bob := beginAs(t, elsewhere, named("bob"))
		_, one := beginAs(t, elsewhere, at(issuer, "1", "phone"))
		_, two := beginAs(t, elsewhere, at(issuer, "1", "desk"))
		_, three := beginAs(t, elsewhere, at(other, "1", "phone"))
		time.Sleep(time.Second)
		here.Bar(session.Who{})
		here.Bar(session.Who{User: "alice", Provider: "oidc"})
		wantFound(t, here, alice, 0)
		forgotten := newManager(t, nil)
		forgotten.Bar(session.Who{User: "alice", Provider: "password"})
		wantNone(t, forgotten, alice, 0)
		here.Bar(session.Who{Issuer: issuer, SID: "phone"})
		wantNone(t, here, one, 0)
		for _, cookie := range []string{bob, two, three} {
			wantFound(t, here, cookie, 0)
		}
		_, again := beginAs(t, here, at(issuer, "1", "phone"))
		wantFound(t, here, again, 0)
		time.Sleep(time.Hour)
		here.Forget(time.Now())
		wantNone(t, here, one, 0)
	})
}

// BenchmarkSearch measures searches among many records in memory; the figures
// for files are in the package above.
func BenchmarkSearch(b *testing.B) {
	store := sessiontest.NewMemoryStore()
	m := newManager(b, store)
	for i := range 10_000 {
		beginAs(b, m, named(fmt.Sprint("somebody ", i)))
	}
	m = newManager(b, store)
	for b.Loop() {
		ids, err := idsOf(m.Of(background, session.Who{User: "somebody 77"}))
		if err != nil || len(ids) != 1 {
			b.Fatal(ids, err)
		}
	}
}
