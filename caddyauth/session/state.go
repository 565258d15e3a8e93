// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"time"
	"weak"
)

// Trouble is why a store does not work, and since when.
type Trouble struct {
	Since time.Time
	Err   error // of the last call
}

// goesOn is the trouble after one more call that failed; nil is none so far.
func (t *Trouble) goesOn(err error, now time.Time) *Trouble {
	if t == nil {
		return &Trouble{Since: now, Err: err}
	}
	return &Trouble{Since: t.Since, Err: err}
}

// Trouble returns what is wrong with the store, nil if nothing is known to be.
func (m *Manager) Trouble() *Trouble {
	if m.store == nil {
		return nil
	}
	return m.store.trouble.Load()
}

// Count returns how many sessions go on that this process has in memory.
func (m *Manager) Count() (n int) {
	now := m.config.Now()
	for i := range m.known.shards {
		n += m.known.shards[i].count(func(p weak.Pointer[Session]) bool {
			s := p.Value()
			return s != nil && !s.Over(now)
		})
	}
	return n
}
