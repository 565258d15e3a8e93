// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
)

// providerCalls stands between a provider and the network, and remembers how
// that went. It adds nothing to the requests: which of their visitors' requests
// is which is not a provider's business.
type providerCalls struct {
	callTarget
	next http.RoundTripper

	mu       sync.Mutex
	answered time.Time // last
	failed   time.Time // last
	trouble  string    // of then
}

// watchCalls returns a transport's wrapper, and what it will know.
func watchCalls(id string) (*providerCalls, func(http.RoundTripper) http.RoundTripper) {
	calls := &providerCalls{callTarget: callTarget{"provider", id, metrics.providerCalls}}
	return calls, func(next http.RoundTripper) http.RoundTripper {
		calls.next = next
		return calls
	}
}

// RoundTrip implements http.RoundTripper.
func (c *providerCalls) RoundTrip(r *http.Request) (*http.Response, error) {
	end := c.begin(r.Context(), string(provider.CallOf(r.Context())))
	response, err := c.next.RoundTrip(r)
	if err != nil {
		end(err)
		c.note(err)
		return nil, err
	}
	var failed error
	if response.StatusCode >= http.StatusInternalServerError || response.StatusCode == http.StatusTooManyRequests {
		failed = errAnswer
	}
	end(failed, attribute.Int("http.response.status_code", response.StatusCode))
	c.note(failed)
	return response, nil
}

func (c *providerCalls) note(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err == nil:
		c.answered = time.Now()
	case isTrouble(err):
		c.failed, c.trouble = time.Now(), troubleOf(err)
	}
}

// Interface guard
var _ http.RoundTripper = (*providerCalls)(nil)
