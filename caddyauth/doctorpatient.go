// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// checks lists what there is to look at in one panelauth.
func (p *patient) checks(d *doctor) []check {
	at := func(name string, look func(context.Context, *report)) check { return check{name, p.where, look} }
	checks := []check{at("options", p.checkOptions), at("order", p.checkOrder)}
	if p.unread {
		return checks
	}
	checks = append(checks,
		at("cookies", p.checkCookies),
		at("secrets", p.checkSecrets),
		at("passwords", p.checkPasswords),
		at("files", func(_ context.Context, r *report) { p.checkFiles(r, d.file) }),
		at("guests", p.checkGuests),
		at("header sizes", p.checkHeaderSizes),
	)
	for _, s := range p.settings.providers {
		checks = append(checks, p.providerChecks(d, s)...)
	}
	seen := make(map[string]bool)
	for _, u := range p.upstreams {
		if !seen[u.dial] {
			checks = append(checks, check{"application", p.where + " to " + u.dial, func(ctx context.Context, r *report) { p.checkUpstream(ctx, r, d, u) }})
		}
		seen[u.dial] = true
	}
	return checks
}

// checkOptions says what keeps Caddy from starting. It speaks for this machine,
// its environment and its user: where those differ from Caddy's, so may this.
func (p *patient) checkOptions(_ context.Context, r *report) {
	if p.unread {
		r.fail("compare it with docs/reference.md, or let the adapter make it from a Caddyfile", "the JSON is not that of a panelauth")
		return
	}
	for _, m := range p.mistakes {
		advice := "mend this line"
		if m.Local {
			advice = "give the doctor the environment and the user that Caddy has, or mend this"
		}
		r.fail(advice, "%s", strings.ReplaceAll(joinMistakes([]Mistake{m}).Error(), "\n", "; "))
	}
	if len(p.mistakes) == 0 {
		r.ok("Caddy will take them")
	}
}

func (p *patient) checkOrder(_ context.Context, r *report) {
	switch {
	case p.behind != "":
		r.fail("put panelauth first, or leave out `route` and any `order` of your own", "%s stands before panelauth, which is never asked", p.behindOf())
	case len(p.upstreams) == 0:
		r.ok("no reverse_proxy is behind panelauth")
	default:
		r.ok("panelauth stands before reverse_proxy")
	}
}

// checkCookies compares what the session cookie says with where the site is.
func (p *patient) checkCookies(_ context.Context, r *report) {
	s := p.settings
	local := p.site.hosts != nil && !slices.ContainsFunc(p.site.hosts, func(host string) bool { return !isLoopbackHost(host) })
	switch {
	case p.site.secure || p.site.proxied:
	case s.cookieSameSite == http.SameSiteNoneMode:
		r.fail("serve the site with HTTPS, or take cookie_same_site out", "browsers refuse cookies with SameSite=None on a site without HTTPS")
	case local:
	case len(p.site.hosts) == 0:
		r.warn("give the site a host name, with which Caddy gets a certificate, unless it is for a try on this machine",
			"the site has no host name and no HTTPS: whoever is on the way can read passwords and cookies")
	default:
		r.warn("leave http:// out of the site's address, or name the proxy before Caddy in trusted_proxies if that has HTTPS",
			"the site has no HTTPS: whoever is on the way can read passwords and cookies")
	}
	p.checkCookieDomain(r)
	p.checkCookiePath(r)
	if len(r.findings) == 0 {
		r.ok("they fit the site's address")
	}
}

func (p *patient) checkCookieDomain(r *report) {
	domain := strings.ToLower(strings.TrimPrefix(p.settings.cookieDomain, "."))
	if domain == "" {
		return
	}
	if suffix, _ := publicsuffix.PublicSuffix(domain); suffix == domain {
		r.fail("write the site's own domain", "browsers refuse cookies for %s, which belongs to many", domain)
		return
	}
	for _, host := range p.site.hosts {
		host = strings.TrimPrefix(strings.ToLower(host), "*.")
		if strings.Contains(host, "{") || host == domain || strings.HasSuffix(host, "."+domain) && net.ParseIP(host) == nil {
			continue
		}
		r.fail("take cookie_domain out, or write a domain that the host is a part of",
			"browsers refuse a cookie of %s for %s, and nobody stays signed in", host, domain)
	}
}

