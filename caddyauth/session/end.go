// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"time"
)

// End ends a session, for every copy of its cookie: here at once, on other
// instances when they hear of it or ask the store. An error means that the store
// could not be told yet; Run keeps trying.
func (m *Manager) End(ctx context.Context, s *Session) error {
	if s == nil {
		return nil
	}
	m.end(s)
	m.endHere(s.identity, s.Expires.Add(skew))
	if m.store == nil {
		return nil
	}
	// Ended is ended, even if the client did not wait for the answer.
	ctx = context.WithoutCancel(ctx)
	if err := m.store.delete(ctx, m.config.StoreTimeout, s.key()); err != nil {
		m.owe(s.key(), debt{until: s.Expires})
		if s.wallet != nil {
			m.owe(tokensKey(s.key()), debt{until: s.Expires})
		}
		return err
	}
	m.announce(ctx, s.key())
	if s.wallet != nil {
		m.deleteTokens(s.key(), s.Expires)
	}
	// Left behind, it does no harm until it is swept.
	m.later(func() {
		_ = m.store.delete(ctx, backgroundTimeout, s.key()+seenSuffix)
		m.forgetIndex(s.key(), &s.Record)
	})
	return nil
}

// endHere ends a session for all who hold it here, and for who finds it in the
// store while that has it still.
func (m *Manager) endHere(id identity, until time.Time) {
	m.ended.put(id, until)
	if p, ok := m.known.get(id); ok {
		if s := p.Value(); s != nil {
			m.end(s)
		}
	}
}

// end makes a session over for all who hold it.
func (m *Manager) end(s *Session) {
	if s.ended.CompareAndSwap(false, true) && m.config.Ended != nil {
		m.config.Ended(s)
	}
}

// remembers reports whether a table still has something to say about a session.
func remembers(t *table[identity, time.Time], id identity, now time.Time) bool {
	until, ok := t.get(id)
	return ok && now.Before(until)
}
