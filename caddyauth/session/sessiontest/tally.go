// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package sessiontest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// RunTally checks that attempts to sign in are counted together by all who use
// a store. Each part opens one, which must be empty.
func RunTally(t *testing.T, open func(t *testing.T) session.Store) {
	for _, part := range []struct {
		title string
		test  func(c *counting)
	}{
		{"attempts add up on all instances", testAddUp},
		{"a restart forgets none", testTallyRestart},
		{"everybody has a count of their own", testTallyOthers},
		{"what is taken back does not count", testTakeBack},
		{"what is forgiven does not count, and others' does", testForgive},
		{"none counts for longer than the window", testTallyWindow},
		{"of two at once one sees the other", testTallyAtOnce},
	} {
		t.Run(part.title, func(t *testing.T) { part.test(&counting{t: t, store: open(t), now: time.Now()}) })
	}
}

// counting is some instances with a store and a clock.
type counting struct {
	t      *testing.T
	store  session.Store
	offset atomic.Int64
	now    time.Time
}

var (
	tallied      = session.Attempt{User: "alice", Address: "2001:db8:0:1::/64", Area: "2001:db8::/48"}
	talliedThere = session.Attempt{User: "alice", Address: "2001:db8:0:2::/64", Area: "2001:db8::/48"}
	talliedOther = session.Attempt{User: "bob", Address: "2001:db8:0:1::/64", Area: "2001:db8::/48"}
	talliedAfar  = session.Attempt{User: "alice", Address: "192.0.2.1", Area: "192.0.2.1"}
)

const tallyWindow = 2 * time.Minute

func (c *counting) pass(d time.Duration) { c.offset.Add(int64(d)) }

func (c *counting) instance() *session.Manager {
	c.t.Helper()
	m, err := session.NewManager(session.Config{
		Secrets: [][]byte{[]byte("a secret of these tests")}, Store: c.store, StoreTimeout: 10 * time.Second,
		Now: func() time.Time { return c.now.Add(time.Duration(c.offset.Load())) },
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return m
}

func (c *counting) note(m *session.Manager, who session.Attempt) *session.Noted {
	c.t.Helper()
	n, err := m.Note(c.t.Context(), who, tallyWindow)
	if err != nil {
		c.t.Fatal(err)
	}
	return n
}

func (c *counting) want(n *session.Noted, byUser, byAddress, byArea int) {
	c.t.Helper()
	got, want := [3]int{len(n.ByUser), len(n.ByAddress), len(n.ByArea)}, [3]int{byUser, byAddress, byArea}
	if got != want {
		c.t.Errorf("by user, address and area there were %v, want %v", got, want)
	}
}

func testAddUp(c *counting) {
	here, there := c.instance(), c.instance()
	for i := range 6 {
		c.want(c.note([]*session.Manager{here, there}[i%2], tallied), i, i, i)
	}
}

func testTallyRestart(c *counting) {
	for i := range 4 {
		c.want(c.note(c.instance(), tallied), i, i, i)
	}
}

func testTallyOthers(c *counting) {
	m := c.instance()
	c.note(m, tallied)
	c.want(c.note(m, talliedOther), 0, 1, 1)
	c.want(c.note(m, talliedThere), 0, 0, 2)
	c.want(c.note(m, talliedAfar), 0, 0, 0)
	c.want(c.note(m, tallied), 1, 2, 3)
}

func testTakeBack(c *counting) {
	here, there := c.instance(), c.instance()
	c.note(here, tallied)
	here.TakeBack(c.note(here, tallied))
	here.TakeBack(nil)
	c.want(c.note(there, tallied), 1, 1, 1)
}

func testForgive(c *counting) {
	here, there := c.instance(), c.instance()
	for range 3 {
		c.note(there, tallied)
	}
	c.note(there, talliedOther)
	c.note(there, talliedThere)
	here.Forgive(c.note(here, tallied))
	here.Forgive(nil)
	c.want(c.note(there, tallied), 0, 1, 2)
}

func testTallyWindow(c *counting) {
	m := c.instance()
	c.note(m, tallied)
	c.pass(tallyWindow - time.Second)
	n := c.note(m, tallied)
	c.want(n, 1, 1, 1)
	if at := n.ByUser[0].Sub(c.now).Abs(); at > time.Second {
		c.t.Errorf("the first attempt is said to have been %s off", at)
	}
	c.pass(time.Second)
	c.want(c.note(m, tallied), 1, 1, 1)
	// A clock that is put back keeps nobody out until it is where it was.
	c.pass(-2 * time.Hour)
	c.want(c.note(m, tallied), 0, 0, 0)
}

func testTallyAtOnce(c *counting) {
	var unseen atomic.Int32
	var wg sync.WaitGroup
	for i := range 16 {
		m := c.instance()
		wg.Go(func() {
			n, err := m.Note(c.t.Context(), session.Attempt{User: "alice", Address: "here", Area: "here"}, tallyWindow)
			if err != nil {
				c.t.Error(fmt.Errorf("attempt %d: %w", i, err))
				return
			}
			if len(n.ByUser) < 5 {
				unseen.Add(1)
			}
		})
	}
	wg.Wait()
	if n := unseen.Load(); n > 5 {
		c.t.Errorf("%d of 16 at once see fewer than 5 others", n)
	}
}
