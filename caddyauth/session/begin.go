// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"errors"
	"time"
	"weak"

	"golang.org/x/sync/errgroup"
)

// Begin saves a new session and returns it with the value of its cookie. If it
// cannot be saved, there is no session.
func (m *Manager) Begin(ctx context.Context, r Record) (*Session, string, error) {
	now := m.config.Now()
	if r.Created.IsZero() {
		r.Created = now
	}
	if r.User == "" || !r.Expires.After(now) {
		return nil, "", errors.New("a session needs a user and a time to live")
	}
	if r.Tokens != nil {
		tokens := *r.Tokens
		tokens.Renewed = time.Time{}
		r.Tokens = &tokens
	}
	r, err := canonical(r)
	if err != nil {
		return nil, "", err
	}
	secretID := newSecretID()
	cookie, err := m.save(ctx, secretID, r)
	if err != nil {
		return nil, "", err
	}
	s := newSession(secretID, r, now)
	s.seen.Store(now.UnixNano())
	if m.store == nil {
		s.carry(secretID, cookie)
	}
	s = m.adopt(s, now)
	m.cookies.put(hashOf(cookie), s)
	return s, cookie, nil
}

func (m *Manager) save(ctx context.Context, secretID []byte, r Record) (cookie string, err error) {
	if m.store == nil {
		return m.sealer.sealRecordCookie(recordCookie{SecretID: secretID, Record: r})
	}
	key := recordKey(identityOf(secretID), r.Expires)
	if err := m.saveNew(ctx, key, r); err != nil {
		return "", err
	}
	return m.sealer.sealTicket(ticket{SecretID: secretID, Created: r.Created.Unix(), Expires: r.Expires.Unix()})
}

// saveNew saves a record, and before it what belongs to it, so that who finds
// it finds that, too, and whoever looks for its user finds it.
func (m *Manager) saveNew(ctx context.Context, key string, r Record) error {
	var before errgroup.Group
	for _, entry := range m.index.entries(key, &r) {
		before.Go(func() error {
			return m.store.save(ctx, m.config.StoreTimeout, entry, []byte{'1'}, r.Expires)
		})
	}
	tokens := r.Tokens
	if tokens != nil {
		before.Go(func() error {
			return m.saveSealed(ctx, m.config.StoreTimeout, tokensKey(key), tokens, r.Expires)
		})
		r.Tokens = new(Tokens) // says that there are some
	}
	err := before.Wait()
	if err == nil {
		err = m.saveRecord(ctx, key, r)
	}
	if err != nil && tokens != nil {
		m.deleteTokens(key, r.Expires)
	}
	return err
}

// saveRecord saves a new record. If that fails, or takes longer than anybody
// waits, it is deleted again: nobody has its cookie, and it would be listed.
func (m *Manager) saveRecord(ctx context.Context, key string, r Record) error {
	sealed, err := m.sealer.seal(key, r)
	if err != nil {
		return err
	}
	return m.store.saveOr(ctx, m.config.StoreTimeout, key, sealed, r.Expires, func() {
		m.owe(key, debt{until: r.Expires})
	})
}

func (m *Manager) saveSealed(ctx context.Context, timeout time.Duration, key string, v any, expires time.Time) error {
	sealed, err := m.sealer.seal(key, v)
	if err != nil {
		return err
	}
	return m.store.save(ctx, timeout, key, sealed, expires)
}

// adopt makes a session the one that all who ask get, unless there is one
// already. That one gets its tokens, if they are newer.
func (m *Manager) adopt(s *Session, now time.Time) *Session {
	found := s
	m.known.update(s.identity, func(p weak.Pointer[Session]) weak.Pointer[Session] {
		if other := p.Value(); other != nil && !other.ended.Load() {
			s = other
			return p
		}
		// Asked under the lock: End first remembers and then looks for whom to
		// tell, so that one of the two notices the other.
		if remembers(m.ended, s.identity, now) || m.isBarred(&s.Record) {
			s.ended.Store(true)
		}
		return weak.Make(s)
	})
	if s != found && found.wallet != nil {
		m.take(s, found.wallet.current.Load())
	}
	return s
}
