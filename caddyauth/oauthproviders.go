// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
)

// OAuthProviders are the providers that people may sign in with. In JSON they
// are the name of one, which takes the other oauth_ options, or a list of
// objects that bring their own.
type OAuthProviders []OAuthProvider

// OAuthProvider is one way to sign in with a provider.
type OAuthProvider struct {
	// Which provider it is, by one of the names that `oauth_provider` takes.
	// Required.
	Name string `json:"name"`
	// What tells this entry from others in addresses, in logs and in
	// `{http.auth.user.provider}`. Default: the name.
	ID string `json:"id,omitempty"`
	// As `oauth_key`. Required where there are other options.
	Key string `json:"key,omitempty"`
	// As `oauth_secret`. Default: none.
	Secret string `json:"secret,omitempty"`
	// As `oauth_redirect_uri`. Default: the login endpoint on the host that was
	// asked for.
	RedirectURI string `json:"redirect_uri,omitempty"`
	// What to ask the provider for (RFC 6749, section 3.3). Default: what Panel
	// asks for.
	Scope []string `json:"scope,omitempty"`
	// As `oauth_jwt_user`. Default: as there.
	JWTUser string `json:"jwt_user,omitempty"`
	// The text on the button, in quotes if it has spaces. Default: "Continue
	// with" and the provider's own name.
	Label string `json:"label,omitempty"`
	// The claim that lists the user's groups; dots lead into objects. Default:
	// what the provider usually calls it.
	GroupsClaim string `json:"groups_claim,omitempty"`
	// Lets an e-mail address count that the provider says is not verified.
	// Whoever may type one there can then be anybody here. Default: off.
	AllowUnverifiedEmail bool `json:"allow_unverified_email,omitempty"`
	// As `oauth_extra_params`. Default: none.
	ExtraParams map[string]string `json:"extra_params,omitempty"`
}

// isFlat reports an entry that says nothing but which provider it is, and so
// takes the options beside it.
func (p OAuthProvider) isFlat() bool {
	return p.Key == "" && p.Secret == "" && p.RedirectURI == "" && p.Scope == nil && p.JWTUser == "" &&
		p.Label == "" && p.GroupsClaim == "" && !p.AllowUnverifiedEmail && p.ExtraParams == nil
}

// MarshalJSON writes a single name as a string and everything else as a list.
func (p OAuthProviders) MarshalJSON() ([]byte, error) {
	if len(p) == 1 && p[0].ID == "" && p[0].isFlat() {
		return json.Marshal(p[0].Name)
	}
	return json.Marshal([]OAuthProvider(p))
}

// UnmarshalJSON reads a name or a list of objects.
func (p *OAuthProviders) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) {
		strict := json.NewDecoder(bytes.NewReader(data))
		strict.DisallowUnknownFields()
		return strict.Decode((*[]OAuthProvider)(p))
	}
	var name string
	if json.Unmarshal(data, &name) != nil {
		return errors.New("oauth_provider must be the name of a provider or a list of objects")
	}
	*p = OAuthProviders{{Name: name}}
	return nil
}

// providerSettings is a provider with its options resolved.
type providerSettings struct {
	config      provider.Config
	redirectURI string
	label       string
	issuer      string // "" if it has none, or more is wrong
}

// providers checks the providers and makes each once, which finds what is
// missing without asking the network.
func (c *checker) providers(h *Handler, s *settings) {
	const subdirective = "oauth_provider"
	if len(h.OAuthProvider) == 0 {
		c.oauthWithoutProvider(h)
		return
	}
	ids := make(map[string]bool)
	flat := 0
	for i, written := range h.OAuthProvider {
		before := len(c.mistakes)
		if written.isFlat() {
			flat++
		}
		if flat > 1 && written.isFlat() {
			c.wrong(subdirective, "only one provider can take the oauth_ options: give the others a block")
		}
		resolved := c.provider(h, written)
		id := resolved.config.ID
		switch {
		case ids[id]:
			c.wrong(subdirective, "two providers have the id %q: give one of them another, oauth_provider <name> <id>", id)
		case strings.ContainsAny(id, "/?#&= ") || id == passwordProvider && resolved.config.Name != passwordProvider, id == apiKeyProvider:
			c.wrong(subdirective, "%q cannot be the id of a provider", id)
		}
		ids[id] = true
		s.providers = append(s.providers, resolved)
		if resolved.config.Name == passwordProvider && h.BasicAuth != nil {
			c.wrong(subdirective, "the provider password and basic_auth would share one form: keep one of them")
		}
		for j := before; j < len(c.mistakes); j++ {
			if c.mistakes[j].Subdirective == subdirective {
				c.mistakes[j].Entry = i
			}
		}
	}
	if flat == 0 {
		c.oauthWithoutProvider(h)
	}
}

