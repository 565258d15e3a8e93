// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"crypto/sha256"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	lru "github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// How many names and addresses are remembered, and how many areas, which have
// longer lists; the longest unused is forgotten first.
const (
	maxTracked      = 1 << 16
	maxTrackedAreas = 1 << 13
)

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
	areas    *lru.LRU[attemptKey, []time.Time]
	// atHome has the users who signed in, with where. What others fail at in
	// the same area is no reason to keep them out.
	atHome *lru.LRU[attemptKey, struct{}]
}

func newAttempts() *attempts {
	return &attempts{
		failures: newTracked[attemptKey, []time.Time](maxTracked),
		areas:    newTracked[attemptKey, []time.Time](maxTrackedAreas),
		atHome:   newTracked[attemptKey, struct{}](maxTracked),
	}
}

func newTracked[K comparable, V any](size int) *lru.LRU[K, V] {
	tracked, err := lru.NewLRU[K, V](size, nil)
	if err != nil {
		panic(err) // only a size below 1 is an error
	}
	return tracked
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
	f := failed{
		byUser:    recent(a.failures, userKey(user, network), l.window, now),
		byAddress: recent(a.failures, addressKey(network), l.window, now),
	}
	area := recent(a.areas, areaKey(network), l.window, now)
	if !a.atHome.Contains(userKey(user, network)) {
		f.byArea = area
	}
	if wait = l.wait(f, now); wait > 0 {
		return wait
	}
	area = append(area, now)
	a.keep(user, network, failed{
		byUser:    append(f.byUser, now),
		byAddress: append(f.byAddress, now),
		byArea:    area[max(0, len(area)-l.max*areaFactor):],
	})
	return 0
}

// keep remembers when attempts were made. The lists are cloned to have no room
// to spare: strangers choose how many there are.
func (a *attempts) keep(user, network string, f failed) {
	a.failures.Add(userKey(user, network), slices.Clone(f.byUser))
	a.failures.Add(addressKey(network), slices.Clone(f.byAddress))
	if areaOf(network) != network && f.byArea != nil {
		a.areas.Add(areaKey(network), slices.Clone(f.byArea))
	}
}

// learn takes over what is known elsewhere, so that nobody is asked again until
// it is too old to count.
func (a *attempts) learn(user, network string, f failed) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keep(user, network, f)
}

// isAtHome reports whether a user has signed in from there.
func (a *attempts) isAtHome(user, network string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.atHome.Contains(userKey(user, network))
}

// left is how many more attempts there are for a user name and, where there are
// none, how long to wait. It counts nothing.
func (a *attempts) left(user, network string, l limit, now time.Time) (left int, wait time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	ofUser := recent(a.failures, userKey(user, network), l.window, now)
	ofAddress := recent(a.failures, addressKey(network), l.window, now)
	left = max(0, min(l.max-len(ofUser), l.max*addressFactor-len(ofAddress)))
	return left, l.wait(failed{byUser: ofUser, byAddress: ofAddress}, now)
}

// wait is how long a client has to wait for its next attempt, whoever it is for.
// It counts nothing.
func (a *attempts) wait(network string, l limit, now time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return waitFor(recent(a.failures, addressKey(network), l.window, now), l.max, l.window, now)
}

// fail counts a failure of a client, whoever it was for.
func (a *attempts) fail(network string, l limit, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := addressKey(network)
	times := append(recent(a.failures, key, l.window, now), now)
	a.failures.Add(key, slices.Clone(times[max(0, len(times)-l.max):]))
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
	takeBack(a.failures, userKey(user, network))
	a.takeBackAround(network)
}

func (a *attempts) takeBackAround(network string) {
	takeBack(a.failures, addressKey(network))
	takeBack(a.areas, areaKey(network))
}

func takeBack(tracked *lru.LRU[attemptKey, []time.Time], key attemptKey) {
	if times, ok := tracked.Get(key); ok && len(times) > 0 {
		tracked.Add(key, times[:len(times)-1])
	}
}

// recent returns the failures of a key that still count. One that is yet to come
// for longer than they count is from before the clock was put back.
func recent(tracked *lru.LRU[attemptKey, []time.Time], key attemptKey, window time.Duration, now time.Time) []time.Time {
	times, _ := tracked.Get(key)
	for len(times) > 0 {
		if age := now.Sub(times[0]); age > -window && age < window {
			break
		}
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

func areaKey(network string) attemptKey { return sha256.Sum256([]byte("area " + areaOf(network))) }

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
