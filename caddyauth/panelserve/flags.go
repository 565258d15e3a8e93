// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package panelserve

import "strings"

// A flag is an option of `panel serve`.
type flag struct {
	name  string
	takes arity
	// variables are those that Panel reads in its place.
	variables []string
	// line is what says the same in a Caddyfile, for the documentation; empty if
	// the flag has nothing to do with who gets in.
	line string
	// difference is what panelauth does otherwise, for the documentation.
	difference string
	// first puts the flag into the short table.
	first bool
	// leaves says that Panel is not given the flag any more.
	leaves bool
	// note is said whenever the flag is met.
	note string
}

// arity is how many values a flag takes.
type arity int

const (
	one        arity = iota
	none             // a switch
	maybe            // one or none
	several          // at least one
	anyNumber        // or none
	everything       // that follows
)

// flags are all of Panel 1.9's: those of who gets in first, in the order of the
// documentation.
var flags = []flag{
	{name: "--basic-auth", variables: []string{"PANEL_BASIC_AUTH"}, leaves: true,
		first:      true,
		line:       "`basic_auth <password>` or `basic_auth <file>`",
		difference: "Panel's file works as it is, and may have hashes; it ends in `.json` or begins with `/`, `./` or `../`. The password counts as it is written: Panel makes that of `PANEL_BASIC_AUTH` lower-case"},
	{name: "--oauth-provider", variables: []string{"PANEL_OAUTH_PROVIDER"}, leaves: true,
		first:      true,
		line:       "`oauth_provider <name>`",
		difference: "also `oidc`, which needs the address of the provider alone; several providers, and a password beside them. There is no `pam`"},
	{name: "--oauth-key", variables: []string{"PANEL_OAUTH_KEY"}, leaves: true,
		line: "`oauth_key <client id>`"},
	{name: "--oauth-secret", variables: []string{"PANEL_OAUTH_SECRET"}, leaves: true,
		line: "`oauth_secret <client secret>`"},
	{name: "--oauth-redirect-uri", variables: []string{"PANEL_OAUTH_REDIRECT_URI"}, leaves: true,
		first:      true,
		line:       "`oauth_redirect_uri <url>`",
		difference: "left out, it is `/login` of the site; Panel sends the root of the site"},
	{name: "--oauth-extra-params", variables: []string{"PANEL_OAUTH_EXTRA_PARAMS"}, leaves: true,
		first:      true,
		line:       "`oauth_extra_params { <key> <value> }`",
		difference: "one line for each key in the place of a Python dictionary. `scope` is a text with spaces; what the sign-in itself sets, such as `state`, is refused"},
	{name: "--oauth-jwt-user", variables: []string{"PANEL_OAUTH_JWT_USER"}, leaves: true,
		line:       "`oauth_jwt_user <claim>`",
		difference: "`a.b` finds a claim within another"},
	{name: "--oauth-encryption-key", variables: []string{"PANEL_OAUTH_ENCRYPTION"}, leaves: true,
		line:       "`oauth_encryption_key <key>`",
		difference: "tokens are never in the browser, so that nothing needs a key there. It wraps what Panel gets, with `panel_cookies encrypted …`"},
	{name: "--oauth-expiry-days", variables: []string{"PANEL_OAUTH_EXPIRY"}, leaves: true,
		first:      true,
		line:       "`oauth_expiry_days <n>`",
		difference: "holds for passwords, too, and for what is open: a dashboard ends with its session"},
	{name: "--oauth-refresh-tokens", takes: none, variables: []string{"PANEL_OAUTH_REFRESH_TOKENS"}, leaves: true,
		first:      true,
		line:       "`oauth_refresh_tokens`",
		difference: "also without an open page, and beside guests. The page gets tokens with `panel_cookies user id_token access_token`"},
	{name: "--oauth-guest-endpoints", takes: anyNumber, variables: []string{"PANEL_OAUTH_GUEST_ENDPOINTS"}, leaves: true,
		first:      true,
		line:       "`oauth_guest_endpoints <path...>`",
		difference: "opens a page with any query string and with all that it loads; `/app/*` opens a tree"},
	{name: "--oauth-optional", takes: none, variables: []string{"PANEL_OAUTH_OPTIONAL"}, leaves: true,
		first:      true,
		line:       "`oauth_optional`",
		difference: "excludes `oauth_guest_endpoints`, which it would make meaningless"},
	{name: "--login-endpoint", leaves: true,
		line:       "`login_endpoint <path>`",
		difference: "with `--prefix`, the prefix is a part of the path"},
	{name: "--logout-endpoint", leaves: true,
		first:      true,
		line:       "`logout_endpoint <path>`",
		difference: "ends the session for every copy of its cookie, closes what it has open, and goes on to the provider where it can (`logout_provider off` keeps it from that)"},
	{name: "--basic-login-template", leaves: true,
		first:      true,
		line:       "`basic_login_template <file>`",
		difference: "Panel's file works as it is, and is read again when it changes"},
	{name: "--logout-template", leaves: true,
		line:       "`logout_template <file>`",
		difference: "as above"},
	{name: "--auth-template",
		line:       "`auth_template <file>`",
		difference: "for what `authorize` refuses. Panel keeps the flag, for what its `authorize_callback` refuses"},
	{name: "--oauth-error-template", leaves: true,
		line:       "`oauth_error_template <file>`",
		difference: "values are always escaped"},
	{name: "--cookie-secret", variables: []string{"PANEL_COOKIE_SECRET", "BOKEH_COOKIE_SECRET"},
		first:      true,
		line:       "`cookie_secret <secret>`",
		difference: "at least 16 bytes. Panel must have the same, best in `PANEL_COOKIE_SECRET`"},
	{name: "--cookie-path", variables: []string{"PANEL_COOKIE_PATH"}, leaves: true,
		line:       "`cookie_path <path>`",
		difference: "a logout removes the cookie there, too"},
	{name: "--allow-websocket-origin", variables: []string{"BOKEH_ALLOW_WS_ORIGIN"}, leaves: true,
		first:      true,
		line:       "`websocket_origin <origin>`",
		difference: "panelauth itself refuses websockets from pages of other sites; Panel sees the origin that it expects. Pages of other sites are named in `websocket_allowed_origins`"},
	{name: "--prefix",
		line:       "`login_endpoint /<prefix>/login` and so on",
		difference: "Panel keeps it"},
	{name: "--root-path",
		line:       "`handle_path <path>/* { … }` around `panelauth` and `reverse_proxy`",
		difference: "Panel keeps it"},
	{name: "--address", leaves: true,
		line:       "the address of the site",
		difference: "Panel gets `--address localhost`, so that nobody walks past the door"},
	{name: "--port",
		line:       "`reverse_proxy localhost:<port>`",
		difference: "Panel keeps it, unless the site itself has that port"},
	{name: "--unix-socket",
		line:       "`reverse_proxy unix/<path>`",
		difference: "Panel keeps it"},
	{name: "--ssl-certfile", leaves: true,
		line:       "`tls <certificate> <key>`",
		difference: "not needed where Caddy can get a certificate itself"},
	{name: "--ssl-keyfile", leaves: true,
		line:       "the same",
		difference: ""},
	{name: "--auth-module",
		line:       "none",
		difference: "a Python module that decides who gets in. Panel keeps it, and runs it behind the door. `authorize` may do in its place",
		note:       "no counterpart. Panel keeps it, so that whoever comes in by panelauth meets it, too"},

	{name: "--show", takes: none, leaves: true, note: "left out, because it opens Panel's own address, which is behind the door now"},
	{name: "--liveness", takes: none, note: "what looks whether Panel lives had best ask it on localhost: at the site, only who is signed in gets there. oauth_guest_endpoints /liveness opens it"},
	{name: "--rest-provider", note: "its endpoint was open to everybody. Now it is for those who are signed in"},
	{name: "--rest-session-info", takes: none, note: "it was open to everybody. Now it is for those who are signed in"},
	{name: "--plugins", note: "what plugins serve was open to everybody. Now it is for those who are signed in"},

	{name: "--args", takes: everything},
	{name: "--index-titles", takes: several},
	{name: "--static-dirs", takes: several},
	{name: "--exclude-headers", takes: several},
	{name: "--exclude-cookies", takes: several},
	{name: "--include-headers", takes: several},
	{name: "--include-cookies", takes: several},
	{name: "--reuse-sessions", takes: maybe},
	{name: "--help", takes: none},
	{name: "--log-level"}, {name: "--log-format"}, {name: "--log-file"},
	{name: "--use-config"}, {name: "--ico-path"}, {name: "--keep-alive"},
	{name: "--check-unused-sessions"}, {name: "--unused-session-lifetime"},
	{name: "--stats-log-frequency"}, {name: "--mem-log-frequency"},
	{name: "--use-xheaders", takes: none},
	{name: "--session-ids"}, {name: "--enable-xsrf-cookies", takes: none},
	{name: "--index"}, {name: "--disable-index", takes: none}, {name: "--disable-index-redirect", takes: none},
	{name: "--num-procs"}, {name: "--session-token-expiration"},
	{name: "--websocket-max-message-size"}, {name: "--websocket-compression-level"},
	{name: "--websocket-compression-mem-level"},
	{name: "--glob", takes: none}, {name: "--rest-endpoint"}, {name: "--session-history"},
	{name: "--warm", takes: none}, {name: "--admin", takes: none}, {name: "--admin-endpoint"},
	{name: "--admin-log-level"}, {name: "--profiler"},
	{name: "--dev", takes: none}, {name: "--autoreload", takes: none},
	{name: "--num-threads"}, {name: "--setup"}, {name: "--liveness-endpoint"},
	{name: "--global-loading-spinner", takes: none},
}

