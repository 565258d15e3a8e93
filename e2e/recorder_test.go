// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
)

// recorder is an application of another framework, which remembers what it was
// asked.
type recorder struct {
	address string

	lock sync.Mutex
	seen []*http.Request
}

// notPanel starts a recorder.
func notPanel(t *testing.T) *recorder {
	t.Helper()
	r := &recorder{}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.address = strings.TrimPrefix(server.URL, "http://")
	return r
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.lock.Lock()
	r.seen = append(r.seen, request.Clone(request.Context()))
	r.lock.Unlock()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, "<!DOCTYPE html><title>An app</title><p>This is not Panel.</p>") // the test notices
}

// requests are those for pages; browsers ask for an icon as they like.
func (r *recorder) requests() []*http.Request {
	r.lock.Lock()
	defer r.lock.Unlock()
	var pages []*http.Request
	for _, request := range r.seen {
		if request.URL.Path != "/favicon.ico" {
			pages = append(pages, request)
		}
	}
	return pages
}

// last is the newest request.
func (r *recorder) last(t *testing.T) *http.Request {
	t.Helper()
	requests := r.requests()
	if len(requests) == 0 {
		t.Fatal("the app was not asked for anything")
	}
	return requests[len(requests)-1]
}

// with adds the cookies of a browser that are for the request's host.
func with(request *http.Request, cookies []*network.Cookie) *http.Request {
	for _, cookie := range cookies {
		if cookie.Domain == request.URL.Hostname() {
			request.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
		}
	}
	return request
}

// isOver checks that copies of a session's cookies are worth nothing.
func isOver(t *testing.T, url string, cookies []*network.Cookie) {
	t.Helper()
	if len(cookies) == 0 {
		t.Error("there was no session")
	}
	response := answer(t, with(navigation(t, url), cookies))
	if response.StatusCode != http.StatusFound || !strings.Contains(response.Header.Get("Location"), "/login?next=") {
		t.Errorf("a copy of the cookie gets %d to %q, want 302 to the login page", response.StatusCode, response.Header.Get("Location"))
	}
}
