// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
)

// ruleTarget is where a rule sends people to. It is on this site unless the
// rule itself writes another: nothing that a request brings along can name one.
type ruleTarget struct {
	origin string // of another site, or empty
	rest   string // path, query and fragment, with placeholders
}

var (
	errNoTarget       = errors.New("redirect needs a URL: a path on this site, or the whole address of another")
	errBadTarget      = errors.New("the URL of a redirect is a path that begins with one slash, or an address such as https://example.com/path")
	errTargetFollows  = errors.New("a redirect to another site must write its host and not a placeholder, which the request could choose")
	errTargetWithUser = errors.New("the URL of a redirect must not have a user name in it")
)

// newRuleTarget takes a URL apart. Placeholders that stand for the same at all
// times are resolved now, so that they may name a site.
func newRuleTarget(written string, repl *caddy.Replacer) (ruleTarget, error) {
	if written == "" {
		return ruleTarget{}, errNoTarget
	}
	resolved := repl.ReplaceKnown(written, "")
	if onSite := strings.HasPrefix(resolved, "/") && !strings.HasPrefix(resolved, "//"); onSite || strings.HasPrefix(resolved, "{") {
		return ruleTarget{rest: resolved}, nil
	}
	scheme, address, found := strings.Cut(resolved, "://")
	if !found || scheme != "https" && scheme != "http" {
		return ruleTarget{}, errBadTarget
	}
	end := strings.IndexAny(address, "/?#")
	if end < 0 {
		end = len(address)
	}
	host, rest := address[:end], address[end:]
	if strings.ContainsAny(host, "{}") {
		return ruleTarget{}, errTargetFollows
	}
	u, err := url.Parse(scheme + "://" + host)
	switch {
	case err != nil || u.Host == "" || strings.ContainsFunc(host, hidesSomething) || strings.Contains(host, " "):
		return ruleTarget{}, errBadTarget
	case u.User != nil:
		return ruleTarget{}, errTargetWithUser
	}
	return ruleTarget{origin: scheme + "://" + host, rest: rest}, nil
}

// ruleLocation is a target with its placeholders filled in for one request.
type ruleLocation struct {
	origin, rest string
	// path and query are those of rest, if it is on this site.
	path, query string
	prefix      string // that handle_path took off
}

// location fills in a target. What comes out is as safe as an address to return
// to after signing in, or nothing.
func (t ruleTarget) location(r *http.Request) (ruleLocation, bool) {
	rest := t.rest
	if strings.Contains(rest, "{") {
		repl, ok := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
		if !ok {
			return ruleLocation{}, false
		}
		rest = mergeSlashes(repl.ReplaceAll(rest, ""))
	}
	if !strings.HasPrefix(rest, "/") && t.origin != "" {
		rest = "/" + rest
	}
	safe, err := safeNext(rest)
	if err != nil {
		return ruleLocation{}, false
	}
	l := ruleLocation{origin: t.origin, rest: safe}
	address, err := url.Parse(safe)
	if err != nil {
		return ruleLocation{}, false
	}
	if t.origin == "" || isThisSite(t.origin, r) {
		l.path, l.query = address.Path, address.RawQuery
	}
	if t.origin == "" && strings.HasPrefix(t.rest, "/") {
		l.prefix = prefix(r)
	}
	return l, true
}

// mergeSlashes makes one slash of several in a path, as a placeholder with a
// path of its own leaves them behind.
func mergeSlashes(address string) string {
	path := pathOf(address)
	rest := address[len(path):]
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	return path + rest
}

func isThisSite(origin string, r *http.Request) bool {
	u, err := url.Parse(origin)
	return err == nil && sameHost(u, r)
}

// isOf reports whether a request is for this very location, or for what a page
// there loads.
func (l ruleLocation) isOf(q *question) bool {
	switch {
	case l.path == "":
		return false
	case slices.Contains(q.asked.pages(), endpoint(l.path)):
		return true
	}
	return endpoint(q.asked.path) == endpoint(l.path) && (l.query == "" || l.query == q.r.URL.RawQuery)
}

// address is what a browser is told. The sign-in page is told where to return.
func (l ruleLocation) address(h *Handler, q *question) string {
	address := l.origin + l.prefix + l.rest
	if l.origin != "" || endpoint(l.path) != h.settings.login || l.rest != l.path {
		return address
	}
	if q.r.Method != http.MethodGet && q.r.Method != http.MethodHead {
		return address
	}
	return address + "?next=" + url.QueryEscape(h.afterSignIn(q.r, requestNext(q.r)))
}

// goesInCircles reports whether a location is a sign-in that would bring
// somebody who is signed in straight back: a provider does not ask again.
func (h *Handler) goesInCircles(l ruleLocation, who *identity) bool {
	return !who.guest && l.path != "" && endpoint(l.path) == h.settings.login && h.onlyWay() != nil
}
