// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"hash/maphash"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

const (
	// lookInterval is how often open connections are looked at.
	lookInterval = 250 * time.Millisecond
	// looksPerCheck is how many looks there are between two checks with the
	// store.
	looksPerCheck = 4

	liveShards = 64
)

// live knows what is open of each session behind a door, to close it when the
// session ends. Nearly all that it sees is over in a moment, so that entering
// and leaving cost next to nothing.
type live struct {
	shards [liveShards]liveShard
	seed   maphash.Seed
	open   atomic.Int64
	wake   chan struct{}

	// For who looks.
	vouchers []voucher
	checking atomic.Bool
}

// liveShard holds the connections of some of the sessions.
type liveShard struct {
	mu    sync.Mutex
	first *connection
	live  *live
	_     [40]byte // keeps neighbours' locks off one cache line
}

func newLive() *live {
	l := &live{seed: maphash.MakeSeed(), wake: make(chan struct{}, 1)}
	for i := range l.shards {
		l.shards[i].live = l
	}
	return l
}

func (l *live) shard(id string) *liveShard {
	return &l.shards[maphash.String(l.seed, id)%liveShards]
}

func (l *live) add(c *connection) {
	c.shard = l.shard(c.session.ID)
	c.shard.mu.Lock()
	if c.next = c.shard.first; c.next != nil {
		c.next.prev = c
	}
	c.shard.first = c
	c.shard.mu.Unlock()
	if l.open.Add(1) > 1 {
		return
	}
	select {
	case l.wake <- struct{}{}:
	default: // it has been woken already
	}
}

func (s *liveShard) remove(c *connection) {
	s.mu.Lock()
	if c.prev != nil {
		c.prev.next = c.next
	} else {
		s.first = c.next
	}
	if c.next != nil {
		c.next.prev = c.prev
	}
	s.mu.Unlock()
	s.live.open.Add(-1)
}

// of calls do for each connection of a session. It must not wait.
func (l *live) of(id string, do func(*connection)) {
	s := l.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := s.first; c != nil; c = c.next {
		if c.session.ID == id {
			do(c)
		}
	}
}

// CloseAll closes what is open of a session.
func (l *live) CloseAll(id string) {
	l.of(id, func(c *connection) { go c.end(sessionEnded) })
}

// Total returns how many connections there are.
func (l *live) Total() int { return int(l.open.Load()) }

// Count returns how many connections a session has.
func (l *live) Count(id string) (n int) {
	l.of(id, func(*connection) { n++ })
	return n
}

// all are the connections that there are now.
func (l *live) all() (list []*connection) {
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		for c := s.first; c != nil; c = c.next {
			list = append(list, c)
		}
		s.mu.Unlock()
	}
	return list
}

// watch looks after what is open behind a door until the door closes. What is
// open then could not be closed any more by the end of its session.
func (l *live) watch(ctx context.Context, d *door) {
	ticker := time.NewTicker(lookInterval)
	defer ticker.Stop()
	for {
		ticker.Stop()
		select {
		case <-ctx.Done():
		case <-l.wake:
		}
		ticker.Reset(lookInterval)
		for looks := 0; ctx.Err() == nil && l.open.Load() > 0; looks++ {
			select {
			case <-ctx.Done():
			case <-ticker.C:
				l.look(ctx, d, looks%looksPerCheck == 0)
			}
		}
		if ctx.Err() != nil {
			break
		}
	}
	for _, c := range l.all() {
		go c.end(goingAway)
	}
}

// look closes what has to be closed for a reason that comes with time or from
// the accounts, and sees to it that sessions in use count as such.
func (l *live) look(ctx context.Context, d *door, check bool) {
	open := l.all()
	judge := l.newJudge(d)
	for _, c := range open {
		if c.ending.Load() || c.session.Over(c.handler.now()) || !judge.vouchesFor(c) {
			go c.end(sessionEnded)
			continue
		}
		if !judge.mayStay(c) {
			go c.end(noLongerAllowed)
			continue
		}
		if c.moved.Load() && !c.session.IsPassing() {
			c.moved.Store(false)
			d.sessions.Use(c.session, c.handler.settings.idle)
		}
	}
	if check && l.checking.CompareAndSwap(false, true) {
		go func() {
			defer l.checking.Store(false)
			d.sessions.Check(ctx, idleLimits(open))
		}()
	}
}

// idleLimits are the sessions of some connections that a store may know, each
// with the lowest limit that it has.
func idleLimits(open []*connection) map[*session.Session]time.Duration {
	limits := make(map[*session.Session]time.Duration)
	for _, c := range open {
		if c.session.IsPassing() {
			continue // no store knows it
		}
		idle := c.handler.settings.idle
		if least, ok := limits[c.session]; ok && (idle == 0 || least > 0 && least < idle) {
			continue
		}
		limits[c.session] = idle
	}
	return limits
}

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

// serveLive passes a request of a session on, and ends it with the session.
func (h *Handler) serveLive(w http.ResponseWriter, r *http.Request, s *session.Session, next caddyhttp.Handler) error {
	c := &connection{handler: h, session: s, websocket: isWebsocket(r), wanted: h.wantedBy(r)}
	c.extended = c.websocket && r.Method == http.MethodConnect
	c.ResponseWriter = w
	notice := h.noticed(w, r, s)
	if notice != nil {
		c.ResponseWriter = notice
	}
	c.lifetime.parent = r.Context()
	h.door.live.add(c)
	defer c.leave()
	// It may have ended, or its user been removed, before it could be closed.
	// The rules may have changed meanwhile, too.
	who := h.identityOf(s)
	if s.Over(h.now()) || who == nil {
		return h.refuse(w, r, http.StatusUnauthorized, "unauthenticated")
	}
	if c.wanted != nil && !h.allows(r, who) {
		return h.refuse(w, r, http.StatusForbidden, "forbidden")
	}
	if c.extended || h.settings.idle > 0 && r.ContentLength != 0 {
		r.Body = &upload{r.Body, c}
	}
	// In place, since Caddy's placeholders look at this very request.
	*r = *r.WithContext(&c.lifetime)
	err := next.ServeHTTP(c, r)
	if notice != nil && err == nil && !c.breaksOff() {
		err = notice.finish()
	}
	*r = *r.WithContext(c.lifetime.parent)
	if c.breaksOff() {
		panic(http.ErrAbortHandler) // the server's way to end an answer that is not whole
	}
	return err
}
