// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import "time"

// Never is when a session expires that does not.
var Never = time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC)

// Passing makes a session of a record that no store and no cookie will hold:
// of a program, which shows with every request who it is. A Manager knows
// nothing of it, so that it ends when it expires or when its caller lets it.
func Passing(r Record) (*Session, error) {
	r, err := canonical(r)
	if err != nil {
		return nil, err
	}
	s := newSession(newSecretID(), r, r.Created)
	s.passing = true
	return s, nil
}

// IsPassing reports whether the session was made by Passing.
func (s *Session) IsPassing() bool { return s.passing }
