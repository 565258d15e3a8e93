// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
	"github.com/panelauth/caddy-panelauth/caddyauth/session/sessiontest"
)

// errGrant is a refresh token that is no longer good.
var errGrant = errors.New("invalid_grant")

// rotating is a provider whose refresh tokens are good for one use.
type rotating struct {
	delay time.Duration
	err   error // what it answers instead

	mu    sync.Mutex
	calls int
	n     int // of the tokens that are good
}

func (p *rotating) renew(ctx context.Context, had session.Tokens) (session.Tokens, error) {
	p.mu.Lock()
	p.calls++
	err := p.err
	p.mu.Unlock()
	select {
	case <-time.After(p.delay):
	case <-ctx.Done():
		return session.Tokens{}, ctx.Err()
	}
	if err != nil {
		return session.Tokens{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if had.Refresh != fmt.Sprint("refresh-", p.n) {
		return session.Tokens{}, errGrant
	}
	p.n++
	return *tokensFor(p.n), nil
}

func (p *rotating) wantCalls(t *testing.T, want int) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.calls != want {
		t.Fatalf("the provider was asked %d times, want %d", p.calls, want)
	}
}

func wantRenewed(t *testing.T, m *session.Manager, s *session.Session, p *rotating) {
	t.Helper()
	if err := m.Renew(background, s, p.renew); err != nil {
		t.Fatal(err)
	}
}

func TestRenewOnceOnThreeInstances(t *testing.T) {
	// Fifty requests each, on three instances, when the tokens expire; again
	// and again.
	synctest.Test(t, func(t *testing.T) {
		store, p := newStore(), &rotating{delay: 300 * time.Millisecond}
		_, cookie := beginWithTokens(t, newManager(t, store))
		instances := []*session.Manager{newManager(t, store), newManager(t, store), newManager(t, store)}
		for round := range 5 {
			time.Sleep(time.Hour - 30*time.Second)
			var wg sync.WaitGroup
			for _, m := range instances {
				for range 50 {
					wg.Go(func() {
						s, err := m.Find(background, cookie, 0)
						if s == nil || err != nil {
							t.Errorf("got %v, %v", s, err)
							return
						}
						// Another request may have seen to it already.
						if s.Tokens().Due(time.Now()) {
							if err := m.Renew(background, s, p.renew); err != nil {
								t.Error(err)
							}
						}
						if s.Tokens().Refresh != fmt.Sprint("refresh-", round+1) {
							t.Errorf("got %#v", s.Tokens().Refresh)
						}
					})
				}
			}
			wg.Wait()
			p.wantCalls(t, round+1)
		}
		wantAccess(t, wantFound(t, newManager(t, store), cookie, 0), "access-5")
		synctest.Wait()
	})
}

func TestRenewStorm(t *testing.T) {
	// All call, whatever they see; for the race detector.
	store, p := newStore(), &rotating{}
	slow := func(c *session.Config) { c.StoreTimeout = time.Minute } // the machine may be
	managers := []*session.Manager{newManager(t, store, slow), newManager(t, store, slow), newManager(t, store, slow)}
	_, cookie := beginWithTokens(t, managers[0])
	var wg sync.WaitGroup
	for _, m := range managers {
		for range 50 {
			wg.Go(func() {
				s, err := m.Find(background, cookie, 0)
				if s == nil || err != nil {
					t.Errorf("got %v, %v", s, err)
					return
				}
				if err := m.Renew(background, s, p.renew); err != nil {
					t.Error(err)
				}
				if got := s.Tokens().Access; got != "access-1" {
					t.Errorf("got %s", got)
				}
			})
		}
	}
	wg.Wait()
	p.wantCalls(t, 1)
}

func TestRenewKeepsWhatIsLeftOut(t *testing.T) {
	bothModes(t, func(t *testing.T, store session.Store) {
		synctest.Test(t, func(t *testing.T) {
			m := newManager(t, store)
			s, _ := beginWithTokens(t, m)
			before := s.Tokens()
			time.Sleep(time.Minute)
			err := m.Renew(background, s, func(_ context.Context, had session.Tokens) (session.Tokens, error) {
				if !reflect.DeepEqual(had, *before) {
					t.Errorf("renewing %+v", had)
				}
				return session.Tokens{Access: "new"}, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			want := session.Tokens{
				Access: "new", Refresh: "refresh-0", ID: "id-0", Type: "Bearer", Renewed: time.Now().UTC(),
			}
			if got := *s.Tokens(); got.Access != want.Access || got.Refresh != want.Refresh || got.ID != want.ID ||
				got.Type != want.Type || !got.Expiry.IsZero() || !got.Renewed.Equal(want.Renewed) {
				t.Errorf("got %v", got)
			}
			if before.Access != "access-0" {
				t.Error("tokens that a request may hold were changed")
			}
			synctest.Wait()
		})
	})
}

func TestRenewAgain(t *testing.T) {
	bothModes(t, func(t *testing.T, store session.Store) {
		synctest.Test(t, func(t *testing.T) {
			m, p := newManager(t, store), &rotating{}
			s, _ := beginWithTokens(t, m)
			wantRenewed(t, m, s, p)
			time.Sleep(4 * time.Second)
			wantRenewed(t, m, s, p) // who asks late means the tokens before
			p.wantCalls(t, 1)
			time.Sleep(2 * time.Second)
			wantRenewed(t, m, s, p)
			p.wantCalls(t, 2)
			wantAccess(t, s, "access-2")
			synctest.Wait()
		})
	})
}

func TestRenewedElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, p := newStore(), &rotating{}
		here, there := newManager(t, store), newManager(t, store)
		_, cookie := beginWithTokens(t, there)
		s := wantFound(t, here, cookie, 0)
		wantRenewed(t, there, wantFound(t, there, cookie, 0), p)
		wantAccess(t, s, "access-0")

		// On demand.
		wantRenewed(t, here, s, p)
		p.wantCalls(t, 1)
		wantAccess(t, s, "access-1")

		// In the background.
		time.Sleep(10 * time.Second)
		wantRenewed(t, there, wantFound(t, there, cookie, 0), p)
		time.Sleep(6 * time.Second)
		wantFound(t, here, cookie, 0)
		synctest.Wait()
		wantAccess(t, s, "access-2")
		wantRenewed(t, here, s, p) // by somebody who still had the ones before
		p.wantCalls(t, 2)

		// Before use, when it was not used for long.
		time.Sleep(time.Minute)
		wantRenewed(t, there, wantFound(t, there, cookie, 0), p)
		time.Sleep(11 * time.Second)
		wantAccess(t, wantFound(t, here, cookie, 0), "access-3")
		synctest.Wait()
	})
}

func TestRenewedElsewhereAndDueAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, p := newStore(), &rotating{}
		here, there := newManager(t, store), newManager(t, store)
		_, cookie := beginWithTokens(t, there)
		s := wantFound(t, here, cookie, 0)
		wantRenewed(t, there, wantFound(t, there, cookie, 0), p)
		time.Sleep(2 * time.Hour)
		wantRenewed(t, here, s, p)
		wantAccess(t, s, "access-2")
		p.wantCalls(t, 2)
		synctest.Wait()
	})
}

func TestRenewWithClocksApart(t *testing.T) {
	// Which tokens are newer must not depend on whose clock is right.
	synctest.Test(t, func(t *testing.T) {
		store, p := newStore(), &rotating{}
		ahead := newManager(t, store, func(c *session.Config) {
			c.Now = func() time.Time { return time.Now().Add(50 * time.Second) }
		})
		behind := newManager(t, store)
		_, cookie := beginWithTokens(t, behind)
		for n := 1; n < 10; n += 2 {
			s := wantFound(t, ahead, cookie, 0)
			wantRenewed(t, ahead, s, p)
			wantAccess(t, s, fmt.Sprint("access-", n))
			time.Sleep(11 * time.Second)
			s = wantFound(t, behind, cookie, 0)
			wantAccess(t, s, fmt.Sprint("access-", n))
			time.Sleep(6 * time.Second)
			wantRenewed(t, behind, s, p)
			wantAccess(t, s, fmt.Sprint("access-", n+1))
			time.Sleep(11 * time.Second)
			wantAccess(t, wantFound(t, ahead, cookie, 0), fmt.Sprint("access-", n+1))
			time.Sleep(6 * time.Second)
		}
		synctest.Wait()
	})
}

