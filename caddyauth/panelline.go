// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"sync/atomic"
	"time"
)

// panelLine is the part of a Cookie header that makes Panel know the visitor.
// Panel's cookies carry the second in which they were signed, so a line is good
// for all requests of that second, and no longer.
type panelLine struct {
	second int64
	text   string

	of   *identity
	next *panelLine // one that was signed before
}

// panelLines are the lines behind a door that identities hold. After their second
// all are let go, since they are as large as all the rest that is known of most
// sessions.
type panelLines struct{ newest atomic.Pointer[panelLine] }

// add lets an identity hold a line, which was signed now.
func (l *panelLines) add(line *panelLine, now time.Time) {
	line.of.panel.Store(line)
	for {
		line.next = l.newest.Load()
		if l.newest.CompareAndSwap(line.next, line) {
			break
		}
	}
	if line.next == nil {
		time.AfterFunc(time.Second-time.Duration(now.Nanosecond()), l.drop)
	}
}

// drop takes the lines from the identities, but for those that hold newer ones.
func (l *panelLines) drop() {
	for line := l.newest.Swap(nil); line != nil; line = line.next {
		line.of.panel.CompareAndSwap(line, nil)
	}
}
