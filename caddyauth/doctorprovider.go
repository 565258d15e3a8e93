// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
)

func (p *patient) providerChecks(d *doctor, s providerSettings) []check {
	where := p.where + ", " + s.config.ID
	checks := []check{{"provider", where, func(ctx context.Context, r *report) { p.checkProvider(ctx, r, d, s) }}}
	if s.config.Name != passwordProvider {
		checks = append(checks, check{"redirect URI", where, func(_ context.Context, r *report) { p.checkRedirectURI(r, s) }})
	}
	return checks
}

// checkProvider asks the provider for what a sign-in needs of it, and compares
// its clock with this machine's.
func (p *patient) checkProvider(ctx context.Context, r *report, d *doctor, s providerSettings) {
	clock := &clockReader{now: d.now}
	var heard warnings
	s.config.Logger = heard.logger()
	s.config.Timeout = d.patience
	s.config.WrapTransport = clock.wrap
	made, err := provider.New(s.config)
	if err != nil {
		r.fail("mend this line", "%v", err)
		return
	}
	for _, message := range heard.all() {
		r.warn("see docs/providers.md", "%s", message)
	}
	warned := len(r.findings)
	if err := made.Probe(ctx); err != nil {
		r.fail(adviceFor(err), "%v", err)
	}
	off, known := clock.off()
	switch {
	case !known:
	case off > clockSkew:
		r.fail("set this machine's clock, and keep it right with NTP", "this machine's clock differs from the provider's by %s, and a minute is allowed", off.Round(time.Second))
	case off > clockSkew/2:
		r.warn("set this machine's clock, and keep it right with NTP", "this machine's clock differs from the provider's by %s, and a minute is allowed", off.Round(time.Second))
	}
	if len(r.findings) == warned {
		r.ok("can be reached, and its clock agrees with this machine's")
	}
}

// clockSkew is what tokens are allowed.
const clockSkew = time.Minute

func adviceFor(err error) string {
	var known *provider.Error
	if errors.As(err, &known) && known.Kind == provider.KindMisbehaved {
		return "compare ISSUER, or the options that stand for it, with what the provider says: each character counts"
	}
	return "see whether this machine reaches the provider: name resolution, firewall, proxy, certificate authority"
}

// warnings collects what a provider warns of.
type warnings struct {
	mu       sync.Mutex
	messages []string
}

func (w *warnings) logger() *zap.Logger {
	core := zapcore.NewCore(zapcore.NewJSONEncoder(zapcore.EncoderConfig{}), zapcore.AddSync(io.Discard), zapcore.WarnLevel)
	return zap.New(core, zap.Hooks(func(entry zapcore.Entry) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.messages = append(w.messages, entry.Message)
		return nil
	}))
}

func (w *warnings) all() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.messages)
}

// clockReader compares the Date of answers with this machine's clock.
type clockReader struct {
	now func() time.Time

	mu    sync.Mutex
	seen  bool
	least time.Duration
}

func (c *clockReader) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripFunc(func(req *http.Request) (*http.Response, error) {
		asked := c.now()
		answer, err := next.RoundTrip(req)
		if err == nil {
			c.read(answer.Header.Get("Date"), asked, c.now())
		}
		return answer, err
	})
}

// read allows for the second that a Date is cut off to, and for the time on the
// way.
func (c *clockReader) read(written string, asked, answered time.Time) {
	date, err := http.ParseTime(written)
	if err != nil {
		return
	}
	off := max(asked.Sub(date.Add(time.Second)), date.Sub(answered), 0)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.seen || off < c.least {
		c.seen, c.least = true, off
	}
}

func (c *clockReader) off() (off time.Duration, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.least, c.seen
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

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
	if err == nil && u.Scheme == "http" && !isLoopbackHost(u.Hostname()) && !p.site.proxied {
		r.warn("serve the site with HTTPS", "most providers send people back to http:// on localhost alone")
	}
}
