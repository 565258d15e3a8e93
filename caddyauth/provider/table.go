// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"context"
	"maps"
	"slices"
	"strings"
)

// A row is what is known of a provider before anybody configures it. URLs are
// templates: {url} is the option url as a base URL, {tenant}, {server} and so
// on are the options of these names. What a row leaves empty comes from the
// provider's discovery document, if the row has an issuer.
type row struct {
	scopes   string            // asked for unless scopes are configured
	userKey  string            // the claim that names the user
	options  map[string]string // the options it takes, with their defaults
	required []string          // settings it cannot do without
	derive   func(options map[string]string) error

	issuer    string
	authorize string
	exchange  string // of codes for tokens
	userInfo  string
	logout    string // for providers without an end_session_endpoint
	another   string // the prompt that has it ask who signs in, where it need not say so itself

	family      family
	secretStyle secretStyle
	subjectKeys []string            // claims that identify the account where there is no ID token
	aliases     map[string][]string // claims under their usual names
	// adjust adds to the claims what the provider says in its own way.
	adjust func(context.Context, *Provider, *evidence, claims) error
	// groups finds the groups if they are not in a claim; known is false
	// where nothing was said of groups.
	groups func(ctx context.Context, p *Provider, e *evidence, all claims) (groups []string, known bool, err error)

	// Quirks, each with its reason where it is used.
	tenantIssuer     bool // discovery may name "{tenantid}" in place of the tenant
	noUserInfo       bool // identity is in the ID token alone
	needsUserInfo    bool // the ID token lacks what the user name or groups come from
	offlineByParam   bool // a refresh token takes access_type=offline, not a scope
	deadGrantCodes   []string
	plainUserInfo    string // used instead of userInfo where openid is not in the scopes
	returnToOnLogout bool   // logout takes returnTo and client_id
}

// family says how freely a row may be configured.
type family int

const (
	familyNamed    family = iota // has URLs of its own
	familyGeneric                // URLs are configured, or discovered from ISSUER
	familyOpenID                 // everything is discovered from ISSUER
	familyPassword               // generic, with the password grant
)

// secretStyle is how a client proves itself at the token endpoint, where
// discovery does not say otherwise.
type secretStyle int

const (
	secretPost secretStyle = iota // client_secret_post: what Panel sends everywhere
	secretBasic
	secretNever // a public client
)

// Panel asks for these wherever it does not know better.
const panelScopes = "openid email profile offline_access"

