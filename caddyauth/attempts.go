// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"crypto/sha256"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/text/unicode/norm"
)

// maxTracked bounds how many names and addresses are remembered; the longest
// unused is forgotten first.
const maxTracked = 1 << 16

// addressFactor is how many times more failures an address may have than one
// user name from it, since several people can share an address.
const addressFactor = 4

// attemptKey is the hash of what is counted, so that nobody's choice of name
// takes more memory than another.
type attemptKey [sha256.Size]byte

// attempts counts failed sign-ins. An attempt counts as a failure from its
// beginning, so that many at once cannot slip through together.
type attempts struct {
	mu       sync.Mutex
	failures *lru.LRU[attemptKey, []time.Time]
}

func newAttempts() *attempts {
	failures, err := lru.NewLRU[attemptKey, []time.Time](maxTracked, nil)
	if err != nil {
		panic(err) // only a size below 1 is an error
	}
	return &attempts{failures: failures}
}

// limit is how many failures may lie within a window.
type limit struct {
	max    int
	window time.Duration
}

// begin counts an attempt. If there were too many it counts nothing and
// returns how long to wait; the wait is 0 otherwise.
func (a *attempts) begin(user, network string, l limit, now time.Time) (wait time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	byUser, byAddress := userKey(user, network), addressKey(network)
	ofUser := a.recent(byUser, l.window, now)
	ofAddress := a.recent(byAddress, l.window, now)
	wait = max(
		waitFor(ofUser, l.max, l.window, now),
		waitFor(ofAddress, l.max*addressFactor, l.window, now),
	)
	if wait > 0 {
		return wait
	}
	a.failures.Add(byUser, append(ofUser, now))
	a.failures.Add(byAddress, append(ofAddress, now))
	return 0
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
	a.takeBack(addressKey(network))
}

// undo forgets an attempt that was not made after all.
func (a *attempts) undo(user, network string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.takeBack(userKey(user, network))
	a.takeBack(addressKey(network))
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

// userKey folds spellings of one name together, since a counter for each
// would multiply what is allowed.
func userKey(user, network string) attemptKey {
	user = user[:min(len(user), maxUserName)] // nobody's name is longer
	return sha256.Sum256([]byte("user " + network + " " + strings.ToLower(norm.NFKC.String(strings.TrimSpace(user)))))
}

func addressKey(network string) attemptKey { return sha256.Sum256([]byte("address " + network)) }
