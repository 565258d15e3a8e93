// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"runtime"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// fullBrowser are the headers of a browser behind HTTPS, as they come on the
// wire for a page.
func fullBrowser(r *http.Request) {
	for name, value := range map[string]string{
		"Accept":                    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
		"Accept-Encoding":           "gzip, deflate, br, zstd",
		"Accept-Language":           "en-GB,en;q=0.9,de;q=0.8",
		"Cache-Control":             "max-age=0",
		"Connection":                "keep-alive",
		"Priority":                  "u=0, i",
		"Referer":                   "https://" + testHost + "/",
		"Sec-Fetch-Dest":            "document",
		"Sec-Fetch-Mode":            "navigate",
		"Sec-Fetch-Site":            "same-origin",
		"Sec-Fetch-User":            "?1",
		"Upgrade-Insecure-Requests": "1",
		"User-Agent":                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
	} {
		r.Header.Set(name, value)
	}
}

// discard is a response that nobody reads.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}

var nobody = caddyhttp.HandlerFunc(func(http.ResponseWriter, *http.Request) error { return nil })

// batch is how many requests are made ready at a time: enough that stopping
// the clock for it does not matter, few enough to stay in the cache.
const batch = 256

// heapAtWork is as much as a Caddy at work has on its heap. In the few MiB of a
// benchmark alone Go would be busy collecting the requests that are made ready.
const heapAtWork = 64 << 20

// repeated serves the same request again and again.
func repeated(b *testing.B, s *site, r *http.Request, user string) {
	b.Helper()
	s.serve(r.Clone(b.Context())).wantUser(user)
	onEach(b, func() *http.Request { return r }, func(w http.ResponseWriter, r *http.Request) {
		if err := s.ServeHTTP(w, r, nobody); err != nil {
			b.Fatal(err)
		}
	})
}

// onEach does something to one request after the other. What is done changes a
// request, so each is a new one, made while the clock is stopped, as Caddy's
// server makes it: the figures are those of what is done alone.
func onEach(b *testing.B, next func() *http.Request, do func(http.ResponseWriter, *http.Request)) {
	b.Helper()
	heap := make([]byte, heapAtWork)
	defer runtime.KeepAlive(heap)
	requests := make([]*http.Request, batch)
	responses := make([]*discard, batch)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%batch == 0 {
			b.StopTimer()
			for j := range batch {
				requests[j] = prepared(next().Clone(b.Context()))
				responses[j] = &discard{header: make(http.Header)}
			}
			b.StartTimer()
		}
		do(responses[i%batch], requests[i%batch])
	}
}

const foreignCookies = "_ga=GA1.1.1234567890.1790000000; theme=dark"

// BenchmarkServeHTTP is the whole check of a request, with nothing behind it.
func BenchmarkServeHTTP(b *testing.B) {
	b.Run("signed_in", func(b *testing.B) {
		s := newSite(b)
		repeated(b, s, get("/app?x=1", overTLS, fullBrowser, cookieLine(foreignCookies+"; "+s.signInAlice(overTLS))), testUser)
	})
	b.Run("signed_in_no_panel_cookies", func(b *testing.B) {
		s := newSite(b, noPanelCookies)
		repeated(b, s, get("/app?x=1", overTLS, fullBrowser, cookieLine(foreignCookies+"; "+s.signInAlice(overTLS))), testUser)
	})
	b.Run("guest", func(b *testing.B) {
		s := newSite(b, guestPages("/welcome", "/app"))
		repeated(b, s, get("/app?x=1", overTLS, fullBrowser, cookieLine(foreignCookies)), guestUser)
	})
	b.Run("redirect", func(b *testing.B) {
		s := newSite(b)
		repeated(b, s, get("/app?x=1", overTLS, fullBrowser, cookieLine(foreignCookies)), "")
	})
	// What costs more than the above, to know how much.
	b.Run("signed_in_identity_headers", func(b *testing.B) {
		s := newSite(b, accountsFile(newFile(b, "users.json", bobsFile)), identityHeaders)
		repeated(b, s, get("/app?x=1", overTLS, fullBrowser, cookieLine(foreignCookies+"; "+s.signIn("bob", "pw", overTLS))), "bob")
	})
	b.Run("signed_in_idle", func(b *testing.B) {
		s := newSite(b, idleLimit)
		repeated(b, s, get("/app?x=1", overTLS, fullBrowser, cookieLine(foreignCookies+"; "+s.signInAlice(overTLS))), testUser)
	})
	b.Run("signed_in_stateless", func(b *testing.B) {
		s := newSite(b, stateless)
		repeated(b, s, get("/app?x=1", overTLS, fullBrowser, cookieLine(foreignCookies+"; "+s.signInAlice(overTLS))), testUser)
	})
	b.Run("program", func(b *testing.B) {
		s := newSite(b, basicHeader)
		repeated(b, s, get("/app?x=1", overTLS, basic(testUser, testPassword)), testUser)
	})
	b.Run("forged_cookie", func(b *testing.B) {
		s := newSite(b)
		repeated(b, s, get("/app?x=1", overTLS, fullBrowser, cookieLine(foreignCookies+"; "+s.signInAlice(overTLS)+"A")), "")
	})
	b.Run("many_cookies", func(b *testing.B) {
		s := newSite(b)
		line := ""
		for range maxCookies - 1 {
			line += "__Host-panelauth=x;"
		}
		repeated(b, s, get("/app?x=1", overTLS, fullBrowser, cookieLine(line)), "")
	})
}
