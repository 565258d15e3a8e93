// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"errors"
	"net/http"

	"go.uber.org/zap"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// The lines below are what fail2ban and people read: stable messages and
// fields, and never a password.

func (h *Handler) logLogin(r *http.Request, s *session.Session) {
	h.logger.Info("signed in",
		zap.String("event", "login"),
		zap.String("user_id", s.User),
		zap.String("client_ip", clientIP(r)),
		zap.String("provider", s.Provider))
}

func (h *Handler) logRefused(r *http.Request, user, reason string) {
	h.logger.Warn("sign-in failed",
		zap.String("event", "login_failed"),
		zap.String("user_id", user[:min(len(user), maxUserName)]),
		zap.String("client_ip", clientIP(r)),
		zap.String("provider", passwordProvider),
		zap.String("reason", reason))
}

func (h *Handler) logLogout(r *http.Request, s *session.Session, why ending) {
	h.logger.Info("signed out",
		zap.String("event", "logout"),
		zap.String("user_id", s.User),
		zap.String("client_ip", clientIP(r)),
		zap.String("provider", s.Provider),
		why.field())
}

// field is why a session ended, unless that is what signing out means.
func (e ending) field() zap.Field {
	if e == endedByLogout || e == endedBySignIn {
		return zap.Skip()
	}
	return zap.String("reason", string(e))
}

// logRevoked is logLogout for what no visitor and no provider asked for.
func (d *door) logRevoked(s *session.Session) {
	d.logger.Info("signed out",
		zap.String("event", "logout"),
		zap.String("user_id", s.User),
		zap.String("session_id", s.ID),
		zap.String("provider", s.Provider),
		endedByAdmin.field())
}

func (h *Handler) logUnavailable(r *http.Request, err error) {
	if errors.Is(err, session.ErrTooLarge) {
		h.logger.Error("session does not fit into cookies: use session_store storage", zap.String("client_ip", clientIP(r)))
		return
	}
	h.logger.Error("session store cannot be reached",
		zap.String("client_ip", clientIP(r)),
		zap.Error(err))
}