// lockless is a store that has forgotten all locks.
type lockless struct{ session.Store }

func (lockless) Lock(context.Context, string) (unlock func(), err error) { return func() {}, nil }

func TestRenewedByWhoWasFaster(t *testing.T) {
	// Both think that they have the lock, and the refresh token is good once.
	for name, test := range map[string]struct {
		saved time.Duration // when the tokens of the faster one are in the store
		want  error
	}{
		"before": {0, nil}, "a little later": {time.Second, nil}, "much later": {time.Minute, session.ErrRefused},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := newStore()
				faster, slower := newManager(t, lockless{store}), newManager(t, store)
				s, cookie := beginWithTokens(t, faster)
				other := wantFound(t, slower, cookie, 0)
				err := slower.Renew(background, other, func(context.Context, session.Tokens) (session.Tokens, error) {
					go func() {
						time.Sleep(test.saved)
						wantRenewed(t, faster, s, &rotating{})
					}()
					synctest.Wait()
					return session.Tokens{}, fmt.Errorf("%w: %w", session.ErrRefused, errGrant)
				})
				if !errors.Is(err, test.want) {
					t.Errorf("got %v, want %v", err, test.want)
				}
				if test.want == nil {
					wantAccess(t, other, "access-1")
				}
				time.Sleep(2 * time.Minute)
			})
		})
	}
}

func TestRenewFails(t *testing.T) {
	bothModes(t, func(t *testing.T, store session.Store) {
		synctest.Test(t, func(t *testing.T) {
			m, p := newManager(t, store), &rotating{delay: time.Second, err: fmt.Errorf("provider: %w", errGrant)}
			s, cookie := beginWithTokens(t, m)
			var wg sync.WaitGroup
			for range 50 {
				wg.Go(func() {
					if err := m.Renew(background, s, p.renew); err != p.err { //nolint:errorlint // it is to be the same
						t.Errorf("got %v", err)
					}
				})
			}
			wg.Wait()
			p.wantCalls(t, 1)
			wantAccess(t, s, "access-0")
			wantAccess(t, wantFound(t, newManager(t, store), cookie, 0), "access-0")
			synctest.Wait()
		})
	})
}

func TestRenewBackoff(t *testing.T) {
	bothModes(t, func(t *testing.T, store session.Store) {
		synctest.Test(t, func(t *testing.T) {
			m, p := newManager(t, store), &rotating{err: errGrant}
			s, _ := beginWithTokens(t, m)
			calls, last := 0, time.Now()
			var pauses []int
			for range 300 { // five minutes of requests each second
				err := m.Renew(background, s, p.renew)
				if !errors.Is(err, errGrant) {
					t.Fatalf("got %v", err)
				}
				if asked := p.calls > calls; asked == errors.Is(err, session.ErrBackoff) {
					t.Fatalf("asked %v, got %v", asked, err)
				}
				if p.calls > calls {
					calls = p.calls
					pauses = append(pauses, int(time.Since(last).Seconds()))
					last = time.Now()
				}
				time.Sleep(time.Second)
			}
			if want := []int{0, 5, 10, 20, 40, 60, 60, 60}; !reflect.DeepEqual(pauses, want) {
				t.Errorf("pauses %v, want %v", pauses, want)
			}
			other, _ := beginWithTokens(t, m)
			p.err = nil
			wantRenewed(t, m, other, p) // each session for itself
			p.n = 0
			time.Sleep(time.Minute)
			wantRenewed(t, m, s, p)
			p.err = errGrant
			for _, pause := range []time.Duration{0, 5} { // from the beginning again
				time.Sleep(pause*time.Second + 6*time.Second)
				if err := m.Renew(background, s, p.renew); errors.Is(err, session.ErrBackoff) {
					t.Errorf("got %v", err)
				}
			}
			synctest.Wait()
		})
	})
}

func TestBackoffEndsWhenRenewedElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, p := newStore(), &rotating{err: errGrant}
		here, there := newManager(t, store), newManager(t, store)
		_, cookie := beginWithTokens(t, there)
		s := wantFound(t, here, cookie, 0)
		for range 120 { // until it is tried once a minute
			if err := here.Renew(background, s, p.renew); err == nil {
				t.Fatal("no error")
			}
			time.Sleep(time.Second)
		}
		p.err = nil
		wantRenewed(t, there, wantFound(t, there, cookie, 0), p)
		wantFound(t, here, cookie, 0)
		wantAccess(t, s, "access-1")
		time.Sleep(6 * time.Second)
		wantRenewed(t, here, s, p)
		wantAccess(t, s, "access-2")
		synctest.Wait()
	})
}

func TestRenewOutlivesItsRequest(t *testing.T) {
	bothModes(t, func(t *testing.T, store session.Store) {
		synctest.Test(t, func(t *testing.T) {
			m := newManager(t, store)
			s, _ := beginWithTokens(t, m)
			type ctxKey struct{}
			ctx, cancel := context.WithTimeout(context.WithValue(background, ctxKey{}, "x"), time.Second)
			defer cancel()
			var wg sync.WaitGroup
			wg.Go(func() {
				err := m.Renew(ctx, s, func(ctx context.Context, _ session.Tokens) (session.Tokens, error) {
					if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) != 15*time.Second {
						t.Errorf("deadline %v, %v", deadline, ok)
					}
					if ctx.Value(ctxKey{}) != "x" {
						t.Error("the context does not know its request")
					}
					time.Sleep(5 * time.Second)
					return *tokensFor(1), ctx.Err()
				})
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("who left got %v", err)
				}
			})
			time.Sleep(500 * time.Millisecond)
			wg.Go(func() { wantRenewed(t, m, s, nil) })
			wg.Wait()
			wantAccess(t, s, "access-1")
			synctest.Wait()
		})
	})
}

func TestRenewTakesTooLong(t *testing.T) {
	bothModes(t, func(t *testing.T, store session.Store) {
		synctest.Test(t, func(t *testing.T) {
			m, p := newManager(t, store), &rotating{delay: time.Hour}
			s, cookie := beginWithTokens(t, m)
			within(t, 15*time.Second, func() {
				if err := m.Renew(background, s, p.renew); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v", err)
				}
			})
			wantFound(t, m, cookie, 0)
			wantAccess(t, s, "access-0")
			synctest.Wait()
		})
	})
}

func TestRenewalElsewhereTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, slow, p := newStore(), &rotating{delay: 14 * time.Second}, &rotating{}
		here, there := newManager(t, store), newManager(t, store)
		_, cookie := beginWithTokens(t, there)
		s := wantFound(t, here, cookie, 0)
		var wg sync.WaitGroup
		wg.Go(func() { wantRenewed(t, there, wantFound(t, there, cookie, 0), slow) })
		time.Sleep(time.Second)
		within(t, 10*time.Second, func() {
			if err := here.Renew(background, s, p.renew); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		})
		wg.Wait()
		time.Sleep(6 * time.Second)
		wantRenewed(t, here, s, p)
		wantAccess(t, s, "access-1")
		p.wantCalls(t, 0)
		synctest.Wait()
	})
}

func TestRenewEndedSession(t *testing.T) {
	bothModes(t, func(t *testing.T, store session.Store) {
		synctest.Test(t, func(t *testing.T) {
			m, p := newManager(t, store), &rotating{}
			over, _ := beginWithTokens(t, m)
			time.Sleep(lifetime)
			ended, _ := beginWithTokens(t, m)
			if err := m.End(background, ended); err != nil {
				t.Fatal(err)
			}
			for _, s := range []*session.Session{over, ended} {
				if err := m.Renew(background, s, p.renew); !errors.Is(err, session.ErrEnded) {
					t.Errorf("got %v", err)
				}
			}
			p.wantCalls(t, 0)
			synctest.Wait()
		})
	})
}

func TestRenewSessionEndedElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, p := newStore(), &rotating{}
		here, there := newManager(t, store), newManager(t, store)
		_, cookie := beginWithTokens(t, there)
		s := wantFound(t, here, cookie, 0)
		if err := there.End(background, wantFound(t, there, cookie, 0)); err != nil {
			t.Fatal(err)
		}
		if err := here.Renew(background, s, p.renew); !errors.Is(err, session.ErrEnded) {
			t.Errorf("got %v", err)
		}
		p.wantCalls(t, 0)
		wantNone(t, here, cookie, 0)
		synctest.Wait()
	})
}

