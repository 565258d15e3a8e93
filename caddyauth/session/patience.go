// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

const (
	// backgroundTimeout is for what nobody waits for.
	backgroundTimeout = 5 * time.Second
	// retryStore is how long a store that failed is left alone by the checks.
	retryStore = time.Second
	// maxStoreCalls bounds what a store that hangs can hold on to.
	maxStoreCalls = 256
	// complainEvery keeps a broken store from filling the log.
	complainEvery = 10 * time.Second
)

// patience stands between the requests and the store: no call lasts longer
// than the caller allows, even if the store does not listen to its context
// (a file system that hangs does not), and it remembers whether the store
// works.
type patience struct {
	store  Store
	now    func() time.Time
	logger *zap.Logger

	calls      chan struct{}
	locks      chan struct{}
	failed     atomic.Int64  // last failure in Unix nanoseconds, 0 since a success
	worked     atomic.Uint64 // how often it was seen to work
	trouble    atomic.Pointer[Trouble]
	complained atomic.Int64
}

func newPatience(store Store, now func() time.Time, logger *zap.Logger) *patience {
	return &patience{
		store: store, now: now, logger: logger,
		calls: make(chan struct{}, maxStoreCalls),
		locks: make(chan struct{}, maxStoreCalls),
	}
}

// do makes one call and comes back within the time allowed. The call itself
// may go on after that.
func (p *patience) do(ctx context.Context, timeout time.Duration, call func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	worked := p.worked.Load()
	limited, cancel := context.WithTimeout(ctx, timeout)
	done := make(chan error, 1)
	select {
	case p.calls <- struct{}{}:
	case <-limited.Done():
		cancel()
		return p.noteCall(ctx, worked, limited.Err())
	}
	go func() {
		defer func() { cancel(); <-p.calls }()
		done <- call(limited)
	}()
	select {
	case err := <-done:
		return p.noteCall(ctx, worked, err)
	case <-limited.Done():
	}
	select {
	case err := <-done: // just in time, or done because the call is
		return p.noteCall(ctx, worked, err)
	default:
		return p.noteCall(ctx, worked, limited.Err())
	}
}

// noteCall is note for a call that began when the store had been seen to work so
// often. If that has happened again since, its failure says nothing new: it may
// have been under way for long.
func (p *patience) noteCall(ctx context.Context, worked uint64, err error) error {
	if err != nil && !errors.Is(err, ErrNotFound) && worked != p.worked.Load() {
		return err
	}
	return p.note(ctx, err)
}

// note remembers how a call went. That a client went away says nothing about
// the store.
func (p *patience) note(ctx context.Context, err error) error {
	switch {
	case err == nil || errors.Is(err, ErrNotFound):
		p.recovered()
	case ctx.Err() == nil:
		now := p.now()
		p.failed.Store(now.UnixNano())
		p.trouble.Store(p.trouble.Load().goesOn(err, now))
	}
	return err
}

func (p *patience) recovered() {
	p.worked.Add(1)
	p.failed.Store(0)
	p.trouble.Store(nil)
}

// works reports whether the last call went well.
func (p *patience) works() bool { return p.failed.Load() == 0 }

// mayRetry reports whether a store that failed should be asked again: one
// caller gets to try each second.
func (p *patience) mayRetry(now time.Time) bool {
	failed := p.failed.Load()
	if since := now.UnixNano() - failed; since >= 0 && since < int64(retryStore) {
		return false
	}
	return p.failed.CompareAndSwap(failed, now.UnixNano())
}

// load is never waited for by a request itself, which may have less patience.
func (p *patience) load(ctx context.Context, key string) ([]byte, error) {
	found := make(chan []byte, 1) // not a variable, which a late answer would race with
	err := p.do(ctx, backgroundTimeout, func(ctx context.Context) error {
		value, err := p.store.Load(ctx, key)
		found <- value
		return err
	})
	if err != nil {
		return nil, err
	}
	return <-found, nil
}

func (p *patience) save(ctx context.Context, timeout time.Duration, key string, value []byte, expires time.Time) error {
	return p.do(ctx, timeout, func(ctx context.Context) error {
		return p.store.Save(ctx, key, value, expires)
	})
}

// saveOr is save for a value that nobody must find if this fails. The call may
// have got through all the same, or may yet: then, too, undo is called after it.
func (p *patience) saveOr(ctx context.Context, timeout time.Duration, key string, value []byte, expires time.Time, undo func()) error {
	var settled atomic.Bool // by the call's coming back, or by nobody's waiting for it
	err := p.do(ctx, timeout, func(ctx context.Context) error {
		err := p.store.Save(ctx, key, value, expires)
		if !settled.CompareAndSwap(false, true) {
			undo()
		}
		return err
	})
	if err != nil && !settled.CompareAndSwap(false, true) {
		undo()
	}
	return err
}

// delete takes "no such key" for an answer, which is what was wanted.
func (p *patience) delete(ctx context.Context, timeout time.Duration, key string) error {
	return p.do(ctx, timeout, func(ctx context.Context) error {
		err := p.store.Delete(ctx, key)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		return err
	})
}

// list lists without a prefix's absence being an error, which some stores
// cannot help.
func (p *patience) list(ctx context.Context, timeout time.Duration, prefix string) ([]string, error) {
	found := make(chan []string, 1)
	err := p.do(ctx, timeout, func(ctx context.Context) error {
		keys, err := p.store.List(ctx, prefix)
		found <- keys
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return <-found, nil
}

// lock waits for a lock. That it takes too long says nothing about the store:
// somebody may hold it. A lock that comes later is given back.
func (p *patience) lock(ctx context.Context, timeout time.Duration, key string) (unlock func(), err error) {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case p.locks <- struct{}{}:
	case <-timer.C:
		return nil, context.DeadlineExceeded
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	// Not a context with an end, which the lock may not outlive.
	held, cancel := context.WithCancel(context.WithoutCancel(ctx))
	release := func() { cancel(); <-p.locks }
	type answer struct {
		unlock func()
		err    error
	}
	answers := make(chan answer)
	go func() {
		unlock, err := p.store.Lock(held, key)
		select {
		case answers <- answer{unlock, err}:
		case <-held.Done():
			if err == nil {
				unlock()
			}
			release()
		}
	}()
	select {
	case a := <-answers:
		if a.err != nil {
			release()
			return nil, p.note(ctx, a.err)
		}
		return func() { within(backgroundTimeout, func() { a.unlock(); release() }) }, nil
	case <-timer.C:
		err = context.DeadlineExceeded
	case <-ctx.Done():
		err = ctx.Err()
	}
	cancel()
	return nil, err
}

// within waits no longer than that for something to be done.
func within(timeout time.Duration, do func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	select {
	case <-done:
	case <-time.After(timeout):
	}
}

// complain logs a failure that no caller hears of, now and then.
func (p *patience) complain(message string, err error) {
	now, last := p.now().UnixNano(), p.complained.Load()
	if since := now - last; last != 0 && since >= 0 && since < int64(complainEvery) {
		return
	}
	if p.complained.CompareAndSwap(last, now) {
		p.logger.Error(message, zap.Error(err))
	}
}
