// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import "go.uber.org/zap"

// Cookie returns the value that a session's cookie should have, and whether
// that is another than the one that came with the request. Without a store it
// changes when tokens are renewed: each request that still has the old one is
// to be answered with the new one.
func (m *Manager) Cookie(s *Session, had string) (value string, changed bool) {
	if m.store != nil || s.wallet == nil || s.Over(m.config.Now()) {
		return had, false
	}
	current := s.wallet.current.Load()
	switch current.cookie {
	case had:
		if current.pending.Load() {
			current.pending.Store(false)
		}
		return had, false
	case "":
		return had, false
	}
	return current.cookie, true
}

// carry notes the cookie that brought a session's tokens, without a store.
func (s *Session) carry(secretID []byte, cookie string) {
	if s.wallet == nil {
		return
	}
	s.wallet.secretID = secretID
	s.wallet.current.Load().cookie = cookie
}

// bake makes the cookie for renewed tokens, without a store.
func (m *Manager) bake(s *Session, renewed *issue) {
	if m.store != nil {
		return
	}
	renewed.pending.Store(true)
	r := s.Record
	r.Tokens = &renewed.Tokens
	cookie, err := m.sealer.sealRecordCookie(recordCookie{SecretID: s.wallet.secretID, Record: r})
	if err != nil {
		m.config.Logger.Error("renewed tokens do not fit into the cookie, keeping them in memory alone",
			zap.String("session_id", s.ID), zap.Error(err))
		return
	}
	renewed.cookie = cookie
	m.cookies.put(hashOf(cookie), s)
}

// forgetCookie forgets a cookie that another one replaces: a session that is
// renewed for weeks must not leave one behind each time.
func (m *Manager) forgetCookie(old *issue) {
	if old.cookie != "" {
		m.cookies.remove(hashOf(old.cookie))
	}
}

// hasUndelivered reports whether memory alone has a session's tokens, because
// no browser has come for the cookie with them.
func (s *Session) hasUndelivered() bool {
	return s.wallet != nil && s.wallet.current.Load().pending.Load()
}
