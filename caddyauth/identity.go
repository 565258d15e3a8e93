// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
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

// claim returns a claim by name; "user" is always the user.
func (id *identity) claim(name string) (any, bool) {
	if name == "user" {
		return id.userID, true
	}
	if id.claims == nil {
		return id.accounts.claim(id.user, name)
	}
	value, ok := id.claims[name]
	return value, ok
}

func (id *identity) allClaims() map[string]any {
	if id.claims == nil {
		return id.accounts.claims(id.user)
	}
	return id.claims
}

// sessionBefore is the session that another handler before this one found,
// whose cookie it has taken out of the request.
func sessionBefore(r *http.Request, d *door) *session.Session {
	before, ok := caddyhttp.GetVar(r.Context(), identityVar).(*identity)
	if !ok || before.session == nil || before.handler.door != d || before.session.Over(before.handler.now()) {
		return nil
	}
	return before.session
}

// setPlaceholders makes the visitor known to the rest of Caddy: access logs
// show http.auth.user.id as user_id, and every directive can use the claims.
func (id *identity) setPlaceholders(r *http.Request) {
	ctx := r.Context()
	repl, ok := ctx.Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	if !ok {
		return
	}
	before, ok := caddyhttp.GetVar(ctx, identityVar).(*identity)
	switch {
	case ok:
		id.overridePlaceholders(repl, before)
	case id.handler.rules != nil:
		repl.Map(id.revocable(ctx))
	default:
		repl.Map(id.lookup)
	}
	repl.Set("http.auth.user.id", id.userID)
	caddyhttp.SetVar(ctx, identityVar, id)
}

// overridePlaceholders puts the visitor in the place of the one that a handler
// before this one took them for.
func (id *identity) overridePlaceholders(repl *caddy.Replacer, before *identity) {
	repl.DeleteByPrefix(placeholderPrefix)
	for name := range before.allClaims() {
		repl.Set(placeholderPrefix+name, "")
	}
	for name, value := range id.allClaims() {
		repl.Set(placeholderPrefix+name, claimText(value))
	}
	repl.Set(placeholderPrefix+"user", id.user)
	repl.Set(placeholderPrefix+"provider", id.provider)
	repl.Set(placeholderPrefix+"guest", id.guest)
}

const placeholderPrefix = "http.auth.user."

func (id *identity) placeholder(name string) (any, bool) {
	switch name {
	case "provider":
		return id.provider, true
	case "guest":
		return id.guest, true
	}
	value, ok := id.claim(name)
	return claimText(value), ok
}

// identityHeaders are the headers that tell the application who is signed in.
// A claim that is missing sends none.
func (h *Handler) identityHeaders(id *identity) map[string]string {
	if len(h.settings.identityHeaders) == 0 {
		return nil
	}
	headers := make(map[string]string, len(h.settings.identityHeaders))
	for name, claim := range h.settings.identityHeaders {
		if id.guest && claim != "user" {
			continue
		}
		value, ok := id.claim(claim)
		if !ok || value == nil {
			continue
		}
		headers[name] = headerText(value)
	}
	return headers
}

// setHeaders gives each request values of its own, since handlers after this
// one may change them in place.
func (id *identity) setHeaders(r *http.Request) {
	values := make([]string, 0, len(id.headers))
	for name, value := range id.headers {
		values = append(values, value)
		r.Header[name] = values[len(values)-1 : len(values) : len(values)]
	}
}

// headerText is a claim as a header may carry it. A comma within a list's
// value is encoded so that it cannot make one value into two.
func headerText(value any) string {
	if list, ok := value.([]any); ok {
		parts := make([]string, len(list))
		for i, part := range list {
			parts[i] = strings.ReplaceAll(percentEncodeHeader(claimText(part)), ",", "%2C")
		}
		return strings.Join(parts, ",")
	}
	return percentEncodeHeader(claimText(value))
}

// claimText is a claim as text: lists joined with commas, objects as JSON.
func claimText(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case json.Number:
		return v.String()
	case []any:
		parts := make([]string, len(v))
		for i, part := range v {
			parts[i] = claimText(part)
		}
		return strings.Join(parts, ",")
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(encoded)
}

// literalPercent is a percent sign of the claim's own that would read as the
// beginning of an encoded byte.
var literalPercent = regexp.MustCompile(`%([0-9A-Fa-f]{2})`)

// percentEncodeHeader encodes control characters and what is not ASCII. A space
// within a value is legal in a header; one around it would be cut off.
func percentEncodeHeader(s string) string {
	s = literalPercent.ReplaceAllString(s, "%25$1")
	inner := strings.Trim(s, " ")
	start := strings.Index(s, inner)
	parts := strings.Split(inner, " ")
	for i, part := range parts {
		parts[i] = percentEncode(part)
	}
	return percentEncode(s[:start]) + strings.Join(parts, " ") + percentEncode(s[start+len(inner):])
}
