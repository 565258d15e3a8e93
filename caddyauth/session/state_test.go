// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
	"github.com/panelauth/caddy-panelauth/caddyauth/session/sessiontest"
)

func TestCount(t *testing.T) {
	bothModes(t, func(t *testing.T, store session.Store) {
		m := newManager(t, store)
		if n := m.Count(); n != 0 {
			t.Errorf("nobody is %d", n)
		}
		one, _ := begin(t, m)
		begin(t, m)
		if n := m.Count(); n != 2 {
			t.Errorf("two are %d", n)
		}
		_ = m.End(background, one)
		if n := m.Count(); n != 1 {
			t.Errorf("one is %d", n)
		}
	})
}

func TestTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore()
		m := newManager(t, store)
		if trouble := m.Trouble(); trouble != nil {
			t.Errorf("there is %v", trouble)
		}
		store.SetAway(true)
		since := time.Now()
		for range 3 {
			if _, _, err := m.Begin(background, record()); err == nil {
				t.Fatal("it works")
			}
			synctest.Wait()
			time.Sleep(time.Second)
		}
		if trouble := m.Trouble(); trouble == nil || !trouble.Since.Equal(since) || !errors.Is(trouble.Err, sessiontest.ErrAway) {
			t.Errorf("there is %v, want since %v", trouble, since)
		}
		store.SetAway(false)
		begin(t, m)
		if trouble := m.Trouble(); trouble != nil {
			t.Errorf("there still is %v", trouble)
		}
	})
}

func TestNoTroubleWithoutStore(t *testing.T) {
	if trouble := newManager(t, nil).Trouble(); trouble != nil {
		t.Errorf("there is %v", trouble)
	}
}
