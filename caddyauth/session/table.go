// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"iter"
	"sync"
)

const shards = 64

// table is a map for many readers at once, with a bound: a full one forgets
// any entry for a new one. Keys are hashes, so their first byte spreads them
// evenly.
type table[K ~[16]byte | ~[32]byte, V any] struct {
	shards   [shards]shard[K, V]
	perShard int
}

type shard[K ~[16]byte | ~[32]byte, V any] struct {
	mu     sync.RWMutex
	values map[K]V
	_      [32]byte // keeps neighbours' locks off one cache line
}

func newTable[K ~[16]byte | ~[32]byte, V any](limit int) *table[K, V] {
	t := &table[K, V]{perShard: max(1, limit/shards)}
	for i := range t.shards {
		t.shards[i].values = map[K]V{}
	}
	return t
}

func (t *table[K, V]) shard(k K) *shard[K, V] {
	return &t.shards[k[0]%shards]
}

func (t *table[K, V]) get(k K) (V, bool) {
	s := t.shard(k)
	s.mu.RLock()
	v, ok := s.values[k]
	s.mu.RUnlock()
	return v, ok
}

func (t *table[K, V]) put(k K, v V) {
	t.update(k, func(V) V { return v })
}

// update replaces the value of a key (the zero value, if it has none) while
// nobody else sees it.
func (t *table[K, V]) update(k K, change func(V) V) {
	s := t.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	old, ok := s.values[k]
	if !ok && len(s.values) >= t.perShard {
		s.forgetOne()
	}
	s.values[k] = change(old)
}

func (s *shard[K, V]) forgetOne() {
	for k := range s.values {
		delete(s.values, k)
		return
	}
}

func (t *table[K, V]) remove(k K) {
	s := t.shard(k)
	s.mu.Lock()
	delete(s.values, k)
	s.mu.Unlock()
}

// forget removes the entries that are no longer wanted.
func (t *table[K, V]) forget(unwanted func(V) bool) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		for k, v := range s.values {
			if unwanted(v) {
				delete(s.values, k)
			}
		}
		s.mu.Unlock()
	}
}

// all returns the values, a shard at a time, as they were when it came to it.
func (t *table[K, V]) all() iter.Seq[V] {
	return func(yield func(V) bool) {
		for i := range t.shards {
			for _, v := range t.shards[i].snapshot() {
				if !yield(v) {
					return
				}
			}
		}
	}
}

func (s *shard[K, V]) snapshot() []V {
	s.mu.RLock()
	defer s.mu.RUnlock()
	values := make([]V, 0, len(s.values))
	for _, v := range s.values {
		values = append(values, v)
	}
	return values
}

func (s *shard[K, V]) count(wanted func(V) bool) (n int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, v := range s.values {
		if wanted(v) {
			n++
		}
	}
	return n
}