var table = map[string]row{
	"auth0": {
		scopes: panelScopes, userKey: "email",
		options: map[string]string{"subdomain": "", "url": ""}, derive: deriveAuth0,
		issuer:    "{url}/",
		authorize: "{url}/authorize",
		exchange:  "{url}/oauth/token",
		userInfo:  "{url}/userinfo",
		logout:    "{url}/v2/logout", returnToOnLogout: true,
		another: promptLogin,
	},
	"auth_code": {
		scopes: panelScopes, userKey: "email",
		required: []string{"AUTHORIZE_URL", "TOKEN_URL"},
		family:   familyGeneric, secretStyle: secretNever,
	},
	"azure": {
		scopes: panelScopes, userKey: "unique_name",
		options: azureOptions, derive: deriveAzure,
		issuer:    "{url}/{tenant}",
		another:   promptSelect,
		authorize: "{url}/{tenant}/oauth2/authorize",
		exchange:  "{url}/{tenant}/oauth2/token",
		groups:    azureGroups, tenantIssuer: true, noUserInfo: true, adjust: adjustAzure,
	},
	"azurev2": {
		scopes: panelScopes, userKey: "email",
		options: azureOptions, derive: deriveAzure,
		issuer:    "{url}/{tenant}/v2.0",
		another:   promptSelect,
		authorize: "{url}/{tenant}/oauth2/v2.0/authorize",
		exchange:  "{url}/{tenant}/oauth2/v2.0/token",
		groups:    azureGroups, tenantIssuer: true, noUserInfo: true, adjust: adjustAzure,
	},
	"bitbucket": {
		scopes: panelScopes, userKey: "username",
		required:    []string{"secret"},
		authorize:   "https://bitbucket.org/site/oauth2/authorize",
		exchange:    "https://bitbucket.org/site/oauth2/access_token",
		userInfo:    "https://api.bitbucket.org/2.0/user",
		subjectKeys: []string{"uuid", "account_id"},
		aliases:     map[string][]string{"name": {"display_name"}},
	},
	"generic": {
		scopes: panelScopes, userKey: "email",
		required: []string{"AUTHORIZE_URL", "TOKEN_URL"},
		family:   familyGeneric,
	},
	"github": {
		scopes: panelScopes, userKey: "login",
		options:  map[string]string{"url": "github.com"},
		required: []string{"secret"}, derive: deriveGitHub,
		authorize:   "{url}/login/oauth/authorize",
		exchange:    "{url}/login/oauth/access_token",
		userInfo:    "{api}/user",
		another:     promptSelect,
		subjectKeys: []string{"id"},
		groups:      gitHubGroups, adjust: adjustGitHub,
		deadGrantCodes: []string{"bad_verification_code", "bad_refresh_token"},
	},
	"gitlab": {
		// Without Panel's offline_access, which GitLab calls malformed.
		scopes: "openid email profile", userKey: "username",
		options:   map[string]string{"url": "gitlab.com"},
		issuer:    "{url}",
		authorize: "{url}/oauth/authorize",
		exchange:  "{url}/oauth/token",
		another:   promptLogin,
		// Panel asks the API, which takes the scope read_user and knows no groups.
		userInfo: "{url}/oauth/userinfo", needsUserInfo: true,
		plainUserInfo: "{url}/api/v4/user",
		subjectKeys:   []string{"id"},
		aliases:       map[string][]string{"username": {"preferred_username", "nickname"}, "groups": {"groups_direct"}},
		adjust:        adjustGitLab,
	},
	"google": {
		scopes: "openid email profile", userKey: "email",
		required:       []string{"secret"},
		issuer:         "https://accounts.google.com",
		authorize:      "https://accounts.google.com/o/oauth2/v2/auth",
		exchange:       "https://accounts.google.com/o/oauth2/token",
		another:        promptSelect,
		offlineByParam: true,
	},
	"oidc": {
		scopes: "openid email profile", userKey: "email",
		required: []string{"ISSUER"},
		family:   familyOpenID, secretStyle: secretBasic,
	},
	"okta": {
		scopes: panelScopes, userKey: "email",
		options:  map[string]string{"url": "", "server": "default"},
		required: []string{"url"}, derive: deriveOkta,
		issuer:    "{url}{as}",
		authorize: "{url}/oauth2{server}/v1/authorize",
		exchange:  "{url}/oauth2{server}/v1/token",
		userInfo:  "{url}/oauth2{server}/v1/userinfo",
		another:   promptLogin,
	},
	"password": {
		scopes: panelScopes, userKey: "email",
		required: []string{"TOKEN_URL"},
		family:   familyPassword,
	},
}

var azureOptions = map[string]string{"url": "login.microsoftonline.com", "tenant": "common"}

// Names are the providers that New knows, sorted.
func Names() []string {
	return slices.Sorted(maps.Keys(table))
}

// deriveAuth0 makes the base URL of a subdomain, unless a custom domain is
// given as url.
func deriveAuth0(o map[string]string) error {
	if o["url"] == "" && o["subdomain"] != "" {
		o["url"] = "https://" + o["subdomain"] + ".auth0.com"
	}
	if o["url"] == "" {
		return errMissing("subdomain")
	}
	return nil
}

// deriveAzure finds the Microsoft Graph of the same cloud.
func deriveAzure(o map[string]string) error {
	o["graph"] = "https://graph.microsoft.com"
	switch host := hostOf(o["url"]); {
	case host == "login.microsoftonline.us":
		o["graph"] = "https://graph.microsoft.us"
	case host == "login.partner.microsoftonline.cn" || host == "login.chinacloudapi.cn":
		o["graph"] = "https://microsoftgraph.chinacloudapi.cn"
	case loopback(host): // somebody's test server, which is all of Microsoft
		o["graph"] = o["url"]
	}
	return nil
}

// deriveGitHub finds the API: of github.com, of a ghe.com tenant, or of an
// Enterprise server.
func deriveGitHub(o map[string]string) error {
	host := hostOf(o["url"])
	if host == "github.com" || strings.HasSuffix(host, ".ghe.com") {
		o["api"] = "https://api." + host
	} else {
		o["api"] = o["url"] + "/api/v3"
	}
	return nil
}

// deriveOkta knows Okta's two kinds of authorization server: a custom one,
// and the organisation's own, which an empty server means. The issuer of the
// latter is the bare domain.
func deriveOkta(o map[string]string) error {
	if o["server"] == "" {
		o["as"] = ""
		return nil
	}
	o["server"] = "/" + o["server"]
	o["as"] = "/oauth2" + o["server"]
	return nil
}
