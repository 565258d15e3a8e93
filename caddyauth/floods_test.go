// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// maxGrowth is how much more memory a flood may leave in use.
const maxGrowth = 64 << 20

// inUse is the memory that is in use after all that is not is collected.
func inUse() int64 {
	var stats runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc) + int64(stats.StackInuse)
}

// floodSize is a number for a test that is run always, or a million.
func floodSize(n int) int {
	if os.Getenv(measured) != "" {
		return 1_000_000
	}
	return n
}

// TestFloodsLeaveNoMemory: whatever strangers send, and however much of it,
// memory stays within 64 MiB of what it was.
func TestFloodsLeaveNoMemory(t *testing.T) {
	p := newOpenID(t)
	for name, flood := range map[string]struct {
		n    int
		send func(s *site, i int)
	}{
		"sign-ins begun and never finished": {5_000, func(s *site, i int) {
			s.serve(get("/login?provider=oidc", overTLS)).want(http.StatusFound)
		}},
		"answers to sign-ins that nobody began": {5_000, func(s *site, i int) {
			s.serve(get(fmt.Sprint("/login?code=c&state=s", i), overTLS))
		}},
		"sessions that were made up": {5_000, func(s *site, i int) {
			s.serve(get("/app", cookieLine(fmt.Sprint("panelauth=made-up-", i))))
		}},
		"names that were made up, from everywhere": {5_000, func(s *site, i int) {
			s.serve(post("/login", credentialsForm(fmt.Sprint("name ", i), "wrong"), from(fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255))))
		}},
		"keys that were made up, from everywhere": {5_000, func(s *site, i int) {
			r := get("/app", from(fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255)))
			r.SetBasicAuth(fmt.Sprint("name ", i), "wrong")
			s.serve(r)
		}},
		"giant forms": {500, func(s *site, i int) {
			a := s.serve(post("/login", credentialsForm("x", strings.Repeat("x", 1<<20))))
			a.want(http.StatusRequestEntityTooLarge)
		}},
		"10,000 cookies": {500, func(s *site, i int) {
			s.serve(get("/app", cookieLine(strings.Repeat("panelauth=x; ", 10_000)))).want(http.StatusBadRequest)
		}},
		"paths and pages to return to": {5_000, func(s *site, i int) {
			s.serve(get(fmt.Sprint("/", i, "?", strings.Repeat("x", 1000)), browser)).want(http.StatusFound)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, signInWith(p), withPassword, func(h *Handler) { h.BasicAuthHeader = true })
			eventually(t, "the provider is known", func() bool {
				return s.serve(get("/login?provider=oidc", overTLS)).StatusCode == http.StatusFound
			})
			s.logs.TakeAll()
			before := inUse()
			n := flood.n
			if n > 1000 {
				n = floodSize(n)
			}
			for i := range n {
				flood.send(s.in(t), i)
				if i%1000 == 0 {
					s.logs.TakeAll() // the tests' own
				}
			}
			s.logs.TakeAll()
			grown := inUse() - before
			t.Logf("%d requests, %d KiB more", n, grown>>10)
			if grown > maxGrowth {
				t.Errorf("%d MiB more are in use", grown>>20)
			}
		})
	}
}

// TestAttemptsTakeLittleMemory: as many as are remembered, each as full as can be.
func TestAttemptsTakeLittleMemory(t *testing.T) {
	a, now := newAttempts(), time.Now()
	full := failed{byUser: make([]time.Time, 5), byAddress: make([]time.Time, 20), byArea: make([]time.Time, 80)}
	before := inUse()
	for i := range maxTracked {
		for _, list := range [][]time.Time{full.byUser, full.byAddress, full.byArea} {
			for n := range list {
				list[n] = now
			}
		}
		a.learn(fmt.Sprint("name ", i), fmt.Sprintf("2001:db8:%x:1::/64", i), full)
	}
	grown := inUse() - before
	t.Logf("%d KiB", grown>>10)
	if grown > maxGrowth {
		t.Errorf("%d MiB are in use", grown>>20)
	}
	if n := a.failures.Len(); n != maxTracked {
		t.Errorf("%d are remembered", n)
	}
}
