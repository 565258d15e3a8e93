// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

// Package caddyauth is the HTTP handler http.handlers.panelauth: everything
// that Caddy calls at run time. Follow a request from ServeHTTP in serve.go.
package caddyauth

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
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
	// in, the path of a credentials file (it ends in ".json" or begins with
	// "/", "./" or "../"), or an object of accounts.
	BasicAuth *BasicAuth `json:"basic_auth,omitempty"`

	// The providers that people may sign in with: the name of one, which takes
	// the oauth_ options below, or a list of objects. Names are github, gitlab,
	// google, azure, azurev2, okta, auth0, bitbucket, generic, password,
	// auth_code and oidc.
	OAuthProvider OAuthProviders `json:"oauth_provider,omitempty"`
	// The client id that the provider gave.
	OAuthKey string `json:"oauth_key,omitempty"`
	// The client secret that the provider gave.
	OAuthSecret string `json:"oauth_secret,omitempty"`
	// Where the provider sends people back to. Default: the login endpoint on
	// the host that was asked for
	OAuthRedirectURI string `json:"oauth_redirect_uri,omitempty"`
	// The claim that is the user name. Default: as in Panel
	OAuthJWTUser string `json:"oauth_jwt_user,omitempty"`
	// Options of the provider (scope, tenant, subdomain, url, server,
	// AUTHORIZE_URL, TOKEN_URL, USER_URL, LOGOUT_URL, USER_KEY, ISSUER) and
	// parameters for the authorization URL: everything else.
	OAuthExtraParams map[string]string `json:"oauth_extra_params,omitempty"`
	// Renew access tokens before they expire. Default: false
	OAuthRefreshTokens bool `json:"oauth_refresh_tokens,omitempty"`
	// "off" keeps a logout from ending the provider's session too. Default: a
	// logout goes on to the provider, where it can
	LogoutProvider string `json:"logout_provider,omitempty"`
	// Answer GET <login_endpoint>/token with the access token, for scripts of
	// the page. Default: false
	TokenEndpoint bool `json:"token_endpoint,omitempty"`

	// A Fernet key, 32 bytes in URL-safe base64, that wraps the token cookies
	// when panel_cookies says encrypted. Panel must be given the same key.
	OAuthEncryptionKey string `json:"oauth_encryption_key,omitempty"`
	// How many days a session lasts; decimals are allowed. Default: 1
	OAuthExpiryDays float64 `json:"oauth_expiry_days,omitempty"`

	// Let everyone in as a guest until they sign in. Excludes
	// oauth_guest_endpoints, which it would make meaningless.
	OAuthOptional bool `json:"oauth_optional,omitempty"`
	// Pages that are open to guests: a path opens exactly that page and what
	// the page needs, a path that ends in "/*" opens a whole tree.
	OAuthGuestEndpoints []string `json:"oauth_guest_endpoints,omitempty"`

	// Accept Authorization: Basic as well as the form, from programs. Default:
	// false
	BasicAuthHeader bool `json:"basic_auth_header,omitempty"`
	// Providers whose JWTs programs may show as Authorization: Bearer. Default:
	// none
	Bearer []Bearer `json:"bearer,omitempty"`
	// Origins whose CORS preflights pass to the application, for nobody.
	// Default: none
	CORSPreflight []string `json:"cors_preflight,omitempty"`

	// Where people sign in. Default: /login
	LoginEndpoint string `json:"login_endpoint,omitempty"`
	// Where people sign out. Default: /logout
	LogoutEndpoint string `json:"logout_endpoint,omitempty"`

	// A Jinja2 file to show instead of the built-in sign-in page.
	BasicLoginTemplate string `json:"basic_login_template,omitempty"`
	// A Jinja2 file to show instead of the built-in signed-out page.
	LogoutTemplate string `json:"logout_template,omitempty"`
	// A Jinja2 file to show instead of the built-in page for people who are
	// signed in but not allowed.
	AuthTemplate string `json:"auth_template,omitempty"`
	// A Jinja2 file to show instead of the built-in page for a sign-in that
	// failed. Default: auth_template, if there is one
	OAuthErrorTemplate string `json:"oauth_error_template,omitempty"`
	// What the application says of itself on the built-in pages. Default:
	// nothing
	Branding *Branding `json:"branding,omitempty"`
	// Put a small script into the application's HTML pages, which tells whoever
	// is in front of one that the session has ended, or will in a minute, and
	// leads to a new one. Default: false
	SessionNotice bool `json:"session_notice,omitempty"`

	// The secret that sessions and Panel's cookies are made with, at least 16
	// bytes, followed by older ones that are still accepted. Panel must be
	// started with the first. Default: generated once and kept in Caddy's
	// storage; it then serves sessions only, and Panel gets no cookies.
	CookieSecret []string `json:"cookie_secret,omitempty"`
	// The path that the session cookie is sent to. Default: /
	CookiePath string `json:"cookie_path,omitempty"`
	// The domain that the session cookie is sent to. Default: this host alone
	CookieDomain string `json:"cookie_domain,omitempty"`
	// The name of the session cookie. On HTTPS the prefix "__Host-" comes
	// before it, or "__Secure-" with a cookie_path or cookie_domain. Default:
	// panelauth
	CookieName string `json:"cookie_name,omitempty"`
	// The SameSite attribute of the session cookie: lax, strict or none.
	// Default: lax
	CookieSameSite string `json:"cookie_same_site,omitempty"`

	// Where sessions live: "storage" is Caddy's own storage, "cookie" the
	// browser, and a URL such as "redis://user:password@host:6379/0" a Redis or
	// Valkey; see Parse in the package redisstore for sockets, sentinels and
	// clusters. What a placeholder stands for in its user name or password
	// needs no percent-encoding. Default: storage
	SessionStore string `json:"session_store,omitempty"`
	// How long a session may be unused before it ends. Default: no limit
	SessionIdle caddy.Duration `json:"session_idle,omitempty"`
	// Offer "stay signed in" on the sign-in page; such a session lasts this
	// many days. Default: not offered
	RememberMe float64 `json:"remember_me,omitempty"`
	// How many failed attempts are allowed before sign-in is refused for a
	// while. Default: 5 in 2m
	LoginAttempts *LoginAttempts `json:"login_attempts,omitempty"`

	// Who may go where. Default: everybody who is signed in, and every guest
	// where guests may go, may go everywhere
	Authorize *Authorize `json:"authorize,omitempty"`

	// The cookies that a Panel application gets, signed as Panel signs them:
	// any of "user", "id_token", "access_token", "refresh_token" and
	// "oauth_expiry", "encrypted" before them to wrap tokens with
	// oauth_encryption_key, or "off" alone. Default: user, id_token
	PanelCookies []string `json:"panel_cookies,omitempty"`
	// Headers that tell the application who is signed in, with the claim that
	// each carries; empty means Remote-User, Remote-Name, Remote-Email and
	// Remote-Groups. Default: none are sent
	IdentityHeaders map[string]string `json:"identity_headers,omitzero"`
	// The Origin that the application sees on websocket requests. Default: as
	// the browser sent it
	WebsocketOrigin string `json:"websocket_origin,omitempty"`
	// Other sites whose pages may open websockets here. Default: none
	WebsocketAllowedOrigins []string `json:"websocket_allowed_origins,omitempty"`

	logger   *zap.Logger
	audit    *zap.Logger
	emitter  emitter
	lasts    context.Context // the configuration
	now      func() time.Time
	settings settings
	options  [sha256.Size]byte // hash of what is configured, to know the handler after a reload by
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
	// Failures allowed within the window. Default: 5
	Max int `json:"max,omitempty"`
	// How long a failure counts. Default: 2m
	Window caddy.Duration `json:"window,omitempty"`
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

