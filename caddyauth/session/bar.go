// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"crypto/sha256"
	"slices"
	"time"
)

// maxBars bounds what is remembered under one term. More than that takes as
// many ways in for people of one name.
const maxBars = 64

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
	if m.store != nil {
		return
	}
	b := bar{who, m.config.Now()}
	switch {
	case who.SID != "":
		m.addBar(sessionTerm(who.Issuer, who.SID), b)
		if who.Subject != "" {
			b.who.SID = "" // or there would be one for each of the provider's sessions
			m.addBar(unsaidTerm(who.Issuer, who.Subject), b)
		}
	case who.Subject != "":
		m.addBar(subjectTerm(who.Issuer, who.Subject), b)
	case who.User != "":
		m.addBar(userTerm(who.User), b)
	default:
		return
	}
	m.bars.Store(true)
}

// unsaidTerm is for a subject's sessions of which the provider did not say
// which of its own they are.
func unsaidTerm(issuer, sub string) term { return newTerm("subject without sid", issuer, sub) }

// addBar adds a bar to those that sessions with a term are held against. None
// makes another end less: one goes only if the new one ends all that it does.
// Where there are too many, one that ends all with that term stands for them.
func (m *Manager) addBar(t term, b bar) {
	m.barred.update(barKey(t), func(bars []bar) []bar {
		if slices.ContainsFunc(bars, func(old bar) bool { return old.covers(b) }) {
			return bars
		}
		kept := make([]bar, 0, len(bars)+1) // others are reading the old list
		for _, old := range bars {
			if !b.covers(old) {
				kept = append(kept, old)
			}
		}
		if len(kept) >= maxBars {
			return []bar{{b.who.broadest(), b.at}}
		}
		return append(kept, b)
	})
}

// covers reports whether a bar ends all that another with the same term ends.
func (b bar) covers(other bar) bool {
	for _, part := range [][2]string{
		{b.who.User, other.who.User},
		{b.who.Provider, other.who.Provider},
		{b.who.Subject, other.who.Subject},
	} {
		if part[0] != "" && part[0] != part[1] {
			return false
		}
	}
	return !b.until().Before(other.until()) && coversWays(b.who.Ways, other.who.Ways)
}

// coversWays reports whether each of some ways is among others. None stands for
// all that there are.
func coversWays(ways, other [][]string) bool {
	if len(ways) == 0 || len(other) == 0 {
		return len(ways) == 0
	}
	for _, way := range other {
		if !slices.ContainsFunc(ways, func(w []string) bool { return slices.Equal(w, way) }) {
			return false
		}
	}
	return true
}

// ends reports whether a bar ends a session that was not known then. Records
// know whole seconds; in doubt a session is a later one, which was known.
func (b bar) ends(r *Record) bool {
	return r.Created.Before(b.at.Truncate(time.Second)) && b.who.matches(r)
}

// until is when sessions began at the latest that a bar ends.
func (b bar) until() time.Time {
	if until := b.who.Until; !until.IsZero() && until.Before(b.at) {
		return until
	}
	return b.at
}

// broadest is who is meant by what a bar is found by alone.
func (w Who) broadest() Who {
	switch {
	case w.SID != "":
		return Who{Issuer: w.Issuer, SID: w.SID}
	case w.Subject != "":
		return Who{Issuer: w.Issuer, Subject: w.Subject}
	}
	return Who{User: w.User}
}

// isBarred reports whether a session began before one like it was barred.
func (m *Manager) isBarred(r *Record) bool {
	if !m.bars.Load() {
		return false
	}
	terms := r.terms()
	if r.SID == "" && r.Subject != "" {
		terms = append(terms, unsaidTerm(r.Issuer, r.Subject))
	}
	for _, t := range terms {
		bars, _ := m.barred.get(barKey(t))
		if slices.ContainsFunc(bars, func(b bar) bool { return b.ends(r) }) {
			return true
		}
	}
	return false
}

// areOver reports whether no session goes on that any of some bars could end.
func areOver(bars []bar, now time.Time) bool {
	return !slices.ContainsFunc(bars, func(b bar) bool { return now.Sub(b.at) <= maxLifetime })
}

func barKey(t term) [sha256.Size]byte { return sha256.Sum256([]byte(t)) }
