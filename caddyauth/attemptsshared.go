// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// countedAttempt is an attempt to sign in that was allowed, and counts as failed
// until it is said to have gone otherwise.
type countedAttempt struct {
	door          *door
	user, network string
	noted         *session.Noted // nil: nobody else knows of it
}

// countAttempt counts an attempt here, and in the store for all instances. If
// there were too many it counts nothing, and returns how long to wait. Who has
// to wait by what is known here costs the store nothing, and while the store is
// away, what is known here decides. Whoever finds no place to hash costs the
// store nothing either, and is told errBusy.
func (h *Handler) countAttempt(r *http.Request, user string, turn *turn) (c countedAttempt, wait time.Duration, err error) {
	d, l, network, now := h.door, h.settings.attempts, clientNetwork(r), h.now()
	c = countedAttempt{door: d, user: user, network: network}
	if wait := d.attempts.begin(user, network, l, now); wait > 0 {
		return c, wait, nil
	}
	if err := turn.reserve(); err != nil {
		c.undo()
		return c, 0, err
	}
	area := areaOf(network)
	noted, err := d.sessions.Note(r.Context(), session.Attempt{User: canonicalName(user), Address: network, Area: area}, l.window)
	if err != nil || noted == nil {
		return c, 0, nil
	}
	c.noted = noted
	f := failed{byUser: noted.ByUser, byAddress: noted.ByAddress}
	if area != network && !d.attempts.isAtHome(user, network) {
		f.byArea = noted.ByArea
	}
	if wait = l.wait(f, now); wait == 0 {
		return c, 0, nil
	}
	c.undo()
	d.attempts.learn(user, network, f)
	return c, wait, nil
}

// undo forgets an attempt that was not made after all.
func (c countedAttempt) undo() {
	c.door.attempts.undo(c.user, c.network)
	c.door.sessions.TakeBack(c.noted)
}

// succeeded forgets an attempt that went well, and what the same user failed at
// from there.
func (c countedAttempt) succeeded() {
	c.door.attempts.succeeded(c.user, c.network)
	c.door.sessions.Forgive(c.noted)
}
