// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyfile

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/panelauth/caddy-panelauth/caddyauth"
)

// widened lets more requests through to a handler with a matcher than the
// matcher does; matcher sets are alternatives. A route without a matcher needs
// nothing.
//
// The handler's own endpoints: "panelauth /app/*" sends people to /login, which
// the handler must then answer.
//
// Ambiguous requests: Caddy takes /app/../x for /x, which the matcher leaves
// out, and passes it on as it came; the application may take it for a page of
// /app. It may also take the method post for POST.
func widened(h httpcaddyfile.Helper, handler *caddyauth.Handler, values []httpcaddyfile.ConfigValue) []httpcaddyfile.ConfigValue {
	for i, value := range values {
		route, isRoute := value.Value.(caddyhttp.Route)
		if !isRoute || len(route.MatcherSetsRaw) == 0 {
			continue
		}
		written := route.MatcherSetsRaw[0]
		endpoints := onSameHosts(written)
		endpoints["path"] = h.JSON(endpointPaths(handler))
		route.MatcherSetsRaw = append(route.MatcherSetsRaw, endpoints)
		if readings := ambiguousIn(written, string(h.JSON(written))); len(readings) > 0 {
			ambiguous := onSameHosts(written)
			ambiguous["vars_regexp"] = h.JSON(readings)
			route.MatcherSetsRaw = append(route.MatcherSetsRaw, ambiguous)
		}
		values[i].Value = route
	}
	return values
}

func endpointPaths(handler *caddyauth.Handler) caddyhttp.MatchPath {
	login := strings.TrimSuffix(cmp.Or(handler.LoginEndpoint, caddyauth.DefaultLoginEndpoint), "/")
	logout := strings.TrimSuffix(cmp.Or(handler.LogoutEndpoint, caddyauth.DefaultLogoutEndpoint), "/")
	paths := caddyhttp.MatchPath{login, login + "/*", logout, logout + "/*"}
	for _, path := range callbackPaths(handler) {
		if !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	return paths
}

// callbackPaths are the paths of redirect URIs, where they can be told before
// the configuration runs. The root of the site is left out: matching it would
// put a sign-in before a page that the matcher leaves alone.
func callbackPaths(handler *caddyauth.Handler) []string {
	written := []string{handler.OAuthRedirectURI}
	for _, provider := range handler.OAuthProvider {
		written = append(written, provider.RedirectURI)
	}
	var paths []string
	for _, uri := range written {
		u, err := url.Parse(uri)
		if err != nil || strings.ContainsAny(uri, "{}*%") || u.Path == "" || u.Path == "/" {
			continue
		}
		paths = append(paths, u.Path)
	}
	return paths
}

// onSameHosts is a matcher set that keeps to the hosts of another.
func onSameHosts(set caddy.ModuleMap) caddy.ModuleMap {
	hosts := make(caddy.ModuleMap)
	if host, ok := set["host"]; ok {
		hosts["host"] = host
	}
	return hosts
}

// judgesPaths reports whether a matcher set may tell requests apart by their
// paths.
func judgesPaths(set caddy.ModuleMap) bool {
	for _, matcher := range []string{"path", "path_regexp", "expression", "not", "file", "vars", "vars_regexp"} {
		if _, ok := set[matcher]; ok {
			return true
		}
	}
	return false
}

// ambiguousIn matches requests in which an application may read something else
// than Caddy does, in what a matcher set looks at. Any of its parts is enough.
func ambiguousIn(set caddy.ModuleMap, text string) caddyhttp.MatchVarsRE {
	all := make(caddyhttp.MatchVarsRE)
	if judgesPaths(set) {
		maps.Copy(all, ambiguousPath)
	}
	if strings.Contains(text, "method") {
		maps.Copy(all, ambiguousMethod)
	}
	if strings.Contains(text, "query") {
		maps.Copy(all, ambiguousQuery)
	}
	return all
}

// ambiguousPath matches what a request line can hide a path in, up to its
// query: empty and dot segments, parameters of segments, control characters, and
// what is encoded that would mean something else decoded.
var ambiguousPath = caddyhttp.MatchVarsRE{
	"{http.request.orig_uri}": {Pattern: `^[^?]*(//|/(%20)*\.(%20)*\.?(%20)*(/|\?|$)|[\\;#]|%([01][0-9a-fA-F]|2[35eEfF]|3[bBfF]|5[cC]|7[fF]|[cC][01]))`},
}

// ambiguousMethod matches methods in small letters, which some frameworks take
// for those in capitals, and headers by which others are told of another.
var ambiguousMethod = caddyhttp.MatchVarsRE{
	"{http.request.method}":                        {Pattern: `[a-z]`},
	"{http.request.header.X-HTTP-Method-Override}": {Pattern: `.`},
	"{http.request.header.X-HTTP-Method}":          {Pattern: `.`},
	"{http.request.header.X-Method-Override}":      {Pattern: `.`},
}

// ambiguousQuery matches queries in which Caddy's matchers find nothing: those
// with semicolons, and with percent signs that begin no byte.
var ambiguousQuery = caddyhttp.MatchVarsRE{
	"{http.request.orig_uri.query}": {Pattern: `;|%([^0-9a-fA-F]|.[^0-9a-fA-F]|.?$)`},
}
