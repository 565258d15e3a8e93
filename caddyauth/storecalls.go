// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// storeCalls stands between sessions and their store. No span has a key in it:
// a key tells who signed in, and when.
type storeCalls struct {
	callTarget
	session.Store
}

// watchStore returns a store that can do what this one can.
func watchStore(store session.Store, kind string) session.Store {
	calls := storeCalls{callTarget{"store", kind, metrics.storeCalls}, store}
	announcer, ok := store.(session.Announcer)
	if !ok {
		return calls
	}
	announcing := announcingStore{calls, announcer}
	if tallier, ok := store.(session.Tallier); ok {
		return tallyingStore{announcing, tallier}
	}
	return announcing
}

// Save implements session.Store.
func (s storeCalls) Save(ctx context.Context, key string, value []byte, expires time.Time) error {
	end := s.begin(ctx, "save")
	err := s.Store.Save(ctx, key, value, expires)
	end(err)
	return err
}

// Load implements session.Store.
func (s storeCalls) Load(ctx context.Context, key string) ([]byte, error) {
	end := s.begin(ctx, "load")
	value, err := s.Store.Load(ctx, key)
	end(err)
	return value, err
}

// Delete implements session.Store.
func (s storeCalls) Delete(ctx context.Context, key string) error {
	end := s.begin(ctx, "delete")
	err := s.Store.Delete(ctx, key)
	end(err)
	return err
}

// List implements session.Store.
func (s storeCalls) List(ctx context.Context, prefix string) ([]string, error) {
	end := s.begin(ctx, "list")
	keys, err := s.Store.List(ctx, prefix)
	end(err)
	return keys, err
}

// Lock implements session.Store. What it takes is mostly waiting for who holds
// the lock.
func (s storeCalls) Lock(ctx context.Context, key string) (unlock func(), err error) {
	end := s.begin(ctx, "lock")
	unlock, err = s.Store.Lock(ctx, key)
	end(err)
	return unlock, err
}

// Expires implements session.Expirer.
func (s storeCalls) Expires() bool {
	expirer, ok := s.Store.(session.Expirer)
	return ok && expirer.Expires()
}

// announcingStore is storeCalls for a store that tells of ends.
type announcingStore struct {
	storeCalls
	announcer session.Announcer
}

// Announce implements session.Announcer.
func (s announcingStore) Announce(ctx context.Context, key string) error {
	end := s.begin(ctx, "announce")
	err := s.announcer.Announce(ctx, key)
	end(err)
	return err
}

// Follow implements session.Announcer. It lasts, and so is not timed.
func (s announcingStore) Follow(ctx context.Context, listening func(), ended func(key string)) error {
	return s.announcer.Follow(ctx, listening, ended)
}

// tallyingStore is announcingStore for a store that counts.
type tallyingStore struct {
	announcingStore
	tallier session.Tallier
}

// Note implements session.Tallier.
func (s tallyingStore) Note(ctx context.Context, tally, entry string, now, expires time.Time) ([]string, error) {
	end := s.begin(ctx, "note")
	others, err := s.tallier.Note(ctx, tally, entry, now, expires)
	end(err)
	return others, err
}

// Strike implements session.Tallier.
func (s tallyingStore) Strike(ctx context.Context, tally string, entries []string) error {
	end := s.begin(ctx, "strike")
	err := s.tallier.Strike(ctx, tally, entries)
	end(err)
	return err
}

// Interface guards
var (
	_ session.Expirer   = storeCalls{}
	_ session.Announcer = announcingStore{}
	_ session.Tallier   = tallyingStore{}
)
