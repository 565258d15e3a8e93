// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyfile

import (
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/panelauth/caddy-panelauth/caddyauth"
)

// text parses one argument.
func text[T any](field func(*T) *string) parseFunc[T] {
	return func(line *caddyfile.Dispenser, target *T) error {
		value := field(target)
		if !line.Args(value) {
			return errArguments
		}
		return refuseEmpty(*value)
	}
}

// texts parses one argument or more.
func texts[T any](field func(*T) *[]string) parseFunc[T] {
	return func(line *caddyfile.Dispenser, target *T) error {
		values := line.RemainingArgs()
		if len(values) == 0 {
			return errArguments
		}
		*field(target) = values
		return refuseEmpty(values...)
	}
}

func refuseEmpty(values ...string) error {
	if slices.Contains(values, "") {
		return errEmpty
	}
	return nil
}

// flag parses an entry that says all by being there.
func flag[T any](field func(*T) *bool) parseFunc[T] {
	return func(_ *caddyfile.Dispenser, target *T) error {
		*field(target) = true
		return nil
	}
}

// days parses a number of days. Zero is refused because in JSON it would mean
// the default.
func days(field func(*caddyauth.Handler) *caddyauth.Number) parseFunc[caddyauth.Handler] {
	return func(line *caddyfile.Dispenser, handler *caddyauth.Handler) error {
		var written string
		if !line.Args(&written) {
			return errArguments
		}
		*field(handler) = caddyauth.Number(written)
		return refuseUnless(isPositive, written)
	}
}

func isPositive(written string) bool {
	number, err := strconv.ParseFloat(written, 64)
	return err == nil && number > 0 && !math.IsInf(number, 0)
}

func isPositiveDuration(written string) bool {
	duration, err := caddy.ParseDuration(written)
	return err == nil && duration > 0
}

// refuseUnless judges a value that is written out. What a placeholder stands
// for, the handler judges.
func refuseUnless(good func(string) bool, written string) error {
	if written == "" || !placeholder.MatchString(written) && !good(written) {
		return errArguments
	}
	return nil
}

// parseSessionStore has a word before a URL, which JSON has not: a URL may be a
// placeholder, so that it alone does not say what it is.
func parseSessionStore(line *caddyfile.Dispenser, handler *caddyauth.Handler) error {
	switch arguments := line.RemainingArgs(); {
	case len(arguments) == 1 && arguments[0] != "redis" && !strings.Contains(arguments[0], "://"):
		handler.SessionStore = arguments[0]
	case len(arguments) == 2 && arguments[0] == "redis" && (arguments[1] == "" || strings.ContainsAny(arguments[1], ":{")):
		handler.SessionStore = arguments[1]
	default:
		return errArguments
	}
	return refuseEmpty(handler.SessionStore)
}

func parseSessionIdle(line *caddyfile.Dispenser, handler *caddyauth.Handler) error {
	var written string
	if !line.Args(&written) {
		return errArguments
	}
	handler.SessionIdle = caddyauth.Duration(written)
	return refuseUnless(isPositiveDuration, written)
}

func parseLoginAttempts(line *caddyfile.Dispenser, handler *caddyauth.Handler) error {
	var failures, window string
	if !line.Args(&failures, &window) {
		return errArguments
	}
	handler.LoginAttempts = &caddyauth.LoginAttempts{Max: caddyauth.Number(failures), Window: caddyauth.Duration(window)}
	return errors.Join(refuseUnless(isPositive, failures), refuseUnless(isPositiveDuration, window))
}

func parseBasicAuth(line *caddyfile.Dispenser, handler *caddyauth.Handler) error {
	handler.BasicAuth = new(caddyauth.BasicAuth)
	if line.NextArg() {
		handler.BasicAuth.Source = line.Val()
		return refuseEmpty(line.Val())
	}
	accounts, err := pairs{kind: "user"}.parse(line)
	if err != nil {
		return err
	}
	if len(accounts) == 0 {
		return errArguments
	}
	handler.BasicAuth.Accounts = accounts
	return nil
}

func parseIdentityHeaders(line *caddyfile.Dispenser, handler *caddyauth.Handler) error {
	// To HTTP all spellings of a header are the same.
	claims, err := pairs{kind: "header", normalize: http.CanonicalHeaderKey}.parse(line)
	handler.IdentityHeaders = claims
	return err
}

// params parses a block of parameters for a provider. Values may be empty,
// which is not the same to every provider as leaving the parameter out.
func params[T any](field func(*T) *map[string]string) parseFunc[T] {
	return func(line *caddyfile.Dispenser, target *T) error {
		values, err := pairs{kind: "parameter", mayBeEmpty: true}.parse(line)
		if err == nil && len(values) == 0 {
			return errArguments
		}
		*field(target) = values
		return err
	}
}

// pairs is a block with a name and a value on each line.
type pairs struct {
	kind       string              // what a name is, for errors
	normalize  func(string) string // names that it makes equal are; nil: as they are
	mayBeEmpty bool                // values, but never names
}

// parse reads the block, if there is one; without one the result is empty, not
// nil.
func (p pairs) parse(line *caddyfile.Dispenser) (map[string]string, error) {
	values := make(map[string]string)
	seen := make(map[string]bool)
	for nesting := line.Nesting(); line.NextBlock(nesting); {
		var value string
		name := line.Val()
		if !line.AllArgs(&value) {
			return nil, errArguments
		}
		if name == "" || value == "" && !p.mayBeEmpty {
			return nil, errEmpty
		}
		same := name
		if p.normalize != nil {
			same = p.normalize(name)
		}
		if seen[same] {
			return nil, line.Errf("%s '%s' given twice", p.kind, name)
		}
		seen[same] = true
		values[name] = value
	}
	return values, nil
}
