// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyfile

import (
	"math"
	"net/http"
	"strconv"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/panelauth/caddy-panelauth/caddyauth"
)

// text parses one argument.
func text(field func(*caddyauth.Handler) *string) parseFunc {
	return func(line *caddyfile.Dispenser, handler *caddyauth.Handler) error {
		if !line.Args(field(handler)) {
			return errArguments
		}
		return nil
	}
}

// texts parses one argument or more.
func texts(field func(*caddyauth.Handler) *[]string) parseFunc {
	return func(line *caddyfile.Dispenser, handler *caddyauth.Handler) error {
		values := line.RemainingArgs()
		if len(values) == 0 {
			return errArguments
		}
		*field(handler) = values
		return nil
	}
}

// flag parses a subdirective that says all by being there.
func flag(field func(*caddyauth.Handler) *bool) parseFunc {
	return func(_ *caddyfile.Dispenser, handler *caddyauth.Handler) error {
		*field(handler) = true
		return nil
	}
}

// days parses a number of days. Zero is refused because in JSON it would mean
// the default.
func days(field func(*caddyauth.Handler) *float64) parseFunc {
	return func(line *caddyfile.Dispenser, handler *caddyauth.Handler) error {
		var written string
		if !line.Args(&written) {
			return errArguments
		}
		number, err := strconv.ParseFloat(written, 64)
		if err != nil || !(number > 0) || math.IsInf(number, 0) {
			return errArguments
		}
		*field(handler) = number
		return nil
	}
}

func parseSessionIdle(line *caddyfile.Dispenser, handler *caddyauth.Handler) error {
	var written string
	if !line.Args(&written) {
		return errArguments
	}
	idle, err := caddy.ParseDuration(written)
	if err != nil || idle <= 0 {
		return errArguments
	}
	handler.SessionIdle = caddy.Duration(idle)
	return nil
}

func parseLoginAttempts(line *caddyfile.Dispenser, handler *caddyauth.Handler) error {
	var failures, window string
	if !line.Args(&failures, &window) {
		return errArguments
	}
	limit, err := strconv.Atoi(failures)
	if err != nil || limit <= 0 {
		return errArguments
	}
	within, err := caddy.ParseDuration(window)
	if err != nil || within <= 0 {
		return errArguments
	}
	handler.LoginAttempts = &caddyauth.LoginAttempts{Max: limit, Window: caddy.Duration(within)}
	return nil
}

func parseBasicAuth(line *caddyfile.Dispenser, handler *caddyauth.Handler) error {
	handler.BasicAuth = new(caddyauth.BasicAuth)
	if line.NextArg() {
		handler.BasicAuth.Source = line.Val()
		return nil
	}
	accounts, err := parsePairs(line, "user", func(name string) string { return name })
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
	claims, err := parsePairs(line, "header", http.CanonicalHeaderKey)
	handler.IdentityHeaders = claims
	return err
}

// parsePairs parses a block with a name and a value on each line, if there is
// one; without one the result is empty, not nil. No two names may be the same
// once they are normalized.
func parsePairs(line *caddyfile.Dispenser, kind string, normalize func(string) string) (map[string]string, error) {
	pairs := make(map[string]string)
	seen := make(map[string]bool)
	for nesting := line.Nesting(); line.NextBlock(nesting); {
		var value string
		name := line.Val()
		if !line.AllArgs(&value) {
			return nil, errArguments
		}
		if seen[normalize(name)] {
			return nil, line.Errf("%s '%s' given twice", kind, name)
		}
		seen[normalize(name)] = true
		pairs[name] = value
	}
	return pairs, nil
}
