// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"testing"

	"github.com/caddyserver/certmagic"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
	"github.com/panelauth/caddy-panelauth/caddyauth/session/sessiontest"
)

func TestCaddyStorageIsASessionStore(t *testing.T) {
	sessiontest.RunStore(t, func(t *testing.T) session.Store {
		store := new(caddyStorage)
		storage := &certmagic.FileStorage{Path: t.TempDir()}
		if err := mark(t.Context(), storage); err != nil {
			t.Fatal(err)
		}
		store.add(storage)
		return store
	})
}

// A reload opens the new storage before it closes the old one, and a
// configuration that fails to load closes the newer one.
func TestCaddyStorageUsesTheNewestThatIsOpen(t *testing.T) {
	first, second := &certmagic.FileStorage{Path: t.TempDir()}, &certmagic.FileStorage{Path: t.TempDir()}
	store := new(caddyStorage)
	use := func(want certmagic.Storage) {
		t.Helper()
		if got, err := store.current(); got != want || err != nil {
			t.Errorf("got %v, %v; want %v", got, err, want)
		}
	}
	store.add(first)
	use(first)
	store.add(second)
	use(second)
	store.remove(second)
	use(first)
	store.remove(first)
	if _, err := store.current(); err == nil {
		t.Error("a closed storage is still in use")
	}
}
