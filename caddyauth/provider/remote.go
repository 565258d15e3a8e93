// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"context"
	"sync"
	"time"
)

const (
	// seekPause is the least time between two fetches for something that the
	// document at hand lacks, such as the key that a token names.
	seekPause = 10 * time.Second
	// retryPause is the least time between two tries while there is nothing.
	retryPause = time.Second
)

// remote is a document of the provider's that is fetched when first needed and
// kept. Whatever happens, a good document is only ever replaced by another.
type remote[T any] struct {
	fetch func(context.Context) (*T, error)
	now   func() time.Time
	turn  chan struct{} // whoever puts something in may fetch

	mu     sync.Mutex
	value  *T
	got    time.Time // when value was fetched
	tried  time.Time // when the last fetch ended
	err    error     // of the last fetch
	sought time.Time // when something lacking was last fetched for
}

func newRemote[T any](fetch func(context.Context) (*T, error), now func() time.Time) *remote[T] {
	return &remote[T]{fetch: fetch, now: now, turn: make(chan struct{}, 1)}
}

func (r *remote[T]) known() bool { return r.current() != nil }

func (r *remote[T]) current() *T {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.value
}

// get returns the document, fetching it if there is none yet.
func (r *remote[T]) get(ctx context.Context) (*T, error) {
	if value := r.current(); value != nil {
		return value, nil
	}
	value, err := r.fetchIf(ctx, func() bool { return r.value == nil && r.due(r.tried, retryPause) })
	if value != nil {
		return value, nil
	}
	return nil, err
}

// newer returns the document that replaces old. If the provider was asked a
// moment ago it is old itself, with an error if the provider did not answer.
func (r *remote[T]) newer(ctx context.Context, old *T) (*T, error) {
	value, err := r.fetchIf(ctx, func() bool {
		if r.value != old || !r.due(r.sought, seekPause) {
			return false
		}
		r.sought = r.now()
		return true
	})
	if value != nil && value != old {
		return value, nil
	}
	return value, err
}

// renew fetches in any case.
func (r *remote[T]) renew(ctx context.Context) error {
	_, err := r.fetchIf(ctx, func() bool { return true })
	return err
}

func (r *remote[T]) due(last time.Time, pause time.Duration) bool {
	return last.IsZero() || r.now().Sub(last) >= pause
}

// fetchIf waits for its turn and asks then whether to fetch: somebody else may
// have done it meanwhile. It returns what there is then, and how the last fetch
// went. A fetch is for everybody who waits, so it goes on when the one who
// happened to be first goes away.
func (r *remote[T]) fetchIf(ctx context.Context, wanted func() bool) (*T, error) {
	select {
	case r.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, failNetwork(stepWaiting, ctx.Err())
	}
	r.mu.Lock()
	fetch, value, err := wanted(), r.value, r.err
	r.mu.Unlock()
	if !fetch {
		<-r.turn
		return value, err
	}
	done := make(chan error, 1)
	go func() {
		done <- r.update(context.WithoutCancel(ctx))
		<-r.turn
	}()
	select {
	case err := <-done:
		return r.current(), err
	case <-ctx.Done():
		return nil, failNetwork(stepWaiting, ctx.Err())
	}
}

const stepWaiting = "waiting for the provider"

func (r *remote[T]) update(ctx context.Context) error {
	value, err := r.fetch(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tried, r.err = r.now(), err
	if err == nil {
		r.value, r.got = value, r.tried
	}
	return err
}
