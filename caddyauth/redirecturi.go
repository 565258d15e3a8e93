// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/rewrite"
	"go.uber.org/zap"
)

// How long to wait for the servers to be there, and how often to look.
const (
	startPatience = 30 * time.Second
	startInterval = 100 * time.Millisecond
)

// announce says, once the servers run, which redirect URI to register with each
// provider, and what of the configuration is dangerous to run with. Which hosts a
// handler serves, and below which prefix, is only known then; and an example is
// good for being checked, but not for the world.
func (h *Handler) announce(ctx context.Context) {
	if len(h.ways) == 0 && h.settings.cookiePath == "/" && !h.hasGuessableSecret() {
		return
	}
	deadline := time.NewTimer(startPatience)
	defer deadline.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-deadline.C:
			h.announceFor(nil, "")
			return
		case <-time.After(startInterval):
		}
		if sites, prefix, found := runningSites(h); found {
			h.announceFor(sites, prefix)
			return
		}
	}
}

func (h *Handler) announceFor(sites []string, prefix string) {
	h.warnOfCookiePath(prefix)
	if h.hasGuessableSecret() {
		h.logger.Warn("cookie_secret stands in documentation or can be guessed, and whoever knows it can be anybody here: make one with `caddy panelauth secret`")
	}
	for _, w := range h.ways {
		if w.UsesPassword() {
			continue
		}
		log := h.logger.With(zap.String("provider", w.ID()))
		switch {
		case w.redirectURI != "":
			log.Info("register this redirect URI with the provider", zap.String("redirect_uri", w.redirectURI))
		case len(sites) == 0:
			log.Warn("the redirect URI follows the host of each request, and the site names no host: set oauth_redirect_uri",
				zap.String("redirect_uri", "https://<host>"+h.settings.login))
		}
		for _, site := range sites {
			if w.redirectURI == "" {
				log.Info("register this redirect URI with the provider", zap.String("redirect_uri", site+h.settings.login))
			}
		}
	}
}

func (h *Handler) hasGuessableSecret() bool {
	return slices.ContainsFunc(h.settings.secrets, isGuessable)
}

// warnOfCookiePath says if browsers keep the session cookie back at the logout
// endpoint.
func (h *Handler) warnOfCookiePath(prefix string) {
	path, logout := h.settings.cookiePath, prefix+h.settings.logout
	if strings.HasPrefix(logout+"/", strings.TrimSuffix(path, "/")+"/") {
		return
	}
	h.logger.Warn("logout_endpoint is outside cookie_path, so a logout cannot see the session that it should end",
		zap.String("logout_endpoint", logout),
		zap.String("cookie_path", path))
}

// runningSites finds a handler in the configuration that runs, and returns the
// addresses that lead to it, as far as their hosts are written there, and the
// prefix in them.
func runningSites(h *Handler) (sites []string, prefix string, found bool) {
	app, err := caddy.ActiveContext().AppIfConfigured("http")
	if err != nil {
		return nil, "", false
	}
	running, ok := app.(*caddyhttp.App)
	if !ok {
		return nil, "", false
	}
	for _, server := range running.Servers {
		found, ok := findHandler(h, server.Routes)
		if !ok {
			continue
		}
		scheme, port := addressOf(server)
		for _, host := range found.hosts {
			sites = append(sites, scheme+host+port+found.prefix)
		}
		return sites, found.prefix, true
	}
	return nil, "", false
}

// routePlace is where a handler stands among the routes.
type routePlace struct {
	hosts  []string // that the routes on the way to it ask for
	prefix string   // of the path, that handle_path or uri strip_prefix takes off before
}

func findHandler(h *Handler, routes caddyhttp.RouteList) (found routePlace, ok bool) {
	prefix := ""
	for _, route := range routes {
		for _, handler := range route.Handlers {
			switch next := handler.(type) {
			case *rewrite.Rewrite:
				prefix += next.StripPathPrefix
			case *Handler:
				ok = next == h
			case *caddyhttp.Subroute:
				found, ok = findHandler(h, next.Routes)
			}
			if ok {
				return routePlace{append(writtenHosts(route), found.hosts...), prefix + found.prefix}, true
			}
		}
	}
	return routePlace{}, false
}

func writtenHosts(route caddyhttp.Route) (hosts []string) {
	for _, set := range route.MatcherSets {
		for _, matcher := range set {
			if match, ok := matcher.(*caddyhttp.MatchHost); ok {
				hosts = append(hosts, *match...)
			}
		}
	}
	return hosts
}

// addressOf is where browsers reach a server, but for the host.
func addressOf(server *caddyhttp.Server) (scheme, port string) {
	if len(server.Listen) == 0 {
		return "https://", ""
	}
	listen, err := caddy.ParseNetworkAddress(server.Listen[0])
	if err != nil {
		return "https://", ""
	}
	scheme, usual := "https://", uint(443)
	if len(server.TLSConnPolicies) == 0 {
		scheme, usual = "http://", 80
	}
	if listen.StartPort == usual {
		return scheme, ""
	}
	return scheme, ":" + strconv.FormatUint(uint64(listen.StartPort), 10)
}

// redirectURI is where a provider sends people back to.
func (h *Handler) redirectURI(r *http.Request, through *way) string {
	if through.redirectURI != "" {
		return through.redirectURI
	}
	return origin(r) + h.loginURL(r)
}

// redirectPath is the path of a configured redirect URI, as requests have it.
func redirectPath(uri string) string {
	u, err := url.Parse(uri)
	if uri == "" || err != nil {
		return ""
	}
	return cmp.Or(u.Path, "/")
}

// isRedirectPath reports whether a provider has its redirect URI there.
func (h *Handler) isRedirectPath(path string) bool {
	return slices.ContainsFunc(h.ways, func(w *way) bool { return w.redirectPath == path })
}

func checkRedirectURI(uri string) error {
	if uri == "" {
		return nil
	}
	u, err := url.Parse(uri)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.Fragment != "" || u.RawQuery != "" {
		return errors.New("a redirect URI is an address such as https://app.example.com/login, without query or fragment")
	}
	return nil
}
