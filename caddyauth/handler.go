// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

// Package caddyauth is the HTTP handler http.handlers.panelauth: everything
// that Caddy calls at run time. Follow a request from ServeHTTP in serve.go.
package caddyauth

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
	"github.com/panelauth/caddy-panelauth/caddyauth/tornado"
)

func init() {
	caddy.RegisterModule(Handler{})
}

// Handler puts the sign-in system of HoloViz Panel in front of a web
// application: a password form, optional sign-in, guest endpoints, custom
// pages and logout. An unmodified Panel application behind it sees
// pn.state.user, pn.state.user_info and guests as if Panel had signed the
// visitor in itself.
//
// Placeholders such as {env.NAME} and {file.path} work in every value and are
// resolved when the configuration is loaded.
type Handler struct {
	// Who may sign in with a password: one password that lets any user name
	// in, the path of a credentials file (it ends in `.json` or begins with
	// `/`, `./` or `../`), or accounts written here. A password in a file or
	// an account may be a hash as `caddy hash-password` prints it, bcrypt or
	// argon2id. The file is read again when it changes. Default: none; then
	// there must be an `oauth_provider`.
	BasicAuth *BasicAuth `json:"basic_auth,omitempty"`

	// The providers that people may sign in with: the name of one, which takes
	// the `oauth_` options beside it, or entries with options of their own. The
	// names are `github`, `gitlab`, `google`, `azure`, `azurev2`, `okta`,
	// `auth0`, `bitbucket`, `generic`, `password` and `auth_code` as in Panel,
	// and `oidc`, which finds everything by its `ISSUER`. The flow is the
	// authorization code with PKCE (RFC 6749, RFC 7636), but for `password`,
	// whose form asks for the password that people have there. ID tokens are
	// verified (OpenID Connect Core 1.0). Default: none; then there must be
	// `basic_auth`.
	OAuthProvider OAuthProviders `json:"oauth_provider,omitempty"`
	// The client id that the provider gave, for the `oauth_provider` without
	// options of its own. Default: none; that provider cannot do without.
	OAuthKey string `json:"oauth_key,omitempty"`
	// The client secret that the provider gave. For `oidc`, and `generic` with
	// an `ISSUER`, it may also be a private key as PEM or JWK, with which
	// clients prove themselves by `private_key_jwt` (RFC 7523). Default: none.
	OAuthSecret string `json:"oauth_secret,omitempty"`
	// Where the provider sends people back to: a whole URL, letter by letter as
	// it is registered there, without a query or fragment. Default: the login
	// endpoint on the host that was asked for.
	OAuthRedirectURI string `json:"oauth_redirect_uri,omitempty"`
	// The claim that is the user name; dots lead into objects. A sign-in
	// without this claim is refused. Default: the claim that Panel takes for
	// that provider; for `oidc` it is `email`.
	OAuthJWTUser string `json:"oauth_jwt_user,omitempty"`
	// Options of the provider, which are `scope`, `tenant`, `subdomain`, `url`,
	// `server`, `AUTHORIZE_URL`, `TOKEN_URL`, `USER_URL`, `LOGOUT_URL`,
	// `USER_KEY` and `ISSUER` in just this spelling, and parameters of the
	// authorization URL, which are all others, such as `prompt`. Their values
	// may be empty. What the sign-in itself sets, such as `state`, is refused.
	// Default: none; each provider has its own URLs and scopes, as in Panel.
	OAuthExtraParams map[string]string `json:"oauth_extra_params,omitempty"`
	// Renew access tokens a minute before they expire, with the refresh token
	// that came with them (RFC 6749, section 6), also while only a websocket is
	// open. A provider that says that the user is gone ends the session; one
	// that is down does not. Default: off.
	OAuthRefreshTokens bool `json:"oauth_refresh_tokens,omitempty"`
	// `off` keeps a logout from ending the provider's session, too. Default: a
	// logout goes on to the provider where it can end its session (OpenID
	// Connect RP-Initiated Logout 1.0), and comes back.
	LogoutProvider string `json:"logout_provider,omitempty"`
	// Answer `GET <login_endpoint>/token` with the current access token of the
	// session, for scripts of the page. Requests from other origins are
	// refused. Default: off.
	TokenEndpoint bool `json:"token_endpoint,omitempty"`

	// The key that wraps the token cookies when `panel_cookies` says
	// `encrypted`: a Fernet key, which is 32 bytes in URL-safe base64, as
	// `caddy panelauth oauth-secret` prints it. Panel must have the same key.
	// Default: none.
	OAuthEncryptionKey string `json:"oauth_encryption_key,omitempty"`
	// How long a session lasts, in days, whatever the way in; decimals are
	// allowed, and at most 400 days. What the session has open ends with it.
	// Default: `1`.
	OAuthExpiryDays Number `json:"oauth_expiry_days,omitempty"`

	// Let everybody in as the user `guest` until they sign in at the login
	// endpoint. Excludes `oauth_guest_endpoints`, which it would make
	// meaningless. Default: off.
	OAuthOptional bool `json:"oauth_optional,omitempty"`
	// Pages that are open to guests: a path opens exactly that page, with any
	// query string, and what a Panel page loads from below it; a path that ends
	// in `/*` opens the whole tree. Paths are compared with upper and lower
	// case. Default: none.
	OAuthGuestEndpoints Texts `json:"oauth_guest_endpoints,omitempty"`

	// Accept `Authorization: Basic` (RFC 7617) with the accounts of
	// `basic_auth`, as well as the form, from programs. Default: off.
	BasicAuthHeader bool `json:"basic_auth_header,omitempty"`
	// Providers whose JWTs programs may show as `Authorization: Bearer` (RFC
	// 6750): ID tokens and access tokens (RFC 9068) alike, which are verified
	// as at a sign-in. Default: none.
	Bearer []Bearer `json:"bearer,omitempty"`
	// Origins whose CORS preflights (of the Fetch standard), which never say
	// who asks, pass to the application, as nobody's. Origins are compared as a
	// whole; there is no `*`. Default: none.
	CORSPreflight Texts `json:"cors_preflight,omitempty"`

	// Where people sign in: a plain path of this site. Default: `/login`.
	LoginEndpoint string `json:"login_endpoint,omitempty"`
	// Where people sign out: a plain path of this site. Default: `/logout`.
	LogoutEndpoint string `json:"logout_endpoint,omitempty"`

	// A Jinja2 file to show in the place of the sign-in page. Panel's own files
	// work as they are. It is read again when it changes. Default: the built-in
	// page.
	BasicLoginTemplate string `json:"basic_login_template,omitempty"`
	// A Jinja2 file to show in the place of the signed-out page. It is read
	// again when it changes. Default: the built-in page.
	LogoutTemplate string `json:"logout_template,omitempty"`
	// A Jinja2 file to show, with the status 403, to people who are signed in
	// but may not go where they went. It is read again when it changes.
	// Default: the built-in page.
	AuthTemplate string `json:"auth_template,omitempty"`
	// A Jinja2 file to show when signing in with a provider failed. It is read
	// again when it changes. Default: that of `auth_template`, if there is one,
	// else the built-in page.
	OAuthErrorTemplate string `json:"oauth_error_template,omitempty"`
	// What the application says of itself on the built-in pages. Default:
	// nothing.
	Branding *Branding `json:"branding,omitempty"`
	// Put a small script into the application's HTML pages, which tells whoever
	// is in front of one that the session has ended, or will in a minute, and
	// leads to a new one. Default: off.
	SessionNotice bool `json:"session_notice,omitempty"`

	// The secret that sessions and Panel's cookies are made with, at least 16
	// bytes, as `caddy panelauth secret` prints it; after it older ones that are
	// still accepted, so that a secret can be changed without signing anybody
	// out. Panel must be started with the first. Default: generated once and
	// kept in Caddy's storage; it then serves sessions only, and Panel gets no
	// cookies.
	CookieSecret Texts `json:"cookie_secret,omitempty"`
	// The path that the session cookie is sent to (`Path` of RFC 6265). The
	// login and logout endpoints should be below it. Default: `/`.
	CookiePath string `json:"cookie_path,omitempty"`
	// The domain that the session cookie is sent to, with all of its hosts
	// (`Domain` of RFC 6265). Default: this host alone.
	CookieDomain string `json:"cookie_domain,omitempty"`
	// The name of the session cookie. On HTTPS `__Host-` comes before it, or
	// `__Secure-` with a `cookie_path` or `cookie_domain`, which keeps others
	// from setting it. A `panelauth` beside this one that has another name for
	// its own passes this cookie on to the application. Default: `panelauth`.
	CookieName string `json:"cookie_name,omitempty"`
	// The SameSite attribute of the session cookie: `lax`, `strict` or `none`,
	// which is for pages that stand in frames of other sites, and is `lax`
	// without HTTPS. Default: `lax`.
	CookieSameSite string `json:"cookie_same_site,omitempty"`

	// Where sessions live: `storage` is Caddy's own storage, `cookie` the
	// browser, and a URL such as `redis://user:password@host:6379/0` a Redis or
	// Valkey server, sentinel or cluster. What a placeholder stands for in its
	// user name or password needs no percent-encoding. Default: `storage`.
	SessionStore string `json:"session_store,omitempty"`
	// How long a session may be unused before it ends: a duration such as
	// `30m`, at least a second. Messages on a websocket are use, pings are not.
	// Default: no limit.
	SessionIdle Duration `json:"session_idle,omitempty"`
	// Offer "stay signed in" on the sign-in page. A session of whoever takes
	// that lasts this many days, at most 400. Default: not offered.
	RememberMe Number `json:"remember_me,omitempty"`
	// How many failed sign-ins are allowed within how long for one user name
	// from one address, and four times as many from the address alone; then the
	// answer is 429 with `Retry-After` (RFC 6585). Default: `5 2m`.
	LoginAttempts *LoginAttempts `json:"login_attempts,omitempty"`

	// Who may go where: rules, of which the first that matches decides, or a
	// file of them. What no rule matches is denied. Default: everybody who is
	// signed in, and every guest where guests may go, may go everywhere.
	Authorize *Authorize `json:"authorize,omitempty"`

	// The cookies that a Panel application gets, signed as Panel signs them:
	// any of `user`, `id_token`, `access_token`, `refresh_token` and
	// `oauth_expiry`, with `encrypted` before them to wrap tokens with
	// `oauth_encryption_key`, or `off` alone. There are none without a
	// `cookie_secret`, which Panel must have, too. Default: `user id_token`.
	PanelCookies Texts `json:"panel_cookies,omitempty"`
	// Headers that tell the application who is signed in, with the claim that
	// each carries; where none is named they are `Remote-User`, `Remote-Name`,
	// `Remote-Email` and `Remote-Groups`. A client's own are removed. Default:
	// none are sent.
	IdentityHeaders map[string]string `json:"identity_headers,omitzero"`
	// The `Origin` that the application sees on websocket requests (RFC 6455),
	// so that Panel needs no `--allow-websocket-origin`. Default: as the
	// browser sent it.
	WebsocketOrigin string `json:"websocket_origin,omitempty"`
	// Origins of other sites whose pages may open websockets here. All others
	// are refused with 403, session or not (RFC 6455, section 10.2). Default:
	// none.
	WebsocketAllowedOrigins Texts `json:"websocket_allowed_origins,omitempty"`

	logger   *zap.Logger
	audit    *zap.Logger
	emitter  emitter
	lasts    context.Context // done when the configuration is replaced
	now      func() time.Time
	settings settings
	options  [sha256.Size]byte // hash of what is configured, by which a reload finds the handler that takes over
	storage  certmagic.Storage
	door     *door
	doorKey  doorKey
	guests   guests
	guest    *identity
	rules    *rulebook // nil: everybody may go everywhere
	pages    pages
	panel    *tornado.Signer // nil: Panel gets no cookies

	ways     []*way
	bearers  []bearer
	programs *programs
	envelope *session.Envelope // of sign-ins under way

	credentialsFile *watchedFile[*accounts]
	inlineAccounts  *accounts
}

