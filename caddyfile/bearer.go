// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyfile

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/panelauth/caddy-panelauth/caddyauth"
)

// bearerOptions are in the order of the syntax above parseDirective.
var bearerOptions = []entry[caddyauth.Bearer]{
	{"audience", "one or more audiences", texts(func(b *caddyauth.Bearer) *[]string { return &b.Audience })},
}

func parseBearer(line *caddyfile.Dispenser, handler *caddyauth.Handler) error {
	var bearer caddyauth.Bearer
	if !line.AllArgs(&bearer.Provider) {
		return errArguments
	}
	if err := refuseEmpty(bearer.Provider); err != nil {
		return err
	}
	_, err := parseBlock(line, " of bearer", bearerOptions, &bearer)
	handler.Bearer = append(handler.Bearer, bearer)
	return err
}
