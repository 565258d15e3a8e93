// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

// Package sessiontest has what tests of session stores and of their users
// share: a store in memory, a store that can be made to fail, and the
// conformance suite that every store must pass.
package sessiontest

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// MemoryStore is a session.Store in memory.
type MemoryStore struct {
	mu     sync.Mutex
	values map[string][]byte
	locks  map[string]*memoryLock
}

// memoryLock is a lock that somebody holds.
type memoryLock struct {
	released chan struct{}
	expires  time.Time
}

// NewMemoryStore returns an empty store.
func NewMemoryStore() *MemoryStore {
	return &MemoryStore{values: map[string][]byte{}, locks: map[string]*memoryLock{}}
}

// Save implements session.Store. It never forgets: expiry is the sweeper's.
func (m *MemoryStore) Save(ctx context.Context, key string, value []byte, _ time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[key] = append([]byte(nil), value...)
	return nil
}

// Load implements session.Store.
func (m *MemoryStore) Load(ctx context.Context, key string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	value, ok := m.values[key]
	if !ok {
		return nil, session.ErrNotFound
	}
	return append([]byte(nil), value...), nil
}

// Delete implements session.Store.
func (m *MemoryStore) Delete(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.values, key)
	return nil
}

// List implements session.Store.
func (m *MemoryStore) List(ctx context.Context, prefix string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	prefix = strings.TrimSuffix(prefix, "/") + "/"
	children := map[string]bool{}
	for key := range m.values {
		rest, ok := strings.CutPrefix(key, prefix)
		if !ok {
			continue
		}
		child, _, _ := strings.Cut(rest, "/")
		children[prefix+child] = true
	}
	keys := make([]string, 0, len(children))
	for key := range children {
		keys = append(keys, key)
	}
	return keys, nil
}

// Lock implements session.Store. A lock lasts for a session.LockLease.
func (m *MemoryStore) Lock(ctx context.Context, key string) (unlock func(), err error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		mine, other := m.tryLock(key)
		if mine != nil {
			return func() { m.unlock(key, mine) }, nil
		}
		select {
		case <-other.released:
		case <-time.After(time.Until(other.expires)):
		case <-ctx.Done():
		}
	}
}

// tryLock returns a new lock, or who has it.
func (m *MemoryStore) tryLock(key string) (mine, other *memoryLock) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if other := m.locks[key]; other != nil && time.Now().Before(other.expires) {
		return nil, other
	}
	mine = &memoryLock{make(chan struct{}), time.Now().Add(session.LockLease)}
	m.locks[key] = mine
	return mine, nil
}

func (m *MemoryStore) unlock(key string, mine *memoryLock) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.locks[key] == mine {
		delete(m.locks, key)
		close(mine.released)
	}
}

// Len returns how many values the store holds, but for the index, whose entries
// may be left behind.
func (m *MemoryStore) Len() int { return m.count(false) }

// LenIndex returns how many entries the index has.
func (m *MemoryStore) LenIndex() int { return m.count(true) }

func (m *MemoryStore) count(ofIndex bool) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key := range m.values {
		if strings.HasPrefix(key, "index/") == ofIndex {
			n++
		}
	}
	return n
}
