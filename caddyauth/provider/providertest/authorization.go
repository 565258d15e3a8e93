// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package providertest

import (
	"crypto/rand"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// grant is what somebody agreed to.
type grant struct {
	user        User
	scopes      []string
	nonce       string
	challenge   string
	redirectURI string
	authTime    time.Time
	query       url.Values // of the request for authorization
	used        bool       // a code, or a refresh token that was replaced
	kind        string
}

func (g *grant) has(scope string) bool { return slices.Contains(g.scopes, scope) }

// authorize agrees at once and sends the visitor back.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	q, k := r.URL.Query(), s.turned()
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || !back.IsAbs() || q.Get("client_id") != s.ClientID {
		http.Error(w, "unknown client or redirect URI", http.StatusBadRequest)
		return
	}
	params := url.Values{"state": {q.Get("state")}}
	if code := s.wrongRequest(q, k); code != "" {
		params.Set("error", code)
		params.Set("error_description", "the request was refused: "+code)
	} else {
		params.Set("code", s.issue("code", s.newGrant(q)))
	}
	if k.Answer != nil {
		k.Answer(params)
	}
	query := back.Query()
	maps.Copy(query, params)
	back.RawQuery = query.Encode()
	sendTo(w, back.String())
}

func (s *Server) wrongRequest(q url.Values, k Knobs) string {
	if k.Deny != "" {
		return k.Deny
	}
	if q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 {
		return "invalid_request"
	}
	if s.shape.scope == nil {
		return ""
	}
	for _, scope := range strings.Fields(q.Get("scope")) {
		if !s.shape.scope(scope) {
			return "invalid_scope"
		}
	}
	return ""
}

func (s *Server) newGrant(q url.Values) *grant {
	return &grant{
		user:        s.find(q.Get("login_hint")),
		scopes:      strings.Fields(q.Get("scope")),
		nonce:       q.Get("nonce"),
		challenge:   q.Get("code_challenge"),
		redirectURI: q.Get("redirect_uri"),
		authTime:    s.Now(),
		query:       q,
	}
}

func (s *Server) find(hint string) User {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range s.users {
		if hint == u.Login || hint == u.Email {
			return u
		}
	}
	return s.users[0]
}

// issue hands out a code or token for a grant.
func (s *Server) issue(kind string, g *grant) string {
	text := kind + "-" + rand.Text()
	own := *g
	own.used, own.kind = false, kind
	s.mu.Lock()
	defer s.mu.Unlock()
	s.grants[text] = &own
	return text
}

// redeem finds the grant of a code or token, once if it is to be used up.
func (s *Server) redeem(text, kind string, once bool) *grant {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.grants[text]
	if g == nil || g.kind != kind || g.used {
		return nil
	}
	g.used = once
	return g
}

// Forget makes all codes and tokens invalid.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.grants = map[string]*grant{}
}