// LoginAttempts limits failed sign-ins: for a user name from one client
// address to Max, and for the address alone to four times as many.
type LoginAttempts struct {
	// Failures allowed within the window, at most 1000. Default: `5`.
	Max Number `json:"max,omitempty"`
	// How long a failure counts, from a second to a day. Default: `2m`.
	Window Duration `json:"window,omitempty"`
}

// CaddyModule returns the Caddy module information.
func (Handler) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.panelauth",
		New: func() caddy.Module { return new(Handler) },
	}
}

// Provision checks the options, opens the files they name and joins the
// handlers that share sessions with this one.
func (h *Handler) Provision(ctx caddy.Context) error {
	var err error
	if h.emitter, err = newEmitter(ctx); err != nil {
		return err
	}
	if err := metrics.register(ctx.GetMetricsRegistry()); err != nil {
		return err
	}
	return h.provision(ctx, ctx.Logger(), ctx.Storage())
}

// accounts are those in force now; nil means that nobody has a password.
func (h *Handler) accounts() *accounts {
	if h.credentialsFile != nil {
		return h.credentialsFile.get()
	}
	return h.inlineAccounts
}

// Cleanup leaves the handlers that share sessions with this one.
func (h *Handler) Cleanup() error {
	defer h.rules.close() // not before the door, which may ask them
	if h.door == nil {
		return nil
	}
	return closeDoor(h)
}

// Interface guards
var (
	_ caddy.Provisioner           = (*Handler)(nil)
	_ caddy.CleanerUpper          = (*Handler)(nil)
	_ caddyhttp.MiddlewareHandler = (*Handler)(nil)
)
