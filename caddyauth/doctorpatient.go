// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"strings"
)

// patient is a panelauth in the configuration.
type patient struct {
	handler  *Handler
	settings settings
	mistakes []Mistake
	unread   string // why its JSON is not that of a panelauth, or ""
	second   bool   // all that comes here has passed another
	site     doctorSite
	where    string
	// behind names the handler that answers before this one is asked.
	behind    string
	upstreams []*doctorUpstream
}

// checks lists what there is to look at in one panelauth.
func (p *patient) checks(d *doctor) []check {
	at := func(name string, look func(context.Context, *report)) check { return check{name, p.where, look} }
	checks := []check{at("options", p.checkOptions), at("order", p.checkOrder)}
	if p.unread != "" {
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
	if p.unread != "" {
		r.fail("compare it with docs/reference.md, or let the adapter make it from a Caddyfile", "the JSON is not that of a panelauth: %s", p.unread)
		return
	}
	for _, m := range p.mistakes {
		advice := "correct this in the configuration"
		if m.Local {
			advice = "run the doctor with the environment and as the user that Caddy has (--envfile reads a file of variables), or correct this"
		}
		r.fail(advice, "%s", strings.ReplaceAll(joinMistakes([]Mistake{m}).Error(), "\n", "; "))
	}
	if len(p.mistakes) == 0 {
		r.ok("Caddy will take them")
	}
}

func (p *patient) checkOrder(_ context.Context, r *report) {
	switch {
	case p.second:
		r.fail("keep one of the two, with both ways in, or give each a matcher and a login_endpoint of its own",
			"a request meets another panelauth before this one, and has to satisfy both: people are sent to sign in again and again")
	case p.behind != "":
		r.fail("put panelauth first, or leave out `route` and any `order` of your own", "%s stands before panelauth, which is never asked", p.behindOf())
	case len(p.upstreams) == 0:
		r.ok("no reverse_proxy is behind panelauth")
	default:
		r.ok("panelauth stands before reverse_proxy")
	}
}

// checkGuests looks for guest pages that no browser asks panelauth for: written
// with the prefix that Caddy takes off, or at our own endpoints.
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

// behindOf says in a Caddyfile's words what answers first.
func (p *patient) behindOf() string {
	return strings.Replace(p.behind, "static_response", "respond", 1)
}
