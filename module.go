// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

// Package panelauth brings the authentication system of HoloViz Panel to
// Caddy: importing it for its side effects registers the HTTP handler
// http.handlers.panelauth and the Caddyfile directive panelauth.
package panelauth

//go:generate go run ./internal/reference

import (
	_ "github.com/panelauth/caddy-panelauth/caddyauth"
	_ "github.com/panelauth/caddy-panelauth/caddyfile"
)
