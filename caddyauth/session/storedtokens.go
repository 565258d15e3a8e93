// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"
)

// saveTokens saves a session's tokens under a key of their own: the record is
// never written again, so that its deletion is final. If the session has ended
// they go as well.
func (m *Manager) saveTokens(ctx context.Context, s *Session, timeout time.Duration) error {
	if !s.ended.Load() {
		err := m.saveSealed(ctx, timeout, tokensKey(s.key()), s.Tokens(), s.Expires)
		if errors.Is(err, ErrTooLarge) {
			m.config.Logger.Error("renewed tokens are too large for the store, keeping them in memory alone",
				zap.String("session_id", s.ID))
			return nil
		}
		if err != nil {
			return err
		}
		// Another instance may have ended the session and deleted the tokens
		// before these. If that cannot be told, they harm nobody until swept.
		_ = m.check(ctx, s)
	}
	if s.ended.Load() {
		m.deleteTokens(s.key(), s.Expires)
	}
	return nil
}

// keepSaving saves renewed tokens that the store did not take. For a while it
// keeps the lock: whoever reads the tokens before these may try to renew them,
// which ends them all where each refresh token is good for one use.
func (m *Manager) keepSaving(ctx context.Context, s *Session, err error, unlock func()) {
	defer unlock()
	deadline := m.config.Now().Add(keepLock)
	for wait := firstRetry; err != nil; wait *= 2 {
		m.store.complain("saving renewed tokens failed, keeping them in memory", err)
		if m.config.Now().Add(wait).After(deadline) {
			m.owe(tokensKey(s.key()), debt{until: s.Expires, tokens: s})
			return
		}
		time.Sleep(wait)
		err = m.saveTokens(ctx, s, backgroundTimeout)
	}
}

// saveOwed saves tokens that the store was not told about, unless another
// instance has renewed them since.
func (m *Manager) saveOwed(ctx context.Context, s *Session) error {
	if s.ended.Load() {
		return nil
	}
	unlock, err := m.lockTokens(ctx, s)
	if err != nil {
		return err
	}
	defer unlock()
	ctx = context.WithoutCancel(ctx)
	if err := m.check(ctx, s); err != nil {
		return err
	}
	return m.saveTokens(ctx, s, backgroundTimeout)
}

// loadTokens reads the tokens of a record. They are not found, too, if they
// cannot be opened.
func (m *Manager) loadTokens(ctx context.Context, key string) (t Tokens, err error) {
	key = tokensKey(key)
	sealed, err := m.store.load(ctx, key)
	if err != nil {
		return Tokens{}, err
	}
	if !m.sealer.open(key, sealed, &t) {
		return Tokens{}, ErrNotFound
	}
	return t, nil
}

// loadFirstTokens reads the tokens of a record that was just read. Lost tokens
// are no reason to sign somebody out, and they may turn up.
func (m *Manager) loadFirstTokens(ctx context.Context, id identity, key string) (*Tokens, error) {
	t, err := m.loadTokens(ctx, key)
	if errors.Is(err, ErrNotFound) {
		m.config.Logger.Warn("tokens of a session cannot be read", zap.String("session_id", id.String()))
		return new(Tokens), nil
	}
	if err != nil {
		return nil, err
	}
	return &t, nil
}

// takeStored takes the tokens that another instance has saved, if it has.
func (m *Manager) takeStored(ctx context.Context, s *Session) error {
	if s.wallet == nil {
		return nil
	}
	t, err := m.loadTokens(ctx, s.key())
	if errors.Is(err, ErrNotFound) {
		return nil // these are still good
	}
	if err != nil {
		return err
	}
	m.take(s, &issue{Tokens: t})
	return nil
}

// deleteTokens deletes the tokens of a record in the background.
func (m *Manager) deleteTokens(key string, expires time.Time) {
	key = tokensKey(key)
	started := m.later(func() {
		if m.store.delete(context.Background(), backgroundTimeout, key) != nil {
			m.owe(key, debt{until: expires})
		}
	})
	if !started {
		m.owe(key, debt{until: expires})
	}
}
