// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
	"github.com/panelauth/caddy-panelauth/caddyauth/session/sessiontest"
)

func TestSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := sessiontest.NewMemoryStore()
		m := newManager(t, store)
		_, old := begin(t, m)
		wantFound(t, m, old, time.Minute)
		time.Sleep(12 * time.Hour)
		_, young := begin(t, m)
		for _, key := range []string{"sessions/not-a-number/x", "sessions/-5x/y", "other/1/z"} {
			if err := store.Save(background, key, []byte("x"), time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		sweep := func(want int) {
			t.Helper()
			if err := m.Sweep(background); err != nil {
				t.Fatal(err)
			}
			if n := store.Len(); n != want {
				t.Errorf("%d values are left, want %d", n, want)
			}
		}
		before := store.Len()
		time.Sleep(13*time.Hour + 59*time.Minute)
		sweep(before) // expired, but another instance's clock may be behind
		time.Sleep(2 * time.Minute)
		sweep(before - 1)
		wantFound(t, m, young, 0)
		synctest.Wait()
	})
}

func TestSweepTakesTheLastUseAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := sessiontest.NewMemoryStore()
		m := newManager(t, store)
		_, cookie := begin(t, m)
		time.Sleep(time.Minute)
		wantFound(t, m, cookie, 2*time.Minute)
		synctest.Wait()
		if n := store.Len(); n != 2 {
			t.Fatalf("%d values", n)
		}
		time.Sleep(lifetime + 3*time.Hour)
		if err := m.Sweep(background); err != nil {
			t.Fatal(err)
		}
		if n := store.Len(); n != 0 {
			t.Errorf("%d values are left", n)
		}
	})
}

// stubbornStore does not delete some keys.
type stubbornStore struct {
	session.Store
	keeps string
}

func (s *stubbornStore) Delete(ctx context.Context, key string) error {
	if strings.HasSuffix(key, s.keeps) {
		return errors.New("cannot be deleted")
	}
	return s.Store.Delete(ctx, key)
}

func TestSweepGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := sessiontest.NewMemoryStore()
		store := &stubbornStore{Store: memory}
		m := newManager(t, store)
		first, _ := begin(t, m)
		for range 50 {
			time.Sleep(10 * time.Minute)
			begin(t, m)
		}
		store.keeps = first.ID
		time.Sleep(lifetime + 3*time.Hour)
		if err := m.Sweep(background); err == nil {
			t.Error("no error")
		}
		if n := memory.Len(); n != 1 {
			t.Errorf("%d values are left", n)
		}
	})
}

func TestSweepWithoutStore(t *testing.T) {
	if err := newManager(t, nil).Sweep(background); err != nil {
		t.Error(err)
	}
	store := newStore()
	store.SetAway(true)
	if err := newManager(t, store).Sweep(background); !errors.Is(err, sessiontest.ErrAway) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(background)
	cancel()
	if err := newManager(t, newStore()).Sweep(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestForget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, newStore())
		_, used := begin(t, m)
		_, unused := begin(t, m)
		ended, endedCookie := begin(t, m)
		if err := m.End(background, ended); err != nil {
			t.Fatal(err)
		}
		time.Sleep(14 * time.Minute)
		wantFound(t, m, used, 0)
		m.Forget(time.Now())
		if n, _ := m.Known(); n != 2 {
			t.Errorf("%d cookies in memory", n)
		}
		time.Sleep(2 * time.Minute)
		m.Forget(time.Now())
		if n, _ := m.Known(); n != 1 {
			t.Errorf("%d cookies in memory", n)
		}
		wantFound(t, m, unused, 0)
		wantNone(t, m, endedCookie, 0)
		if n := m.Remembered(); n != 1 {
			t.Errorf("%d sessions remembered", n)
		}
		time.Sleep(lifetime + time.Minute)
		m.Forget(time.Now())
		if n, _ := m.Known(); n != 0 || m.Remembered() != 0 {
			t.Errorf("%d cookies and %d sessions remembered", n, m.Remembered())
		}
		synctest.Wait()
	})
}

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore()
		log := newLog()
		m := newManager(t, store, log.use)
		ctx, cancel := context.WithCancel(background)
		done := make(chan struct{})
		go func() { m.Run(ctx); close(done) }()
		time.Sleep(time.Minute)
		// Each sweep looks at the records, at the index and at attempts.
		if n := store.Lists.Load() / 3; n != 1 {
			t.Errorf("%d sweeps in the first minute", n)
		}
		begin(t, m)
		time.Sleep(10 * time.Hour)
		if n := store.Lists.Load() / 3; n < 9 || n > 11 {
			t.Errorf("%d sweeps in ten hours", n)
		}
		if n, _ := m.Known(); n != 0 {
			t.Errorf("%d unused cookies in memory", n)
		}
		store.SetAway(true)
		time.Sleep(2 * time.Hour)
		if log.count("sweeping sessions failed") == 0 {
			t.Error("nothing was said about a sweep that failed")
		}
		store.SetAway(false)
		time.Sleep(lifetime)
		cancel()
		<-done
	})
}

func TestRunWithoutStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(background, time.Hour)
		defer cancel()
		newManager(t, nil).Run(ctx)
	})
}
