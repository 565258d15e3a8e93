// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
	"weak"

	"go.uber.org/zap"
)

const (
	firstSweep = 10 * time.Second
	sweepEvery = time.Hour
	maxSweep   = 30 * time.Minute
	// sweepTimeout is for old buckets as a whole, in which there may be much.
	sweepTimeout = time.Minute
	forgetEvery  = time.Minute
	// forgetUnused is how long a session stays in memory that nobody uses.
	forgetUnused = 15 * time.Minute
)

// Run sweeps soon after it starts and hourly, tells the store about sessions
// that ended or were renewed while it was away, hears what ends elsewhere, and
// keeps memory from filling up, until ctx is done.
func (m *Manager) Run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() {
		every(ctx, forgetEvery, forgetEvery, func() { m.forget(m.config.Now()) })
	})
	if m.store != nil {
		first, then := firstSweep+jitter(firstSweep), sweepEvery+jitter(sweepEvery/10)
		wg.Go(func() { every(ctx, first, then, func() { m.sweepAndLog(ctx) }) })
		wg.Go(func() { m.repay(ctx) })
	}
	if m.announcer != nil {
		wg.Go(func() { m.follow(ctx) })
	}
	wg.Wait()
}

// jitter keeps instances that start together apart.
func jitter(most time.Duration) time.Duration {
	return rand.N(most) //nolint:gosec // spreads load, protects nothing
}

func every(ctx context.Context, first, then time.Duration, do func()) {
	timer := time.NewTimer(first)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			do()
			timer.Reset(then)
		}
	}
}

func (m *Manager) sweepAndLog(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, maxSweep)
	defer cancel()
	if err := m.Sweep(limited); err != nil && ctx.Err() == nil {
		m.config.Logger.Error("sweeping sessions failed", zap.Error(err))
	}
}

// Sweep deletes from the store what expired more than an hour ago, and forgets
// in memory what is over or not used. What cannot be deleted does not keep it
// from the rest; it returns the first errors.
func (m *Manager) Sweep(ctx context.Context) error {
	now := m.config.Now()
	m.forget(now)
	if m.store == nil || expires(m.config.Store) {
		return nil
	}
	return errors.Join(m.sweepBelow(ctx, rootKey, now), m.sweepBelow(ctx, indexRoot, now), m.sweepBelow(ctx, attemptsRoot, now))
}

// sweepBelow deletes the old buckets below a root.
func (m *Manager) sweepBelow(ctx context.Context, root string, now time.Time) error {
	buckets, err := m.store.list(ctx, backgroundTimeout, root)
	if err != nil {
		return fmt.Errorf("listing sessions: %w", err)
	}
	var first error
	for _, bucket := range buckets {
		if !isOldBucket(strings.TrimPrefix(bucket, root+"/"), now) {
			continue
		}
		if err := m.sweepBucket(ctx, bucket, root != rootKey); first == nil {
			first = err
		}
	}
	return first
}

func expires(store Store) bool {
	e, ok := store.(Expirer)
	return ok && e.Expires()
}

// sweepBucket deletes a bucket. Storages of Caddy delete a folder with all that
// is in it, in a fraction of the time that it takes one by one. From the others
// it deletes the values and then, if there are folders, the bucket. The values
// of the index, and attempts, are a folder further down.
func (m *Manager) sweepBucket(ctx context.Context, bucket string, folders bool) error {
	_ = m.store.delete(ctx, sweepTimeout, bucket) // what that leaves is dealt with below
	keys, err := m.store.list(ctx, sweepTimeout, bucket)
	if err != nil {
		return fmt.Errorf("listing expired sessions: %w", err)
	}
	var first error
	for _, folder := range keys {
		if !folders {
			break
		}
		if err := m.sweepBucket(ctx, folder, false); first == nil {
			first = err
		}
	}
	if len(keys) == 0 {
		return nil
	}
	for _, key := range append(keys, bucket) {
		if err := m.store.delete(ctx, backgroundTimeout, key); err != nil && first == nil {
			first = fmt.Errorf("deleting an expired session: %w", err)
		}
	}
	return first
}

// forget drops from memory what is over or was not used for a while.
func (m *Manager) forget(now time.Time) {
	m.cookies.forget(func(s *Session) bool { return s.Over(now) || m.unused(s, now) })
	m.known.forget(func(p weak.Pointer[Session]) bool { return p.Value() == nil })
	passed := func(until time.Time) bool { return !now.Before(until) }
	m.ended.forget(passed)
	m.missing.forget(passed)
	m.barred.forget(func(bars []bar) bool { return areOver(bars, now) })
}

// unused reports whether a session need not stay in memory. With a store,
// memory is all it loses. Without, memory alone knows when it was last used:
// it stays until it is idle, which then ends it. And memory alone may have its
// tokens.
func (m *Manager) unused(s *Session, now time.Time) bool {
	unseen, idle := now.Sub(s.LastSeen()), time.Duration(s.idle.Load())
	if m.store != nil || idle == 0 {
		return unseen > forgetUnused && !s.hasUndelivered()
	}
	if unseen <= idle {
		return false
	}
	m.ended.put(s.identity, s.Expires.Add(skew))
	m.end(s)
	return true
}
