// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"
)

// refusal is why a program is not let in, as it is told.
type refusal struct {
	status    int
	reason    string
	challenge string // for WWW-Authenticate
	wait      time.Duration
}

func (r *refusal) Error() string { return "refused: " + r.reason }

// What programs are told of how to say who they are, by RFC 7617 and RFC 6750.
// Nothing in it comes from a request.
const (
	basicChallenge     = `Basic realm="panelauth", charset="UTF-8"`
	bearerChallenge    = `Bearer realm="panelauth"` //nolint:gosec // the name of a scheme is no secret
	wrongTokenReason   = "invalid_token"
	wrongRequestReason = "invalid_request"
	wrongToken         = bearerChallenge + `, error="invalid_token", error_description="The token is not good here, or not any more"`
	wrongRequest       = bearerChallenge + `, error="invalid_request", error_description="The Authorization header must show one thing, and be well-formed"`
)

// errInvalidRequest refuses an Authorization header of which nobody can say what
// it shows.
var errInvalidRequest = &refusal{status: http.StatusBadRequest, reason: wrongRequestReason, challenge: wrongRequest}

// cannotIdentify answers a request of which it could not be said who makes it.
func (h *Handler) cannotIdentify(w http.ResponseWriter, r *http.Request, err error) error {
	if refused := (*refusal)(nil); errors.As(err, &refused) {
		return refuseProgram(w, r, refused)
	}
	return h.unavailable(w, r, err)
}

// cannotTell is cannotIdentify for endpoints that answer in JSON alone.
func (h *Handler) cannotTell(w http.ResponseWriter, r *http.Request, err error) error {
	if refused := (*refusal)(nil); errors.As(err, &refused) {
		return refuseProgram(w, r, refused)
	}
	h.logUnavailable(r, err)
	return refuseProgram(w, r, &refusal{status: http.StatusServiceUnavailable, reason: "unavailable", wait: unavailableFor})
}

func refuseProgram(w http.ResponseWriter, r *http.Request, refused *refusal) error {
	hurry(w, r)
	if refused.challenge != basicChallenge || !isBrowser(r) {
		addChallenge(w, refused.challenge)
	}
	setRetryAfter(w, refused.wait)
	metrics.refusals.WithLabelValues(refused.reason).Inc()
	return writeJSON(w, refused.status, map[string]any{"error": refused.reason})
}

func addChallenge(w http.ResponseWriter, challenge string) {
	if challenge != "" {
		w.Header().Add("WWW-Authenticate", challenge)
	}
}

// challengeProgram tells a program that shows nothing what it could show.
func (h *Handler) challengeProgram(w http.ResponseWriter, r *http.Request) {
	if accounts := h.accounts(); len(h.bearers) > 0 || accounts != nil && len(accounts.keys) > 0 {
		addChallenge(w, bearerChallenge)
	}
	if h.BasicAuthHeader && !isBrowser(r) {
		addChallenge(w, basicChallenge)
	}
}

// isBrowser reports whether a request comes from a browser, which would answer a
// Basic challenge with a dialog of its own, remember what is typed there, and
// from then on add it to what other sites ask for.
func isBrowser(r *http.Request) bool {
	for _, name := range []string{"Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest", "X-Requested-With", "Origin"} {
		if r.Header.Get(name) != "" {
			return true
		}
	}
	return strings.HasPrefix(r.Header.Get("User-Agent"), "Mozilla/") // without HTTPS it sends none of these
}

// isAmbient reports a request that another site had a browser make. Basic
// credentials may be such as the browser adds by itself, from an address
// https://user:password@… or since some dialog; a site that is listed in
// cors_preflight is trusted to send its own.
func (h *Handler) isAmbient(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return false
	}
	return !h.settings.preflightOrigins[strings.ToLower(r.Header.Get("Origin"))]
}

// unknownSecret is a token or a key that is not good here.
type unknownSecret struct {
	provider string
	user     string // if it is known whose it claims to be
	reason   string
	scheme   scheme
	err      error
}

// refuseSecret counts and logs a token or a key that is not good. Unlike a
// password it cannot be guessed, so that good ones are let in however many bad
// ones their network sends: the limit is for the log and for scripts that do
// not notice.
func (h *Handler) refuseSecret(r *http.Request, secret unknownSecret) *refusal {
	l := h.settings.attempts
	l.max *= addressFactor
	network, now := clientNetwork(r), h.now()
	if wait := h.door.secrets.wait(network, l, now); wait > 0 {
		return &refusal{status: http.StatusTooManyRequests, reason: "too_many_attempts", wait: wait}
	}
	h.door.secrets.fail(network, l, now)
	h.reportProgramRefused(r, secret)
	if secret.scheme == basicScheme {
		return errWrongBasic
	}
	return &refusal{status: http.StatusUnauthorized, reason: wrongTokenReason, challenge: wrongToken}
}

// reportProgramRefused is reportFailure for programs.
func (h *Handler) reportProgramRefused(r *http.Request, secret unknownSecret) {
	method := zap.String("method", strings.ToLower(string(secret.scheme)))
	h.reportFailure(r, secret.provider, secret.user, secret.reason, method, zap.Error(secret.err))
}
