// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package providertest

import (
	"net/http"
	"net/url"
	"strings"
)

// Knobs are the ways in which a server misbehaves. Their zero value is a
// provider that follows the specifications.
type Knobs struct {
	// Deny answers a sign-in with this error code.
	Deny string
	// Answer edits the parameters that a visitor comes back with.
	Answer func(url.Values)

	// Metadata edits the discovery document.
	Metadata func(map[string]any)

	// Alg signs ID tokens with RS256, PS256, ES256, ES384, EdDSA, HS256 (with
	// the client secret) or none. Default: RS256
	Alg string
	// Header edits the header of ID tokens, IDToken their claims, and Payload
	// the JSON that becomes of these. Logout tokens have claims of their own.
	Header      func(map[string]any)
	IDToken     func(map[string]any)
	LogoutToken func(map[string]any)
	Payload     func([]byte) []byte
	// SpoilSignature changes a bit of the signature.
	SpoilSignature bool
	// NoKeyID leaves kid out of tokens and of the key set.
	NoKeyID bool
	// MoreKeys puts further keys of the same kind before the real one.
	MoreKeys int
	// RotateBeforeSigning signs each ID token with a new key.
	RotateBeforeSigning bool
	// EditKeys edits the key set.
	EditKeys func([]map[string]any) []map[string]any

	// Tokens edits the answer of the token endpoint.
	Tokens func(map[string]any)
	// KeepRefreshToken hands out no new refresh token at a renewal.
	KeepRefreshToken bool
	// AccessToken makes access tokens JWTs, with these claims beside iss, sub,
	// exp and azp.
	AccessToken map[string]any

	// UserInfo edits the userinfo answer.
	UserInfo func(map[string]any)
	// SignUserInfo answers with a signed token, SpoilUserInfo with a bit of
	// its signature changed.
	SignUserInfo  bool
	SpoilUserInfo bool

	// Faults take the place of whole endpoints.
	Faults map[Endpoint]http.HandlerFunc
}

// Fault puts a fault in place, or takes it away where it is nil.
func (s *Server) Fault(e Endpoint, fault http.HandlerFunc) {
	s.Turn(func(k *Knobs) {
		if k.Faults == nil {
			k.Faults = map[Endpoint]http.HandlerFunc{}
		}
		k.Faults[e] = fault
	})
}

// Reply is a fault that always answers the same.
func Reply(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// HTML is a fault: the page of some proxy, with a success status.
func HTML() http.HandlerFunc {
	return Reply(http.StatusOK, "text/html; charset=utf-8", "<!doctype html><title>Please sign in to the hotel's network</title>")
}

// Unavailable is a fault: the server is there, but out of order.
func Unavailable() http.HandlerFunc {
	return Reply(http.StatusServiceUnavailable, "text/html", "<h1>503 Service Unavailable</h1>")
}

// Hang is a fault: no answer until the client gives up.
func Hang() http.HandlerFunc {
	return func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
}

// Redirect is a fault that sends the client elsewhere, with its body.
func Redirect(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, to, http.StatusTemporaryRedirect)
	}
}

// Huge is a fault: a valid JSON object of more than size bytes.
func Huge(size int) http.HandlerFunc {
	return Reply(http.StatusOK, "application/json", `{"x":"`+strings.Repeat("x", size)+`"}`)
}
