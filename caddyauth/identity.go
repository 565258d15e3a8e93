// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// guestUser is what a visitor without a session is called, as in Panel.
const guestUser = "guest"

// passwordProvider names the way in of people who typed a password.
const passwordProvider = "password"

// identityVar is where a request keeps who makes it, for matchers and for a
// second panelauth on the same request.
const identityVar = "panelauth.identity"

// identity is who makes a request, with what that means for one handler. It is
// derived once from a session, and again when the accounts have changed.
type identity struct {
	handler  *Handler
	accounts *accounts        // the set that vouched for it
	session  *session.Session // nil for guests
	tokens   *session.Tokens  // as they were

	user     string
	provider string
	guest    bool
	claims   map[string]any // nil: those of the account

	userID  any                // user, boxed once for the replacer
	lookup  caddy.ReplacerFunc // finds claims, made once
	headers map[string]string  // identity headers, by canonical name
	token   string             // the claims as Panel's id_token holds them
	panel   atomic.Pointer[panelLine]

	lastDenied atomic.Int64 // in Unix nanoseconds
}

func (h *Handler) newIdentity(user, provider string, claims map[string]any) *identity {
	id := &identity{user: user, provider: provider, claims: claims}
	id.derive(h)
	return id
}

// derive fills in what follows from who somebody is.
func (id *identity) derive(h *Handler) {
	id.handler, id.guest, id.userID = h, id.provider == "", id.user
	id.lookup = func(key string) (any, bool) {
		name, ok := strings.CutPrefix(key, placeholderPrefix)
		if !ok {
			return nil, false
		}
		return id.placeholder(name)
	}
	id.headers = h.identityHeaders(id)
	if h.panel != nil {
		id.token = panelToken(id.allClaims())
	}
}

// newGuest is the identity of everybody who has not signed in.
func (h *Handler) newGuest() *identity {
	return h.newIdentity(guestUser, "", map[string]any{"user": guestUser, "username": guestUser})
}

// identityOf derives the identity of a session, or nil if this handler has no
// way in by which the session could be made today.
func (h *Handler) identityOf(s *session.Session) *identity {
	accounts := h.accounts()
	tokens := s.Tokens()
	known, ok := s.Memo.Load().(*identity)
	if ok && known.handler == h && known.accounts == accounts && known.tokens == tokens {
		return known
	}
	claims, ok := h.claimsOf(s, accounts)
	if !ok {
		return nil
	}
	id := &identity{accounts: accounts, session: s, tokens: tokens, user: s.User, provider: s.Provider, claims: claims}
	id.derive(h)
	s.Memo.Store(id)
	return id
}

// claimsOf returns what is known of the user of a session, if this handler has
// the way in that it was made by. They are nil if the account says what is known.
func (h *Handler) claimsOf(s *session.Session, accounts *accounts) (claims map[string]any, ok bool) {
	switch {
	case !h.vouches(s, accounts):
		return nil, false
	case h.wayFor(&s.Record) != nil, h.bearerFor(&s.Record) != nil:
		if claims = currentClaims(s); claims == nil {
			claims = make(map[string]any)
		}
		return claims, true
	}
	return nil, true
}

// vouchesFor reports whether this handler has a way in by which the session
// could be made today.
func (h *Handler) vouchesFor(s *session.Session) bool { return h.vouches(s, h.accounts()) }

func (h *Handler) vouches(s *session.Session, accounts *accounts) bool {
	return h.wayFor(&s.Record) != nil ||
		s.Provider == passwordProvider && accounts != nil && accounts.vouchFor(&s.Record) ||
		h.vouchesForProgram(s, accounts)
}

// isProgram reports an identity that a request shows by itself, without a
// session.
func (id *identity) isProgram() bool { return id.session != nil && id.session.IsPassing() }

// sessionBefore is the session that another handler before this one found,
// whose cookie it has taken out of the request.
func sessionBefore(r *http.Request, d *door) *session.Session {
	before, ok := caddyhttp.GetVar(r.Context(), identityVar).(*identity)
	if !ok || before.session == nil || before.handler.door != d || before.session.Over(before.handler.now()) {
		return nil
	}
	return before.session
}
