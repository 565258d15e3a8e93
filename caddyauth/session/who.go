// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"encoding/binary"
	"slices"
	"time"
)

// Who says whose sessions are meant. What is empty is not compared, and the
// zero value is nobody.
type Who struct {
	User     string
	Provider string // the way in, together with User or Subject
	Issuer   string // of Subject and SID
	// Who the user is to the provider.
	Subject string
	// Which of the provider's sessions. Together with Subject it also means that
	// subject's sessions of which the provider did not say it.
	SID string
	// What they were made with: any of these, each as Fingerprint was given it.
	// Empty: whatever it was.
	Ways [][]string
	// When they began at the latest. In doubt they are meant. Zero: whenever.
	Until time.Time
}

// matches reports whether a session is among those meant.
func (w Who) matches(r *Record) bool {
	switch {
	case w.User == "" && w.Subject == "" && w.SID == "":
		return false
	case w.User != "" && w.User != r.User,
		w.Provider != "" && w.Provider != r.Provider,
		!w.Until.IsZero() && r.Created.After(w.Until):
		return false
	}
	return w.matchesNames(r) && w.matchesWay(r)
}

// matchesNames compares what the provider says.
func (w Who) matchesNames(r *Record) bool {
	switch {
	case w.Subject == "" && w.SID == "":
		return true
	case w.Issuer != r.Issuer, w.Subject != "" && w.Subject != r.Subject:
		return false
	}
	return w.SID == "" || w.SID == r.SID || r.SID == "" && w.Subject != ""
}

func (w Who) matchesWay(r *Record) bool {
	return len(w.Ways) == 0 || slices.ContainsFunc(w.Ways, func(parts []string) bool {
		return MatchesFingerprint(r.Proof, parts...)
	})
}

// term is one thing that sessions are looked up by.
type term string

// newTerm joins its parts so that no two lists of parts are the same term.
func newTerm(parts ...string) term {
	var joined []byte
	for _, part := range parts {
		joined = binary.BigEndian.AppendUint64(joined, uint64(len(part)))
		joined = append(joined, part...)
	}
	return term(joined)
}

func userTerm(user string) term { return newTerm("user", user) }

func subjectTerm(issuer, sub string) term { return newTerm("subject", issuer, sub) }

func sessionTerm(issuer, sid string) term { return newTerm("sid", issuer, sid) }

// terms are what sessions that are meant are found by.
func (w Who) terms() (terms []term) {
	if w.SID != "" {
		terms = append(terms, sessionTerm(w.Issuer, w.SID))
	}
	if w.Subject != "" {
		return append(terms, subjectTerm(w.Issuer, w.Subject))
	}
	if w.SID == "" && w.User != "" {
		terms = append(terms, userTerm(w.User))
	}
	return terms
}

// terms are what a record is found by.
func (r *Record) terms() []term {
	terms := []term{userTerm(r.User)}
	if r.Subject != "" {
		terms = append(terms, subjectTerm(r.Issuer, r.Subject))
	}
	if r.SID != "" {
		terms = append(terms, sessionTerm(r.Issuer, r.SID))
	}
	return terms
}
