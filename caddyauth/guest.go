// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"net/url"
	"strings"
)

// guests knows which requests need no session.
type guests struct {
	everywhere bool
	pages      map[string]bool // exact paths, companions included
	trees      map[string]bool // path prefixes, with their last slash
}

// pageCompanions are what a Panel page loads from its own path, besides its
// static files.
var pageCompanions = []string{"/", "/ws", "/autoload.js", "/metadata"}

func newGuests(everywhere bool, endpoints []string) guests {
	g := guests{everywhere: everywhere, pages: make(map[string]bool), trees: make(map[string]bool)}
	for _, page := range endpoints {
		g.open(page)
	}
	if len(endpoints) > 0 {
		g.trees["/static/"] = true
		g.pages["/favicon.ico"] = true
	}
	return g
}

// open adds one endpoint: a tree, or a page with its companions.
func (g *guests) open(page string) {
	if root, isTree := strings.CutSuffix(page, "/*"); isTree {
		g.trees[root+"/"] = true
		g.pages[root] = root != ""
		return
	}
	g.pages[page] = true
	root := strings.TrimSuffix(page, "/")
	for _, companion := range pageCompanions {
		if companion == "/" && page != root {
			continue
		}
		g.pages[root+companion] = true
	}
	g.trees[root+"/static/"] = true
}

// allow reports whether a request may pass without a session. What Caddy and
// the application might read differently is nobody's guest page.
func (g *guests) allow(r *http.Request) bool {
	if !g.everywhere && len(g.pages) == 0 {
		return false
	}
	if !isPlain(r) {
		return false
	}
	return g.everywhere || g.covers(r.URL.Path)
}

func (g *guests) covers(path string) bool {
	if g.pages[path] {
		return true
	}
	for i := range len(path) {
		if path[i] == '/' && g.trees[path[:i+1]] {
			return true
		}
	}
	return false
}

// isPlain reports whether a request's path means the same to everybody who
// reads it: nothing in it is encoded without need, and nothing that is decoded
// changes where it leads. Rewriting must not have made it so either.
func isPlain(r *http.Request) bool {
	return isPlainURL(originalURL(r)) && isPlainURL(r.URL)
}

func isPlainURL(u *url.URL) bool {
	return isPlainPath(u.Path) && (u.RawPath == "" || isPlainlyEncoded(u.RawPath))
}

// isPlainlyEncoded reports whether a path is percent-encoded only where it has
// to be: for what RFC 3986 does not allow in a path as it is.
func isPlainlyEncoded(raw string) bool {
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c >= 0x80:
			return false
		case c == '%':
			decoded, err := url.PathUnescape(raw[i:min(i+3, len(raw))])
			if err != nil || decoded[0] < 0x80 && !strings.Contains(mustEncode, decoded) {
				return false
			}
			i += 2
		}
	}
	return true
}

// mustEncode is the ASCII that a path can only hold encoded, without what is
// never plain.
const mustEncode = " \"<>[]^`{|}"

func isPlainPath(path string) bool {
	// Windows reads ".. " as "..", and other servers trim, too.
	if !strings.HasPrefix(path, "/") || strings.Contains(path, "//") || hasDotSegment(strings.ReplaceAll(path, " ", "")) {
		return false
	}
	return !strings.ContainsFunc(path, func(c rune) bool {
		return hidesSomething(c) || strings.ContainsRune(";%?#", c)
	})
}
