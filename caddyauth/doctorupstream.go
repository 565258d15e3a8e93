// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"net"
	"strings"
	"time"
)

// doctorUpstream is a server behind reverse_proxy.
type doctorUpstream struct {
	dial string // resolved
	tls  bool
	host string // that it is shown, if reverse_proxy sets another
	site doctorSite
	// guard stands before it on every way that leads through its route; nil if
	// none does.
	guard *patient
	// besides are those that stand before it on some ways.
	besides []*patient
	// limited says that the route is for some paths alone.
	limited bool
}

// checkUpstream asks the application as Caddy would. It opens no page of Panel,
// since that runs the application's code.
func (p *patient) checkUpstream(ctx context.Context, r *report, d *doctor, u *doctorUpstream) {
	network, address, ok := u.dialable()
	if !ok {
		r.ok("not looked at: its address depends on the request")
		return
	}
	connection, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		r.fail("start the application, or compare its port with this address", "nothing answers there")
		return
	}
	_ = connection.Close()
	if u.tls {
		r.ok("answers; with TLS no more is looked at")
		return
	}
	b := newBackend(p, d, u, network, address)
	defer b.client.CloseIdleConnections()
	switch page, is := b.findPage(ctx); is {
	case panelPage:
		b.checkPanel(ctx, r, page)
		b.checkGuestPages(ctx, r, p.settings.guestEndpoints)
	case panelFails:
		r.fail("look into its log; with --basic-auth or --oauth-provider it needs a cookie secret, best in PANEL_COOKIE_SECRET",
			"it runs on Tornado as Panel does, and answers with an error of its own")
	case panelSignIn:
		b.reportOwnSignIn(r)
	default:
		r.ok("answers; it does not look like Panel, so no more is looked at")
	}
	checkReach(ctx, r, d, network, address)
}

// checkReach looks whether others get to the application without panelauth.
func checkReach(ctx context.Context, r *report, d *doctor, network, address string) {
	host, port, err := net.SplitHostPort(address)
	if network != "tcp" || err != nil || !isLoopback(host) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	for _, own := range d.ownAddresses() {
		connection, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(own.String(), port))
		if err != nil {
			continue
		}
		_ = connection.Close()
		r.warn("start it with --address localhost", "the application listens on %s, too, where panelauth does not guard it", own)
		return
	}
}

// dialable is the network and the address, or false where they depend on the
// request.
func (u *doctorUpstream) dialable() (network, address string, ok bool) {
	if path, isUnix := strings.CutPrefix(u.dial, "unix/"); isUnix {
		return "unix", path, path != ""
	}
	if strings.ContainsAny(u.dial, "{}") {
		return "", "", false
	}
	if _, _, err := net.SplitHostPort(u.dial); err != nil {
		return "", "", false
	}
	return "tcp", u.dial, true
}

func (u *doctorUpstream) reportWayAround(r *report, guard *patient) {
	switch {
	case len(u.besides) > 0:
		r.warn("leave the matcher out and open pages with oauth_guest_endpoints, if the application believes cookies or identity headers",
			"what the matcher of panelauth does not cover goes on as it came, with whatever a client says about who it is")
	case u.limited:
		r.warn("put panelauth before this reverse_proxy, too, and open the path with oauth_guest_endpoints",
			"some paths lead to %s without panelauth, which guards it at %s", u.dial, guard.where)
	default:
		r.fail("put panelauth before this reverse_proxy, too", "leads to %s without panelauth, which guards it at %s", u.dial, guard.where)
	}
}
