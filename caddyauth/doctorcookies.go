// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// checkCookies compares what the session cookie says with where the site is.
func (p *patient) checkCookies(_ context.Context, r *report) {
	s := p.settings
	local := p.site.hosts != nil && !slices.ContainsFunc(p.site.hosts, func(host string) bool { return !isLoopback(host) })
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

// checkCookieDomain wants a domain that browsers take from the site's hosts.
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
