// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

// Package session knows who is signed in: what a session is, how it is sealed
// into a cookie and a record, where records live, and when it is all over.
//
// A Manager answers from memory. It asks the store for a session it does not
// know, and every few seconds whether the ones in use are still there, so that
// a session ended on another instance is over here too; a store that is an
// Announcer says so at once.
package session

import (
	"sync/atomic"
	"time"
)

// Record is what is known about a session from the moment somebody signs in.
// It is written once and never changed, so that a deletion is final: nothing
// writes it again. What does change has a key of its own beside it.
type Record struct {
	// Who signed in.
	User string `json:"user"`
	// The way in: "password", or the id of a provider.
	Provider string `json:"provider"`
	// Who the user is to the provider, and which of its sessions this is, if it
	// said so.
	Issuer  string `json:"issuer,omitempty"`
	Subject string `json:"subject,omitempty"`
	SID     string `json:"sid,omitempty"`
	// What is known about the user. Numbers are json.Number, so that a long id
	// stays as it was. Not to be changed: requests share it.
	Claims map[string]any `json:"claims,omitempty"`
	// What the session was made with, to tell whether that is still good; see
	// Fingerprint.
	Proof []byte `json:"proof,omitempty"`

	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
	// Where the user signed in from.
	ClientIP string `json:"client_ip,omitempty"`
	// The tokens that Begin is given. A Session has them in Tokens, for they
	// change; where records are stored, they have a key of their own.
	Tokens *Tokens `json:"tokens,omitempty"`
}

// Session is a Record that this process knows. As long as anybody holds it, a
// Manager gives the same Session to all who ask. Safe for concurrent use.
type Session struct {
	Record

	// ID names the session in public, in logs for example. It tells nothing
	// about the cookie: it is a hash of the secret in it.
	ID string
	// Memo is free for the caller, for what it derived from the record.
	Memo atomic.Value

	identity identity
	wallet   *wallet // nil: it has no tokens
	passing  bool    // see Passing

	ended     atomic.Bool
	seen      atomic.Int64 // last use, in Unix nanoseconds
	seenSaved atomic.Int64 // last use that the store was told about, in Unix seconds
	idle      atomic.Int64 // the idle limit it was last asked for with
	checked   atomic.Int64 // when the store last had it, in Unix nanoseconds
	asked     atomic.Int64 // when Check last asked the store for its last use, in Unix nanoseconds
	checking  atomic.Bool
}

// newSession returns the session of a record that was in the store at the
// given time. It counts as last seen when it was made, at the end of that
// second, for a record knows no fractions: who needs to know better asks the
// store.
func newSession(secret []byte, r Record, checked time.Time) *Session {
	return newSessionNamed(identityOf(secret), r, checked)
}

// newSessionNamed is newSession for who does not have the secret.
func newSessionNamed(id identity, r Record, checked time.Time) *Session {
	s := &Session{Record: r, identity: id}
	if r.Tokens != nil {
		s.wallet, s.Record.Tokens = newWallet(*r.Tokens), nil
	}
	s.ID = s.identity.String()
	s.seen.Store(r.Created.Add(time.Second - 1).UnixNano())
	s.seenSaved.Store(r.Created.Unix())
	s.checked.Store(checked.UnixNano())
	return s
}

// key is that of the record in the store, which is seldom asked for.
func (s *Session) key() string { return recordKey(s.identity, s.Expires) }

// Over reports whether the session has ended or outlived its lifetime.
func (s *Session) Over(now time.Time) bool {
	return s.ended.Load() || !now.Before(s.Expires)
}

// LastSeen returns when the session was last used, as far as this process
// knows.
func (s *Session) LastSeen() time.Time {
	return time.Unix(0, s.seen.Load())
}

// seenStep is how exactly the last use is known. A coarse one keeps the
// requests of one busy session from writing the same memory all the time.
const seenStep = 100 * time.Millisecond

func (s *Session) see(now time.Time) {
	step := now.UnixNano() - s.seen.Load()
	if step >= int64(seenStep) || step < 0 {
		s.seen.Store(now.UnixNano())
	}
}
