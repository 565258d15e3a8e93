// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const testNetwork = "192.0.2.1"

var fiveInTwoMinutes = limit{max: 5, window: 2 * time.Minute}

func TestAttemptsLimit(t *testing.T) {
	a, c := newAttempts(), newClock()
	begin := func() time.Duration { return a.begin("alice", testNetwork, fiveInTwoMinutes, c.Now()) }
	for i := range 5 {
		if wait := begin(); wait != 0 {
			t.Fatalf("attempt %d has to wait %s", i+1, wait)
		}
		c.pass(10 * time.Second)
	}
	// 50 s after the first failure, the first counts for 70 s more.
	if wait := begin(); wait != 70*time.Second {
		t.Errorf("the sixth has to wait %s", wait)
	}
	c.pass(70*time.Second - 1)
	if wait := begin(); wait != 1 {
		t.Errorf("a moment before the end it has to wait %s", wait)
	}
	c.pass(1)
	if wait := begin(); wait != 0 {
		t.Errorf("after the end it has to wait %s", wait)
	}
	if wait := begin(); wait != 10*time.Second {
		t.Errorf("the next has to wait %s, until the second failure is forgotten", wait)
	}
}

// TestAttemptsRefusedDoNotCount: waiting ends, however often somebody tries.
func TestAttemptsRefusedDoNotCount(t *testing.T) {
	a, c := newAttempts(), newClock()
	for range 100 {
		a.begin("alice", testNetwork, fiveInTwoMinutes, c.Now())
		c.pass(time.Second)
	}
	c.pass(20 * time.Second)
	if wait := a.begin("alice", testNetwork, fiveInTwoMinutes, c.Now()); wait != 0 {
		t.Errorf("has to wait %s", wait)
	}
}

// TestAttemptsOthers: nobody can lock out somebody elsewhere.
func TestAttemptsOthers(t *testing.T) {
	a, c := newAttempts(), newClock()
	for range 5 {
		a.begin("alice", testNetwork, fiveInTwoMinutes, c.Now())
	}
	for _, other := range []struct{ user, network string }{{"alice", "192.0.2.2"}, {"bob", testNetwork}, {"alice", "2001:db8::/64"}} {
		if wait := a.begin(other.user, other.network, fiveInTwoMinutes, c.Now()); wait != 0 {
			t.Errorf("%s from %s has to wait %s", other.user, other.network, wait)
		}
	}
}

func TestAttemptsOfAddress(t *testing.T) {
	a, c := newAttempts(), newClock()
	for i := range 20 {
		if wait := a.begin(fmt.Sprint("user", i), testNetwork, fiveInTwoMinutes, c.Now()); wait != 0 {
			t.Fatalf("attempt %d has to wait", i+1)
		}
	}
	if wait := a.begin("user99", testNetwork, fiveInTwoMinutes, c.Now()); wait != 2*time.Minute {
		t.Errorf("after 20 failures of an address the next has to wait %s", wait)
	}
	if wait := a.begin("user99", "192.0.2.2", fiveInTwoMinutes, c.Now()); wait != 0 {
		t.Error("another address has to wait too")
	}
}

// TestAttemptsSuccess: an account of one's own does not buy guesses at others.
func TestAttemptsSuccess(t *testing.T) {
	a, c := newAttempts(), newClock()
	begin := func(user string) time.Duration { return a.begin(user, testNetwork, fiveInTwoMinutes, c.Now()) }
	for i := range 19 {
		begin(fmt.Sprint("victim", i))
		if begin("mallory") != 0 {
			t.Fatal("cannot sign in")
		}
		a.succeeded("mallory", testNetwork)
	}
	begin("victim20")
	if begin("victim99") == 0 {
		t.Error("20 failures of an address are forgotten, because one of its users signed in")
	}
}

func TestAttemptsSuccessForgets(t *testing.T) {
	a, c := newAttempts(), newClock()
	for range 10 {
		for range 4 {
			if a.begin("alice", "192.0.2.9", limit{max: 5, window: time.Hour}, c.Now()) != 0 {
				return // the address's limit, which is another test
			}
		}
		a.succeeded("alice", "192.0.2.9")
		if n := len(recent(a.failures, userKey("alice", "192.0.2.9"), time.Hour, c.Now())); n != 0 {
			t.Fatalf("%d failures are left after a success", n)
		}
	}
}

func TestAttemptsUndo(t *testing.T) {
	a, c := newAttempts(), newClock()
	for range 100 {
		if wait := a.begin("alice", testNetwork, fiveInTwoMinutes, c.Now()); wait != 0 {
			t.Fatalf("has to wait %s", wait)
		}
		a.undo("alice", testNetwork)
	}
	a.undo("nobody", "nowhere")
	a.succeeded("nobody", "nowhere")
}