func TestEndDuringRenewal(t *testing.T) {
	for _, where := range []string{"here", "there"} {
		t.Run(where, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, p := newStore(), &rotating{delay: time.Second}
				here, there := newManager(t, store), newManager(t, store)
				s, cookie := beginWithTokens(t, here)
				ends := map[string]*session.Manager{"here": here, "there": there}[where]
				go func() {
					time.Sleep(500 * time.Millisecond)
					if err := ends.End(background, wantFound(t, ends, cookie, 0)); err != nil {
						t.Error(err)
					}
				}()
				if err := here.Renew(background, s, p.renew); !errors.Is(err, session.ErrEnded) {
					t.Errorf("got %v", err)
				}
				wantAccess(t, s, "access-1") // to be revoked
				synctest.Wait()
				if n := store.Store.(*sessiontest.MemoryStore).Len(); n != 0 {
					t.Errorf("%d values are left", n)
				}
				wantNone(t, here, cookie, 0)
				wantNone(t, there, cookie, 0)
				wantNone(t, newManager(t, store), cookie, 0)
			})
		})
	}
}

func TestEndBeforeRenewalIsSeen(t *testing.T) {
	// Another instance ends the session while this one is reading what to
	// renew.
	synctest.Test(t, func(t *testing.T) {
		store, p := &pausingStore{FaultyStore: newStore()}, &rotating{}
		here, there := newManager(t, store), newManager(t, store.FaultyStore)
		s, cookie := beginWithTokens(t, here)
		other := wantFound(t, there, cookie, 0)
		store.pause.Store(int64(time.Second)) // between two reads
		go func() {
			time.Sleep(500 * time.Millisecond)
			if err := there.End(background, other); err != nil {
				t.Error(err)
			}
		}()
		if err := here.Renew(background, s, p.renew); !errors.Is(err, session.ErrEnded) {
			t.Errorf("got %v", err)
		}
		p.wantCalls(t, 0)
		synctest.Wait()
	})
}

// pausingStore pauses after each read.
type pausingStore struct {
	*sessiontest.FaultyStore
	pause atomic.Int64
}

func (s *pausingStore) Load(ctx context.Context, key string) ([]byte, error) {
	value, err := s.FaultyStore.Load(ctx, key)
	time.Sleep(time.Duration(s.pause.Load()))
	return value, err
}

func TestEndDuringRenewalWithoutStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, p := newManager(t, nil), &rotating{delay: time.Second}
		s, cookie := beginWithTokens(t, m)
		go func() {
			time.Sleep(500 * time.Millisecond)
			_ = m.End(background, s)
		}()
		if err := m.Renew(background, s, p.renew); !errors.Is(err, session.ErrEnded) {
			t.Errorf("got %v", err)
		}
		if value, changed := m.Cookie(s, cookie); changed || value != cookie {
			t.Error("an ended session got a cookie")
		}
		wantNone(t, m, cookie, 0)
	})
}

func TestRecordIsNotWrittenAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, p := &orderStore{MemoryStore: sessiontest.NewMemoryStore()}, &rotating{}
		m := newManager(t, store)
		s, _ := beginWithTokens(t, m)
		for range 3 {
			wantRenewed(t, m, s, p)
			time.Sleep(6 * time.Second)
		}
		for _, key := range store.written[2:] {
			if key != s.Key()+".tokens" {
				t.Errorf("%s was written", key)
			}
		}
		if len(store.written) != 5 {
			t.Errorf("written %q", store.written)
		}
		synctest.Wait()
	})
}