// checkCookiePath wants the endpoints where the cookie is sent, as browsers see
// them: with the prefix that Caddy takes off.
func (p *patient) checkCookiePath(r *report) {
	path := strings.TrimSuffix(p.settings.cookiePath, "/")
	if path == "" {
		return
	}
	for _, endpoint := range []string{p.settings.login, p.settings.logout} {
		if !strings.HasPrefix(p.site.prefix+endpoint+"/", path+"/") {
			r.warn("take cookie_path out, or put the endpoint below it",
				"%s is outside of cookie_path %s, so that it never sees the session", p.site.prefix+endpoint, path)
		}
	}
}

// checkGuests looks at pages that are open and would not open.
func (p *patient) checkGuests(_ context.Context, r *report) {
	for _, page := range p.settings.guestEndpoints {
		page = strings.TrimSuffix(page, "/*")
		if prefix := p.site.prefix; prefix != "" && (page == prefix || strings.HasPrefix(page, prefix+"/")) {
			r.warn("write it without "+prefix, "%s is what browsers ask for: Caddy takes %s off before panelauth compares it", page, prefix)
		}
		if page == p.settings.login || page == p.settings.logout {
			r.warn("leave it out", "%s is an endpoint of panelauth, which is always open", page)
		}
	}
	switch {
	case len(r.findings) > 0:
	case p.handler.OAuthOptional:
		r.ok("every page is open to guests")
	case len(p.settings.guestEndpoints) == 0:
		r.ok("no page is open to guests")
	default:
		r.ok("open to guests: %s", strings.Join(p.settings.guestEndpoints, ", "))
	}
}

// Usual sizes of what a provider gives, in bytes. Tokens grow with groups.
const (
	usualTokenSize = 2 << 10
	headerLimit    = 8 << 10 // of nginx, gunicorn and many others, for all of a line
)

// checkHeaderSizes adds up what cookies would take.
func (p *patient) checkHeaderSizes(_ context.Context, r *report) {
	if len(p.settings.providers) == 0 {
		r.ok("small: there are no tokens of a provider")
		return
	}
	toApplication := 0
	if len(p.settings.secrets) > 0 {
		for _, name := range p.settings.panelCookies {
			toApplication += p.cookieSize(name)
		}
	}
	if toApplication > headerLimit {
		r.warn("name fewer in panel_cookies: most applications need user, id_token and access_token at most",
			"cookies for the application take about %d KiB with tokens of 2 KiB, and many servers allow 8 KiB", toApplication>>10)
	}
	if p.settings.stateless {
		stored := 0
		for _, name := range slices.Sorted(maps.Keys(p.keptTokens())) {
			stored += p.cookieSize(name)
		}
		if stored > headerLimit {
			r.warn("use session_store storage or redis", "session cookies take about %d KiB with tokens of 2 KiB, and a proxy in front of Caddy may allow 8 KiB", stored>>10)
		}
	}
	if len(r.findings) == 0 {
		r.ok("about %d KiB of cookies for the application, below the 8 KiB that every server allows", max(1, toApplication>>10))
	}
}

// keptTokens are the tokens that a session has to keep.
func (p *patient) keptTokens() map[string]bool {
	kept := map[string]bool{"id_token": true}
	if p.handler.OAuthRefreshTokens {
		kept["refresh_token"] = true
	}
	if p.handler.OAuthRefreshTokens || p.handler.TokenEndpoint || slices.Contains(p.settings.panelCookies, "access_token") {
		kept["access_token"] = true
	}
	return kept
}

// cookieSize is what a cookie takes: base64 makes four bytes of three, and
// encryption does so once more.
func (p *patient) cookieSize(name string) int {
	if name == "user" || name == "oauth_expiry" {
		return 200
	}
	size := usualTokenSize * 4 / 3
	if p.settings.panelEncrypted {
		size = size * 4 / 3
	}
	return size + 120
}

func countOf(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
