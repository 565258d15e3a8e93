// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Options that ExtraParams may hold beside parameters of the authorization
// URL. Any row takes the second kind; its options say which of the first.
var (
	rowOptions    = []string{"tenant", "subdomain", "url", "server"}
	commonOptions = []string{"scope", "AUTHORIZE_URL", "TOKEN_URL", "USER_URL", "LOGOUT_URL", "USER_KEY", "ISSUER"}
)

// ownParams are the parameters of the authorization URL that the flow depends
// on; nobody else sets them.
var ownParams = []string{
	"response_type", "client_id", "redirect_uri", "scope", "state", "nonce",
	"code_challenge", "code_challenge_method", "request", "request_uri",
	"code", "client_secret", "code_verifier",
}

var (
	optionValue = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	scopeValue  = regexp.MustCompile(`^[\x21\x23-\x5b\x5d-\x7e]+$`)
)

// ErrNoSecret is New's answer where the provider cannot do without a client
// secret.
var ErrNoSecret = errors.New("the client secret is missing")

// errMissing is said of an extra parameter.
func errMissing(name string) error {
	return fmt.Errorf("%s is missing: add it to oauth_extra_params, or to extra_params in a block", name)
}

// settings are a Config in terms of the table.
type settings struct {
	issuer, authorize, token, userInfo, logout string

	ownLogout   string // LOGOUT_URL
	scopes      []string
	ownScopes   bool // configured, so leave them alone
	userKey     string
	params      map[string]string // of the authorization URL
	graph, api  string            // of the rows that have one
	tenant      string
	hostedParam string
}

func resolve(c Config, r row) (settings, error) {
	options, params, err := splitExtra(c.ExtraParams, r)
	if err != nil {
		return settings{}, err
	}
	if err := checkRequired(c, r, options); err != nil {
		return settings{}, err
	}
	s := settings{params: params, hostedParam: params["hd"]}
	if s.scopes, s.ownScopes, err = scopes(c.Scopes, options["scope"], r.scopes); err != nil {
		return settings{}, err
	}
	if err := s.fillURLs(r, options); err != nil {
		return settings{}, err
	}
	s.userKey = cmp.Or(c.JWTUser, options["USER_KEY"], r.userKey)
	return s, s.checkIdentity(r)
}

// splitExtra tells options from parameters and refuses both where they would
// do nothing or harm.
func splitExtra(extra map[string]string, r row) (options, params map[string]string, err error) {
	options, params = maps.Clone(r.options), map[string]string{}
	if options == nil {
		options = map[string]string{}
	}
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		_, taken := r.options[name]
		switch {
		case taken || slices.Contains(commonOptions, name):
			options[name] = extra[name]
		case slices.Contains(rowOptions, name):
			return nil, nil, fmt.Errorf("%s is not an option of this provider, which takes %s", name, strings.Join(r.optionNames(), ", "))
		case slices.Contains(ownParams, strings.ToLower(name)):
			return nil, nil, fmt.Errorf("the parameter %s is set by the sign-in itself", name)
		case name == "response_mode" && extra[name] != "query":
			return nil, nil, errors.New("the parameter response_mode can only be query")
		case r.spelt(name) != "":
			return nil, nil, fmt.Errorf("%s must be written %s: upper and lower case count", name, r.spelt(name))
		default:
			params[name] = extra[name]
		}
	}
	if options["ISSUER"] != "" && r.issuer == "" && r.family == familyNamed {
		return nil, nil, errors.New("ISSUER is not an option of this provider, which does not speak OpenID Connect")
	}
	return options, params, nil
}

// optionNames are the options that a row takes.
func (r row) optionNames() []string {
	return append(slices.Sorted(maps.Keys(r.options)), commonOptions...)
}

// spelt is the option that a name differs from by its case alone, or "". In the
// authorization URL the name would do nothing, silently.
func (r row) spelt(name string) string {
	for _, option := range r.optionNames() {
		if strings.EqualFold(option, name) {
			return option
		}
	}
	return ""
}

// scopes are the configured ones, written as a list or, as in Panel, as one
// text with spaces or commas between them; or else the row's.
func scopes(list []string, option, fallback string) (all []string, own bool, err error) {
	if len(list) > 0 && option != "" {
		return nil, false, errors.New("scope is given twice")
	}
	text := strings.Join(list, " ") + option
	own = strings.TrimSpace(text) != ""
	if !own {
		text = fallback
	}
	for _, scope := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' }) {
		if !scopeValue.MatchString(scope) {
			return nil, false, errors.New("scope has a character that scopes cannot have")
		}
		if !slices.Contains(all, scope) {
			all = append(all, scope)
		}
	}
	return all, own, nil
}

