// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// metadata is what a provider says of itself in its discovery document, with
// configured addresses in place of its own.
type metadata struct {
	Issuer        string `json:"issuer"`
	Authorization string `json:"authorization_endpoint"`
	Token         string `json:"token_endpoint"`
	UserInfo      string `json:"userinfo_endpoint"`
	Keys          string `json:"jwks_uri"`
	EndSession    string `json:"end_session_endpoint"`
	Revocation    string `json:"revocation_endpoint"`

	Scopes           []string `json:"scopes_supported"`
	Prompts          []string `json:"prompt_values_supported"`
	TokenAuthMethods []string `json:"token_endpoint_auth_methods_supported"`
	SigningAlgs      []string `json:"id_token_signing_alg_values_supported"`
	NamesIssuer      bool     `json:"authorization_response_iss_parameter_supported"`
}

const stepDiscovery = "reading the discovery document"

// about is what is known of the provider, from its discovery document if it
// has one.
func (p *Provider) about(ctx context.Context) (*metadata, error) {
	if p.metadata != nil {
		return p.metadata.get(ctx)
	}
	m := &metadata{}
	p.override(m)
	return m, nil
}

func (p *Provider) fetchMetadata(ctx context.Context) (*metadata, error) {
	address := strings.TrimSuffix(p.issuer, "/") + "/.well-known/openid-configuration"
	a, err := p.get(ctx, stepDiscovery, address)
	if err != nil {
		return nil, err
	}
	m := &metadata{}
	if err := json.Unmarshal(a.body, m); err != nil {
		return nil, fail(KindMisbehaved, stepDiscovery, "it is not valid JSON, or not a discovery document")
	}
	if err := p.checkIssuer(m); err != nil {
		return nil, err
	}
	if err := p.checkDiscovered(m); err != nil {
		return nil, err
	}
	p.override(m)
	if m.Authorization == "" && !p.UsesPassword() || m.Token == "" || m.Keys == "" {
		return nil, fail(KindMisbehaved, stepDiscovery, "it lacks authorization_endpoint, token_endpoint or jwks_uri")
	}
	return m, nil
}

// override puts what is configured before what was discovered.
func (p *Provider) override(m *metadata) {
	m.Authorization = cmp.Or(p.authorize, m.Authorization)
	m.Token = cmp.Or(p.token, m.Token)
	m.UserInfo = cmp.Or(p.userInfo, m.UserInfo)
	if p.row.noUserInfo {
		m.UserInfo = p.userInfo
	}
}

var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

const tenantPlaceholder = "{tenantid}"

// checkIssuer compares the issuer with the configured one, exactly: who could
// pass as another issuer could have its own tokens taken for that one's.
//
// Azure's documents name the tenant by its ID however it was asked for, or
// leave a placeholder. They come from the configured host over TLS all the
// same, and an ID that was configured must be the one that is named.
func (p *Provider) checkIssuer(m *metadata) error {
	if !p.row.tenantIssuer {
		if m.Issuer != p.issuer {
			return fail(KindMisbehaved, stepDiscovery,
				fmt.Sprintf("its issuer is %q, not %q", clean(m.Issuer), p.issuer))
		}
		return nil
	}
	if err := checkURL(m.Issuer); err != nil {
		return fail(KindMisbehaved, stepDiscovery, "its issuer "+err.Error())
	}
	if guid.MatchString(p.tenant) && !strings.Contains(strings.ToLower(m.Issuer), strings.ToLower(p.tenant)) {
		return fail(KindMisbehaved, stepDiscovery, "its issuer is another tenant")
	}
	return nil
}

// checkDiscovered refuses addresses without TLS unless the issuer itself was
// configured that way. A configured address stands in place of the document's,
// which is then nobody's business.
func (p *Provider) checkDiscovered(m *metadata) error {
	secure := strings.HasPrefix(strings.ToLower(p.issuer), "https:")
	for _, e := range []struct{ name, address, configured string }{
		{"authorization_endpoint", m.Authorization, p.authorize},
		{"token_endpoint", m.Token, p.token},
		{"userinfo_endpoint", m.UserInfo, p.userInfo},
		{"jwks_uri", m.Keys, ""},
		{"end_session_endpoint", m.EndSession, p.ownLogout},
		{"revocation_endpoint", m.Revocation, ""},
	} {
		if e.address == "" || e.configured != "" {
			continue
		}
		if err := checkURL(e.address); err != nil {
			return fail(KindMisbehaved, stepDiscovery, e.name+" "+err.Error())
		}
		if secure && !strings.HasPrefix(strings.ToLower(e.address), "https:") {
			return fail(KindMisbehaved, stepDiscovery, e.name+" must begin with https://")
		}
	}
	return nil
}

// issuerOf is the issuer that a token of this provider must name. Of a
// provider with many tenants it depends on the token's own tenant.
func (m *metadata) issuerOf(c claims) (string, bool) {
	if !strings.Contains(m.Issuer, tenantPlaceholder) {
		return m.Issuer, true
	}
	tenant, ok := c.text("tid")
	if !ok || !guid.MatchString(tenant) {
		return "", false
	}
	return strings.ReplaceAll(m.Issuer, tenantPlaceholder, tenant), true
}

// names reports whether the parameter iss of an answer is this provider.
func (m *metadata) names(iss string) bool {
	before, after, many := strings.Cut(m.Issuer, tenantPlaceholder)
	if !many {
		return iss == m.Issuer
	}
	tenant, ok := strings.CutPrefix(iss, before)
	if !ok {
		return false
	}
	tenant, ok = strings.CutSuffix(tenant, after)
	return ok && guid.MatchString(tenant)
}
