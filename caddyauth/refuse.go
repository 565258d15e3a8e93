// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
	"github.com/panelauth/caddy-panelauth/templates"
)

// unavailableFor is when to try again what something out of order kept from
// being done.
const unavailableFor = 5 * time.Second

// askToSignIn answers a request without a session: people are led to sign in,
// programs are told.
func (h *Handler) askToSignIn(w http.ResponseWriter, r *http.Request, cookies cookies) error {
	if r.URL.Path == "*" && r.Method != http.MethodOptions { // "PRI *", which opens HTTP/2
		return h.refuse(w, r, http.StatusBadRequest, "bad_target")
	}
	metrics.unauthenticated.Inc()
	hurry(w, r)
	if !wantsPage(r) {
		return h.tellToSignIn(w, r)
	}
	h.clearUseless(w, r, cookies)
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		next := h.afterSignIn(r, requestNext(r))
		redirect(w, h.loginURL(r)+"?next="+url.QueryEscape(next), http.StatusFound)
		return nil
	}
	// A form that was sent after the session ended: its page is where to return.
	next := h.afterSignIn(r, h.refererNext(r))
	h.rememberNext(w, r, next)
	return h.writePage(w, r, http.StatusUnauthorized, h.signInPage(r, next, cookies))
}

// tellToSignIn is askToSignIn for programs.
func (h *Handler) tellToSignIn(w http.ResponseWriter, r *http.Request) error {
	h.challengeProgram(w, r)
	return writeJSON(w, http.StatusUnauthorized, map[string]any{"error": "unauthenticated", "login": h.loginURL(r)})
}

// refuse answers a request that goes nowhere, with a page or with JSON.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, status int, reason string) error {
	return h.tryLater(w, r, status, reason, 0)
}

// tryLater is refuse with a time after which it may be tried again.
func (h *Handler) tryLater(w http.ResponseWriter, r *http.Request, status int, reason string, wait time.Duration) error {
	if status == http.StatusServiceUnavailable && wait == 0 {
		wait = unavailableFor
	}
	setRetryAfter(w, wait)
	hurry(w, r)
	metrics.refusals.WithLabelValues(reason).Inc()
	if h.isFromProgram(r) || !wantsPage(r) && !accepts(r, "text/html") {
		return writeJSON(w, status, map[string]any{"error": reason})
	}
	page := h.page(r, templates.Trouble)
	page.RetryAfter = wait
	page.Reference = newReference()
	h.logger.Debug("request refused", zap.Int("status", status), zap.String("reason", reason), zap.String("reference", page.Reference))
	return h.writePage(w, r, status, page)
}

// newReference is a number by which a page and a log line find each other.
func newReference() string {
	var random [5]byte
	_, _ = rand.Read(random[:]) // never fails
	return hex.EncodeToString(random[:])
}

// unavailable answers a request for which the session store could not be asked,
// or told. The visitor may try again.
func (h *Handler) unavailable(w http.ResponseWriter, r *http.Request, err error) error {
	h.logUnavailable(r, err)
	return h.refuse(w, r, http.StatusServiceUnavailable, "unavailable")
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

func setRetryAfter(w http.ResponseWriter, wait time.Duration) {
	if wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	}
}
