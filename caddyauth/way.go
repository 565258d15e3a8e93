// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"slices"

	"go.uber.org/zap"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// way is a provider that people can sign in with.
type way struct {
	*provider.Provider

	calls        *providerCalls
	redirectURI  string   // as configured
	redirectPath string   // of that
	label        string   // the provider's name for people
	text         string   // of the button, where the operator chose it
	proofParts   []string // what a session made this way depends on
}

// way returns the provider of an id, or nil.
func (h *Handler) way(id string) *way {
	for _, w := range h.ways {
		if w.ID() == id {
			return w
		}
	}
	return nil
}

func newWay(ctx context.Context, s providerSettings, logger *zap.Logger) (*way, error) {
	s.config.Logger = logger
	calls, wrap := watchCalls(s.config.ID)
	s.config.WrapTransport = wrap
	p, err := provider.New(s.config)
	if err != nil {
		return nil, err
	}
	go p.Run(ctx)
	return &way{
		Provider:     p,
		calls:        calls,
		redirectURI:  s.redirectURI,
		redirectPath: redirectPath(s.redirectURI),
		label:        labelOf(s.label, p.Name(), p.ID()),
		text:         s.label,
		proofParts:   append([]string{"provider", p.Name(), p.Authority(), p.ClientID()}, p.Conditions()...),
	}, nil
}

// isClientOf reports whether a provider knows both as one client.
func (w *way) isClientOf(other *way) bool {
	return w.Authority() == other.Authority() && w.ClientID() == other.ClientID()
}

// passwordWay is the provider that takes the form's password, or nil.
func (h *Handler) passwordWay() *way {
	for _, w := range h.ways {
		if w.UsesPassword() {
			return w
		}
	}
	return nil
}

// passwordID is what the way in by the form is called.
func (h *Handler) passwordID() string {
	if through := h.passwordWay(); through != nil {
		return through.ID()
	}
	return passwordProvider
}

// onlyWay is the provider to go straight to, where there is nothing to choose.
func (h *Handler) onlyWay() *way {
	if len(h.ways) != 1 || h.hasForm() {
		return nil
	}
	return h.ways[0]
}

func (h *Handler) hasForm() bool {
	return h.accounts() != nil || h.passwordWay() != nil
}

// wayFor is the provider that a session was made with, if it could be made
// with it today.
func (h *Handler) wayFor(r *session.Record) *way {
	for _, w := range h.ways {
		if session.MatchesFingerprint(r.Proof, w.proofParts...) {
			return w
		}
	}
	return nil
}

// waysOfClient are what sessions were made with that were made with the client
// that a provider speaks to, here or by another handler that keeps them in the
// same place. Other clients of the same issuer are told for themselves.
func (h *Handler) waysOfClient(through *way) (ways [][]string) {
	for _, other := range append(h.door.all(), h) {
		for _, w := range other.ways {
			known := func(parts []string) bool { return slices.Equal(parts, w.proofParts) }
			if w.isClientOf(through) && !slices.ContainsFunc(ways, known) {
				ways = append(ways, w.proofParts)
			}
		}
	}
	return ways
}

// isOfClient reports whether a session was made with a client of this handler's,
// on whatever conditions.
func (h *Handler) isOfClient(r *session.Record) bool {
	return slices.ContainsFunc(h.ways, func(w *way) bool {
		return slices.ContainsFunc(h.waysOfClient(w), func(parts []string) bool { return session.MatchesFingerprint(r.Proof, parts...) })
	})
}
