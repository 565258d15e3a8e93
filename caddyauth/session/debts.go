// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"maps"
	"time"
)

const (
	firstRetry = time.Second
	lastRetry  = 30 * time.Second
	// maxOwed bounds what waits for the store.
	maxOwed = 1 << 16
)

// debt is what the store was not told about a key: that it is deleted, or which
// tokens it has.
type debt struct {
	until  time.Time // when it no longer matters
	tokens *Session  // whose tokens they are; nil: it is deleted
}

// owe remembers what the store was not told. What is to be deleted is not to be
// saved.
func (m *Manager) owe(key string, d debt) {
	m.owedMu.Lock()
	old, ok := m.owed[key]
	if ok && old.tokens != nil || !ok && len(m.owed) < maxOwed {
		m.owed[key] = d
	}
	m.owedMu.Unlock()
	select {
	case m.owes <- struct{}{}:
	default: // repay has been woken already
	}
}

// repay makes up for what is owed: soon, then less and less often.
func (m *Manager) repay(ctx context.Context) {
	wait := firstRetry
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.owes:
		}
		for m.debts() {
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
			wait = min(2*wait, lastRetry)
			m.payOwed(ctx)
		}
		wait = firstRetry
	}
}

func (m *Manager) debts() bool {
	m.owedMu.Lock()
	defer m.owedMu.Unlock()
	return len(m.owed) > 0
}

// payOwed pays what is owed, ends before renewals, up to the first failure.
func (m *Manager) payOwed(ctx context.Context) {
	m.owedMu.Lock()
	owed := maps.Clone(m.owed)
	m.owedMu.Unlock()
	for _, renewals := range []bool{false, true} {
		for key, d := range owed {
			if renewals == (d.tokens != nil) && !m.pay(ctx, key, d) {
				return
			}
		}
	}
}

func (m *Manager) pay(ctx context.Context, key string, d debt) bool {
	if m.config.Now().Before(d.until) {
		if err := m.tell(ctx, key, d); err != nil {
			return false
		}
	}
	m.owedMu.Lock()
	defer m.owedMu.Unlock()
	if m.owed[key] == d { // or a renewed session has ended meanwhile
		delete(m.owed, key)
	}
	return true
}

// tell tells the store what it was not told.
func (m *Manager) tell(ctx context.Context, key string, d debt) error {
	if d.tokens != nil {
		err := m.saveOwed(ctx, d.tokens)
		if err != nil {
			m.store.complain("saving renewed tokens failed, keeping them in memory", err)
		}
		return err
	}
	err := m.store.delete(ctx, backgroundTimeout, key)
	if err != nil {
		m.store.complain("deleting an ended session failed", err)
		return err
	}
	m.announce(ctx, key)
	return nil
}
