// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

// Command caddy is Caddy with its standard modules and panelauth, for trying
// the module without xcaddy.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/panelauth/caddy-panelauth"
)

func main() {
	caddycmd.Main()
}