// extraVariables stand in the place of keys of --oauth-extra-params.
var extraVariables = []struct{ variable, key string }{
	{"PANEL_OAUTH_SCOPE", "scope"},
	{"PANEL_OAUTH_AUTHORIZE_URL", "AUTHORIZE_URL"},
	{"PANEL_OAUTH_TOKEN_URL", "TOKEN_URL"},
	{"PANEL_OAUTH_USER_URL", "USER_URL"},
	{"PANEL_OAUTH_LOGOUT_URL", "LOGOUT_URL"},
	{"PANEL_USER_KEY", "USER_KEY"},
	{"AAD_TENANT_ID", "tenant"},
}

// flagNamed finds a flag by its name or, as Panel does, by the beginning of it,
// if only one begins so.
func flagNamed(name string) (found flag, ok bool) {
	matches := 0
	for _, f := range flags {
		if f.name == name {
			return f, true
		}
		if strings.HasPrefix(f.name, name) {
			found = f
			matches++
		}
	}
	return found, matches == 1
}

// Table is the table "Panel flag, panelauth line, difference" of the
// documentation, in Markdown.
func Table() string {
	var table strings.Builder
	table.WriteString("| `panel serve` | variable | panelauth | difference |\n|---|---|---|---|\n")
	for _, f := range flags {
		variables := ""
		if len(f.variables) > 0 {
			variables = "`" + strings.Join(f.variables, "`, `") + "`"
		}
		if f.line != "" {
			writeRow(&table, "`"+f.name+"`", variables, f.line, f.difference)
		}
	}
	return table.String()
}

// ShortTable has the rows that people look for first.
func ShortTable() string {
	var table strings.Builder
	table.WriteString("| `panel serve` | panelauth | difference |\n|---|---|---|\n")
	for _, f := range flags {
		if f.first {
			writeRow(&table, "`"+f.name+"`", f.line, f.difference)
		}
	}
	return table.String()
}

func writeRow(table *strings.Builder, cells ...string) {
	for _, cell := range cells {
		table.WriteString("|")
		if cell != "" {
			table.WriteString(" " + cell)
		}
		table.WriteString(" ")
	}
	table.WriteString("|\n")
}
