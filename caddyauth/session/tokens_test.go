// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
	"github.com/panelauth/caddy-panelauth/caddyauth/session/sessiontest"
)

// tokensFor returns tokens for an hour.
func tokensFor(n int) *session.Tokens {
	return &session.Tokens{
		Access: fmt.Sprint("access-", n), Refresh: fmt.Sprint("refresh-", n), ID: fmt.Sprint("id-", n),
		Type: "Bearer", Expiry: time.Now().Add(time.Hour),
	}
}

func beginWithTokens(t testing.TB, m *session.Manager) (*session.Session, string) {
	t.Helper()
	r := record()
	r.Provider, r.Tokens = "github", tokensFor(0)
	s, cookie, err := m.Begin(background, r)
	if err != nil {
		t.Fatal(err)
	}
	return s, cookie
}

func wantAccess(t testing.TB, s *session.Session, want string) {
	t.Helper()
	if got := s.Tokens(); got == nil || got.Access != want {
		t.Fatalf("got tokens %#v, want %s", got, want)
	}
}

func TestBeginWithTokens(t *testing.T) {
	bothModes(t, func(t *testing.T, store session.Store) {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(1500 * time.Millisecond)
			m := newManager(t, store)
			r := record()
			r.Tokens = tokensFor(0)
			r.Tokens.Claims = map[string]any{"id": 12345678901234567}
			s, cookie, err := m.Begin(background, r)
			if err != nil {
				t.Fatal(err)
			}
			got := s.Tokens()
			if got.Access != "access-0" || got.Refresh != "refresh-0" || got.ID != "id-0" || got.Type != "Bearer" {
				t.Errorf("got %+v", *got)
			}
			if !got.Expiry.Equal(r.Tokens.Expiry) || !got.Renewed.IsZero() {
				t.Errorf("expire %v, renewed %v", got.Expiry, got.Renewed)
			}
			if id := got.Claims["id"]; id != json.Number("12345678901234567") {
				t.Errorf("the claim id became %v", id)
			}
			if s.Record.Tokens != nil {
				t.Error("the record has tokens, which will not be current")
			}
			again := wantFound(t, newManager(t, store), cookie, 0)
			if !reflect.DeepEqual(again.Tokens(), got) || !reflect.DeepEqual(again.Record, s.Record) {
				t.Errorf("another instance has %#v", again.Tokens())
			}
		})
	})
}

func TestSessionsWithoutTokens(t *testing.T) {
	bothModes(t, func(t *testing.T, store session.Store) {
		m := newManager(t, store)
		s, _ := begin(t, m)
		if s.Tokens() != nil || s.Tokens().Due(time.Now()) {
			t.Errorf("got %v", s.Tokens())
		}
		err := m.Renew(background, s, func(context.Context, session.Tokens) (session.Tokens, error) {
			t.Error("called")
			return session.Tokens{}, nil
		})
		if !errors.Is(err, session.ErrNoTokens) {
			t.Errorf("got %v", err)
		}
	})
}

