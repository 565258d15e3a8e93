// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind says what went wrong in a way that a page can be chosen by. Its text
// is fixed and fit for a log field.
type Kind string

const (
	// KindDenied means that the visitor, or the provider's own rules, said no.
	KindDenied Kind = "denied"
	// KindState means that the answer does not belong to a sign-in that this
	// browser began.
	KindState Kind = "state_mismatch"
	// KindExpired means that the sign-in took too long, or its code was used
	// before.
	KindExpired Kind = "expired"
	// KindUnreachable means that the provider cannot be reached or says it is
	// out of order. Trying again later may help: 503.
	KindUnreachable Kind = "provider_unreachable"
	// KindMisbehaved means that the provider answered something that must not be
	// believed.
	KindMisbehaved Kind = "provider_misbehaved"
	// KindMisconfigured means that the provider refuses this client as it is
	// configured.
	KindMisconfigured Kind = "misconfigured"
	// KindMissingUser means that no claim gives a usable user name.
	KindMissingUser Kind = "missing_user"
	// KindUnverifiedEmail means that the user name is an e-mail address that the
	// provider says it has not verified.
	KindUnverifiedEmail Kind = "unverified_email"
	// KindNotAllowed means that the account is good, but not one of those asked
	// for, such as one of another Google domain.
	KindNotAllowed Kind = "not_allowed"
	// KindGroups means that the account's groups could not be learned. Signing
	// in without them could let somebody past a rule that keeps a group out.
	KindGroups Kind = "groups_unknown"
	// KindBadCredentials means that the user name or the password is wrong.
	KindBadCredentials Kind = "bad_credentials"
	// KindInvalidGrant means that the refresh token is no longer good. Ends the
	// session.
	KindInvalidGrant Kind = "invalid_grant"
	// KindIdentityChanged means that a renewal was about somebody else. Ends the
	// session.
	KindIdentityChanged Kind = "identity_changed"
)

// Error is every error of this package but those of New. Nothing in it is
// secret: Detail has been cleaned of tokens, codes and control characters and
// is short. It is for the log all the same, not for pages, since parts of it
// are the provider's words.
type Error struct {
	Kind   Kind
	Step   string // what was being done
	Code   string // the provider's error code, if it sent one
	Detail string

	cause error // only ever a sentinel of package context
}

// Error puts the parts together for the log.
func (e *Error) Error() string {
	parts := []string{e.Step}
	if e.Code != "" {
		parts = append(parts, e.Code)
	}
	if e.Detail != "" {
		parts = append(parts, e.Detail)
	}
	if advice := clientAdvice[e.Code]; advice != "" && e.Kind == KindMisconfigured {
		parts = append(parts, advice)
	}
	return strings.Join(parts, ": ")
}

const compareClient = "compare the client id and the client secret with those at the provider"

// clientAdvice says what to do about an error code of the provider that means
// that the client is not set up right.
var clientAdvice = map[string]string{
	"invalid_client":               compareClient,
	"incorrect_client_credentials": compareClient,
	"unauthorized_client":          "see at the provider whether this client may use the authorization code flow",
	"invalid_scope":                "compare scope with what this client may ask for at the provider",
	"redirect_uri_mismatch":        "register the redirect URI at the provider, letter by letter",
}

// Unwrap lets a caller find out that the visitor went away or time ran out.
func (e *Error) Unwrap() error { return e.cause }

// KindOf is the kind of an error of this package, and KindMisbehaved for any
// other: what is not understood is not excused.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return KindMisbehaved
}

// EndsSession tells the two failures of a renewal after which the session is
// over from all others, which never end one.
func EndsSession(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Kind == KindInvalidGrant || e.Kind == KindIdentityChanged)
}

func fail(kind Kind, step, detail string) *Error {
	return &Error{Kind: kind, Step: step, Detail: detail}
}

// failNetwork turns what the HTTP client said into an Error. Only the reason
// is kept: a URL may carry what the log must not have.
func failNetwork(step string, err error, secrets ...string) *Error {
	e := &Error{Kind: KindUnreachable, Step: step}
	if errors.Is(err, errBadAnswer) {
		e.Kind = KindMisbehaved
	}
	for _, sentinel := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, sentinel) {
			e.cause = sentinel
		}
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	e.Detail = clean(err.Error(), secrets...)
	return e
}

// Texts of providers are cut to these lengths, in bytes.
const (
	maxDetail    = 300
	maxCode      = 64
	minRedacted  = 4 // a shorter secret cannot be told from ordinary text
	cutIndicator = "…"
)

var jwtLike = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}[A-Za-z0-9_.-]*`)

// clean makes somebody else's text fit for the log: without the secrets that
// are known and without what looks like a token, on one line, and short.
func clean(s string, secrets ...string) string {
	s, ok := redact(s, secrets)
	if !ok {
		return ""
	}
	// Once more on what oneLine makes of it: a secret that was broken up by
	// invisible characters is whole again then.
	s, _ = redact(oneLine(s), secrets)
	return cut(jwtLike.ReplaceAllString(s, redacted), maxDetail)
}

// redact replaces the secrets in s. It reports false where one is so short
// that s had better not be shown at all.
func redact(s string, secrets []string) (string, bool) {
	var all []string
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		if len(secret) < minRedacted {
			return "", false
		}
		all = append(all, secret, url.QueryEscape(secret), url.PathEscape(secret))
	}
	// The longest first, so that no rest of it is left by a shorter one.
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	for _, secret := range all {
		s = strings.ReplaceAll(s, secret, redacted)
	}
	return s, true
}

func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsPrint(r) && r != utf8.RuneError:
			return r
		default:
			return -1
		}
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	end := limit
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + cutIndicator
}

// errorCode is a provider's error code if it looks like one. What does not
// could be anything, so nothing of it is kept.
func errorCode(s string) string {
	if len(s) > maxCode {
		return ""
	}
	for _, r := range s {
		if r != '_' && r != '-' && r != '.' && (r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)) {
			return ""
		}
	}
	return s
}
