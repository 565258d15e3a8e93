// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/session/sessiontest"
)

func TestCaddyStorageAbandonedLock(t *testing.T) {
	storage := newMarkedFolder(t)
	store := new(caddyStorage)
	store.add(storage)
	sessiontest.RunAbandonedLock(t, store, func(string) {
		files, err := filepath.Glob(filepath.Join(storage.Path, "locks", "*"))
		if err != nil || len(files) != 1 {
			t.Fatalf("lock files %q, %v", files, err)
		}
		long := `{"created":"2020-01-01T00:00:00Z","updated":"2020-01-01T00:00:00Z"}`
		if err := os.WriteFile(files[0], []byte(long), 0o600); err != nil {
			t.Fatal(err)
		}
	})
}

// What was locked in a storage is unlocked there, though a reload has brought
// another.
func TestCaddyStorageUnlocksWhatItLocked(t *testing.T) {
	first, second := newMarkedFolder(t), newMarkedFolder(t)
	store := new(caddyStorage)
	store.add(first)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	unlock, err := store.Lock(ctx, "sessions/1/x")
	if err != nil {
		t.Fatal(err)
	}
	store.add(second)
	store.remove(first)
	unlock()
	store.remove(second)
	if _, err := store.Lock(ctx, "sessions/1/x"); err == nil {
		t.Error("got a lock without a storage")
	}
	store.add(first)
	unlock, err = store.Lock(ctx, "sessions/1/x")
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}
