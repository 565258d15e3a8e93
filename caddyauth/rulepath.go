// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// maxOwners bounds how many pages one file may belong to. No page has so many
// folders called static above it.
const maxOwners = 4

// wantedPath is the path that a request asks for, as rules look at it.
type wantedPath struct {
	path string
	// owners are the pages that load this path: /app is one of /app/ws. A rule
	// for a page is one for what it loads.
	owners  [maxOwners]string
	nOwners int
	// crowded says that there are more owners than are known here.
	crowded bool
}

func newWantedPath(path string) wantedPath {
	a := wantedPath{path: path}
	if page := endpoint(path); page != path {
		a.ownedBy(page)
	}
	for _, companion := range pageCompanions[1:] {
		if page, ok := strings.CutSuffix(path, companion); ok {
			a.ownedBy(page)
		}
	}
	const folder = "/static/"
	for i := 1; ; i++ { // at 0 it is the library's, and no page's
		next := strings.Index(path[min(i, len(path)):], folder)
		if next < 0 {
			return a
		}
		i += next
		a.ownedBy(path[:i])
	}
}

func (a *wantedPath) ownedBy(page string) {
	if a.nOwners == maxOwners {
		a.crowded = true
		return
	}
	if page == "" {
		page = "/"
	}
	a.owners[a.nOwners] = page
	a.nOwners++
}

// begins reports whether the path or one of its pages begins like this.
func (a *wantedPath) begins(head string) bool {
	return strings.HasPrefix(a.path, head) ||
		slices.ContainsFunc(a.pages(), func(page string) bool { return strings.HasPrefix(page, head) })
}

// pages are the pages that load this path.
func (a *wantedPath) pages() []string { return a.owners[:a.nOwners] }

// isLibrary reports whether a path is one of the files that every Panel page
// loads.
func isLibrary(path string) bool {
	return strings.HasPrefix(path, "/static/") || path == "/favicon.ico"
}

// isClear reports whether Caddy and any application read the same path out of a
// request, before and after rewriting. Needless percent-encoding of a letter is
// all that is let pass: whoever does not decode it sees no page at all.
func isClear(r *http.Request) bool {
	original := originalURL(r)
	return isClearURL(r.URL) && (original == r.URL || isClearURL(original))
}

func isClearURL(u *url.URL) bool {
	return isPlainPath(u.Path) && (u.RawPath == "" || !hasEncodedSlash(u.RawPath))
}

func hasEncodedSlash(raw string) bool {
	return strings.Contains(raw, "%2f") || strings.Contains(raw, "%2F")
}
