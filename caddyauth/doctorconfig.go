// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
)

// doctorConfig is as much of Caddy's configuration as the doctor looks at.
type doctorConfig struct {
	Admin *struct {
		Disabled bool   `json:"disabled"`
		Listen   string `json:"listen"`
	} `json:"admin"`
	Storage json.RawMessage `json:"storage"`
	Apps    struct {
		HTTP struct {
			HTTPPort  uint                     `json:"http_port"`
			HTTPSPort uint                     `json:"https_port"`
			Servers   map[string]*doctorServer `json:"servers"`
		} `json:"http"`
	} `json:"apps"`
}

type doctorServer struct {
	Listen         []string               `json:"listen"`
	Routes         []doctorRoute          `json:"routes"`
	NamedRoutes    map[string]doctorRoute `json:"named_routes"`
	TLS            []json.RawMessage      `json:"tls_connection_policies"`
	TrustedProxies json.RawMessage        `json:"trusted_proxies"`
	AutoHTTPS      struct {
		Disabled bool     `json:"disable"`
		Skip     []string `json:"skip"`
	} `json:"automatic_https"`
}

type doctorRoute struct {
	Group    string                       `json:"group"`
	Match    []map[string]json.RawMessage `json:"match"`
	Handle   []json.RawMessage            `json:"handle"`
	Terminal bool                         `json:"terminal"`
}

// doctorHandler is what the doctor knows of any handler.
type doctorHandler struct {
	Handler   string        `json:"handler"`
	Routes    []doctorRoute `json:"routes"`            // subroute
	Name      string        `json:"name"`              // invoke
	Prefix    string        `json:"strip_path_prefix"` // rewrite
	Upstreams []struct {
		Dial string `json:"dial"`
	} `json:"upstreams"` // reverse_proxy
	Transport struct {
		TLS json.RawMessage `json:"tls"`
	} `json:"transport"`
	Headers struct {
		Request struct {
			Set map[string][]string `json:"set"`
		} `json:"request"`
	} `json:"headers"`
}

// doctorSite is where browsers find what stands in a route.
type doctorSite struct {
	server  *doctorServer
	hosts   []string
	prefix  string
	secure  bool // browsers come with HTTPS, as far as Caddy sees
	port    uint
	usual   bool // the port is that of the scheme
	proxied bool // others may stand in front of Caddy
}

// origins are what browsers may have as the site's origin, as far as its hosts
// are written.
func (s doctorSite) origins() (origins []string) {
	scheme := "http://"
	if s.secure {
		scheme = "https://"
	}
	for _, host := range s.hosts {
		if strings.ContainsAny(host, "*{") {
			continue
		}
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		if !s.usual {
			host += ":" + strconv.FormatUint(uint64(s.port), 10)
		}
		origins = append(origins, scheme+host)
	}
	return origins
}

// name is how findings call the site.
func (s doctorSite) name() string {
	if origins := s.origins(); len(origins) > 0 {
		return origins[0] + s.prefix
	}
	return ":" + strconv.FormatUint(uint64(s.port), 10) + s.prefix
}

// site finds out how browsers reach a server by these hosts.
func (c *doctorConfig) site(server *doctorServer, hosts []string, prefix string) doctorSite {
	http, https := c.Apps.HTTP.HTTPPort, c.Apps.HTTP.HTTPSPort
	if http == 0 {
		http = 80
	}
	if https == 0 {
		https = 443
	}
	s := doctorSite{server: server, hosts: hosts, prefix: prefix, port: https, proxied: len(server.TrustedProxies) > 0}
	if len(server.Listen) > 0 {
		if listen, err := caddy.ParseNetworkAddress(server.Listen[0]); err == nil {
			s.port = listen.StartPort
		}
	}
	skipped := len(hosts) == 0 || !slices.ContainsFunc(hosts, func(host string) bool { return !slices.Contains(server.AutoHTTPS.Skip, host) })
	switch {
	case len(server.TLS) > 0 || s.port == https:
		s.secure = true
	case s.port != http && !server.AutoHTTPS.Disabled && !skipped:
		s.secure = true
	}
	s.usual = s.secure && s.port == 443 || !s.secure && s.port == 80
	return s
}
