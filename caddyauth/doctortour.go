// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/caddyserver/caddy/v2"
)

// tour is a walk through all routes.
type tour struct {
	doctor    *doctor
	server    *doctorServer
	patients  []*patient
	upstreams []*doctorUpstream
	depth     int
}

// maxTourDepth bounds routes within routes, which invoke could make endless.
const maxTourDepth = 32

// passage is how a request has come to a route.
type passage struct {
	hosts    []string
	prefix   string
	limited  bool // by something else than a host
	guard    *patient
	besides  []*patient
	answered string
}

func (d *doctor) tour() *tour {
	t := &tour{doctor: d}
	servers := d.config.Apps.HTTP.Servers
	for _, name := range slices.Sorted(maps.Keys(servers)) {
		if t.server = servers[name]; t.server != nil {
			t.routes(t.server.Routes, passage{})
		}
	}
	return t
}

// routes walks through a list, and returns how requests come out of it.
func (t *tour) routes(list []doctorRoute, at passage) passage {
	if t.depth++; t.depth > maxTourDepth {
		return at
	}
	defer func() { t.depth-- }()
	group, before := "", at
	for _, route := range list {
		entry := at
		if route.Group != "" && route.Group == group {
			entry = before // of a group, a request goes through one
		} else {
			group, before = route.Group, at
		}
		exit := t.route(route, entry)
		switch {
		case route.Terminal:
		case len(route.Match) == 0:
			at = exit
		case exit.guard != entry.guard:
			at.besides = append(slices.Clone(at.besides), exit.guard)
		}
	}
	return at
}

func (t *tour) route(route doctorRoute, at passage) passage {
	for _, set := range route.Match {
		for matcher, raw := range set {
			var hosts []string
			if matcher == "host" && json.Unmarshal(raw, &hosts) == nil {
				at.hosts = append(slices.Clone(at.hosts), hosts...)
				continue
			}
			at.limited = true
		}
	}
	for _, raw := range route.Handle {
		at = t.handler(raw, at)
	}
	return at
}

func (t *tour) handler(raw json.RawMessage, at passage) passage {
	var h doctorHandler
	_ = json.Unmarshal(raw, &h) // other handlers may have keys of these names
	switch h.Handler {
	case "subroute":
		return t.routes(h.Routes, at)
	case "invoke":
		return t.routes([]doctorRoute{t.server.NamedRoutes[h.Name]}, at)
	case "rewrite":
		at.prefix += h.Prefix
	case "panelauth":
		at.guard = t.meet(raw, at)
	case "reverse_proxy":
		t.pass(h, at)
		at.answered = h.Handler
	case "static_response":
		at.answered = h.Handler
	}
	return at
}

// meet looks at a panelauth.
func (t *tour) meet(raw json.RawMessage, at passage) *patient {
	p := &patient{handler: new(Handler), site: t.doctor.config.site(t.server, at.hosts, at.prefix), behind: at.answered, second: at.guard != nil}
	var keys map[string]json.RawMessage
	if json.Unmarshal(raw, &keys) == nil {
		delete(keys, "handler")
		raw, _ = json.Marshal(keys)
	}
	p.unread = readStrictly(raw, p.handler)
	if p.unread == "" {
		p.settings, p.mistakes = p.handler.resolve(caddy.NewReplacer())
	}
	p.where = p.site.name()
	if login := p.settings.login; login != "" && login != DefaultLoginEndpoint {
		p.where += " (" + login + ")"
	}
	t.patients = append(t.patients, p)
	return p
}

// readStrictly reads JSON as Caddy does, which takes no unknown keys, and says
// why it cannot be read, without the values in it.
func readStrictly(raw json.RawMessage, h *Handler) string {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(h)
	var wrongType *json.UnmarshalTypeError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &wrongType):
		return fmt.Sprintf("%s must be a %s", wrongType.Field, wrongType.Type)
	}
	return err.Error()
}

// pass notes the upstreams of a reverse_proxy.
func (t *tour) pass(h doctorHandler, at passage) {
	host := ""
	if set := h.Headers.Request.Set["Host"]; len(set) > 0 {
		host = set[0]
	}
	for _, written := range h.Upstreams {
		u := &doctorUpstream{
			dial:    caddy.NewReplacer().ReplaceKnown(written.Dial, ""),
			tls:     len(h.Transport.TLS) > 0,
			host:    host,
			site:    t.doctor.config.site(t.server, at.hosts, at.prefix),
			guard:   at.guard,
			besides: at.besides,
			limited: at.limited,
		}
		t.upstreams = append(t.upstreams, u)
		for _, p := range append(slices.Clone(at.besides), at.guard) {
			if p != nil {
				p.upstreams = append(p.upstreams, u)
			}
		}
	}
}

// checks look for ways around panelauth.
func (t *tour) checks() (checks []check) {
	guarded := make(map[string]*patient)
	for _, u := range t.upstreams {
		for _, p := range append(slices.Clone(u.besides), u.guard) {
			if p != nil {
				guarded[u.dial] = p
			}
		}
	}
	seen := make(map[string]bool)
	for _, u := range t.upstreams {
		where := u.site.name() + " to " + u.dial
		if guarded[u.dial] == nil || seen[where] || u.guard != nil {
			continue
		}
		seen[where] = true
		checks = append(checks, check{"ways around", where, func(_ context.Context, r *report) { u.reportWayAround(r, guarded[u.dial]) }})
	}
	return checks
}
