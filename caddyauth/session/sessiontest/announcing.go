// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package sessiontest

import (
	"context"
	"sync"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// AnnouncingStore is a FaultyStore that is a session.Announcer as well: while
// it is away, hung or cut, nobody hears or is heard. Safe for concurrent use.
type AnnouncingStore struct {
	*FaultyStore

	mu        sync.Mutex
	cut       bool
	followers map[*follower]bool
}

// follower is somebody who follows. Who falls behind is cut off.
type follower struct {
	keys chan string
	gone chan struct{}
	once sync.Once
}

func (f *follower) cutOff() { f.once.Do(func() { close(f.gone) }) }

// NewAnnouncingStore returns a store in front of another that behaves, until
// told otherwise.
func NewAnnouncingStore(store session.Store) *AnnouncingStore {
	return &AnnouncingStore{FaultyStore: NewFaultyStore(store), followers: map[*follower]bool{}}
}

// SetCut makes nobody hear anything, or no longer. Values are not concerned.
func (a *AnnouncingStore) SetCut(cut bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cut = cut
	if cut {
		for f := range a.followers {
			f.cutOff()
		}
	}
}

// Followers returns how many follow.
func (a *AnnouncingStore) Followers() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.followers)
}

// Announce implements session.Announcer.
func (a *AnnouncingStore) Announce(ctx context.Context, key string) error {
	if err := a.fault(ctx); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cut {
		return ErrAway
	}
	for f := range a.followers {
		select {
		case f.keys <- key:
		default:
			f.cutOff()
		}
	}
	return nil
}

// Follow implements session.Announcer.
func (a *AnnouncingStore) Follow(ctx context.Context, listening func(), ended func(key string)) error {
	if a.away.Load() || a.hung.Load() {
		return ErrAway // a connection that hangs is given up
	}
	f, err := a.join()
	if err != nil {
		return err
	}
	defer a.leave(f)
	listening()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-f.gone:
			return ErrAway
		case key := <-f.keys:
			ended(key)
		}
	}
}

func (a *AnnouncingStore) join() (*follower, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cut {
		return nil, ErrAway
	}
	f := &follower{keys: make(chan string, 64), gone: make(chan struct{})}
	a.followers[f] = true
	return f, nil
}

func (a *AnnouncingStore) leave(f *follower) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.followers, f)
}

// Interface guard
var _ session.Announcer = (*AnnouncingStore)(nil)
