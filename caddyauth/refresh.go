// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// maySkipRenewal reports whether a session's tokens need nothing now.
func (h *Handler) maySkipRenewal(s *session.Session) bool {
	if !h.OAuthRefreshTokens {
		return true
	}
	due, ok := renewalDue(s)
	return !ok || h.now().Before(due)
}

// renewalDue is when a session's access token should be renewed, if it can be.
func renewalDue(s *session.Session) (due time.Time, ok bool) {
	tokens := s.Tokens()
	if tokens == nil || tokens.Refresh == "" || tokens.Expiry.IsZero() {
		return time.Time{}, false
	}
	return tokens.Expiry.Add(-session.RenewAhead), true
}

// renewTokens renews the tokens of a session that is about to be used: in the
// background while the old ones are good, before the request if they are not.
// It returns false if the provider says that the session is over; a provider
// that is away or slow ends none.
func (h *Handler) renewTokens(r *http.Request, s *session.Session) (ok bool) {
	through := h.wayFor(&s.Record)
	if through == nil {
		return true
	}
	if h.now().Before(s.Tokens().Expiry) {
		later := context.WithoutCancel(r.Context()) // taken now: the request changes as it is served
		h.door.renewals.once(s.ID, func() { h.renew(later, s, through) })
		return true
	}
	return h.renew(r.Context(), s, through)
}

// renew renews once for all who ask, on every instance. It returns false if the
// session is over.
func (h *Handler) renew(ctx context.Context, s *session.Session, through *way) (ok bool) {
	err := h.door.sessions.Renew(ctx, s, func(ctx context.Context, old session.Tokens) (session.Tokens, error) {
		tokens, claims, err := through.Refresh(ctx, toProvider(old), &provider.Identity{
			User:    s.User,
			Claims:  currentClaims(s),
			Tokens:  toProvider(old),
			Subject: s.Subject,
			Issuer:  s.Issuer,
			SID:     s.SID,
		})
		metrics.countRefresh(through, err)
		if err != nil {
			return session.Tokens{}, refused(err)
		}
		fresh := *fromProvider(tokens)
		fresh.Claims = claims // nil: the old ones stand
		return fresh, nil
	})
	switch {
	case err == nil:
		return true
	case errors.Is(err, session.ErrEnded):
		go h.revoke(context.WithoutCancel(ctx), through, *s.Tokens()) // they came after the logout had revoked the others
		return false
	case errors.Is(err, session.ErrBackoff):
		return true
	case errors.Is(err, context.Canceled):
		return true // nobody waits any more; the renewal itself goes on
	}
	h.logger.Warn("tokens cannot be renewed",
		zap.String("user_id", s.User),
		zap.String("provider", through.ID()),
		zap.String("reason", string(provider.KindOf(err))),
		zap.Error(err))
	if !provider.EndsSession(err) {
		return true
	}
	h.end(ctx, s, ending{reason: endedByProvider, handler: h})
	return false
}

// refused marks the one error of a provider that may mean that another instance
// was faster.
func refused(err error) error {
	if provider.KindOf(err) != provider.KindInvalidGrant {
		return err
	}
	return fmt.Errorf("%w: %w", session.ErrRefused, err)
}

// renewWhileOpen renews the tokens of a session for as long as a websocket of
// it is open, since nothing else may ask for them. Call stop when it closes.
func (h *Handler) renewWhileOpen(s *session.Session) (stop func()) {
	through := h.wayFor(&s.Record)
	if _, can := renewalDue(s); !can || through == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		for h.sleepUntilDue(ctx, s) && h.renew(ctx, s, through) {
		}
	}()
	return cancel
}

// retryRenewal is how long a websocket's renewal waits after one that failed.
const retryRenewal = 10 * time.Second

// sleepUntilDue waits until a renewal is due, and returns false if there will
// be none.
func (h *Handler) sleepUntilDue(ctx context.Context, s *session.Session) bool {
	due, ok := renewalDue(s)
	if !ok || s.Over(h.now()) {
		return false
	}
	wait := max(due.Sub(h.now()), retryRenewal)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return !s.Over(h.now())
	case <-ctx.Done():
		return false
	}
}

// currentClaims are the claims of a session as of its last renewal.
func currentClaims(s *session.Session) map[string]any {
	if tokens := s.Tokens(); tokens != nil && tokens.Claims != nil {
		return tokens.Claims
	}
	return s.Claims
}

func fromProvider(t provider.Tokens) *session.Tokens {
	return &session.Tokens{Access: t.Access, Refresh: t.Refresh, ID: t.ID, Type: t.Type, Expiry: t.Expiry}
}

func toProvider(t session.Tokens) provider.Tokens {
	return provider.Tokens{Access: t.Access, Refresh: t.Refresh, ID: t.ID, Type: t.Type, Expiry: t.Expiry}
}
