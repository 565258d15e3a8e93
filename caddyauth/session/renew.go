// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// renewTimeout is how long a provider may take.
	renewTimeout = 15 * time.Second
	// lockTimeout is how long to wait for another instance that is renewing.
	lockTimeout = 10 * time.Second
	// renewPause is how long new tokens are left alone, whoever asks.
	renewPause = 5 * time.Second
	// A renewal that failed is left alone for the first, then for longer.
	firstBackoff = 5 * time.Second
	lastBackoff  = time.Minute
	// keepLock is how long other instances are kept from the tokens before
	// these, when the store does not take the new ones at once. With
	// everything before it, that is less than a LockLease.
	keepLock = 15 * time.Second
	// awaitRenewal is how long to look for the tokens of who was faster, and
	// lookForRenewal how often.
	awaitRenewal   = 2 * time.Second
	lookForRenewal = 250 * time.Millisecond
)

var (
	// ErrNoTokens means that a session was made without tokens.
	ErrNoTokens = errors.New("session has no tokens")
	// ErrEnded means that a session was over before its tokens were renewed.
	ErrEnded = errors.New("session has ended")
	// ErrBackoff means that a renewal failed a moment ago and was not tried
	// again. It comes with the error of then.
	ErrBackoff = errors.New("renewal is not tried again yet")
	// ErrRefused is for renew to say, with its reason, that the tokens are of no
	// use any more.
	ErrRefused = errors.New("tokens are refused")
)

// Renew renews a session's tokens, once for all who ask at about the same time,
// here and on other instances that share the store. If another instance has
// renewed them, its tokens are taken; else renew is called with the current
// ones. What it leaves empty stays as it was, but for Expiry. All who wait get
// its error as it is.
//
// No request that goes away stops a renewal: renew has a context of its own,
// for 15 seconds, which it must honour. Without an error Tokens has the new
// ones for everybody at once, even if the store cannot be told yet: saving them
// is tried again for as long as the session lasts, which takes Run. If the
// session ended meanwhile, that is ErrEnded, and Tokens has what came too late
// for who wants to revoke it. If renew says ErrRefused, the store may yet have
// the tokens of who was faster, which are taken. After any other error the
// session goes on with what it had.
func (m *Manager) Renew(ctx context.Context, s *Session, renew func(context.Context, Tokens) (Tokens, error)) error {
	if s.wallet == nil {
		return ErrNoTokens
	}
	detached := context.WithoutCancel(ctx)
	result := m.flights.DoChan("renew "+s.ID, func() (any, error) {
		err := m.renewOnce(detached, s, renew)
		return s.wallet.current.Load(), err
	})
	select {
	case r := <-result:
		// As after a reload, somebody may hold the same session twice.
		if current, ok := r.Val.(*issue); ok {
			m.take(s, current)
		}
		return r.Err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// renewOnce renews a session's tokens unless that was done or failed a moment
// ago.
func (m *Manager) renewOnce(ctx context.Context, s *Session, renew func(context.Context, Tokens) (Tokens, error)) error {
	now := m.config.Now()
	if s.Over(now) {
		return ErrEnded
	}
	if s.wallet.isNew(now) {
		return nil
	}
	if err := s.wallet.trouble(now); err != nil {
		return err
	}
	err := m.renewAndSave(ctx, s, renew)
	if err == nil && s.Over(m.config.Now()) {
		err = ErrEnded
	}
	s.wallet.note(err, m.config.Now())
	return err
}

func (m *Manager) renewAndSave(ctx context.Context, s *Session, renew func(context.Context, Tokens) (Tokens, error)) error {
	if m.store == nil {
		return m.renewNow(ctx, s, renew)
	}
	had := s.wallet.current.Load()
	unlock, err := m.lockTokens(ctx, s)
	if err != nil {
		return err
	}
	if err := m.check(ctx, s); err != nil {
		unlock()
		return fmt.Errorf("reading the tokens of a session: %w", err)
	}
	if s.ended.Load() || m.isRenewed(s, had) {
		unlock()
		return nil
	}
	if err := m.renewNow(ctx, s, renew); err != nil {
		if errors.Is(err, ErrRefused) && m.awaitRenewed(ctx, s, had) {
			err = nil
		}
		unlock()
		return err
	}
	if err := m.saveTokens(ctx, s, m.config.StoreTimeout); err != nil {
		go m.keepSaving(ctx, s, err, unlock)
		return nil
	}
	unlock()
	return nil
}

// lockTokens keeps other instances from renewing a session's tokens.
func (m *Manager) lockTokens(ctx context.Context, s *Session) (unlock func(), err error) {
	timeout := lockTimeout
	if !m.store.works() {
		timeout = m.config.StoreTimeout
	}
	unlock, err = m.store.lock(ctx, timeout, tokensKey(s.key()))
	if err != nil {
		return nil, fmt.Errorf("locking the tokens of a session: %w", err)
	}
	return unlock, nil
}

// isRenewed reports whether another instance has renewed the tokens that this
// one was asked to renew.
func (m *Manager) isRenewed(s *Session, had *issue) bool {
	current := s.wallet.current.Load()
	return current != had && !current.Due(m.config.Now())
}

// awaitRenewed reports whether tokens were refused because another instance has
// used them: no lock is perfect whose holder may die, or which a Redis may
// forget when its replica takes over.
func (m *Manager) awaitRenewed(ctx context.Context, s *Session, had *issue) bool {
	for deadline := m.config.Now().Add(awaitRenewal); ; time.Sleep(lookForRenewal) {
		if m.check(ctx, s) == nil && m.isRenewed(s, had) {
			return true
		}
		if s.ended.Load() || !m.config.Now().Before(deadline) {
			return false
		}
	}
}

// renewNow renews a session's tokens in memory.
func (m *Manager) renewNow(ctx context.Context, s *Session, renew func(context.Context, Tokens) (Tokens, error)) error {
	limited, cancel := context.WithTimeout(ctx, renewTimeout)
	defer cancel()
	had := s.Tokens()
	next, err := renew(limited, *had)
	if err != nil {
		return err
	}
	m.give(s, had.followedBy(next))
	return nil
}
