// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package redisstore

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
	"github.com/panelauth/caddy-panelauth/caddyauth/session/sessiontest"
)

func TestServerTally(t *testing.T) {
	s := serve(t)
	sessiontest.RunTally(t, func(t *testing.T) session.Store {
		s.ask("flushall")
		return open(t, s.url())
	})
}

// TestServerTallyExpires: what is counted goes by itself, whatever else is done
// to it, with the rights that the documentation names.
func TestServerTallyExpires(t *testing.T) {
	s := serve(t)
	s.ask(append([]any{"acl", "setuser", "panelauth", "on", ">password"}, words(minimalRights)...)...)
	store := open(t, strings.Replace(s.url(), "redis://", "redis://panelauth:password@", 1))
	now := time.Now()
	note := func(entry string) []string {
		t.Helper()
		others, err := store.Note(t.Context(), "whose", entry, now, now.Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		return others
	}
	note("one")
	note("two")
	if others := note("two"); fmt.Sprint(others) != "[one]" {
		t.Errorf("an entry that is added again finds %q", others)
	}
	if err := store.Strike(t.Context(), "whose", []string{"one", "unknown"}); err != nil {
		t.Fatal(err)
	}
	var seconds int
	_, _ = fmt.Sscan(s.ask("ttl", tallyRoot+"whose"), &seconds)
	if seconds < 1 || seconds > 60 {
		t.Errorf("it is kept for %d s", seconds)
	}
	if err := store.Strike(t.Context(), "whose", []string{"two"}); err != nil {
		t.Fatal(err)
	}
	if got := s.ask("exists", tallyRoot+"whose"); got != "0" {
		t.Error("an empty tally is kept")
	}
	if _, err := store.Note(t.Context(), "whose", "two words", now, now); err == nil {
		t.Error("an entry of two words is taken")
	}
}
