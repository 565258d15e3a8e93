// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"context"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
)

// What a provider is asked for so that it does not take whoever is signed in
// there for granted (OpenID Connect Core, section 3.1.2.1).
const (
	promptSelect  = "select_account"
	promptLogin   = "login"
	promptConsent = "consent"
)

// BeginAnother is Begin for somebody who wants to choose an account: the
// provider is to ask, also where it knows somebody, if it can be told to.
func (p *Provider) BeginAnother(ctx context.Context, redirectURI string) (Attempt, error) {
	return p.begin(ctx, redirectURI, true)
}

// AsksForAnother reports whether the provider can be told to ask who signs in,
// as far as it is known without the network.
func (p *Provider) AsksForAnother() bool {
	m := &metadata{}
	if p.metadata != nil {
		if known := p.metadata.current(); known != nil {
			m = known
		}
	}
	return p.promptForAnother(m) != ""
}

// promptForAnother is the prompt that has the provider ask, or "". A provider
// that says nothing of prompts knows login sooner than select_account.
func (p *Provider) promptForAnother(m *metadata) string {
	switch {
	case p.UsesPassword():
		return ""
	case p.row.another != "":
		return p.row.another
	case p.row.family == familyNamed || !slices.Contains(p.scopes, oidc.ScopeOpenID):
		return ""
	case slices.Contains(m.Prompts, promptSelect):
		return promptSelect
	case len(m.Prompts) == 0 || slices.Contains(m.Prompts, promptLogin):
		return promptLogin
	}
	return ""
}

// withConfigured keeps a consent that is asked for anyway, without which some
// give no refresh token. Anything else that is configured gives way.
func withConfigured(prompt, configured string) string {
	if slices.Contains(strings.Fields(configured), promptConsent) {
		return prompt + " " + promptConsent
	}
	return prompt
}
