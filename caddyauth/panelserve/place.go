// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package panelserve

import (
	"errors"
	"net"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
)

// site is where people find the application.
type site struct {
	address string // as a Caddyfile has it
	host    string
	ports   []string // that Caddy listens on for it
}

// upstream is where Caddy finds Panel.
type upstream struct {
	address string // as reverse_proxy has it
	origin  string // that Panel accepts websockets from; empty: from any
	port    string // that Panel moves to; empty: it stays
}

// pages translates endpoints and templates.
func (t *translation) pages() {
	prefix := t.prefix()
	for _, name := range []string{"--login-endpoint", "--logout-endpoint"} {
		usual := "/" + strings.TrimSuffix(strings.TrimPrefix(name, "--"), "-endpoint")
		endpoint := usual
		if s, given := t.setting(name); given {
			t.refersTo(s.word)
			endpoint = "/" + strings.TrimPrefix(s.text, "/")
		}
		if endpoint = prefix + endpoint; endpoint != usual {
			t.say(subdirective(name), endpoint)
		}
	}
	for _, name := range []string{"--basic-login-template", "--logout-template", "--auth-template", "--oauth-error-template"} {
		t.sayText(name)
	}
}

// prefix is the path that everything of Panel's is below, without a slash at
// the end.
func (t *translation) prefix() string {
	s, given := t.setting("--prefix")
	if !given {
		return ""
	}
	t.refersTo(s.word)
	return strings.TrimSuffix(path.Join("/", s.text), "/")
}

const minSecret = 16 // bytes that panelauth wants of a cookie secret

// cookies translates the secret that panelauth and Panel share, and where the
// session cookie is sent.
func (t *translation) cookies() {
	const fromCaddy = "a new one: `caddy panelauth secret` prints it"
	written, given := t.setting("--cookie-secret")
	t.saySecret("--cookie-secret", "PANEL_COOKIE_SECRET", written)
	shared := &t.secrets[len(t.secrets)-1]
	if !given {
		shared.from = fromCaddy
	} else if len(written.variables) == 0 && len(written.text) < minSecret {
		shared.from = fromCaddy
		t.note("--cookie-secret: it is shorter than %d bytes, so make a new one", minSecret)
	}
	t.sayText("--cookie-path")
	if s, given := t.setting("--cookie-path"); given && strings.Trim(s.text, "/") != "" {
		t.note("--cookie-path: browsers send the session to what is below it alone. If the logout endpoint is elsewhere, it cannot end the session: leave cookie_path out, or put login_endpoint and logout_endpoint below it")
	}
}

// place finds where the site and Panel are.
func (t *translation) place() error {
	if s, given := t.setting("--root-path"); given {
		t.refersTo(s.word)
		t.strip = strings.TrimSuffix(path.Join("/", s.text), "/")
	}
	if err := t.findSite(); err != nil {
		return err
	}
	t.findUpstream()
	certificate, hasCertificate := t.setting("--ssl-certfile")
	key, hasKey := t.setting("--ssl-keyfile")
	if hasCertificate && hasKey {
		t.tls = []string{certificate.text, key.text}
	}
	if address, given := t.setting("--address"); given && !isLoopback(address.text) {
		t.note("--address: Panel listens on localhost alone from now on, so that nobody walks past the door")
	}
	if t.strip != "" {
		t.note("--root-path: the proxy that Panel was behind takes %s off the paths, and handle_path does it in its place. If that proxy stays in front of Caddy, take handle_path out", t.strip)
	}
	return nil
}

var siteAddress = regexp.MustCompile(`^(https?://)?([A-Za-z0-9*_.-]+|\[[0-9A-Fa-f:.]+\])?(:[0-9]{1,5})?$`)