func TestRenewWhileStoreIsBroken(t *testing.T) {
	eachBroken(t, func(t *testing.T, store *sessiontest.FaultyStore, breakIt func(bool)) {
		m, p := newManager(t, store), &rotating{}
		s, cookie := beginWithTokens(t, m)
		breakIt(true)
		before := s.Tokens()
		for range 10 {
			within(t, 10*time.Second, func() {
				if err := m.Renew(background, s, p.renew); err == nil {
					t.Error("no error")
				}
			})
			wantFound(t, m, cookie, 0)
			time.Sleep(time.Second)
		}
		if s.Tokens() != before {
			t.Error("the tokens were changed")
		}
		p.wantCalls(t, 0)
		breakIt(false)
		time.Sleep(4 * time.Minute)
		wantRenewed(t, m, s, p)
		wantAccess(t, s, "access-1")
		wantAccess(t, wantFound(t, newManager(t, store), cookie, 0), "access-1")
	})
}

func TestBrokenStoreDuringRenewal(t *testing.T) {
	// The refresh token has been used up: what came for it must not be lost.
	eachBroken(t, func(t *testing.T, store *sessiontest.FaultyStore, breakIt func(bool)) {
		m, p := newManager(t, store), &rotating{delay: time.Second}
		ctx, cancel := context.WithCancel(background)
		defer cancel()
		go m.Run(ctx)
		s, cookie := beginWithTokens(t, m)
		go func() {
			time.Sleep(500 * time.Millisecond)
			breakIt(true)
		}()
		within(t, time.Second+storeTimeout, func() { wantRenewed(t, m, s, p) })
		wantAccess(t, s, "access-1")
		time.Sleep(time.Hour)
		wantFound(t, m, cookie, 0)
		wantAccess(t, s, "access-1")
		breakIt(false)
		time.Sleep(5 * time.Minute)
		wantAccess(t, wantFound(t, newManager(t, store), cookie, 0), "access-1")
		wantRenewed(t, m, s, p)
	})
}

func TestFullStore(t *testing.T) {
	for _, c := range []struct {
		title string
		full  time.Duration
	}{
		{"for a moment", 2 * time.Second},
		{"until the lock is let go", 14 * time.Second},
		{"for long", 40 * time.Minute},
	} {
		t.Run(c.title, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, p, log := newStore(), &rotating{}, newLog()
				here, there := newManager(t, store, log.use), newManager(t, store)
				ctx, cancel := context.WithCancel(background)
				defer cancel()
				go here.Run(ctx)
				s, cookie := beginWithTokens(t, here)
				other := wantFound(t, there, cookie, 0)
				store.SetFull(true)
				wantRenewed(t, here, s, p)
				wantAccess(t, s, "access-1")
				synctest.Wait()
				if log.count("saving renewed tokens failed, keeping them in memory") != 1 {
					t.Error("nothing was said")
				}
				// Another instance does not use the refresh token again.
				if err := there.Renew(background, other, p.renew); err != nil && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v", err)
				}
				p.wantCalls(t, 1)
				time.Sleep(c.full)
				store.SetFull(false)
				time.Sleep(time.Minute)
				wantRenewed(t, there, other, p)
				wantAccess(t, other, "access-1")
				wantAccess(t, wantFound(t, newManager(t, store), cookie, 0), "access-1")
				p.wantCalls(t, 1)
			})
		})
	}
}

