// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

// Package provider signs people in with OAuth 2.0 and OpenID Connect. It knows
// the providers that Panel knows, as a table, and any OpenID provider by its
// discovery document. It keeps nothing of a sign-in: what must be remembered
// until the visitor comes back is an Attempt, which its caller keeps.
//
// A sign-in is Begin, the visitor's way to the provider and back, and Finish.
// Later come Refresh, Revoke and LogoutURL. All of it is safe for concurrent
// use, and nothing waits for a provider longer than it says.
package provider

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"
)

// Config is what there is to configure of one provider.
type Config struct {
	// ID tells this entry from others, in attempts and logs. Default: Name
	ID string
	// Name is a row of the table, see Names.
	Name string

	ClientID string
	// ClientSecret is the client's secret. For oidc, and for generic with an
	// ISSUER, it may be a private key instead, as PEM or JWK: the client then
	// proves itself with private_key_jwt.
	ClientSecret Secret

	// Scopes to ask for. Default: the provider's
	Scopes []string
	// JWTUser is the claim that names the user; a dotted path finds one inside
	// another. Default: the provider's
	JWTUser string
	// GroupsClaim is the claim that holds the groups, in place of what the
	// provider usually calls them. A dotted path finds one inside another.
	GroupsClaim string
	// AllowUnverifiedEmail accepts addresses that the provider says it has not
	// verified. Whoever may type an address there may then be anybody here.
	AllowUnverifiedEmail bool
	// RefreshTokens asks for a refresh token where that takes asking.
	RefreshTokens bool
	// ExtraParams are the options scope, tenant, subdomain, url, server,
	// AUTHORIZE_URL, TOKEN_URL, USER_URL, LOGOUT_URL, USER_KEY and ISSUER, and
	// parameters for the authorization URL: everything else.
	ExtraParams map[string]string

	// HTTPClient lends its transport. Its cookies and redirects are not used.
	HTTPClient *http.Client
	// WrapTransport puts something around the transport, which sees every
	// request; CallOf says what each is for. Default: nothing
	WrapTransport func(http.RoundTripper) http.RoundTripper
	// Timeout bounds each request to the provider. Default: 10s
	Timeout time.Duration
	// Now is the clock. Default: time.Now
	Now func() time.Time
	// Logger gets what an administrator should know. Default: none
	Logger *zap.Logger
}

// Provider is one configured provider.
type Provider struct {
	settings

	id, name string
	row      row
	clientID string
	secret   Secret
	key      *clientKey // in place of a secret
	openID   bool       // an ID token is asked for and must come
	maxAge   time.Duration
	acr      []string

	groupsClaim          string
	allowUnverifiedEmail bool
	refreshTokens        bool

	client  *http.Client
	timeout time.Duration
	now     func() time.Time
	logger  *zap.Logger

	metadata *remote[metadata] // nil without an issuer
	keys     *remote[keySet]   // nil without an issuer
}

// New checks a configuration and makes a Provider of it, without the network.
// Its errors name what is missing or wrong and repeat no value.
func New(c Config) (*Provider, error) {
	r, known := table[c.Name]
	if !known {
		return nil, unknownProvider(c.Name)
	}
	id := cmp.Or(c.ID, c.Name)
	p, err := build(c, r)
	if err != nil {
		return nil, fmt.Errorf("provider %s: %w", id, err)
	}
	p.id = id
	p.logger = p.logger.With(zap.String("provider", id))
	p.warn()
	return p, nil
}

func build(c Config, r row) (*Provider, error) {
	if c.ClientID == "" {
		return nil, errors.New("the client ID is missing")
	}
	s, err := resolve(c, r)
	if err != nil {
		return nil, err
	}
	p := &Provider{
		settings: s, name: c.Name, row: r, clientID: c.ClientID, secret: c.ClientSecret,
		groupsClaim:          c.GroupsClaim,
		allowUnverifiedEmail: c.AllowUnverifiedEmail,
		refreshTokens:        c.RefreshTokens,
		client:               newHTTPClient(c.HTTPClient, c.WrapTransport),
		timeout:              c.Timeout, now: c.Now, logger: c.Logger,
	}
	p.setDefaults()
	p.openID = s.issuer != "" && slices.Contains(s.scopes, "openid")
	if p.maxAge, p.acr, err = demands(s.params); err != nil {
		return nil, err
	}
	if p.key, err = p.parseKey(); err != nil {
		return nil, err
	}
	if s.issuer != "" {
		p.metadata = newRemote(p.fetchMetadata, p.now)
		p.keys = newRemote(p.fetchKeys, p.now)
	}
	return p, nil
}