func (t *translation) findSite() error {
	origins := t.origins()
	address := t.source.Domain
	if address == "" {
		address = t.redirectSite()
	}
	if address == "" {
		for _, origin := range origins {
			if !strings.Contains(origin, "*") && !isLoopback(hostOf(origin)) {
				address = siteOf(origin)
				break
			}
		}
	}
	if address == "" {
		address = ":8080"
		t.note("the site's address is not known: it is :8080, for a try. --domain example.com says another")
	}
	if !siteAddress.MatchString(address) {
		return errors.New("the site's address is not one such as example.com or http://localhost:8080")
	}
	t.site = newSite(address)
	t.mentionOrigins(origins)
	return nil
}

func newSite(address string) site {
	scheme, hostPort, hasScheme := strings.Cut(address, "://")
	if !hasScheme {
		scheme, hostPort = "", address
	}
	s := site{address: address, host: hostOf(hostPort), ports: []string{"80", "443"}}
	if _, port, err := net.SplitHostPort(hostPort); err == nil {
		s.ports = []string{port}
	} else if scheme == "http" {
		s.ports = []string{"80"}
	}
	return s
}

// redirectSite is the site that the provider sends people back to.
func (t *translation) redirectSite() string {
	written, given := t.setting("--oauth-redirect-uri")
	u, err := url.Parse(written.text)
	if !given || err != nil || len(written.variables) > 0 || u.Host == "" {
		return ""
	}
	if u.Scheme == "http" {
		return "http://" + u.Host
	}
	return strings.TrimSuffix(u.Host, ":443")
}

// origins are the hosts whose pages may open websockets.
func (t *translation) origins() (origins []string) {
	if value := t.variables["BOKEH_ALLOW_WS_ORIGIN"]; value != "" {
		t.leaving["BOKEH_ALLOW_WS_ORIGIN"] = true
		for origin := range strings.SplitSeq(value, ",") {
			origins = append(origins, strings.TrimSpace(origin))
		}
		return origins
	}
	values, _ := t.run.values("--allow-websocket-origin")
	for _, w := range values {
		if len(w.variables) == 0 {
			origins = append(origins, w.text)
		}
	}
	return origins
}

// siteOf is the site whose pages have an origin, which Bokeh writes without a
// scheme.
func siteOf(origin string) string {
	host := hostOf(origin)
	if net.ParseIP(host) != nil {
		return "http://" + origin
	}
	return strings.TrimSuffix(strings.TrimSuffix(origin, ":443"), ":80")
}

func (t *translation) mentionOrigins(origins []string) {
	for _, origin := range origins {
		switch host := hostOf(origin); {
		case origin == "*":
			t.note("--allow-websocket-origin *: pages of this site alone may open websockets from now on, and those of the sites in websocket_allowed_origins")
		case isLoopback(host) || host == t.site.host || !siteAddress.MatchString(origin):
		default:
			t.note("--allow-websocket-origin %s: if pages of that site open websockets here, add websocket_allowed_origins https://%s; if the application is found there too, add it to the site's addresses", origin, origin)
		}
	}
}

const usualPort = "5006"

func (t *translation) findUpstream() {
	if socket, given := t.setting("--unix-socket"); given {
		t.refersTo(socket.word)
		t.upstream = upstream{address: "unix/" + socket.text}
		return
	}
	port := usualPort
	if s, given := t.setting("--port"); given {
		t.refersTo(s.word)
		port = s.text
	}
	if port == "0" || slices.Contains(t.site.ports, port) {
		moved := usualPort
		if slices.Contains(t.site.ports, moved) {
			moved = "5007"
		}
		t.note("--port: Panel moves to %s, because Caddy listens on %s for the site", moved, port)
		port, t.upstream.port = moved, moved
	}
	t.upstream.address = "localhost:" + port
	t.upstream.origin = "http://localhost:" + port
	t.say("websocket_origin", t.upstream.origin)
}

func hostOf(hostPort string) string {
	if host, _, err := net.SplitHostPort(hostPort); err == nil {
		return host
	}
	return strings.Trim(hostPort, "[]")
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
