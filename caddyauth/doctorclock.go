// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"sync"
	"time"
)

// clockReader compares the Date of answers with this machine's clock.
type clockReader struct {
	now func() time.Time

	mu    sync.Mutex
	seen  bool
	least time.Duration
}

func (c *clockReader) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripFunc(func(req *http.Request) (*http.Response, error) {
		asked := c.now()
		answer, err := next.RoundTrip(req)
		if err == nil {
			c.read(answer.Header.Get("Date"), asked, c.now())
		}
		return answer, err
	})
}

// read allows for the second that a Date is cut off to, and for the time on the
// way.
func (c *clockReader) read(written string, asked, answered time.Time) {
	date, err := http.ParseTime(written)
	if err != nil {
		return
	}
	off := max(asked.Sub(date.Add(time.Second)), date.Sub(answered), 0)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.seen || off < c.least {
		c.seen, c.least = true, off
	}
}

func (c *clockReader) off() (off time.Duration, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.least, c.seen
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
