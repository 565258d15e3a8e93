// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyfile

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/panelauth/caddy-panelauth/caddyauth"
)

// brandingOptions are in the order of the syntax above parseDirective.
var brandingOptions = []entry[caddyauth.Branding]{
	{"title", "one text, in quotes if it has spaces", text(func(b *caddyauth.Branding) *string { return &b.Title })},
	{"logo", "one file", text(func(b *caddyauth.Branding) *string { return &b.Logo })},
	{"accent", `one colour, in quotes if it begins with # (which begins a comment), such as "#0b6bcb" or teal`, text(func(b *caddyauth.Branding) *string { return &b.Accent })},
	{"notice", "one text, in quotes if it has spaces", text(func(b *caddyauth.Branding) *string { return &b.Notice })},
}

func parseBranding(line *caddyfile.Dispenser, handler *caddyauth.Handler) error {
	if line.NextArg() {
		return errArguments
	}
	handler.Branding = new(caddyauth.Branding)
	_, err := parseBlock(line, " of branding", brandingOptions, handler.Branding)
	if err == nil && *handler.Branding == (caddyauth.Branding{}) {
		return errArguments
	}
	return err
}
