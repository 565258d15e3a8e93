// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"errors"
	"net/http"
	"regexp"
	"slices"

	"go.uber.org/zap"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// Bearer lets programs in that show a JWT of one of the providers.
type Bearer struct {
	// The id of an `oauth_provider` that speaks OpenID Connect. Required.
	Provider string `json:"provider"`
	// Whom a token must be for: one of these must be among its audiences (`aud`
	// of RFC 7519). Default: the client id of the provider.
	Audience []string `json:"audience,omitempty"`
}

// bearer is a provider whose tokens are accepted.
type bearer struct {
	*way
	audiences  []string
	proofParts []string // what a program that is let in depends on
}

func (h *Handler) openBearers() {
	for _, s := range h.settings.bearers {
		through := h.way(s.Provider)
		audiences := s.Audience
		if len(audiences) == 0 {
			audiences = []string{through.ClientID()}
		}
		parts := slices.Concat([]string{"bearer", through.Name(), through.Authority()}, through.Conditions(), audiences)
		h.bearers = append(h.bearers, bearer{way: through, audiences: audiences, proofParts: parts})
	}
}

// bearerFor is the provider whose token a program showed, if such a token would
// be accepted today.
func (h *Handler) bearerFor(r *session.Record) *bearer {
	for i := range h.bearers {
		if session.MatchesFingerprint(r.Proof, h.bearers[i].proofParts...) {
			return &h.bearers[i]
		}
	}
	return nil
}

// token68 is what RFC 6750 allows as a token.
var token68 = regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`)

// checkBearer checks what follows "Bearer": an API key, or a token of one of the
// providers.
func (h *Handler) checkBearer(r *http.Request, value string) (*session.Record, error) {
	if !token68.MatchString(value) {
		return nil, errInvalidRequest
	}
	if isAPIKey(value) {
		return h.checkKey(r, bearerScheme, "", value)
	}
	wrong := unknownSecret{scheme: bearerScheme, reason: wrongTokenReason, err: provider.ErrNotAddressed}
	away := false
	for _, b := range h.bearers {
		who, err := b.VerifyBearer(r.Context(), value, b.audiences)
		switch {
		case err == nil:
			return b.record(who, value), nil
		case errors.Is(err, provider.ErrNotAddressed):
			continue
		case provider.KindOf(err) == provider.KindUnreachable:
			h.logger.Warn("provider cannot be asked for the keys that a token is checked with", zap.String("provider", b.ID()), zap.Error(err))
			away = true
			continue
		}
		wrong.provider, wrong.reason, wrong.err = b.ID(), string(provider.KindOf(err)), err
	}
	if away {
		return nil, &refusal{status: http.StatusServiceUnavailable, reason: "unavailable", wait: unavailableFor}
	}
	return nil, h.refuseSecret(r, wrong)
}

// record is what is known of a program by its token. Panel gets the token, too,
// if panel_cookies names access_token.
func (b bearer) record(who *provider.Bearer, token string) *session.Record {
	expires := who.Expires
	if expires.After(session.Never) {
		expires = session.Never
	}
	return &session.Record{
		User:     who.User,
		Provider: b.ID(),
		Claims:   who.Claims,
		Issuer:   who.Issuer,
		Subject:  who.Subject,
		Proof:    session.Fingerprint(b.proofParts...),
		Expires:  expires,
		Tokens:   &session.Tokens{Access: token, Type: string(bearerScheme), Expiry: expires},
	}
}

func (c *checker) bearers(h *Handler, s *settings) {
	const subdirective = "bearer"
	for i, written := range h.Bearer {
		before := len(c.mistakes)
		resolved := Bearer{Provider: c.text(subdirective, written.Provider), Audience: c.texts(subdirective, written.Audience)}
		c.bearer(resolved, s)
		s.bearers = append(s.bearers, resolved)
		for j := before; j < len(c.mistakes); j++ {
			c.mistakes[j].Entry = i
		}
	}
}

func (c *checker) bearer(b Bearer, s *settings) {
	const subdirective = "bearer"
	known := slices.IndexFunc(s.providers, func(p providerSettings) bool { return p.config.ID == b.Provider })
	switch {
	case len(c.mistakes) > 0: // which may be the reason for those below
	case b.Provider == "":
		c.wrong(subdirective, "needs the id of an oauth_provider")
	case known < 0:
		c.wrong(subdirective, "there is no oauth_provider with the id %q", b.Provider)
	case s.providers[known].issuer == "":
		c.wrong(subdirective, "the provider %q has no issuer, so there are no keys to check its tokens with: only oidc, and others that speak OpenID Connect, give out tokens for this", b.Provider)
	case slices.ContainsFunc(s.bearers, func(other Bearer) bool { return other.Provider == b.Provider }):
		c.wrong(subdirective, "the provider %q is there twice: give all audiences in one block", b.Provider)
	}
}
