// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package sessiontest

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// ErrAway is what a FaultyStore answers while it is away.
var ErrAway = errors.New("the store is away")

// ErrFull is what a FaultyStore answers to Save while it is full.
var ErrFull = errors.New("the store is full")

// FaultyStore is a store in front of another that can be made to fail, to
// hang and to be slow, and that counts its calls. Safe for concurrent use.
type FaultyStore struct {
	session.Store

	// Loads, Saves, Deletes, Lists and Locks count the calls, failed ones
	// included.
	Loads, Saves, Deletes, Lists, Locks atomic.Int64

	away, hung, full atomic.Bool
	delay            atomic.Int64
}

// NewFaultyStore returns a store that behaves, until told otherwise.
func NewFaultyStore(store session.Store) *FaultyStore {
	return &FaultyStore{Store: store}
}

// SetAway makes all calls fail with ErrAway, or no longer.
func (f *FaultyStore) SetAway(away bool) { f.away.Store(away) }

// SetHung makes calls wait until their context is done, or no longer.
func (f *FaultyStore) SetHung(hung bool) { f.hung.Store(hung) }

// SetFull makes Save fail with ErrFull, or no longer. Locks can still be had.
func (f *FaultyStore) SetFull(full bool) { f.full.Store(full) }

// SetDelay makes each call take so long, whatever its context says.
func (f *FaultyStore) SetDelay(delay time.Duration) { f.delay.Store(int64(delay)) }

// Save implements session.Store.
func (f *FaultyStore) Save(ctx context.Context, key string, value []byte, expires time.Time) error {
	f.Saves.Add(1)
	if err := f.fault(ctx); err != nil {
		return err
	}
	if f.full.Load() {
		return ErrFull
	}
	return f.Store.Save(ctx, key, value, expires)
}

// Load implements session.Store.
func (f *FaultyStore) Load(ctx context.Context, key string) ([]byte, error) {
	f.Loads.Add(1)
	if err := f.fault(ctx); err != nil {
		return nil, err
	}
	return f.Store.Load(ctx, key)
}

// Delete implements session.Store.
func (f *FaultyStore) Delete(ctx context.Context, key string) error {
	f.Deletes.Add(1)
	if err := f.fault(ctx); err != nil {
		return err
	}
	return f.Store.Delete(ctx, key)
}

// List implements session.Store.
func (f *FaultyStore) List(ctx context.Context, prefix string) ([]string, error) {
	f.Lists.Add(1)
	if err := f.fault(ctx); err != nil {
		return nil, err
	}
	return f.Store.List(ctx, prefix)
}

// Lock implements session.Store. What is unlocked while the store cannot be
// reached stays locked, as if its holder had died.
func (f *FaultyStore) Lock(ctx context.Context, key string) (unlock func(), err error) {
	f.Locks.Add(1)
	if err := f.fault(ctx); err != nil {
		return nil, err
	}
	release, err := f.Store.Lock(ctx, key)
	if err != nil {
		return nil, err
	}
	return func() {
		if !f.away.Load() && !f.hung.Load() {
			release()
		}
	}, nil
}

func (f *FaultyStore) fault(ctx context.Context) error {
	if delay := time.Duration(f.delay.Load()); delay > 0 {
		time.Sleep(delay)
	}
	if f.hung.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	if f.away.Load() {
		return ErrAway
	}
	return nil
}
