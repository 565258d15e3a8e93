// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"slices"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// voucher is a handler with the accounts and rules that it goes by.
type voucher struct {
	handler  *Handler
	accounts *accounts
	rules    *ruleSet
}

// judge decides which connections are still vouched for. Nothing has to be
// decided while the handlers and their accounts are as they were.
type judge struct {
	vouchers []voucher // nil: nothing has changed
	known    map[matter]bool
}

type matter struct {
	handler *Handler
	session *session.Session
}

func (l *live) newJudge(d *door) judge {
	vouchers := d.vouchers()
	if slices.Equal(vouchers, l.vouchers) {
		return judge{}
	}
	l.vouchers = vouchers
	return judge{vouchers: vouchers, known: make(map[matter]bool)}
}

// vouchesFor reports whether the handler that let a connection in, or the one
// after it, would do so today.
func (j judge) vouchesFor(c *connection) bool {
	if j.vouchers == nil {
		return true
	}
	this := matter{c.handler, c.session}
	vouched, known := j.known[this]
	if !known {
		vouched = j.decide(this)
		j.known[this] = vouched
	}
	return vouched
}

// mayStay reports whether the rules that let a connection in would do so today.
// Only those in a file can have changed: a reload closes websockets anyway.
func (j judge) mayStay(c *connection) bool {
	return c.wanted == nil || !j.isCurrent(c.handler) || c.wanted.isAllowed(c)
}

func (j judge) isCurrent(h *Handler) bool {
	return slices.ContainsFunc(j.vouchers, func(v voucher) bool { return v.handler == h })
}

func (j judge) decide(this matter) bool {
	if after := j.successor(this.handler); after != nil {
		return after.vouchesFor(this.session)
	}
	return !slices.ContainsFunc(j.vouchers, func(v voucher) bool { return !v.handler.vouchesFor(this.session) })
}

// successor is a handler itself or, after a reload, one that has the same
// options. If those have changed, nobody can tell it from the handlers of other
// sites behind the same door: it is nil, and all of them have to agree.
func (j judge) successor(of *Handler) (after *Handler) {
	for _, v := range j.vouchers {
		if v.handler == of {
			return of
		}
		if v.handler.options == of.options {
			after = v.handler
		}
	}
	return after
}
