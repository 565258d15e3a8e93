// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/url"
	"slices"
	"strings"
)

// checkRedirectURI wants people to come back to this site.
func (p *patient) checkRedirectURI(r *report, s providerSettings) {
	origins := p.site.origins()
	if s.redirectURI == "" {
		if len(origins) == 0 {
			r.warn("set oauth_redirect_uri", "it follows the host of each request, and the site names none")
			return
		}
		var uris []string
		for _, origin := range origins {
			uris = append(uris, origin+p.site.prefix+p.settings.login)
		}
		r.ok("register %s with the provider", strings.Join(uris, " and "))
		p.warnOfPlainReturn(r, origins[0])
		return
	}
	u, err := url.Parse(s.redirectURI)
	if err != nil {
		r.fail("write an address such as https://example.com/login", "it is not an address")
		return
	}
	p.compareRedirect(r, u)
	p.warnOfPlainReturn(r, s.redirectURI)
	if len(r.findings) == 0 {
		r.ok("register %s with the provider", u.Redacted())
	}
}

func (p *patient) compareRedirect(r *report, u *url.URL) {
	const advice = "write the address that browsers have for this site, in oauth_redirect_uri and at the provider"
	hosts := p.site.hosts
	matches := func(host string) bool {
		suffix, isWild := strings.CutPrefix(host, "*")
		return strings.EqualFold(host, u.Hostname()) || isWild && strings.HasSuffix(strings.ToLower(u.Hostname()), strings.ToLower(suffix)) || strings.Contains(host, "{")
	}
	if len(hosts) > 0 && !slices.ContainsFunc(hosts, matches) {
		r.fail(advice, "people would come back to %s, and this site is %s", u.Host, strings.Join(hosts, ", "))
		return
	}
	if p.site.proxied || len(hosts) == 0 {
		return // a proxy in front may have another scheme and port
	}
	if p.site.secure != (u.Scheme == "https") {
		r.fail(advice, "it begins with %s://, and browsers reach this site %s HTTPS", u.Scheme, withOrWithout(p.site.secure))
		return
	}
	if port := u.Port(); port != "" || !p.site.usual {
		if !slices.ContainsFunc(p.site.origins(), func(origin string) bool { return strings.HasSuffix(origin, "://"+strings.ToLower(u.Host)) }) {
			r.warn(advice+", unless a proxy in front of Caddy has another port", "its port is not the one that Caddy listens on for this site")
		}
	}
}

func withOrWithout(secure bool) string {
	if secure {
		return "with"
	}
	return "without"
}

// warnOfPlainReturn: codes that come back without HTTPS can be read on the way,
// and most providers refuse to send them so.
func (p *patient) warnOfPlainReturn(r *report, address string) {
	u, err := url.Parse(address)
	if err == nil && u.Scheme == "http" && !isLoopback(u.Hostname()) && !p.site.proxied {
		r.warn("serve the site with HTTPS", "most providers send people back to http:// on localhost alone")
	}
}
