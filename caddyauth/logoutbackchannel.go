// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// backChannelTimeout is how long a provider is kept waiting.
const backChannelTimeout = 10 * time.Second

// serveBackChannel ends the sessions that a logout token names (OpenID Connect
// Back-Channel Logout 1.0). It comes from the provider itself, without cookies.
func (h *Handler) serveBackChannel(w http.ResponseWriter, r *http.Request, _ cookies) error {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		return writeJSON(w, http.StatusMethodNotAllowed, map[string]any{"error": "invalid_request"})
	}
	if h.mustWait(w, r) {
		return nil
	}
	form, status := readForm(w, r)
	if status != 0 || len(form["logout_token"]) != 1 {
		return h.refuseLogout(w, r, errors.New("it is no form with one logout_token"))
	}
	leave, ok := h.door.channels.enter(r.Context())
	if !ok {
		return h.logoutLater(w)
	}
	defer leave()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), backChannelTimeout)
	defer cancel()
	through, logout, err := h.verifyLogout(ctx, form.Get("logout_token"))
	switch {
	case err == nil:
		return h.endByToken(ctx, w, r, through, logout)
	case provider.KindOf(err) == provider.KindUnreachable:
		h.logger.Warn("logout token cannot be checked", zap.Error(err))
		return h.logoutLater(w)
	}
	return h.refuseLogout(w, r, err)
}

// verifyLogout asks the providers which of them a token is from. One that is
// away keeps no other from being asked; it may be the one, unless another says
// that the token is its own and bad.
func (h *Handler) verifyLogout(ctx context.Context, token string) (*way, *provider.Logout, error) {
	var bad, unreachable error
	for _, w := range h.ways {
		logout, err := w.VerifyLogoutToken(ctx, token)
		switch {
		case err == nil:
			return w, logout, nil
		case errors.Is(err, provider.ErrNotAddressed):
		case provider.KindOf(err) == provider.KindUnreachable:
			unreachable = cmp.Or(unreachable, err)
		default:
			bad = cmp.Or(bad, err)
		}
	}
	return nil, nil, cmp.Or(bad, unreachable, provider.ErrNotAddressed)
}

// endByToken ends the sessions of a token that is good, once.
func (h *Handler) endByToken(ctx context.Context, w http.ResponseWriter, r *http.Request, through *way, logout *provider.Logout) error {
	token := through.ID() + " " + logout.Issuer + " " + logout.TokenID
	if !h.door.channels.tokens.first(token, h.now()) {
		return h.refuseLogout(w, r, errors.New("it came before"))
	}
	who := session.Who{
		Issuer: logout.Issuer, Subject: logout.Subject, SID: logout.SID,
		Ways: h.waysOfClient(through),
		// Another instance knows nothing of the tokens that were used here, and
		// may be sent this one again after the user has come back.
		Until: logout.IssuedAt.Add(provider.ClockSkew),
	}
	h.door.sessions.Bar(who)
	_, err := h.door.endAll(ctx, who, everySession, h.endedIn(r, endedByBackChannel))
	if err != nil {
		h.door.channels.tokens.forget(token) // so that the provider may try again
		h.logUnavailable(r, err)
		return h.logoutLater(w)
	}
	noStore(w)
	w.WriteHeader(http.StatusOK)
	return nil
}

// refuseLogout answers a token that is not believed, with no reason: that is in
// the log.
func (h *Handler) refuseLogout(w http.ResponseWriter, r *http.Request, err error) error {
	h.cameToNothing(r)
	h.logger.Warn("logout token refused",
		zap.String("event", "logout_refused"),
		zap.String("client_ip", clientIP(r)),
		zap.Error(err))
	return writeJSON(w, http.StatusBadRequest, map[string]any{"error": "invalid_request"})
}

// logoutLater says that the sessions may not be over yet.
func (h *Handler) logoutLater(w http.ResponseWriter) error {
	setRetryAfter(w, unavailableFor)
	return writeJSON(w, http.StatusServiceUnavailable, map[string]any{"error": "temporarily_unavailable"})
}
