// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
)

func init() {
	caddy.RegisterModule(MatchUser{})
	caddy.RegisterModule(MatchGroup{})
	caddy.RegisterModule(MatchClaim{})
	caddy.RegisterModule(MatchGuest{})
}

// identityMatcher is a matcher that asks for nothing but who makes a request.
// It knows no errors, and matches nothing where panelauth has not let anybody
// in.
type identityMatcher interface {
	matches(*identity) bool
	// needed are values of claims. Who has none of those of a claim is not
	// matched.
	needed() map[string][]string
}

// matchesVisitor asks an identityMatcher about the one that panelauth has let
// in, if any.
func matchesVisitor(m identityMatcher, r *http.Request) (bool, error) {
	who, ok := caddyhttp.GetVar(r.Context(), identityVar).(*identity)
	return ok && who != nil && m.matches(who), nil
}

// MatchUser matches requests of the users with these names, as the handler
// panelauth found them. Upper and lower case differ. A guest is no user.
//
// In expressions: auth_user('alice', 'bob').
type MatchUser []string

// CaddyModule returns the Caddy module information.
func (MatchUser) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.matchers.auth_user", New: func() caddy.Module { return new(MatchUser) }}
}

// Provision resolves placeholders.
func (m MatchUser) Provision(ctx caddy.Context) error {
	if slices.Contains(m, guestUser) {
		ctx.Logger().Warn("nobody who signs in is called guest: use auth_guest", zap.String("matcher", "auth_user"))
	}
	return resolveAll(m)
}

// MatchWithError implements caddyhttp.RequestMatcherWithError.
func (m MatchUser) MatchWithError(r *http.Request) (bool, error) { return matchesVisitor(m, r) }

func (m MatchUser) matches(who *identity) bool { return !who.guest && slices.Contains(m, who.user) }

// UnmarshalCaddyfile reads
//
//	auth_user <name...>
func (m *MatchUser) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	names, err := matcherArguments(d, "one or more user names")
	*m = append(*m, names...)
	return err
}

// CELLibrary implements caddyhttp.CELLibraryProducer.
func (MatchUser) CELLibrary(caddy.Context) (cel.Library, error) {
	return celMatcher("auth_user", func(names []string) (caddyhttp.RequestMatcherWithError, error) {
		return MatchUser(names), nil
	})
}

// MatchGroup matches requests of users who are in any of these groups by their
// claim "groups".
//
// In expressions: auth_group('admins').
type MatchGroup []string

// CaddyModule returns the Caddy module information.
func (MatchGroup) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.matchers.auth_group", New: func() caddy.Module { return new(MatchGroup) }}
}

// Provision resolves placeholders.
func (m MatchGroup) Provision(caddy.Context) error { return resolveAll(m) }

// MatchWithError implements caddyhttp.RequestMatcherWithError.
func (m MatchGroup) MatchWithError(r *http.Request) (bool, error) { return matchesVisitor(m, r) }

func (m MatchGroup) matches(who *identity) bool {
	return who.hasClaim("groups", func(group string) bool { return slices.Contains(m, group) })
}

// UnmarshalCaddyfile reads
//
//	auth_group <name...>
func (m *MatchGroup) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	names, err := matcherArguments(d, "one or more groups")
	*m = append(*m, names...)
	return err
}

// CELLibrary implements caddyhttp.CELLibraryProducer.
func (MatchGroup) CELLibrary(caddy.Context) (cel.Library, error) {
	return celMatcher("auth_group", func(names []string) (caddyhttp.RequestMatcherWithError, error) {
		return MatchGroup(names), nil
	})
}

// MatchClaim matches requests of users of whom every claim named here has one
// of its values, in which "*" stands for any text. A claim that is a list has
// all of its values; one that is missing, empty or an object has none. Dots in
// a name lead into objects. A guest has no claims.
//
// In expressions: auth_claim('email', '*@example.com').
type MatchClaim map[string][]string

// CaddyModule returns the Caddy module information.
func (MatchClaim) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.matchers.auth_claim", New: func() caddy.Module { return new(MatchClaim) }}
}

// Provision resolves placeholders.
func (m MatchClaim) Provision(caddy.Context) error {
	if len(m) == 0 {
		return errors.New("no claim is named")
	}
	for claim, globs := range m {
		if err := resolveAll(globs); err != nil {
			return fmt.Errorf("claim %q: %w", claim, err)
		}
	}
	return nil
}

// MatchWithError implements caddyhttp.RequestMatcherWithError.
func (m MatchClaim) MatchWithError(r *http.Request) (bool, error) { return matchesVisitor(m, r) }

func (m MatchClaim) matches(who *identity) bool {
	for claim, globs := range m {
		if !who.hasClaim(claim, func(value string) bool { return matchesAnyGlob(globs, value) }) {
			return false
		}
	}
	return len(m) > 0
}

