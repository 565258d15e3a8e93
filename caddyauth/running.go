// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"sync"
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
