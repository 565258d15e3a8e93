// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

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

	vouchers []voucher   // as of the last look, for newJudge alone
	checking atomic.Bool // with the store
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

// closeAll closes what is open of a session.
func (l *live) closeAll(id string) {
	l.of(id, func(c *connection) { go c.end(sessionEnded) })
}

// total returns how many connections there are.
func (l *live) total() int { return int(l.open.Load()) }

// count returns how many connections a session has.
func (l *live) count(id string) (n int) {
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