func TestDue(t *testing.T) {
	now := time.Unix(1e9, 0)
	for _, c := range []struct {
		title string
		in    *session.Tokens
		want  bool
	}{
		{"none", nil, false},
		{"unknown", &session.Tokens{}, false},
		{"long", &session.Tokens{Expiry: now.Add(time.Hour)}, false},
		{"just not", &session.Tokens{Expiry: now.Add(time.Minute)}, false},
		{"just", &session.Tokens{Expiry: now.Add(time.Minute - 1)}, true},
		{"expired", &session.Tokens{Expiry: now.Add(-time.Hour)}, true},
	} {
		t.Run(c.title, func(t *testing.T) {
			if got := c.in.Due(now); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestTokensAreNotPrinted(t *testing.T) {
	tokens := tokensFor(1)
	r := record()
	r.Tokens = tokens
	s, _ := beginWithTokens(t, newManager(t, newStore()))
	log := newLog()
	logger := zap.New(log.core)
	logger.Info("x", zap.Any("tokens", tokens), zap.Any("tokens", *tokens))
	printed := fmt.Sprint(log.All()[0].ContextMap())
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		printed += fmt.Sprintf(format, tokens) + fmt.Sprintf(format, *tokens) + fmt.Sprintf(format, r) +
			fmt.Sprintf(format, s.Tokens())
	}
	if strings.Contains(printed, "access-") || strings.Contains(printed, "refresh-") {
		t.Error(printed)
	}
}

func TestTokensAreApartAndSealed(t *testing.T) {
	store := newStore()
	m := newManager(t, store)
	s, _ := beginWithTokens(t, m)
	bare, _ := begin(t, m)
	record, tokens := mustLoad(t, store, s.Key()), mustLoad(t, store, s.Key()+".tokens")
	if len(record) > len(mustLoad(t, store, bare.Key()))+100 {
		t.Error("the record has the tokens")
	}
	if bytes.Contains(tokens, []byte("access")) {
		t.Error("the tokens can be read")
	}
	if _, err := store.Load(background, bare.Key()+".tokens"); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("tokens of a session without: %v", err)
	}
}

// orderStore notes what is written, in order, and refuses some of it.
type orderStore struct {
	*sessiontest.MemoryStore
	mu      sync.Mutex
	written []string // but for the index
	refuse  func(key string) bool
}

func (s *orderStore) Save(ctx context.Context, key string, value []byte, expires time.Time) error {
	s.mu.Lock()
	if !strings.HasPrefix(key, "index/") {
		s.written = append(s.written, key)
	}
	s.mu.Unlock()
	if s.refuse != nil && s.refuse(key) {
		return errors.New("refused")
	}
	return s.MemoryStore.Save(ctx, key, value, expires)
}

func TestTokensAreSavedFirst(t *testing.T) {
	store := &orderStore{MemoryStore: sessiontest.NewMemoryStore()}
	s, _ := beginWithTokens(t, newManager(t, store))
	if len(store.written) != 2 || store.written[0] != s.Key()+".tokens" || store.written[1] != s.Key() {
		t.Errorf("got %q", store.written)
	}
}

func TestBeginLeavesNoTokensBehind(t *testing.T) {
	for _, suffix := range []string{".tokens", ""} {
		t.Run("without "+suffix, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := &orderStore{MemoryStore: sessiontest.NewMemoryStore()}
				store.refuse = func(key string) bool { return strings.HasSuffix(key, ".tokens") == (suffix != "") }
				r := record()
				r.Tokens = tokensFor(0)
				if s, cookie, err := newManager(t, store).Begin(background, r); s != nil || cookie != "" || err == nil {
					t.Errorf("got %v, %q, %v", s, cookie, err)
				}
				synctest.Wait()
				if n := store.Len(); n != 0 {
					t.Errorf("%d values are left", n)
				}
			})
		})
	}
}

func TestEndDeletesTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := sessiontest.NewMemoryStore()
		m := newManager(t, store)
		s, _ := beginWithTokens(t, m)
		if err := m.End(background, s); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := store.Len(); n != 0 {
			t.Errorf("%d values are left", n)
		}
	})
}

func TestEndDeletesTokensLater(t *testing.T) {
	eachBroken(t, func(t *testing.T, store *sessiontest.FaultyStore, breakIt func(bool)) {
		m := newManager(t, store)
		ctx, cancel := context.WithCancel(background)
		defer cancel()
		go m.Run(ctx)
		s, _ := beginWithTokens(t, m)
		breakIt(true)
		if err := m.End(background, s); err == nil {
			t.Error("no error")
		}
		time.Sleep(10 * time.Minute)
		breakIt(false)
		time.Sleep(3 * time.Minute)
		if n := store.Store.(*sessiontest.MemoryStore).Len(); n != 0 {
			t.Errorf("%d values are left", n)
		}
	})
}

func TestEndDeletesTokensWhenBusy(t *testing.T) {
	// More sessions end at once than can be seen to: the rest is made up for.
	synctest.Test(t, func(t *testing.T) {
		store := newStore()
		m := newManager(t, store)
		ctx, cancel := context.WithCancel(background)
		defer cancel()
		go m.Run(ctx)
		var sessions []*session.Session
		for range 3 * session.MaxBackground {
			s, _ := beginWithTokens(t, m)
			sessions = append(sessions, s)
		}
		store.SetDelay(100 * time.Millisecond)
		for _, s := range sessions {
			go func() {
				if err := m.End(background, s); err != nil {
					t.Error(err)
				}
			}()
		}
		time.Sleep(5 * time.Minute)
		if n := store.Store.(*sessiontest.MemoryStore).Len(); n != 0 {
			t.Errorf("%d values are left", n)
		}
	})
}

