// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

const placeholderPrefix = "http.auth.user."

// setPlaceholders makes the visitor known to the rest of Caddy: access logs
// show http.auth.user.id as user_id, and every directive can use the claims.
func (id *identity) setPlaceholders(r *http.Request) {
	ctx := r.Context()
	repl, ok := ctx.Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	if !ok {
		return
	}
	before, ok := caddyhttp.GetVar(ctx, identityVar).(*identity)
	switch {
	case ok:
		id.overridePlaceholders(repl, before)
	case id.handler.rules != nil:
		repl.Map(id.revocable(ctx))
	default:
		repl.Map(id.lookup)
	}
	repl.Set("http.auth.user.id", id.userID)
	caddyhttp.SetVar(ctx, identityVar, id)
}

// overridePlaceholders puts the visitor in the place of the one that a handler
// before this one took them for.
func (id *identity) overridePlaceholders(repl *caddy.Replacer, before *identity) {
	repl.DeleteByPrefix(placeholderPrefix)
	for name := range before.allClaims() {
		repl.Set(placeholderPrefix+name, "")
	}
	for name, value := range id.allClaims() {
		repl.Set(placeholderPrefix+name, claimText(value))
	}
	repl.Set(placeholderPrefix+"user", id.user)
	repl.Set(placeholderPrefix+"provider", id.provider)
	repl.Set(placeholderPrefix+"guest", id.guest)
}

func (id *identity) placeholder(name string) (any, bool) {
	switch name {
	case "provider":
		return id.provider, true
	case "guest":
		return id.guest, true
	}
	value, ok := id.claim(name)
	return claimText(value), ok
}

// revocable finds claims for placeholders for as long as the rules let the
// visitor pass.
func (id *identity) revocable(ctx context.Context) caddy.ReplacerFunc {
	return func(key string) (any, bool) {
		if now, ok := caddyhttp.GetVar(ctx, identityVar).(*identity); !ok || now != id {
			return nil, false
		}
		return id.lookup(key)
	}
}

const candidatePrefix = "http.auth.candidate."

// setCandidate makes the visitor known to Caddy as somebody who was refused.
func (id *identity) setCandidate(r *http.Request) {
	caddyhttp.SetVar(r.Context(), identityVar, nil)
	repl, ok := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	if !ok {
		return
	}
	repl.DeleteByPrefix(placeholderPrefix)
	repl.Set(candidatePrefix+"id", id.userID)
	repl.Map(func(key string) (any, bool) {
		name, ok := strings.CutPrefix(key, candidatePrefix)
		if !ok {
			return nil, false
		}
		return id.placeholder(name)
	})
}