func TestFullStoreAndRenewedElsewhere(t *testing.T) {
	// Here the refresh token stays good. What another instance got later is
	// not overwritten.
	synctest.Test(t, func(t *testing.T) {
		store := newStore()
		here, there := newManager(t, store), newManager(t, store)
		ctx, cancel := context.WithCancel(background)
		defer cancel()
		go here.Run(ctx)
		s, cookie := beginWithTokens(t, here)
		other := wantFound(t, there, cookie, 0)
		lasting := func(n int) func(context.Context, session.Tokens) (session.Tokens, error) {
			return func(context.Context, session.Tokens) (session.Tokens, error) { return *tokensFor(n), nil }
		}
		store.SetFull(true)
		if err := here.Renew(background, s, lasting(1)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(15500 * time.Millisecond) // the lock is let go, Run tries from time to time
		store.SetFull(false)
		if err := there.Renew(background, other, lasting(2)); err != nil {
			t.Fatal(err)
		}
		wantAccess(t, other, "access-2")
		time.Sleep(time.Minute)
		wantFound(t, here, cookie, 0)
		wantAccess(t, s, "access-2")
		wantAccess(t, wantFound(t, newManager(t, store), cookie, 0), "access-2")
	})
}

func TestRunEndsWhileItSaves(t *testing.T) {
	// It waits for a lock that another instance has.
	synctest.Test(t, func(t *testing.T) {
		store, p := newStore(), &rotating{}
		m := newManager(t, store)
		ctx, cancel := context.WithCancel(background)
		defer cancel()
		done := make(chan struct{})
		go func() { m.Run(ctx); close(done) }()
		s, _ := beginWithTokens(t, m)
		store.SetFull(true)
		wantRenewed(t, m, s, p)
		if _, err := store.Lock(background, s.Key()+".tokens"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		cancel()
		within(t, 0, func() { <-done })
	})
}

func TestEndWithTokensUnsaved(t *testing.T) {
	for _, c := range []struct {
		title string
		after time.Duration
	}{
		{"soon", 2 * time.Second}, {"later", time.Minute},
	} {
		t.Run(c.title, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, p := newStore(), &rotating{}
				m := newManager(t, store)
				ctx, cancel := context.WithCancel(background)
				defer cancel()
				go m.Run(ctx)
				s, _ := beginWithTokens(t, m)
				store.SetFull(true)
				wantRenewed(t, m, s, p)
				time.Sleep(c.after)
				if err := m.End(background, s); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute)
				store.SetFull(false)
				time.Sleep(10 * time.Minute)
				if n := store.Store.(*sessiontest.MemoryStore).Len(); n != 0 {
					t.Errorf("%d values are left", n)
				}
			})
		})
	}
}

func TestRenewedTokensThatAreTooLarge(t *testing.T) {
	bothModes(t, func(t *testing.T, store session.Store) {
		synctest.Test(t, func(t *testing.T) {
			log := newLog()
			m := newManager(t, store, log.use)
			s, cookie := beginWithTokens(t, m)
			large := withClaims(2 * session.MaxRecord).Claims["token"].(string)
			err := m.Renew(background, s, func(context.Context, session.Tokens) (session.Tokens, error) {
				return session.Tokens{Access: large}, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			wantAccess(t, s, large)
			if log.Len() != 1 {
				t.Errorf("said %d things", log.Len())
			}
			if _, changed := m.Cookie(s, cookie); changed {
				t.Error("there is a cookie")
			}
			time.Sleep(time.Hour)
			synctest.Wait()
		})
	})
}

func TestRenewWhatCannotBeRead(t *testing.T) {
	// A lock can be had, but not what to renew, or not whether to.
	for _, suffix := range []string{".tokens", ""} {
		t.Run("without "+suffix, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, p := &flakyStore{FaultyStore: newStore(), suffix: suffix}, &rotating{}
				m := newManager(t, store)
				s, cookie := beginWithTokens(t, m)
				store.fails.Store(true)
				if err := m.Renew(background, s, p.renew); err == nil {
					t.Error("no error")
				}
				wantFound(t, m, cookie, 0)
				wantAccess(t, s, "access-0")
				p.wantCalls(t, 0)
				store.fails.Store(false)
				time.Sleep(6 * time.Second)
				wantRenewed(t, m, s, p)
				wantAccess(t, s, "access-1")
				synctest.Wait()
			})
		})
	}
}

func TestHungLocksAreFew(t *testing.T) {
	// Nor do they keep others from the store for longer than it hangs.
	synctest.Test(t, func(t *testing.T) {
		store, p := &lateStore{FaultyStore: newStore()}, &rotating{}
		m := newManager(t, store)
		store.late.Store(int64(time.Minute))
		var wg sync.WaitGroup
		for range 2 * session.MaxStoreCalls {
			s, _ := beginWithTokens(t, m)
			wg.Go(func() {
				within(t, 10*time.Second, func() {
					if err := m.Renew(background, s, p.renew); !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("got %v", err)
					}
				})
			})
		}
		wg.Wait()
		if n := store.asked.Load(); n != session.MaxStoreCalls {
			t.Errorf("asked for %d locks", n)
		}
		_, cookie := beginWithTokens(t, m)
		within(t, 0, func() { wantFound(t, newManager(t, store), cookie, 0) })
		time.Sleep(time.Minute)
		store.late.Store(0)
		s, _ := beginWithTokens(t, m)
		wantRenewed(t, m, s, p)
		synctest.Wait()
	})
}