func TestEndDeletesTokensThatResist(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := sessiontest.NewMemoryStore()
		store := &resistingStore{MemoryStore: memory}
		m := newManager(t, store)
		ctx, cancel := context.WithCancel(background)
		defer cancel()
		go m.Run(ctx)
		s, _ := beginWithTokens(t, m)
		store.resists.Store(true)
		if err := m.End(background, s); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		if n := memory.Len(); n != 1 {
			t.Errorf("%d values are left, want the tokens", n)
		}
		store.resists.Store(false)
		time.Sleep(time.Minute)
		if n := memory.Len(); n != 0 {
			t.Errorf("%d values are left", n)
		}
	})
}

// resistingStore does not delete tokens.
type resistingStore struct {
	*sessiontest.MemoryStore
	resists atomic.Bool
}

func (s *resistingStore) Delete(ctx context.Context, key string) error {
	if s.resists.Load() && strings.HasSuffix(key, ".tokens") {
		return errors.New("cannot be deleted")
	}
	return s.MemoryStore.Delete(ctx, key)
}

func TestSweepTakesTokensAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := sessiontest.NewMemoryStore()
		m := newManager(t, store)
		beginWithTokens(t, m)
		time.Sleep(lifetime + 3*time.Hour)
		if err := m.Sweep(background); err != nil {
			t.Fatal(err)
		}
		if n := store.Len(); n != 0 {
			t.Errorf("%d values are left", n)
		}
	})
}

func TestLostTokens(t *testing.T) {
	// They sign nobody out, and are there again when they turn up.
	for _, c := range []struct {
		title string
		lose  func(store session.Store, s, other *session.Session) error
	}{
		{"missing", func(store session.Store, s, _ *session.Session) error {
			return store.Delete(background, s.Key()+".tokens")
		}},
		{"damaged", func(store session.Store, s, _ *session.Session) error {
			return store.Save(background, s.Key()+".tokens", []byte("x"), s.Expires)
		}},
		{"another's", func(store session.Store, s, other *session.Session) error {
			sealed, _ := store.Load(background, other.Key()+".tokens")
			return store.Save(background, s.Key()+".tokens", sealed, s.Expires)
		}},
		{"a record", func(store session.Store, s, _ *session.Session) error {
			sealed, _ := store.Load(background, s.Key())
			return store.Save(background, s.Key()+".tokens", sealed, s.Expires)
		}},
	} {
		t.Run(c.title, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, log := newStore(), newLog()
				there := newManager(t, store)
				s, cookie := beginWithTokens(t, there)
				other, _ := beginWithTokens(t, there)
				sealed := mustLoad(t, store, s.Key()+".tokens")
				if err := c.lose(store, s, other); err != nil {
					t.Fatal(err)
				}
				here := newManager(t, store, log.use)
				found := wantFound(t, here, cookie, 0)
				wantAccess(t, found, "")
				if n := log.count("tokens of a session cannot be read"); n != 1 {
					t.Errorf("said %d times", n)
				}
				time.Sleep(6 * time.Second)
				wantFound(t, there, cookie, 0)
				synctest.Wait()
				wantAccess(t, s, "access-0")
				if err := store.Save(background, s.Key()+".tokens", sealed, s.Expires); err != nil {
					t.Fatal(err)
				}
				time.Sleep(6 * time.Second)
				wantFound(t, here, cookie, 0)
				synctest.Wait()
				wantAccess(t, found, "access-0")
			})
		})
	}
}

func TestTokensThatCannotBeRead(t *testing.T) {
	// Not knowing them is not knowing the session.
	synctest.Test(t, func(t *testing.T) {
		store := &flakyStore{FaultyStore: newStore(), suffix: ".tokens"}
		_, cookie := beginWithTokens(t, newManager(t, store))
		m := newManager(t, store)
		store.fails.Store(true)
		wantError(t, m, cookie, 0)
		store.fails.Store(false)
		wantAccess(t, wantFound(t, m, cookie, 0), "access-0")
	})
}

