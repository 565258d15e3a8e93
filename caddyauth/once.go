// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
)

// running lets one thing of each name happen at a time.
type running struct {
	mu    sync.Mutex
	names map[string]bool
}

func newRunning() *running { return &running{names: make(map[string]bool)} }

// once runs a task in the background, unless one of that name is running.
func (r *running) once(name string, task func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.names[name] {
		return
	}
	r.names[name] = true
	go func() {
		defer func() {
			r.mu.Lock()
			delete(r.names, name)
			r.mu.Unlock()
		}()
		task()
	}()
}

// answers remembers the providers' answers that were taken, so that none is
// taken twice even if the browser sends its cookie again. Provider codes are
// good once, too; this needs no provider to keep to that. Logout tokens are
// remembered in the same way.
type answers struct {
	mu   sync.Mutex
	seen *lru.LRU[string, time.Time]
}

func newAnswers() *answers {
	seen, err := lru.NewLRU[string, time.Time](maxTracked, nil)
	if err != nil {
		panic(err) // only a size below 1 is an error
	}
	return &answers{seen: seen}
}

// rememberAnswers is longer than an answer, or a logout token, can be good.
const rememberAnswers = 2 * max(provider.AttemptLifetime, provider.LogoutTokenLifetime)

// first reports whether a state is seen for the first time.
func (a *answers) first(state string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if at, ok := a.seen.Get(state); ok && now.Sub(at) < rememberAnswers {
		return false
	}
	a.seen.Add(state, now)
	return true
}

// forget makes a state one that was not seen.
func (a *answers) forget(state string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen.Remove(state)
}