// fillURLs puts the options into the row's templates. A URL that is
// configured outright wins.
func (s *settings) fillURLs(r row, options map[string]string) error {
	values := maps.Clone(options)
	if err := checkValues(values); err != nil {
		return err
	}
	if r.derive != nil {
		if err := r.derive(values); err != nil {
			return err
		}
	}
	s.ownLogout = options["LOGOUT_URL"]
	s.graph, s.api, s.tenant = values["graph"], values["api"], values["tenant"]
	userInfo := r.userInfo
	if r.plainUserInfo != "" && !slices.Contains(s.scopes, "openid") {
		userInfo = r.plainUserInfo
	}
	for _, u := range []struct {
		to               *string
		option, template string
	}{
		{&s.issuer, "ISSUER", r.issuer},
		{&s.authorize, "AUTHORIZE_URL", r.authorize},
		{&s.token, "TOKEN_URL", r.exchange},
		{&s.userInfo, "USER_URL", userInfo},
		{&s.logout, "LOGOUT_URL", r.logout},
	} {
		*u.to = cmp.Or(options[u.option], expand(u.template, values))
		if *u.to == "" {
			continue
		}
		if err := checkURL(*u.to); err != nil {
			return fmt.Errorf("%s %w", u.option, err)
		}
	}
	if isElsewhere(options) {
		s.issuer = "" // of whom the row speaks, and whom these addresses have nothing to do with
	}
	return s.checkEndpoints()
}

// isElsewhere reports options that put another provider in the place of the
// row's, without saying by whose keys its ID tokens could be checked. Such a
// provider is asked who signed in, as generic is.
func isElsewhere(options map[string]string) bool {
	return options["ISSUER"] == "" && options["AUTHORIZE_URL"] != "" && options["TOKEN_URL"] != "" && options["USER_URL"] != ""
}

// checkEndpoints refuses URLs that are good but not for their purpose.
func (s *settings) checkEndpoints() error {
	if strings.Contains(s.issuer, "/.well-known/") || strings.ContainsAny(s.issuer, "?") {
		return errors.New("ISSUER is the issuer alone, without /.well-known/openid-configuration or a query")
	}
	u, err := url.Parse(s.authorize)
	if err != nil {
		return errors.New("AUTHORIZE_URL is not a URL")
	}
	for name := range u.Query() {
		if slices.Contains(ownParams, strings.ToLower(name)) {
			return fmt.Errorf("AUTHORIZE_URL has the parameter %s, which is set by the sign-in itself", name)
		}
	}
	return nil
}

// checkValues allows in a URL's path and host what belongs there, and makes a
// base URL of the option url.
func checkValues(values map[string]string) error {
	for _, name := range []string{"tenant", "subdomain", "server"} {
		if v := values[name]; v != "" && !optionValue.MatchString(v) {
			return fmt.Errorf("%s has a character that it cannot have", name)
		}
	}
	base := values["url"]
	if base == "" {
		return nil
	}
	if !strings.Contains(base, "://") {
		base = "https://" + base
	}
	base = strings.TrimRight(base, "/")
	if err := checkURL(base); err != nil {
		return fmt.Errorf("url %w", err)
	}
	if strings.Contains(base, "?") {
		return errors.New("url has a query")
	}
	values["url"] = base
	return nil
}

// checkRequired wants what the row cannot do without. Where there is an issuer,
// its discovery document has the addresses.
func checkRequired(c Config, r row, options map[string]string) error {
	for _, name := range r.required {
		switch {
		case name == "secret" && c.ClientSecret == "":
			return ErrNoSecret
		case name == "secret" || options[name] != "":
		case strings.HasSuffix(name, "_URL") && options["ISSUER"] != "":
		default:
			return errMissing(name)
		}
	}
	return nil
}

// checkIdentity wants something that says who signed in.
func (s *settings) checkIdentity(r row) error {
	switch {
	case r.family == familyOpenID && !slices.Contains(s.scopes, "openid"):
		return errors.New("scope lacks openid, without which there is no OpenID Connect")
	case r.noUserInfo && s.userInfo == "" && !slices.Contains(s.scopes, "openid"):
		return errors.New("scope lacks openid, without which this provider says nobody's name")
	case s.issuer == "" && s.userInfo == "":
		return errors.New("USER_URL is missing, and so is ISSUER, one of which must say who signed in")
	}
	return nil
}

func expand(template string, values map[string]string) string {
	pairs := make([]string, 0, 2*len(values))
	for name, value := range values {
		pairs = append(pairs, "{"+name+"}", value)
	}
	return strings.NewReplacer(pairs...).Replace(template)
}

// checkURL accepts absolute web addresses. The error reads well after a name
// and does not repeat the address, in which somebody may have put a secret.
func checkURL(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return errors.New("is not a URL")
	case u.Scheme != "https" && u.Scheme != "http":
		return errors.New("must begin with https://")
	case u.Hostname() == "" || u.Opaque != "":
		return errors.New("has no host")
	case u.User != nil:
		return errors.New("has a user name in it")
	case strings.Contains(raw, "#"):
		return errors.New("has a fragment")
	}
	return nil
}

// clearText reports whether what is sent to the URL can be read on its way.
func clearText(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && u.Scheme == "http" && !loopback(u.Hostname())
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}