// flakyStore fails to read some keys.
type flakyStore struct {
	*sessiontest.FaultyStore
	suffix string
	fails  atomic.Bool
}

func (s *flakyStore) Load(ctx context.Context, key string) ([]byte, error) {
	if s.fails.Load() && strings.HasSuffix(key, s.suffix) {
		return nil, errors.New("cannot be read")
	}
	return s.FaultyStore.Load(ctx, key)
}

func TestTokensWithRotatedSecrets(t *testing.T) {
	const older = "the secret that was used before"
	bothModes(t, func(t *testing.T, store session.Store) {
		old := newManager(t, store, func(c *session.Config) { c.Secrets = [][]byte{[]byte(older)} })
		_, cookie := beginWithTokens(t, old)
		m := newManager(t, store, func(c *session.Config) { c.Secrets = append(c.Secrets, []byte(older)) })
		wantAccess(t, wantFound(t, m, cookie, 0), "access-0")
	})
}

func TestTokensAreReadWithTheirRecordOnly(t *testing.T) {
	for _, c := range []struct {
		title string
		begin func(testing.TB, *session.Manager) (*session.Session, string)
		want  int64
	}{
		{"without tokens", begin, 1},
		{"with tokens", beginWithTokens, 2},
	} {
		t.Run(c.title, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := newStore()
				_, cookie := c.begin(t, newManager(t, store))
				m := newManager(t, store)
				for _, pause := range []time.Duration{0, 6 * time.Second, 11 * time.Second} {
					time.Sleep(pause)
					before := store.Loads.Load()
					for range 10 {
						wantFound(t, m, cookie, 0)
					}
					synctest.Wait()
					if n := store.Loads.Load() - before; n != c.want {
						t.Errorf("%d reads after %v", n, pause)
					}
				}
			})
		})
	}
}

func TestTokensThatAreTooLarge(t *testing.T) {
	bothModes(t, func(t *testing.T, store session.Store) {
		for _, c := range []struct {
			size           int
			cookie, stored bool
		}{
			{5000, true, true}, {16_000, false, true}, {2 * session.MaxRecord, false, false},
		} {
			t.Run(fmt.Sprint(c.size), func(t *testing.T) {
				r := record()
				r.Tokens = &session.Tokens{Access: withClaims(c.size).Claims["token"].(string)}
				want := c.cookie
				if store != nil {
					want = c.stored
				}
				_, cookie, err := newManager(t, store).Begin(background, r)
				if (err == nil) != want || (err != nil) != errors.Is(err, session.ErrTooLarge) {
					t.Fatalf("got %v", err)
				}
				if err == nil {
					if n := len(session.Split(cookie)); n > 4 {
						t.Errorf("%d chunks", n)
					}
					wantAccess(t, wantFound(t, newManager(t, store), cookie, 0), r.Tokens.Access)
				} else if store == nil && !strings.Contains(err.Error(), "session_store storage") {
					t.Errorf("no way out: %v", err)
				}
			})
		}
	})
}

func TestTokensAllocateNothing(t *testing.T) {
	bothModes(t, func(t *testing.T, store session.Store) {
		m := newManager(t, store)
		_, cookie := beginWithTokens(t, m)
		n := testing.AllocsPerRun(100, func() {
			s, _ := m.Find(background, cookie, time.Hour)
			if s.Tokens().Due(time.Now()) {
				t.Error("due")
			}
			if _, changed := m.Cookie(s, cookie); changed {
				t.Error("changed")
			}
		})
		// A cookie of more than a kilobyte is hashed from the heap.
		if n != 0 && store != nil || n > 1 {
			t.Errorf("%v allocations", n)
		}
	})
}

func BenchmarkFindTokens(b *testing.B) {
	m := newManager(b, newStore())
	_, cookie := beginWithTokens(b, m)
	b.ReportAllocs()
	for b.Loop() {
		s, _ := m.Find(background, cookie, time.Hour)
		if s.Tokens().Access == "" {
			b.Fatal("no tokens")
		}
	}
}