func (h *Handler) provision(ctx caddy.Context, logger *zap.Logger, storage certmagic.Storage) error {
	h.logger, h.audit, h.lasts = logger, logger.Named("audit"), ctx
	h.storage = storage
	h.now = time.Now
	options, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("reading the options: %w", err)
	}
	h.options = sha256.Sum256(options)
	settings, mistakes := h.resolve(caddy.NewReplacer())
	if len(mistakes) > 0 {
		return joinMistakes(mistakes)
	}
	h.settings = settings
	h.warnOfLimits()
	if err := h.openAccounts(ctx); err != nil {
		return err
	}
	pages, err := openPages(ctx, h.logger, settings)
	if err != nil {
		return fmt.Errorf("opening the pages: %w", err)
	}
	h.pages = pages
	if err := h.provisionSecrets(ctx); err != nil {
		return err
	}
	if err := h.openWays(ctx); err != nil {
		return err
	}
	h.openBearers()
	h.programs = newPrograms()
	h.guests = newGuests(h.OAuthOptional, settings.guestEndpoints)
	h.guest = h.newGuest()
	if h.rules, err = openRules(ctx, h.logger, h.Authorize, settings.rulesFile); err != nil {
		return fmt.Errorf("opening the rules: %w", err)
	}
	h.markStorage(ctx)
	h.doorKey = newDoorKey(h.settings, h.storage)
	if h.door, err = openDoor(h); err != nil {
		return err
	}
	metrics.expect(h)
	go h.announce(ctx)
	return nil
}

