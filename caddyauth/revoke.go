// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// revokeTimeout bounds what is done for a session that is over.
const revokeTimeout = 10 * time.Second

// revoke makes a refresh token useless, as well as it can.
func (h *Handler) revoke(ctx context.Context, through *way, tokens session.Tokens) {
	ctx, cancel := context.WithTimeout(ctx, revokeTimeout)
	defer cancel()
	if err := through.Revoke(ctx, toProvider(tokens)); err != nil {
		h.logger.Warn("refresh token could not be revoked", zap.String("provider", through.ID()), zap.Error(err))
	}
}

// revokeAll makes the refresh tokens of ended sessions useless, one after the
// other: there may be many, and nobody waits.
func (h *Handler) revokeAll(ctx context.Context, ended []*session.Session) {
	for _, s := range ended {
		through := h.wayFor(&s.Record)
		if through == nil || s.Tokens() == nil {
			continue
		}
		h.revoke(ctx, through, *s.Tokens())
	}
}

// revokeAll makes the refresh tokens of ended sessions useless, by the handlers
// whose providers gave them.
func (d *door) revokeAll(ctx context.Context, ended []*session.Session) {
	for _, s := range ended {
		for _, h := range d.all() {
			if h.wayFor(&s.Record) != nil {
				h.revokeAll(ctx, []*session.Session{s})
				break
			}
		}
	}
}
