// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// lifetime is the context of a request that can be ended. What that takes is
// made when somebody waits for the end, which most requests are spared.
type lifetime struct {
	parent context.Context
	inner  atomic.Pointer[cancelable]

	mu    sync.Mutex
	ended bool
}

type cancelable struct {
	context.Context
	cancel context.CancelFunc
}

// end ends the context.
func (l *lifetime) end() {
	l.mu.Lock()
	l.ended = true
	l.mu.Unlock()
	if inner := l.inner.Load(); inner != nil {
		inner.cancel()
	}
}

// Done implements context.Context.
func (l *lifetime) Done() <-chan struct{} {
	if inner := l.inner.Load(); inner != nil {
		return inner.Done()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	inner := l.inner.Load()
	if inner == nil {
		ctx, cancel := context.WithCancel(l.parent)
		inner = &cancelable{ctx, cancel}
		l.inner.Store(inner)
	}
	if l.ended {
		inner.cancel()
	}
	return inner.Done()
}

// Err implements context.Context.
func (l *lifetime) Err() error {
	if inner := l.inner.Load(); inner != nil {
		return inner.Err()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return context.Canceled
	}
	return l.parent.Err()
}

// Deadline implements context.Context.
func (l *lifetime) Deadline() (time.Time, bool) { return l.parent.Deadline() }

// Value implements context.Context. It asks the context within, by which the
// package context knows that it can wait for that one without a goroutine.
func (l *lifetime) Value(key any) any {
	if inner := l.inner.Load(); inner != nil {
		return inner.Value(key)
	}
	return l.parent.Value(key)
}

// Interface guard
var _ context.Context = (*lifetime)(nil)