func TestLockThatComesTooLate(t *testing.T) {
	// A store that does not listen gives a lock to who has given up: it goes
	// back.
	synctest.Test(t, func(t *testing.T) {
		store, p := &lateStore{FaultyStore: newStore()}, &rotating{}
		m := newManager(t, store)
		s, _ := beginWithTokens(t, m)
		store.late.Store(int64(20 * time.Second))
		within(t, 10*time.Second, func() {
			if err := m.Renew(background, s, p.renew); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		})
		time.Sleep(15 * time.Second)
		store.late.Store(0)
		within(t, 0, func() { wantRenewed(t, m, s, p) })
		synctest.Wait()
	})
}

// lateStore gives locks late and to whoever asked.
type lateStore struct {
	*sessiontest.FaultyStore
	late  atomic.Int64
	asked atomic.Int64
}

func (s *lateStore) Lock(_ context.Context, key string) (unlock func(), err error) {
	s.asked.Add(1)
	time.Sleep(time.Duration(s.late.Load()))
	return s.FaultyStore.Lock(background, key)
}

func TestLockOutlivesTheWaiting(t *testing.T) {
	// The context of a lock is good for as long as it is held.
	synctest.Test(t, func(t *testing.T) {
		store := &watchedStore{FaultyStore: newStore()}
		m, p := newManager(t, store), &rotating{delay: 14 * time.Second}
		s, _ := beginWithTokens(t, m)
		wantRenewed(t, m, s, p)
		synctest.Wait()
		if store.held != nil {
			t.Errorf("the context ended while the lock was held: %v", store.held)
		}
		if store.ctx.Err() == nil {
			t.Error("the context has not ended")
		}
	})
}

// watchedStore notes whether a lock's context had ended when it was unlocked.
type watchedStore struct {
	*sessiontest.FaultyStore
	ctx  context.Context
	held error
}

func (s *watchedStore) Lock(ctx context.Context, key string) (unlock func(), err error) {
	s.ctx = ctx
	free, err := s.FaultyStore.Lock(ctx, key)
	return func() { s.held = ctx.Err(); free() }, err
}

func TestSameSessionHeldTwice(t *testing.T) {
	// As after a reload with other secrets, when a stream holds on.
	bothModes(t, func(t *testing.T, store session.Store) {
		synctest.Test(t, func(t *testing.T) {
			p := &rotating{delay: time.Second}
			m := newManager(t, store)
			s, cookie := beginWithTokens(t, m)
			held := wantFound(t, newManager(t, store), cookie, 0)
			var wg sync.WaitGroup
			for _, s := range []*session.Session{s, held} {
				wg.Go(func() { wantRenewed(t, m, s, p) })
			}
			wg.Wait()
			wantAccess(t, s, "access-1")
			wantAccess(t, held, "access-1")
			p.wantCalls(t, 1)
			synctest.Wait()
		})
	})
}

func TestRenewAllAtOnce(t *testing.T) {
	// For the race detector.
	bothModes(t, func(t *testing.T, store session.Store) {
		quick := func(c *session.Config) { c.Fresh, c.Stale, c.StoreTimeout = 1, 2, time.Minute }
		managers := []*session.Manager{newManager(t, store, quick), newManager(t, store, quick)}
		var wg sync.WaitGroup
		for range 8 {
			_, cookie := beginWithTokens(t, managers[0])
			p := &rotating{}
			for i := range 20 {
				wg.Go(func() {
					m := managers[i%2]
					s, err := m.Find(background, cookie, time.Hour)
					if err != nil || s == nil {
						return
					}
					if err := m.Renew(background, s, p.renew); err != nil && !errors.Is(err, session.ErrEnded) && store != nil {
						t.Error(err)
					}
					value, _ := m.Cookie(s, cookie)
					_, _ = m.Find(background, value, 0)
					_ = s.Tokens().Due(time.Now())
					m.Forget(time.Now())
					if i == 15 {
						_ = m.End(background, s)
					}
				})
			}
		}
		wg.Wait()
	})
}