// warnOfLimits says what the options make impossible.
func (h *Handler) warnOfLimits() {
	if h.settings.stateless {
		h.logger.Info("sessions are kept in cookies: a logout is known to this instance and the browser only")
	}
	if h.settings.stateless && h.OAuthRefreshTokens {
		h.logger.Info("sessions are kept in cookies: each instance renews tokens for itself, so with a provider that takes a refresh token once, a browser must come to the same instance each time")
	}
	if h.settings.redis != nil && len(h.settings.secrets) == 0 {
		h.logger.Warn("cookie_secret is not configured: instances share sessions only if they share Caddy's storage as well, where the generated secret is")
	}
	if path := h.settings.cookiePath; path != "/" && !strings.HasPrefix(h.settings.logout+"/", strings.TrimSuffix(path, "/")+"/") {
		h.logger.Warn("logout_endpoint is outside cookie_path, so a logout cannot see the session that it should end",
			zap.String("logout_endpoint", h.settings.logout),
			zap.String("cookie_path", path))
	}
}

// markStorage readies the storage that sessions are kept in. One that is away
// keeps no site from being served: until it is back nobody can sign in.
func (h *Handler) markStorage(ctx context.Context) {
	if h.settings.stateless || h.settings.redis != nil {
		return
	}
	err := h.tryToMark(ctx)
	if err == nil {
		return
	}
	h.logger.Error("the storage that sessions are kept in cannot be written to; nobody can sign in until it can", zap.Error(err))
	go func() {
		for err != nil && ctx.Err() == nil {
			time.Sleep(markInterval)
			err = h.tryToMark(ctx)
		}
	}()
}

// markInterval is how often a storage that was away is tried again.
const markInterval = 2 * time.Second

func (h *Handler) tryToMark(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, storageTimeout)
	defer cancel()
	return mark(ctx, h.storage)
}

// provisionSecrets readies the signer of Panel's cookies, which only a
// configured secret can serve: Panel could not verify any other.
func (h *Handler) provisionSecrets(ctx context.Context) error {
	if len(h.settings.secrets) > 0 {
		if len(h.settings.panelCookies) > 0 {
			h.panel = tornado.NewSigner(h.settings.secrets[0])
		}
		return nil
	}
	if len(h.settings.panelCookies) > 0 {
		h.logger.Info("cookie_secret is not configured, so a Panel application gets no cookies; sessions use a generated secret")
	}
	secret, err := generatedSecret(ctx, h.storage)
	if err != nil {
		return fmt.Errorf("preparing a cookie secret: %w", err)
	}
	h.settings.secrets = [][]byte{secret}
	return nil
}

// openWays readies the providers, which look for their discovery documents in
// the background: a provider that is down keeps nobody else from being served.
func (h *Handler) openWays(ctx context.Context) error {
	for _, s := range h.settings.providers {
		way, err := newWay(ctx, s, h.logger.Named("oauth"))
		if err != nil {
			return fmt.Errorf("preparing the provider %s: %w", s.config.ID, err)
		}
		h.ways = append(h.ways, way)
	}
	envelope, err := session.NewEnvelope(h.settings.secrets, "sign-in under way")
	h.envelope = envelope
	return err
}

// openAccounts readies the accounts that are written in the configuration or
// in a file.
func (h *Handler) openAccounts(ctx context.Context) error {
	if h.BasicAuth == nil {
		return nil
	}
	file := h.settings.credentialsFile
	if file == nil {
		accounts, err := newAccounts(h.settings.inline)
		h.inlineAccounts = accounts
		if err == nil {
			h.warnOfWeakPassword(accounts)
		}
		return err
	}
	if file.get().isEmpty() {
		h.logger.Warn("the credentials file has no accounts", zap.String("file", file.path))
	}
	file.logger = h.logger
	go file.follow(ctx)
	h.credentialsFile = file
	return nil
}

func (h *Handler) warnOfWeakPassword(accounts *accounts) {
	if any := accounts.anyUser; any != nil && any.kind == (hashKind{}) && len(any.Password) < 8 {
		h.logger.Warn("the password in basic_auth has fewer than 8 characters")
	}
}

// accounts are those in force now; nil means that nobody has a password.
func (h *Handler) accounts() *accounts {
	if h.credentialsFile != nil {
		return h.credentialsFile.get()
	}
	return h.inlineAccounts
}

func joinMistakes(mistakes []Mistake) error {
	errs := make([]error, len(mistakes))
	for i, m := range mistakes {
		errs[i] = m.Err
		if m.Subdirective != "" {
			errs[i] = fmt.Errorf("%s: %w", m.Subdirective, m.Err)
		}
	}
	return errors.Join(errs...)
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
