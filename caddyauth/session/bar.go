// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"crypto/sha256"
	"time"
)

// longestLife is longer than any session lasts.
const longestLife = 401 * 24 * time.Hour

// bar ends sessions that this process has not met.
type bar struct {
	who Who
	at  time.Time
}

// Bar ends, without a store, those of somebody's sessions that this process
// does not know: nobody can list them, so their cookies are refused when they
// come. What it knows is to be ended one by one. It lasts as long as the
// process. With a store there is nothing to do.
func (m *Manager) Bar(who Who) {
	terms := who.terms()
	if m.store != nil || len(terms) == 0 {
		return
	}
	now := m.config.Now()
	for _, t := range terms {
		m.barred.put(barKey(t, who.Provider), bar{who, now})
	}
	m.bars.Store(true)
}

// isBarred reports whether a session began before one like it was barred.
// Records know whole seconds; in doubt the session is the later one, which is
// known here.
func (m *Manager) isBarred(r *Record) bool {
	if !m.bars.Load() {
		return false
	}
	for _, t := range r.terms() {
		for _, provider := range []string{"", r.Provider} {
			b, ok := m.barred.get(barKey(t, provider))
			if ok && r.Created.Before(b.at.Truncate(time.Second)) && b.who.matches(r) {
				return true
			}
		}
	}
	return false
}

func barKey(t term, provider string) [sha256.Size]byte {
	return sha256.Sum256([]byte(newTerm(string(t), provider)))
}
