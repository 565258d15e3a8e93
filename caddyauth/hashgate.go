// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"errors"
	"runtime"
	"time"
)

var errBusy = errors.New("too many people are signing in at the same time")

// maxHashWait is how long an attempt waits for its turn.
const maxHashWait = 10 * time.Second

// hashGate lets few passwords be hashed at once and a bounded number wait, so
// that a flood of sign-ins does not slow the people who are signed in.
type hashGate struct {
	running chan struct{}
	places  chan struct{} // running and waiting together
}

// hashes is one for the process: processors are shared by all handlers.
var hashes = newHashGate(max(1, runtime.GOMAXPROCS(0)/2), 64)

func newHashGate(running, waiting int) *hashGate {
	return &hashGate{
		running: make(chan struct{}, running),
		places:  make(chan struct{}, running+waiting),
	}
}

// turn is a place among those whose password is hashed or waits for it.
type turn struct {
	gate   *hashGate
	needed bool // the password has to be hashed, as far as is known
	taken  bool
}

// reserve takes a place if one is needed.
func (t *turn) reserve() error {
	if !t.needed {
		return nil
	}
	return t.take()
}

// take takes a place, or returns errBusy at once.
func (t *turn) take() error {
	if t.taken {
		return nil
	}
	select {
	case t.gate.places <- struct{}{}:
		t.taken = true
		return nil
	default:
		metrics.hashesRejected.Inc()
		return errBusy
	}
}

func (t *turn) leave() {
	if t.taken {
		<-t.gate.places
	}
	t.taken = false
}

// hash runs work when it is its turn, and gives the place back. It returns
// errBusy or the context's error if the work did not run.
func (t *turn) hash(ctx context.Context, work func()) error {
	if err := t.take(); err != nil {
		return err
	}
	defer t.leave()
	patience := time.NewTimer(maxHashWait)
	defer patience.Stop()
	select {
	case t.gate.running <- struct{}{}:
		defer func() { <-t.gate.running }()
	case <-patience.C:
		metrics.hashesRejected.Inc()
		return errBusy
	case <-ctx.Done():
		return ctx.Err()
	}
	work()
	return nil
}

// load is how many passwords are being hashed, and how many wait for it.
func (g *hashGate) load() (running, waiting int) {
	running = len(g.running)
	return running, max(0, len(g.places)-running)
}

// turnToHash is the turn of a password that is about to be checked.
func (h *Handler) turnToHash() *turn {
	accounts := h.accounts()
	return &turn{gate: hashes, needed: h.passwordWay() == nil && accounts != nil && !accounts.effort.isFree()}
}
