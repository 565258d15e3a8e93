// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
)

// answers remembers the providers' answers that were taken, so that none is
// taken twice even if the browser sends its cookie again. Provider codes are
// good once, too; this needs no provider to keep to that. Logout tokens are
// remembered in the same way.
type usedOnce struct {
	mu   sync.Mutex
	seen *lru.LRU[string, time.Time]
}

func newUsedOnce() *usedOnce {
	seen, err := lru.NewLRU[string, time.Time](maxTracked, nil)
	if err != nil {
		panic(err) // only a size below 1 is an error
	}
	return &usedOnce{seen: seen}
}

// rememberUsed is longer than an answer, or a logout token, can be good.
const rememberUsed = 2 * max(provider.AttemptLifetime, provider.LogoutTokenLifetime)

// first reports whether a state is seen for the first time.
func (a *usedOnce) first(state string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if at, ok := a.seen.Get(state); ok && now.Sub(at) < rememberUsed {
		return false
	}
	a.seen.Add(state, now)
	return true
}

// forget makes a state one that was not seen.
func (a *usedOnce) forget(state string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen.Remove(state)
}
