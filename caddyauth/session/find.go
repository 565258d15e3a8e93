// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"go.uber.org/zap"
)

// How long the store is believed that it has no such session. Not for ever,
// for it may be a shared folder that was not mounted; and not at all long if
// the session is so new that it may not have got round to here.
const (
	believeMissing    = time.Minute
	believeMissingNew = time.Second
)

// Find returns the session of a cookie value and marks it as seen. Without an
// error, nil means that there is none: a malformed, forged or unknown value,
// and a session that is over, are all the same. An error means that the store
// could not be asked about a session that memory cannot answer for. With an
// idle limit (0: none), a session that was not seen for longer ends.
func (m *Manager) Find(ctx context.Context, cookie string, idle time.Duration) (*Session, error) {
	if cookie == "" || len(cookie) > m.maxCookie() {
		return nil, nil
	}
	now, hash := m.config.Now(), hashOf(cookie)
	s, ok := m.cookies.get(hash)
	if !ok {
		var err error
		if s, err = m.open(ctx, cookie, hash, now); s == nil || err != nil {
			return nil, err
		}
		m.cookies.put(hash, s)
	}
	if s.Over(now) || !m.confirm(ctx, s, now) {
		m.cookies.remove(hash)
		return nil, nil
	}
	if idle > 0 {
		if ok, err := m.inUse(ctx, s, now, idle); !ok || err != nil {
			return nil, err
		}
	}
	s.see(now)
	return s, nil
}

// MayBeGood reports whether a cookie value is that of a session which, for all
// that is known here, goes on: it was made with one of the secrets, it has not
// expired, and nobody has ended it. It asks no store.
func (m *Manager) MayBeGood(cookie string) bool {
	if len(cookie) > m.maxCookie() {
		return false
	}
	now := m.config.Now()
	if m.store == nil {
		c, ok := m.sealer.openRecordCookie(cookie, now)
		return ok && !remembers(m.ended, identityOf(c.SecretID), now) && !m.isBarred(&c.Record)
	}
	t, ok := m.sealer.openTicket(cookie, now)
	return ok && !remembers(m.ended, identityOf(t.SecretID), now)
}

func (m *Manager) maxCookie() int {
	if m.store == nil {
		return maxRecordCookie
	}
	return maxTicketCookie
}

// hashOf copies the usual cookie to the stack, where a conversion would
// allocate.
func hashOf(cookie string) cookieHash {
	var buf [maxTicketCookie]byte
	return sha256.Sum256(append(buf[:0], cookie...))
}

// open finds the session of a cookie value that was not seen before.
func (m *Manager) open(ctx context.Context, cookie string, hash cookieHash, now time.Time) (*Session, error) {
	if m.store == nil {
		c, ok := m.sealer.openRecordCookie(cookie, now)
		if !ok {
			return nil, nil
		}
		return m.openHere(c, cookie, now), nil
	}
	t, ok := m.sealer.openTicket(cookie, now)
	if !ok {
		return nil, nil
	}
	return m.openStored(ctx, t, hash, now)
}

// openHere makes a session of what was in a cookie. Nobody can tell when it
// was last seen, so that is now.
func (m *Manager) openHere(c recordCookie, cookie string, now time.Time) *Session {
	s := newSession(c.SecretID, c.Record, now)
	s.carry(c.SecretID, cookie)
	s.seen.Store(now.UnixNano())
	return m.adopt(s, now)
}

func (m *Manager) openStored(ctx context.Context, t ticket, hash cookieHash, now time.Time) (*Session, error) {
	id := identityOf(t.SecretID)
	if remembers(m.ended, id, now) || remembers(m.missing, id, now) {
		return nil, nil
	}
	if p, ok := m.known.get(id); ok {
		if s := p.Value(); s != nil && !s.ended.Load() {
			return s, nil
		}
	}
	found, err := m.fly(ctx, "load "+string(id[:]), func() (any, error) { return m.load(context.WithoutCancel(ctx), t, hash, now) })
	s, _ := found.(*Session)
	return s, err
}

