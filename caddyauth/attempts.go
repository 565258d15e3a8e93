// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"crypto/sha256"
	"net/netip"
	"strings"
	"sync"
	"time"
	"unicode"

	lru "github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// maxTracked bounds how many names and addresses are remembered; the longest
// unused is forgotten first.
const maxTracked = 1 << 16

// How many times more failures are allowed than for one user name from one
// address, since several people can share an address, and a provider's customers
// an area.
const (
	addressFactor = 4
	areaFactor    = 16
)

// attemptKey is the hash of what is counted, so that nobody's choice of name
// takes more memory than another.
type attemptKey [sha256.Size]byte

// attempts counts failed sign-ins. An attempt counts as a failure from its
// beginning, so that many at once cannot slip through together.
type attempts struct {
	mu       sync.Mutex
	failures *lru.LRU[attemptKey, []time.Time]
	// atHome has the users who signed in, with where. What others fail at in
	// the same area is no reason to keep them out.
	atHome *lru.LRU[attemptKey, struct{}]
}

func newAttempts() *attempts {
	failures, err := lru.NewLRU[attemptKey, []time.Time](maxTracked, nil)
	if err != nil {
		panic(err) // only a size below 1 is an error
	}
	atHome, err := lru.NewLRU[attemptKey, struct{}](maxTracked, nil)
	if err != nil {
		panic(err)
	}
	return &attempts{failures: failures, atHome: atHome}
}

// limit is how many failures may lie within a window.
type limit struct {
	max    int
	window time.Duration
}

// failed is when attempts were made that count, the oldest first: for a user
// name from an address, from the address, and from the area around it.
type failed struct {
	byUser, byAddress, byArea []time.Time
}

// wait is how long it takes until another attempt is allowed.
func (l limit) wait(f failed, now time.Time) time.Duration {
	return max(
		waitFor(f.byUser, l.max, l.window, now),
		waitFor(f.byAddress, l.max*addressFactor, l.window, now),
		waitFor(f.byArea, l.max*areaFactor, l.window, now),
	)
}

// begin counts an attempt. If there were too many it counts nothing and
// returns how long to wait; the wait is 0 otherwise.
func (a *attempts) begin(user, network string, l limit, now time.Time) (wait time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	byUser, byAddress, byArea := userKey(user, network), addressKey(network), areaKey(network)
	f := failed{
		byUser:    a.recent(byUser, l.window, now),
		byAddress: a.recent(byAddress, l.window, now),
		byArea:    a.recent(byArea, l.window, now),
	}
	all := f
	if a.atHome.Contains(byUser) {
		f.byArea = nil
	}
	if wait = l.wait(f, now); wait > 0 {
		return wait
	}
	a.failures.Add(byUser, append(all.byUser, now))
	a.failures.Add(byAddress, append(all.byAddress, now))
	if byArea != byAddress {
		all.byArea = append(all.byArea, now)
		a.failures.Add(byArea, all.byArea[max(0, len(all.byArea)-l.max*areaFactor):])
	}
	return 0
}

// learn takes over what is known elsewhere, so that nobody is asked again until
// it is too old to count.
func (a *attempts) learn(user, network string, f failed) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failures.Add(userKey(user, network), f.byUser)
	a.failures.Add(addressKey(network), f.byAddress)
	if len(f.byArea) > 0 {
		a.failures.Add(areaKey(network), f.byArea)
	}
}

// isAtHome reports whether a user has signed in from there.
func (a *attempts) isAtHome(user, network string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.atHome.Contains(userKey(user, network))
}

// wait is how long a client has to wait for its next attempt, whoever it is for.
// It counts nothing.
func (a *attempts) wait(network string, l limit, now time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return waitFor(a.recent(addressKey(network), l.window, now), l.max, l.window, now)
}

// fail counts a failure of a client, whoever it was for.
func (a *attempts) fail(network string, l limit, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := addressKey(network)
	times := append(a.recent(key, l.window, now), now)
	a.failures.Add(key, times[max(0, len(times)-l.max):])
}

// succeeded forgets the failures of a user name, but only this one attempt of
// the address: an account of one's own must not reset the limit for guessing at
// others.
func (a *attempts) succeeded(user, network string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failures.Remove(userKey(user, network))
	a.atHome.Add(userKey(user, network), struct{}{})
	a.takeBackAround(network)
}

// undo forgets an attempt that was not made after all.
func (a *attempts) undo(user, network string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.takeBack(userKey(user, network))
	a.takeBackAround(network)
}

func (a *attempts) takeBackAround(network string) {
	a.takeBack(addressKey(network))
	if area := areaKey(network); area != addressKey(network) {
		a.takeBack(area)
	}
}

func (a *attempts) takeBack(key attemptKey) {
	times, ok := a.failures.Get(key)
	if !ok || len(times) == 0 {
		return
	}
	a.failures.Add(key, times[:len(times)-1])
}

// recent returns the failures of a key that still count.
func (a *attempts) recent(key attemptKey, window time.Duration, now time.Time) []time.Time {
	times, _ := a.failures.Get(key)
	for len(times) > 0 && now.Sub(times[0]) >= window {
		times = times[1:]
	}
	return times
}

// waitFor is how long it takes until fewer than max failures count.
func waitFor(times []time.Time, max int, window time.Duration, now time.Time) time.Duration {
	if len(times) < max {
		return 0
	}
	return times[len(times)-max].Add(window).Sub(now)
}

func userKey(user, network string) attemptKey {
	return sha256.Sum256([]byte("user " + network + " " + canonicalName(user)))
}

func addressKey(network string) attemptKey { return sha256.Sum256([]byte("address " + network)) }

// areaKey is addressKey where there is no larger area.
func areaKey(network string) attemptKey { return addressKey(areaOf(network)) }

// areaOf is the /48 around an IPv6 /64: what anybody can have to themselves for
// the asking, and so 65536 addresses to guess from. An IPv4 address is an area of
// its own.
func areaOf(network string) string {
	within, err := netip.ParsePrefix(network)
	if err != nil || within.Bits() <= 48 {
		return network
	}
	return netip.PrefixFrom(within.Addr(), 48).Masked().String()
}

// canonicalName folds together what people, or a provider that is asked for a
// password, may take for one name, since a counter for each spelling would
// multiply what is allowed. That different names share a counter does no harm.
func canonicalName(user string) string {
	user = user[:min(len(user), maxUserName)] // nobody's name is longer
	bare := strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.M, unicode.Z, unicode.Cc, unicode.Cf) {
			return -1 // accents, and what cannot be seen
		}
		return r
	}, norm.NFKD.String(user))
	return cases.Fold().String(bare)
}