// UnmarshalCaddyfile reads
//
//	auth_claim <claim> <glob...>
func (m *MatchClaim) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	if *m == nil {
		*m = make(MatchClaim)
	}
	for d.Next() {
		words := d.RemainingArgs()
		if len(words) < 2 || words[0] == "" || d.NextBlock(0) {
			return d.Err("auth_claim takes a claim and one or more values, in which * stands for any text")
		}
		(*m)[words[0]] = append((*m)[words[0]], words[1:]...)
	}
	return nil
}

// CELLibrary implements caddyhttp.CELLibraryProducer.
func (MatchClaim) CELLibrary(caddy.Context) (cel.Library, error) {
	return celMatcher("auth_claim", func(words []string) (caddyhttp.RequestMatcherWithError, error) {
		if len(words) < 2 {
			return nil, errors.New("auth_claim takes a claim and one or more values")
		}
		return MatchClaim{words[0]: words[1:]}, nil
	})
}

// MatchGuest matches requests of guests: visitors without a session whom the
// handler panelauth has let in.
//
// In expressions: auth_guest().
type MatchGuest struct{}

// CaddyModule returns the Caddy module information.
func (MatchGuest) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.matchers.auth_guest", New: func() caddy.Module { return new(MatchGuest) }}
}

// MatchWithError implements caddyhttp.RequestMatcherWithError.
func (m MatchGuest) MatchWithError(r *http.Request) (bool, error) { return matchesVisitor(m, r) }

func (MatchGuest) matches(who *identity) bool { return who.guest }

// UnmarshalCaddyfile reads
//
//	auth_guest
func (*MatchGuest) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	for d.Next() {
		if d.NextArg() || d.NextBlock(0) {
			return d.Err("auth_guest takes no value")
		}
	}
	return nil
}

// matcherArguments reads what follows each mention of a matcher.
func matcherArguments(d *caddyfile.Dispenser, takes string) (all []string, err error) {
	for d.Next() {
		name, words := d.Val(), d.RemainingArgs()
		if len(words) == 0 || d.NextBlock(0) {
			return nil, d.Errf("%s takes %s", name, takes)
		}
		all = append(all, words...)
	}
	return all, nil
}

// resolveAll replaces the placeholders in values where they stand, once:
// nothing that a request brings along may change what a matcher looks for.
func resolveAll(values []string) error {
	if len(values) == 0 {
		return errors.New("no value is given")
	}
	c := checker{repl: caddy.NewReplacer()}
	copy(values, c.texts("", slices.Clone(values)))
	if len(c.mistakes) > 0 {
		return joinMistakes(c.mistakes)
	}
	return nil
}

func matchesAnyGlob(globs []string, text string) bool {
	return slices.ContainsFunc(globs, func(glob string) bool { return matchesGlob(glob, text) })
}

// matchesGlob compares a text with a pattern in which "*" stands for any text,
// slashes included, and everything else for itself.
func matchesGlob(glob, text string) bool {
	parts := strings.Split(glob, "*")
	first, last := parts[0], parts[len(parts)-1]
	if len(parts) == 1 {
		return glob == text
	}
	if len(text) < len(first)+len(last) || !strings.HasPrefix(text, first) || !strings.HasSuffix(text, last) {
		return false
	}
	text = text[len(first) : len(text)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return true
}

// Interface guards
var (
	_ caddy.Provisioner                 = MatchUser{}
	_ caddy.Provisioner                 = MatchGroup{}
	_ caddy.Provisioner                 = MatchClaim{}
	_ caddyfile.Unmarshaler             = (*MatchUser)(nil)
	_ caddyfile.Unmarshaler             = (*MatchGroup)(nil)
	_ caddyfile.Unmarshaler             = (*MatchClaim)(nil)
	_ caddyfile.Unmarshaler             = (*MatchGuest)(nil)
	_ caddyhttp.RequestMatcherWithError = MatchUser{}
	_ caddyhttp.RequestMatcherWithError = MatchGroup{}
	_ caddyhttp.RequestMatcherWithError = MatchClaim{}
	_ caddyhttp.RequestMatcherWithError = MatchGuest{}
	_ caddyhttp.CELLibraryProducer      = MatchUser{}
	_ caddyhttp.CELLibraryProducer      = MatchGroup{}
	_ caddyhttp.CELLibraryProducer      = MatchClaim{}
	_ caddyhttp.CELLibraryProducer      = MatchGuest{}
	_ identityMatcher                   = MatchUser{}
	_ identityMatcher                   = MatchGroup{}
	_ identityMatcher                   = MatchClaim{}
	_ identityMatcher                   = MatchGuest{}
)