func (p *Provider) setDefaults() {
	if p.timeout <= 0 {
		p.timeout = defaultTimeout
	}
	if p.now == nil {
		p.now = time.Now
	}
	if p.logger == nil {
		p.logger = zap.NewNop()
	}
	if p.row.offlineByParam && p.refreshTokens {
		// Google gives a refresh token for access_type=offline, and a second
		// one to the same account only after asking it again.
		setDefault(p.params, "access_type", "offline")
		setDefault(p.params, "prompt", "consent")
	}
}

func setDefault(m map[string]string, name, value string) {
	if _, ok := m[name]; !ok {
		m[name] = value
	}
}

// warn says once what is allowed but had better be known.
func (p *Provider) warn() {
	for _, u := range []string{p.issuer, p.authorize, p.token, p.userInfo} {
		if clearText(u) {
			p.logger.Warn("provider is reached without TLS: secrets and tokens can be read on the way")
			break
		}
	}
	if p.row.secretStyle == secretNever && p.secret != "" {
		p.logger.Warn("auth_code is for public clients and does not send the client secret; generic does")
	}
	if p.row.family == familyPassword {
		p.logger.Warn("the password grant lets this server see people's passwords; RFC 9700 forbids it, use auth_code or oidc where the provider can")
	}
	if p.row.tenantIssuer && slices.Contains([]string{"common", "organizations"}, p.tenant) {
		p.logger.Warn("accounts of any organisation may sign in; set tenant to allow one",
			zap.String("tenant", p.tenant))
		if p.userKey == "email" {
			p.logger.Warn("e-mail addresses are not verified across organisations; set tenant, or jwt_user to a claim such as oid")
		}
	}
}

// ID is the entry's own name.
func (p *Provider) ID() string { return p.id }

// Name is the provider's name in the table.
func (p *Provider) Name() string { return p.name }

// Authority tells this provider from others of its name: its issuer or, without
// one, where it exchanges codes for tokens.
func (p *Provider) Authority() string { return cmp.Or(p.issuer, p.token) }

// Conditions are what else decides who may sign in here, and as whom. Whom one
// configuration lets in, another of the same client may refuse or call by
// another name.
func (p *Provider) Conditions() []string {
	return []string{
		p.userInfo, p.userKey, p.groupsClaim, strconv.FormatBool(p.allowUnverifiedEmail),
		strings.ToLower(p.hostedParam), p.maxAge.String(), strings.Join(p.acr, " "),
	}
}

// ClientID is the client that people sign in to.
func (p *Provider) ClientID() string { return p.clientID }

// Issuer is the OpenID issuer, if the provider has one. For Azure it is the
// address of its discovery, which is not what its tokens say.
func (p *Provider) Issuer() string { return p.issuer }

// UsesPassword reports whether people sign in with a form and Password, and
// not with Begin and Finish.
func (p *Provider) UsesPassword() bool { return p.row.family == familyPassword }

// Ready waits until the provider's discovery document and keys are there. It
// need not be called: whoever needs them fetches them.
func (p *Provider) Ready(ctx context.Context) error {
	if p.metadata == nil {
		return nil
	}
	if _, err := p.metadata.get(ctx); err != nil {
		return err
	}
	_, err := p.keys.get(ctx)
	return err
}

// How often Run looks again after a success, and after a failure.
const (
	renewEvery   = time.Hour
	firstBackoff = time.Second
	lastBackoff  = 30 * time.Second
)

// Run keeps the discovery document and the keys fresh until ctx is done, so
// that sign-ins do not wait for them and withdrawn keys go. While the provider
// is away it keeps the last good ones and tries again, ever more rarely.
func (p *Provider) Run(ctx context.Context) {
	if p.metadata == nil {
		return
	}
	backoff, failures := firstBackoff, 0
	for {
		wait := renewEvery
		if err := p.renew(ctx); err != nil && ctx.Err() == nil {
			p.reportAway(err, failures)
			failures++
			wait, backoff = backoff, min(2*backoff, lastBackoff)
		} else {
			p.reportBack(failures)
			backoff, failures = firstBackoff, 0
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

func (p *Provider) renew(ctx context.Context) error {
	if err := p.metadata.renew(ctx); err != nil {
		return err
	}
	return p.keys.renew(ctx)
}

// reportAway warns once, not at every try.
func (p *Provider) reportAway(err error, failures int) {
	log := p.logger.Warn
	if failures > 0 {
		log = p.logger.Debug
	}
	if p.metadata.known() && p.keys.known() {
		log("provider cannot be read; going on with what is known of it", zap.Error(err))
	} else {
		log("provider cannot be read; nobody can sign in with it until it can", zap.Error(err))
	}
}

func (p *Provider) reportBack(failures int) {
	if failures > 0 {
		p.logger.Info("provider can be read again", zap.Int("failures", failures))
	}
}
