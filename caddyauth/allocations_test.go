// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"testing"
)

// TestAllocations holds what a request costs to what it cost when this was
// written: times differ from machine to machine, allocations do not. Who makes
// it cheaper lowers the figure here; who makes it dearer says why.
func TestAllocations(t *testing.T) {
	if underRace {
		t.Skip("NOT CHECKED: the race detector allocates, too; .ci/run runs this once more without it")
	}
	tests := map[string]struct {
		configure []func(*Handler)
		signedIn  bool
		most      int
	}{
		"signed in":                    {signedIn: true, most: 3},
		"signed in, no Panel cookies":  {[]func(*Handler){noPanelCookies}, true, 3},
		"signed in, idle limit":        {[]func(*Handler){idleLimit}, true, 3},
		"signed in, session in cookie": {[]func(*Handler){stateless}, true, 4},
		"signed in, identity headers":  {[]func(*Handler){identityHeaders}, true, 6}, // two for the map of headers, which grows
		"guest":                        {[]func(*Handler){guestPages("/app")}, false, 2},
		"sent to sign in":              {nil, false, 8},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, test.configure...)
			s.now = newClock().Now // no second passes, so that nothing is signed anew
			line := foreignCookies
			if test.signedIn {
				line += "; " + s.signInAlice(overTLS)
			}
			if got := allocations(t, s, get("/app?x=1", overTLS, fullBrowser, cookieLine(line))); got > test.most {
				t.Errorf("%d allocations for a request, more than %d", got, test.most)
			}
		})
	}
}

// allocations counts those of ServeHTTP for one request, without those of
// making the request.
func allocations(t *testing.T, s *site, r *http.Request) int {
	const runs = 100
	requests := make([]*http.Request, 0, runs+2)
	responses := make([]*discard, 0, runs+2)
	for range cap(requests) {
		requests = append(requests, prepared(r.Clone(t.Context())))
		responses = append(responses, &discard{header: make(http.Header)})
	}
	next := 0
	serve := func() {
		if err := s.ServeHTTP(responses[next], requests[next], nobody); err != nil {
			t.Fatal(err)
		}
		next++
	}
	serve() // the first finds out what the others know
	return int(testing.AllocsPerRun(runs, serve))
}