// load reads a session's record from the store. It puts the session where the
// next request finds it, in case the store is slow and nobody waits any more.
func (m *Manager) load(ctx context.Context, t ticket, hash cookieHash, now time.Time) (*Session, error) {
	id := identityOf(t.SecretID)
	key := recordKey(id, time.Unix(t.Expires, 0))
	sealed, err := m.store.load(ctx, key)
	if errors.Is(err, ErrNotFound) {
		m.miss(id, time.Unix(t.Created, 0), now)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var r Record
	if !m.sealer.open(key, sealed, &r) {
		m.miss(id, time.Unix(t.Created, 0), now)
		m.config.Logger.Warn("session record cannot be opened", zap.String("session_id", id.String()))
		return nil, nil
	}
	if r.Tokens != nil {
		if r.Tokens, err = m.loadFirstTokens(ctx, id, key); err != nil {
			return nil, err
		}
	}
	s := m.adopt(newSession(t.SecretID, r, now), now)
	m.cookies.put(hash, s)
	return s, nil
}

// miss remembers that the store does not have a session.
func (m *Manager) miss(id identity, created, now time.Time) {
	believe := believeMissing
	if now.Sub(created) < skew {
		believe = believeMissingNew
	}
	m.missing.put(id, now.Add(believe))
}

// confirm reports whether a session is still in the store, as far as that is
// known or can be found out quickly. While the store is away, it is.
func (m *Manager) confirm(ctx context.Context, s *Session, now time.Time) bool {
	if m.store == nil {
		return true
	}
	checked := s.checked.Load()
	age := time.Duration(now.UnixNano() - checked)
	fresh, stale := m.trust(checked, now)
	switch {
	case age >= 0 && age <= fresh:
		return true
	case !m.store.works():
		if m.store.mayRetry(now) {
			m.checkLater(s)
		}
		return true
	case age <= stale:
		m.checkLater(s)
		return true
	}
	if _, err := m.fly(ctx, checkFlight(s), func() (any, error) { return nil, m.check(context.WithoutCancel(ctx), s) }); err != nil && ctx.Err() == nil {
		m.store.complain("session store failed, going on with sessions in memory", err)
	}
	return !s.ended.Load()
}

// checkLater checks a session in the background, once at a time.
func (m *Manager) checkLater(s *Session) {
	if !s.checking.CompareAndSwap(false, true) {
		return
	}
	started := m.later(func() {
		defer s.checking.Store(false)
		m.checkNow(context.Background(), s)
	})
	if !started {
		s.checking.Store(false)
	}
}

// check asks the store for a session and ends it here if it is not there. It
// brings the tokens that another instance has renewed.
func (m *Manager) check(ctx context.Context, s *Session) error {
	now := m.config.Now()
	// Before the record: if they are gone and it is not, the store lost them.
	tokensErr := m.takeStored(ctx, s)
	_, err := m.store.load(ctx, s.key())
	if errors.Is(err, ErrNotFound) {
		m.miss(s.identity, s.Created, now)
		m.end(s)
		return nil
	}
	if err != nil {
		return err
	}
	s.checked.Store(now.UnixNano())
	return tokensErr
}

func checkFlight(s *Session) string { return "check " + s.ID }

// fly does something once for all who want it at the same time, and waits no
// longer for it than a request should. Nobody's going away stops it.
func (m *Manager) fly(ctx context.Context, what string, do func() (any, error)) (any, error) {
	result := m.flights.DoChan(what, do)
	timeout := time.NewTimer(m.config.StoreTimeout)
	defer timeout.Stop()
	select {
	case r := <-result:
		return r.Val, r.Err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timeout.C:
		return nil, m.store.note(ctx, context.DeadlineExceeded)
	}
}
