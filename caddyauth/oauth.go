// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// toProvider sends the visitor to a provider.
func (h *Handler) toProvider(w http.ResponseWriter, r *http.Request, through *way, next string, cookies cookies) error {
	remember := r.URL.Query().Has(stayWith)
	begin := through.Begin
	if r.URL.Query().Has(another) {
		begin = through.BeginAnother
	}
	attempt, err := begin(r.Context(), h.redirectURI(r, through))
	if err != nil {
		return h.signInFailed(w, r, through, err, next)
	}
	if err := h.keepBegun(w, r, begunSignIn{Attempt: attempt, Next: next, Remember: remember}, cookies); err != nil {
		return err
	}
	redirect(w, attempt.URL, http.StatusFound)
	return nil
}

// isCallback reports whether a request brings a provider's answer: to the login
// endpoint, to a configured redirect URI, or to the root of the site, where
// applications that were registered for Panel have theirs. At the root only our
// own state makes it one, since an application may use these parameters too.
func (h *Handler) isCallback(r *http.Request, cookies cookies) bool {
	if len(h.ways) == 0 || r.Method != http.MethodGet || r.URL.RawQuery == "" || isWebsocket(r) {
		return false
	}
	query := r.URL.Query()
	state := query.Get("state")
	if !query.Has("code") && !query.Has("error") {
		return false
	}
	path := originalURL(r).Path
	switch {
	case endpoint(r.URL.Path) == h.settings.login:
		return true
	case state == "":
		return false
	case r.URL.Path == "/" || h.isRedirectPath(path):
		return h.hasBegun(r, state, cookies)
	}
	return false
}

// finishSignIn takes a provider's answer.
func (h *Handler) finishSignIn(w http.ResponseWriter, r *http.Request, cookies cookies) error {
	params := r.URL.Query()
	begun, through := h.takeBegun(w, r, params.Get("state"), cookies)
	if through == nil || h.isElsewhere(r, through) {
		return h.signInFailed(w, r, nil, errNotBegun, "")
	}
	next := h.afterSignIn(r, begun.Next)
	who, err := through.Finish(r.Context(), begun.Attempt, params)
	if err != nil {
		return h.signInFailed(w, r, through, err, next)
	}
	return h.welcome(w, r, newcomer{
		record:   h.providerRecord(through, who),
		next:     next,
		lifetime: h.lifetime(begun.Remember),
	}, cookies)
}

// isElsewhere reports an answer that came to the address of another provider: a
// provider that pretends to be another cannot choose where its own answers go
// (RFC 9700, section 4.4).
func (h *Handler) isElsewhere(r *http.Request, through *way) bool {
	path := endpoint(originalURL(r).Path)
	return h.answerPath(r, through) != path &&
		slices.ContainsFunc(h.ways, func(other *way) bool { return h.answerPath(r, other) == path })
}

// answerPath is where a provider's answers are expected.
func (h *Handler) answerPath(r *http.Request, through *way) string {
	return endpoint(cmp.Or(through.redirectPath, h.loginURL(r)))
}

// providerRecord is the session of somebody who signed in with a provider.
func (h *Handler) providerRecord(through *way, who *provider.Identity) session.Record {
	return session.Record{
		User:     who.User,
		Provider: through.ID(),
		Claims:   who.Claims,
		Proof:    session.Fingerprint(through.proofParts...),
		Issuer:   who.Issuer,
		Subject:  who.Subject,
		SID:      who.SID,
		Tokens:   fromProvider(who.Tokens),
	}
}
