// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Strangers can reach the endpoints where providers say that sessions are
// over. These bounds are far above what a provider needs.
const (
	maxLogoutsAtOnce = 16
	logoutQueueTime  = 5 * time.Second
)

// channelFailures is how many requests to these endpoints may come to nothing
// before their sender has to wait. Those that end a session are not limited: a
// provider may sign everybody out at once.
var channelFailures = limit{max: 100, window: time.Minute}

// channelGuard keeps the work for these requests within bounds.
type channelGuard struct {
	slots    chan struct{}
	failures *attempts
	tokens   *usedOnce // the logout tokens that were used
}

func newChannelGuard() *channelGuard {
	return &channelGuard{
		slots:    make(chan struct{}, maxLogoutsAtOnce),
		failures: newAttempts(),
		tokens:   newUsedOnce(),
	}
}

// enter waits for a turn, which leave ends, and returns false if too many
// others wait.
func (g *channelGuard) enter(ctx context.Context) (leave func(), ok bool) {
	timer := time.NewTimer(logoutQueueTime)
	defer timer.Stop()
	select {
	case g.slots <- struct{}{}:
		return func() { <-g.slots }, true
	case <-timer.C:
	case <-ctx.Done():
	}
	return nil, false
}

// mustWait answers a request of a client too many of whose requests came to
// nothing.
func (h *Handler) mustWait(w http.ResponseWriter, r *http.Request) bool {
	wait := h.door.channels.failures.wait(clientNetwork(r), channelFailures, h.now())
	if wait <= 0 {
		return false
	}
	_ = h.tryLater(w, r, http.StatusTooManyRequests, "too_many_requests", wait)
	return true
}

func (h *Handler) cameToNothing(r *http.Request) {
	h.door.channels.failures.fail(clientNetwork(r), channelFailures, h.now())
}

// Where providers say that sessions are over, below the logout endpoint.
const (
	backChannelPath  = "/backchannel"
	frontChannelPath = "/frontchannel"
)

// logoutChannel returns what answers a request to one of these endpoints, nil
// if it is for something else. Without a provider that could use them, they
// are the application's.
func (h *Handler) logoutChannel(r *http.Request) serveFunc {
	below, ok := strings.CutPrefix(endpoint(r.URL.Path), h.settings.logout)
	if !ok || below != backChannelPath && below != frontChannelPath {
		return nil
	}
	if !slices.ContainsFunc(h.ways, func(w *way) bool { return w.Issuer() != "" }) {
		return nil
	}
	if below == frontChannelPath {
		return h.serveFrontChannel
	}
	return h.serveBackChannel
}
