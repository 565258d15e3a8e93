// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/base64"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

var (
	errWrongBasic = &refusal{status: http.StatusUnauthorized, reason: "invalid_credentials", challenge: basicChallenge}
	errBasicBusy  = &refusal{status: http.StatusServiceUnavailable, reason: "busy", wait: unavailableFor}
)

// checkBasic checks a user name with a password as the form does, or with one of
// the user's API keys. Whoever has shown a right password is spared the rest for
// a moment, and so are the processors.
func (h *Handler) checkBasic(r *http.Request, value string) (*session.Record, error) {
	user, password, ok := decodeBasic(value)
	if !ok {
		return nil, errWrongBasic
	}
	if isAPIKey(password) {
		return h.checkKey(r, basicScheme, user, password)
	}
	wrong := unknownSecret{provider: passwordProvider, user: user, scheme: basicScheme}
	turn := h.turnToHash()
	defer turn.leave()
	attempt, wait, err := h.countAttempt(r, user, turn)
	switch {
	case err != nil:
		return nil, h.basicBusy(r, wrong)
	case wait > 0:
		wrong.reason = "too_many_attempts"
		h.reportProgramRefused(r, wrong)
		return nil, &refusal{status: http.StatusTooManyRequests, reason: wrong.reason, wait: wait}
	}
	proof, ok, err := h.checkPassword(r.Context(), credentials{user: user, password: password}, turn)
	switch {
	case err != nil:
		attempt.undo()
		return nil, h.basicBusy(r, wrong)
	case !ok:
		wrong.reason = "wrong_credentials"
		h.reportProgramRefused(r, wrong)
		return nil, errWrongBasic
	}
	attempt.succeeded()
	return &session.Record{User: user, Provider: passwordProvider, Proof: proof}, nil
}

func (h *Handler) basicBusy(r *http.Request, tried unknownSecret) error {
	tried.reason = "busy"
	h.reportProgramRefused(r, tried)
	return errBasicBusy
}

// decodeBasic reads what follows "Basic", strictly: RFC 7617 has one way to
// write it, and what programs read in two ways is none.
func decodeBasic(value string) (user, password string, ok bool) {
	decoded, err := base64.StdEncoding.Strict().DecodeString(value)
	if err != nil || !utf8.Valid(decoded) || strings.ContainsAny(value, "\r\n") { // base64 skips line ends, strict or not
		return "", "", false
	}
	return strings.Cut(string(decoded), ":")
}

func (c *checker) basicAuthHeader(h *Handler, _ *settings) {
	if h.BasicAuthHeader && h.BasicAuth == nil {
		c.wrong("basic_auth_header", "needs basic_auth: there is no password that a program could send")
	}
}
