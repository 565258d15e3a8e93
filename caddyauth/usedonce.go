// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
)

// usedOnce remembers what may be used once: the providers' answers, so that none
// is taken twice even if the browser sends its cookie again, and logout tokens.
// Provider codes are good once, too; this needs no provider to keep to that.
type usedOnce struct {
	mu   sync.Mutex
	seen *lru.LRU[string, time.Time]
}

func newUsedOnce() *usedOnce {
	return &usedOnce{seen: newTracked[string, time.Time](maxTracked)}
}

// rememberUsed is longer than an answer, or a logout token, can be good.
const rememberUsed = 2 * max(provider.AttemptLifetime, provider.LogoutTokenLifetime)

// first reports whether a text is seen for the first time.
func (a *usedOnce) first(text string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if at, ok := a.seen.Get(text); ok && now.Sub(at) < rememberUsed {
		return false
	}
	a.seen.Add(text, now)
	return true
}

// forget makes a text one that was not seen.
func (a *usedOnce) forget(text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen.Remove(text)
}