// TestAttemptsSpellings: one counter for what a person, or a careless
// application, takes for one name. (Authelia CVE-2025-24806, CVE-2026-47203.)
func TestAttemptsSpellings(t *testing.T) {
	spellings := []string{"alice", "ALICE", "Alice", " alice", "alice ", "\talice\n", "ａｌｉｃｅ", "ⓐⓛⓘⓒⓔ", "ALiCE", "alic\u1d49",
		"álice", "a\u0301lice", "al ice", "al\u200bice", "\ufeffalice", "al\u00adice", "alice\u3000", "ali\u2060ce", "ａＬＩｃｅ", "alice\x00"}
	a, c := newAttempts(), newClock()
	for i := range 5 {
		a.begin(spellings[i], testNetwork, fiveInTwoMinutes, c.Now())
	}
	for _, spelling := range spellings {
		if a.begin(spelling, testNetwork, fiveInTwoMinutes, c.Now()) == 0 {
			t.Errorf("%+q has a counter of its own", spelling)
		}
	}
	if userKey("strasse", testNetwork) == userKey("strase", testNetwork) {
		t.Error("different names share a counter")
	}
}

func TestAttemptsConcurrency(t *testing.T) {
	a, c := newAttempts(), newClock()
	var allowed atomic.Int32
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if a.begin("alice", testNetwork, fiveInTwoMinutes, c.Now()) == 0 {
				allowed.Add(1)
			}
		})
	}
	wg.Wait()
	if n := allowed.Load(); n != 5 {
		t.Errorf("%d of 100 at once were allowed", n)
	}
}

// TestAttemptsMemory: OliveTin CVE-2026-67437 was a map that grew with every
// name.
func TestAttemptsMemory(t *testing.T) {
	a, c := newAttempts(), newClock()
	one := limit{max: 1, window: time.Minute}
	for i := range maxTracked + 1000 {
		a.begin("x", fmt.Sprint("10.", i>>16, ".", i>>8&255, ".", i&255), one, c.Now())
	}
	if n := a.failures.Len(); n > maxTracked {
		t.Errorf("%d names and addresses are remembered", n)
	}
	newest := fmt.Sprint("10.", (maxTracked+999)>>16, ".", (maxTracked+999)>>8&255, ".", (maxTracked+999)&255)
	if a.begin("x", newest, one, c.Now()) == 0 {
		t.Error("the newest is forgotten")
	}
}

// TestAttemptsKeysAreShort: a form may hold 64 KiB of user name, which the
// table of attempts must not keep 65536 times.
func TestAttemptsKeysAreShort(t *testing.T) {
	a, c := newAttempts(), newClock()
	a.begin(strings.Repeat("n", maxForm), testNetwork, fiveInTwoMinutes, c.Now())
	for _, key := range a.failures.Keys() {
		if len(key) > 4*maxUserName {
			t.Errorf("a key of %d bytes is kept", len(key))
		}
	}
}

func TestAttemptsListsAreShort(t *testing.T) {
	a, c := newAttempts(), newClock()
	for range 1000 {
		a.begin("alice", testNetwork, fiveInTwoMinutes, c.Now())
		c.pass(30 * time.Second)
	}
	for _, key := range a.failures.Keys() {
		if times, _ := a.failures.Peek(key); len(times) > 20 || cap(times) > 64 {
			t.Errorf("%s: %d times, room for %d", key, len(times), cap(times))
		}
	}
}

// TestAttemptsClock: attempts at once come in any order, and a clock that is put
// back by an hour keeps nobody out for an hour.
func TestAttemptsClock(t *testing.T) {
	a, now := newAttempts(), time.Now().Round(0) // as it is known elsewhere
	for i := range 5 {
		if a.begin("alice", testNetwork, fiveInTwoMinutes, now.Add(-time.Duration(i)*time.Millisecond)) != 0 {
			t.Fatal("has to wait")
		}
	}
	if a.begin("alice", testNetwork, fiveInTwoMinutes, now.Add(-time.Second)) == 0 {
		t.Error("an attempt is forgotten because another was made before it")
	}
	if wait := a.begin("alice", testNetwork, fiveInTwoMinutes, now.Add(-time.Hour)); wait != 0 {
		t.Errorf("has to wait %s after the clock was put back", wait)
	}
}

// TestAreas: an area is a /48 of IPv6, and an IPv4 address is one of its own.
func TestAreas(t *testing.T) {
	for network, want := range map[string]string{
		"2001:db8:1:2::/64": "2001:db8:1::/48", "2001:db8:1:ffff::/64": "2001:db8:1::/48", "2001:db8:2:2::/64": "2001:db8:2::/48",
		"192.0.2.1": "192.0.2.1", "": "", "@": "@", "unix": "unix",
	} {
		if got := areaOf(network); got != want {
			t.Errorf("%q is in %q, want %q", network, got, want)
		}
	}
}
