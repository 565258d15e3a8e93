// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

// Package caddyfile is the directive panelauth: Caddyfile text in, a
// caddyauth.Handler out. It fills the exported fields of the handler and
// nothing else, so that whoever writes JSON can say all that it can say.
package caddyfile

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
)

const directive = "panelauth"

func init() {
	httpcaddyfile.RegisterDirective(directive, parseDirective)
	httpcaddyfile.RegisterDirectiveOrder(directive, httpcaddyfile.Before, "basic_auth")
}

// parseDirective turns the directive into a route. Syntax:
//
//	panelauth [<matcher>] {
//		# who may sign in
//		basic_auth <password> | <file>
//		basic_auth {
//			<user>|* <password-or-hash>
//		}
//		oauth_provider <name> [<id>]
//		oauth_provider <name> [<id>] {
//			key <client id>
//			secret <client secret>
//			redirect_uri <url>
//			scope <scope...>
//			jwt_user <claim>
//			label <text>
//			groups_claim <claim>
//			allow_unverified_email
//			extra_params {
//				<key> <value>
//			}
//		}
//		oauth_key <client id>
//		oauth_secret <client secret>
//		oauth_redirect_uri <url>
//		oauth_jwt_user <claim>
//		oauth_extra_params {
//			<key> <value>
//		}
//		oauth_encryption_key <fernet key>
//		oauth_refresh_tokens
//		oauth_expiry_days <n>
//		logout_provider off
//		token_endpoint
//
//		# guests
//		oauth_optional
//		oauth_guest_endpoints <path...>
//
//		# who may go where: the first rule that matches decides
//		authorize <file>
//		authorize {
//			allow [<matcher>]
//			deny [<matcher>]
//			redirect [<matcher>] <url>
//		}
//
//		# endpoints and pages
//		login_endpoint <path>
//		logout_endpoint <path>
//		basic_login_template <file>
//		logout_template <file>
//		auth_template <file>
//		oauth_error_template <file>
//		branding {
//			title <text>
//			logo <file>
//			accent <colour>
//			notice <text>
//		}
//		session_notice
//
//		# cookies and sessions
//		cookie_secret <secret> [<older>...]
//		cookie_path <path>
//		cookie_domain <domain>
//		cookie_name <name>
//		cookie_same_site lax|strict|none
//		session_store storage | cookie | redis <url>
//		session_idle <duration>
//		remember_me <days>
//		login_attempts <n> <window>
//
//		# programs
//		basic_auth_header
//		bearer <provider id>
//		bearer <provider id> {
//			audience <aud...>
//		}
//		cors_preflight <origin...>
//
//		# what the application receives
//		panel_cookies off | [encrypted] <name...>
//		identity_headers
//		identity_headers {
//			<header> <claim>
//		}
//		websocket_origin <origin>
//		websocket_allowed_origins <origin...>
//	}
//
// Each subdirective may be given once, but oauth_provider and bearer any number
// of times. At most one oauth_provider is without a block, and takes the oauth_
// options beside it; of bearer, there is at most one for each provider.
//
// Blocks on one site whose ways in differ need login and logout endpoints of
// their own.
//
// With a matcher, the directive answers at its own endpoints and at redirect
// URIs that are written out, too. It does not answer at the root of the site,
// which belongs to others then: a provider must send people back to one of
// these, or to somewhere that the matcher covers.
func parseDirective(h httpcaddyfile.Helper) ([]httpcaddyfile.ConfigValue, error) {
	if !h.Next() {
		return nil, h.ArgErr()
	}
	matchers, err := h.ExtractMatcherSet()
	if err != nil {
		return nil, h.WrapErr(err)
	}
	handler, lines, err := parseHandler(h.Dispenser)
	if err != nil {
		return nil, err
	}
	if err := readAuthorize(h, lines, handler); err != nil {
		return nil, err
	}
	if err := refuseMistakes(handler.Mistakes(), lines); err != nil {
		return nil, err
	}
	return widened(h, handler, h.NewRoute(matchers, handler)), nil
}
