// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/panelauth/caddy-panelauth/caddyauth/tornado"
)

// backend is an application behind panelauth, asked as Caddy does.
type backend struct {
	client *http.Client
	port   string
	host   string // as browsers ask for it
	origin string // of a page, as panelauth shows it
	cookie string // of a made-up user; empty if none are sent
	root   string // where the paths of the application begin
}

// doctorUser is nobody. Panel is shown the name and runs no code for it.
const doctorUser = "panelauth-doctor"

func newBackend(p *patient, d *doctor, u *doctorUpstream, network, address string) *backend {
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
		MaxResponseHeaderBytes: 64 << 10,
	}
	b := &backend{
		client: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		host: address,
		root: path.Dir(p.settings.login),
	}
	if network == "unix" {
		b.host = "localhost"
	} else {
		_, b.port, _ = net.SplitHostPort(address)
	}
	if origins := p.site.origins(); len(origins) > 0 {
		b.origin = origins[0]
		_, b.host, _ = strings.Cut(origins[0], "://")
	}
	if u.host != "" {
		b.host = strings.ReplaceAll(u.host, "{http.reverse_proxy.upstream.hostport}", address)
	}
	if shown := p.settings.websocketOrigin; shown != "" {
		b.origin = shown
	}
	if len(p.settings.secrets) > 0 && slices.Contains(p.settings.panelCookies, "user") {
		b.cookie = "user=" + tornado.Sign(p.settings.secrets[0], "user", doctorUser, d.now())
	}
	return b
}

// reply is what an application answers, as far as it is of interest.
type reply struct {
	status  int
	tornado bool
	from    *url.URL
	leads   *url.URL // nil: nowhere
	body    string   // its beginning
}

func (b *backend) get(ctx context.Context, path string, header http.Header) (reply, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://application"+path, nil)
	if err != nil {
		return reply{}, err
	}
	req.Host, req.Header = b.host, header
	answer, err := b.client.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 256<<10))
	r := reply{
		status:  answer.StatusCode,
		tornado: strings.HasPrefix(answer.Header.Get("Server"), "Tornado"),
		from:    req.URL,
		body:    string(body),
	}
	if leads, err := answer.Location(); err == nil {
		r.leads = leads
	}
	return r, err
}

// handshake is how a server answers who asks for a websocket.
type handshake int

const (
	handshakeNone    handshake = iota // there is none at this path
	handshakeWelcome                  // it would open
	handshakeRefused                  // Tornado knows the path and does not want this one
)

// shake asks for the websocket of a page in a version that there never was:
// Tornado looks at who asks and from where, says which versions it has, and
// opens nothing.
func (b *backend) shake(ctx context.Context, page, origin, cookie string) handshake {
	header := http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"websocket"},
		"Sec-Websocket-Version": {"12"}, "Sec-Websocket-Key": {"cGFuZWxhdXRoLWRvY3Rvcg=="},
	}
	if origin != "" {
		header.Set("Origin", origin)
	}
	if cookie != "" {
		header.Set("Cookie", cookie)
	}
	answer, err := b.get(ctx, strings.TrimSuffix(page, "/")+"/ws", header)
	switch {
	case err != nil || !answer.tornado:
	case answer.status == http.StatusUpgradeRequired:
		return handshakeWelcome
	case answer.status == http.StatusForbidden:
		return handshakeRefused
	}
	return handshakeNone
}

// What findPage finds.
const (
	notPanel = iota
	panelPage
	panelSignIn // Panel sends even panelauth's user to a sign-in page of its own
	panelFails  // the server answers with an error of its own
)

var pageLink = regexp.MustCompile(`href="(\.?/[A-Za-z0-9_./-]+)"`)

// findPage finds a page of a Panel server: the root, where it leads to, or the
// first that it lists. It does not open the root where that is a page.
func (b *backend) findPage(ctx context.Context) (page string, is int) {
	if b.isPage(ctx, b.root) {
		return b.root, panelPage
	}
	header := http.Header{}
	if b.cookie != "" {
		header.Set("Cookie", b.cookie)
	}
	answer, err := b.get(ctx, strings.TrimSuffix(b.root, "/")+"/", header)
	if err != nil || !answer.tornado {
		return "", notPanel
	}
	if answer.status >= http.StatusInternalServerError {
		return "", panelFails
	}
	var candidates []string
	if answer.leads != nil {
		if answer.leads.Query().Has("next") {
			return "", panelSignIn
		}
		candidates = append(candidates, answer.leads.Path)
	}
	for _, link := range pageLink.FindAllStringSubmatch(answer.body, 20) {
		if leads, err := answer.from.Parse(link[1]); err == nil {
			candidates = append(candidates, leads.Path)
		}
	}
	for _, candidate := range candidates {
		if strings.HasPrefix(candidate, "/") && b.isPage(ctx, candidate) {
			return candidate, panelPage
		}
	}
	return "", notPanel
}

func (b *backend) isPage(ctx context.Context, page string) bool {
	return b.shake(ctx, page, b.origin, b.cookie) != handshakeNone
}

// checkPanel finds out why Panel refuses a websocket, if it does: for where the
// page is from, or for who opens it.
func (b *backend) checkPanel(ctx context.Context, r *report, page string) {
	asConfigured := b.shake(ctx, page, b.origin, b.cookie)
	fromNowhere := b.shake(ctx, page, "", b.cookie)
	nobody := b.shake(ctx, page, "", "")
	if fromNowhere != handshakeWelcome {
		b.reportOwnSignIn(r)
		return
	}
	if asConfigured != handshakeWelcome {
		_, host, _ := strings.Cut(b.origin, "://")
		r.fail("set websocket_origin http://localhost:"+b.port+", or start Panel with --allow-websocket-origin "+host,
			"Panel refuses websockets from pages of %s: its pages stay empty", b.origin)
	}
	switch {
	case b.cookie == "":
		r.ok("Panel answers, and gets no user: cookie_secret is not configured, or panel_cookies leaves user out")
	case nobody != handshakeWelcome:
		r.ok("Panel accepts the cookies that panelauth signs, and asks others to sign in")
	default:
		r.ok("Panel answers. Whether it has the same cookie secret cannot be seen, because it asks nobody to sign in: start it with --basic-auth and a random password to have that looked at, too")
	}
}

// checkGuestPages looks for pages that are open to guests and that Panel does
// not have. Files and trees it cannot know.
func (b *backend) checkGuestPages(ctx context.Context, r *report, pages []string) {
	for _, page := range pages[:min(len(pages), maxGuestPages)] {
		if strings.HasSuffix(page, "/*") || path.Ext(page) != "" || b.isPage(ctx, page) {
			continue
		}
		r.warn("compare oauth_guest_endpoints with the addresses of Panel's pages", "Panel has no page at %s, which is open to guests: is it misspelt?", page)
	}
}

// maxGuestPages bounds how many are asked for.
const maxGuestPages = 20

// reportOwnSignIn says why Panel asks for another sign-in.
func (b *backend) reportOwnSignIn(r *report) {
	if b.cookie == "" {
		r.fail("configure the cookie_secret that Panel has, or start Panel without --basic-auth and --oauth-provider",
			"Panel asks people to sign in once more, and gets no cookies from panelauth")
		return
	}
	r.fail("give Panel the first cookie_secret, in PANEL_COOKIE_SECRET or as --cookie-secret",
		"Panel does not accept the cookies that panelauth signs: it has another secret")
}