// oauthOptions checks the options that concern all providers.
func (c *checker) oauthOptions(h *Handler, _ *settings) {
	if off := c.text("logout_provider", h.LogoutProvider); off != "" && off != "off" {
		c.wrong("logout_provider", "can only be off")
	}
	if len(h.OAuthProvider) > 0 {
		return
	}
	for _, option := range []struct {
		name string
		set  bool
	}{
		{"oauth_refresh_tokens", h.OAuthRefreshTokens},
		{"token_endpoint", h.TokenEndpoint},
		{"logout_provider", h.LogoutProvider != ""},
	} {
		if option.set {
			c.wrong(option.name, "needs an oauth_provider")
		}
	}
}

// oauthWithoutProvider refuses options that no provider would take.
func (c *checker) oauthWithoutProvider(h *Handler) {
	for _, option := range []struct{ name, value string }{
		{"oauth_key", h.OAuthKey},
		{"oauth_secret", h.OAuthSecret},
		{"oauth_redirect_uri", h.OAuthRedirectURI},
		{"oauth_jwt_user", h.OAuthJWTUser},
	} {
		if option.value != "" {
			c.wrong(option.name, "belongs to an oauth_provider without a block, and there is none")
		}
	}
	if h.OAuthExtraParams != nil {
		c.wrong("oauth_extra_params", "belongs to an oauth_provider without a block, and there is none")
	}
}

func (h *Handler) withFlatOptions(p OAuthProvider) OAuthProvider {
	p.Key = h.OAuthKey
	p.Secret = h.OAuthSecret
	p.RedirectURI = h.OAuthRedirectURI
	p.JWTUser = h.OAuthJWTUser
	p.ExtraParams = h.OAuthExtraParams
	return p
}

func (c *checker) provider(h *Handler, p OAuthProvider) providerSettings {
	const subdirective = "oauth_provider"
	before := len(c.mistakes)
	// at is where an option stands: in the entry's block, or beside the entry.
	at, prefix := func(string) string { return subdirective }, ""
	if p.isFlat() {
		at, prefix = func(option string) string { return "oauth_" + option }, "oauth_"
		p = h.withFlatOptions(p)
	}
	name := strings.ToLower(c.text(subdirective, p.Name)) // as Panel reads it
	if p.Key == "" && (name == "" || slices.Contains(provider.Names(), name)) {
		c.wrong(subdirective, "the client id is missing: add %skey, and whatever else the provider gave", prefix)
	}
	id := cmp.Or(c.text(subdirective, p.ID), name)
	extra := c.extraParams(at("extra_params"), p.ExtraParams)
	resolved := providerSettings{
		config: provider.Config{
			ID:                   id,
			Name:                 name,
			ClientID:             c.text(at("key"), p.Key),
			ClientSecret:         provider.Secret(c.text(at("secret"), p.Secret)),
			Scopes:               c.texts(subdirective, p.Scope),
			JWTUser:              c.text(at("jwt_user"), p.JWTUser),
			GroupsClaim:          c.text(subdirective, p.GroupsClaim),
			AllowUnverifiedEmail: p.AllowUnverifiedEmail,
			RefreshTokens:        h.OAuthRefreshTokens,
			ExtraParams:          extra,
		},
		redirectURI: c.text(at("redirect_uri"), p.RedirectURI),
		label:       c.text(subdirective, p.Label),
	}
	c.check(at("redirect_uri"), p.RedirectURI, resolved.redirectURI, checkRedirectURI(resolved.redirectURI))
	if len(c.mistakes) > before {
		return resolved // whatever else is missing may be so because of these
	}
	made, err := provider.New(resolved.config)
	if err != nil {
		if errors.Is(err, provider.ErrNoSecret) {
			err = fmt.Errorf("%w: add %ssecret", err, prefix)
		}
		// Values may come from this machine's environment or files.
		c.mistakes = append(c.mistakes, Mistake{Subdirective: subdirective, Err: err, Local: c.anyPlaceholder(p)})
		return resolved
	}
	resolved.issuer = made.Issuer()
	return resolved
}

// extraParams resolves values. They may be empty.
func (c *checker) extraParams(subdirective string, written map[string]string) map[string]string {
	resolved := make(map[string]string, len(written))
	for _, name := range slices.Sorted(maps.Keys(written)) {
		resolved[name] = c.text(subdirective, written[name])
	}
	return resolved
}

// anyPlaceholder reports whether an entry's options depend on where it is
// loaded.
func (c *checker) anyPlaceholder(p OAuthProvider) bool {
	for _, value := range append(p.Scope, p.Name, p.ID, p.Key, p.Secret, p.JWTUser, p.GroupsClaim) {
		if value != c.repl.ReplaceKnown(value, "") {
			return true
		}
	}
	for _, value := range p.ExtraParams {
		if value != c.repl.ReplaceKnown(value, "") {
			return true
		}
	}
	return false
}

// Interface guards
var (
	_ json.Marshaler   = OAuthProviders{}
	_ json.Unmarshaler = (*OAuthProviders)(nil)
)
