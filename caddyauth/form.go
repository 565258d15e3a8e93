// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// wrongPassword is all that is ever said about an attempt, whatever was wrong
// with it.
const wrongPassword = string(provider.KindBadCredentials)

// credentials are what somebody typed into the form.
type credentials struct {
	user, password string
	next           string
	remember       bool
}

// signIn answers the form.
func (h *Handler) signIn(w http.ResponseWriter, r *http.Request, cookies cookies) error {
	if !h.hasForm() {
		w.Header().Set("Allow", "GET, HEAD")
		return h.refuse(w, r, http.StatusMethodNotAllowed, "method_not_allowed")
	}
	if isForeignForm(r) {
		h.reportFailure(r, h.passwordID(), "", "cross_origin")
		return h.refuse(w, r, http.StatusForbidden, "cross_origin")
	}
	typed, status := readCredentials(w, r)
	if status != 0 {
		return h.refuse(w, r, status, "bad_form")
	}
	typed.next = h.nextOf(r, typed.next, cookies)

	turn := h.turnToHash()
	defer turn.leave()
	attempt, wait, err := h.countAttempt(r, typed.user, turn)
	switch {
	case err != nil:
		return h.tooBusy(w, r, typed)
	case wait > 0:
		h.reportFailure(r, h.passwordID(), typed.user, "too_many_attempts")
		return h.tryLater(w, r, http.StatusTooManyRequests, "too_many_attempts", wait)
	}
	record, err := h.authenticate(r.Context(), typed, turn)
	switch {
	case errors.Is(err, errWrongPassword):
		h.reportFailure(r, h.passwordID(), typed.user, "wrong_credentials")
		return h.signInAgain(w, r, typed, cookies)
	case errors.Is(err, errBusy) || r.Context().Err() != nil:
		attempt.undo()
		return h.tooBusy(w, r, typed)
	case err != nil:
		attempt.undo()
		return h.signInFailed(w, r, h.passwordWay(), err, typed.next)
	}
	attempt.succeeded()
	return h.welcome(w, r, newcomer{record: record, next: typed.next, lifetime: h.lifetime(typed.remember)}, cookies)
}

func (h *Handler) tooBusy(w http.ResponseWriter, r *http.Request, typed credentials) error {
	h.reportFailure(r, h.passwordID(), typed.user, "busy")
	return h.refuse(w, r, http.StatusServiceUnavailable, "busy")
}

// errWrongPassword is an attempt that failed by its user name or password.
var errWrongPassword = errors.New("wrong user name or password")

// authenticate finds out whose password this is, here or by asking the provider
// that takes passwords.
func (h *Handler) authenticate(ctx context.Context, typed credentials, turn *turn) (session.Record, error) {
	if through := h.passwordWay(); through != nil {
		return h.askForPassword(ctx, through, typed)
	}
	proof, ok, err := h.checkPassword(ctx, typed, turn)
	if err != nil {
		return session.Record{}, err
	}
	if !ok {
		return session.Record{}, errWrongPassword
	}
	return session.Record{User: typed.user, Provider: passwordProvider, Proof: proof}, nil
}

func (h *Handler) askForPassword(ctx context.Context, through *way, typed credentials) (session.Record, error) {
	if typed.user == "" || typed.password == "" || len(typed.password) > maxPassword || len(typed.user) > maxUserName {
		return session.Record{}, errWrongPassword
	}
	who, err := through.Password(ctx, typed.user, typed.password)
	switch {
	case err == nil:
		return h.providerRecord(through, who), nil
	case provider.KindOf(err) == provider.KindBadCredentials:
		return session.Record{}, errWrongPassword
	}
	return session.Record{}, err
}

// lifetime is how long a session lasts, of somebody who asked to stay signed in
// or did not.
func (h *Handler) lifetime(remember bool) time.Duration {
	if remember && h.settings.remember > 0 {
		return h.settings.remember
	}
	return h.settings.lifetime
}

// readCredentials reads what somebody typed.
func readCredentials(w http.ResponseWriter, r *http.Request) (credentials, int) {
	form, status := readForm(w, r)
	if status != 0 {
		return credentials{}, status
	}
	if len(form["username"]) > 1 || len(form["password"]) > 1 {
		return credentials{}, http.StatusBadRequest
	}
	typed := credentials{
		user:     strings.TrimSpace(form.Get("username")), // phones type a space after a word
		password: form.Get("password"),
		next:     form.Get("next"),
		remember: form.Get("remember") != "",
	}
	if typed.next == "" {
		typed.next = r.URL.Query().Get("next")
	}
	return typed, 0
}

// checkPassword verifies a password, waiting for its turn if that takes
// hashing. The error says that too many others are waiting.
func (h *Handler) checkPassword(ctx context.Context, typed credentials, turn *turn) (proof []byte, ok bool, err error) {
	if h.credentialsFile != nil {
		h.credentialsFile.refresh()
	}
	accounts := h.accounts()
	if accounts == nil || len(typed.password) > maxPassword || len(typed.user) > maxUserName {
		return nil, false, nil
	}
	check := func() { proof, ok = accounts.signIn(typed.user, typed.password) }
	if accounts.effort.isFree() {
		check()
		return proof, ok, nil
	}
	err = turn.hash(ctx, check)
	return proof, ok, err
}

// signInAgain shows the form once more, with the user name kept.
func (h *Handler) signInAgain(w http.ResponseWriter, r *http.Request, typed credentials, cookies cookies) error {
	if !accepts(r, "text/html") && (accepts(r, "application/json") || !acceptsAnything(r)) {
		return writeJSON(w, http.StatusUnauthorized, map[string]any{"error": "invalid_credentials"})
	}
	page := h.signInPage(r, typed.next, cookies)
	page.Message = wrongPassword
	page.Username = shown(typed.user)
	page.AttemptsLeft, page.RetryAfter = h.attemptsLeft(typed.user, clientNetwork(r))
	return h.writePage(w, r, http.StatusUnauthorized, page)
}

// fewAttempts is from when on people are told how many they have left.
const fewAttempts = 2

// attemptsLeft is how often a name may still be tried from an address, if that
// is seldom, or how long to wait where it may not. Names count alike whether
// there is such a user or not, so that it tells nothing about that.
func (h *Handler) attemptsLeft(user, network string) (left int, wait time.Duration) {
	left, wait = h.door.attempts.left(user, network, h.settings.attempts, h.now())
	if left > fewAttempts {
		left = 0
	}
	return left, wait
}

// shown is a user name as it goes back into its field.
func shown(user string) string {
	if len(user) > maxUserName {
		return ""
	}
	return strings.ToValidUTF8(user, "")
}
