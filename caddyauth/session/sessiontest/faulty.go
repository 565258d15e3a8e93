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

// FaultyStore is a store in front of another that can be made to fail, to
// hang and to be slow, and that counts its calls. Safe for concurrent use.
type FaultyStore struct {
	session.Store

	// Loads, Saves, Deletes and Lists count the calls, failed ones included.
	Loads, Saves, Deletes, Lists atomic.Int64

	away, hung atomic.Bool
	delay      atomic.Int64
}

// NewFaultyStore returns a store that behaves, until told otherwise.
func NewFaultyStore(store session.Store) *FaultyStore {
	return &FaultyStore{Store: store}
}

// SetAway makes all calls fail with ErrAway, or no longer.
func (f *FaultyStore) SetAway(away bool) { f.away.Store(away) }

// SetHung makes calls wait until their context is done, or no longer.
func (f *FaultyStore) SetHung(hung bool) { f.hung.Store(hung) }

// SetDelay makes each call take so long, whatever its context says.
func (f *FaultyStore) SetDelay(delay time.Duration) { f.delay.Store(int64(delay)) }

// Save implements session.Store.
func (f *FaultyStore) Save(ctx context.Context, key string, value []byte, expires time.Time) error {
	f.Saves.Add(1)
	if err := f.fault(ctx); err != nil {
		return err
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
