// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package panelserve

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// signIn translates who gets in.
func (t *translation) signIn() error {
	password, hasPassword := t.setting("--basic-auth")
	provider, hasProvider := t.setting("--oauth-provider")
	if !hasPassword && !hasProvider {
		if t.run.hasUnknownFlags() {
			return fmt.Errorf("%w; there is a flag that panel serve does not have: is it misspelt?", ErrOpen)
		}
		return ErrOpen
	}
	t.leave(password)
	t.leave(provider)
	switch {
	case !hasProvider:
		t.basicAuth(password)
	case hasPassword:
		t.note("--basic-auth: left out, because Panel does not use it beside --oauth-provider. With basic_auth, people may sign in either way")
		fallthrough
	default:
		if err := t.provider(strings.ToLower(provider.text)); err != nil {
			return err
		}
	}
	return t.expiry(hasProvider)
}

// leave sees to it that Panel does not ask people to sign in itself.
func (t *translation) leave(s setting) {
	if s.variable != "" {
		t.leaving[s.variable] = true
	}
}

func (t *translation) basicAuth(s setting) {
	if s.variable != "" && s.text != strings.ToLower(s.text) {
		t.note("Panel makes the value of PANEL_BASIC_AUTH lower-case: people who typed it so must type it as it is written from now on")
	}
	if path, is := t.credentialsFile(s.text); is {
		t.say("basic_auth", path)
		return
	}
	// PANEL_BASIC_AUTH would have Panel ask for the password as well.
	t.saySecret("--basic-auth", "APP_PASSWORD", s)
}

// credentialsFile tells a file from a password as Panel does, by looking for
// it, and takes for one what looks like one: it may be on another machine.
func (t *translation) credentialsFile(text string) (path string, is bool) {
	looks := strings.HasSuffix(text, ".json")
	for _, start := range []string{"/", "./", "../"} {
		looks = looks || strings.HasPrefix(text, start)
	}
	if looks {
		return text, true
	}
	if t.source.IsFile != nil && t.source.IsFile(text) {
		return "./" + text, true
	}
	return "", false
}

// providers are Panel's that panelauth knows, too.
var providers = []string{
	"auth0", "azure", "azurev2", "bitbucket", "generic", "google", "github", "gitlab", "okta", "password", "auth_code",
}

func (t *translation) provider(name string) error {
	if name == "code" { // as Panel's documentation calls it, too
		name = "auth_code"
	}
	switch {
	case name == "pam":
		return errors.New("--oauth-provider pam has no counterpart: list the users in a file, basic_auth ./users.json, with hashes from `caddy hash-password`, or use a provider")
	case !slices.Contains(providers, name):
		return errors.New("--oauth-provider is one of an extension of Panel's, which has no counterpart: if it speaks OpenID Connect, use oauth_provider oidc")
	}
	t.say("oauth_provider", name)
	t.oauthKey(name)
	t.oauthSecret(name)
	t.sayText("--oauth-redirect-uri")
	t.sayText("--oauth-jwt-user")
	if err := t.extraParams(name); err != nil {
		return err
	}
	if key, given := t.setting("--oauth-encryption-key"); given {
		t.saySecret("--oauth-encryption-key", "PANEL_OAUTH_ENCRYPTION", key)
		t.note("--oauth-encryption-key: tokens do not come to the browser any more, and Panel without a provider does not decrypt them. It is used as soon as panel_cookies begins with encrypted, and the application sets pn.state.encryption")
	}
	if t.isOn("--oauth-refresh-tokens") {
		t.say("oauth_refresh_tokens")
		t.say("panel_cookies", "user", "id_token", "access_token")
	} else {
		t.note("pn.state.access_token is None until panel_cookies names it: panel_cookies user id_token access_token")
	}
	return nil
}

func (t *translation) oauthKey(name string) {
	key, given := t.setting("--oauth-key")
	if given {
		t.saySecret("--oauth-key", "PANEL_OAUTH_KEY", key)
		return
	}
	t.saySecret("--oauth-key", "PANEL_OAUTH_KEY", setting{})
	t.secrets[len(t.secrets)-1].from = "the client id that " + name + " gave: there was no --oauth-key"
}

func (t *translation) oauthSecret(name string) {
	if value, given := t.setting("--oauth-secret"); given {
		if name == "auth_code" {
			t.note("--oauth-secret: the provider auth_code does not send it, in Panel as here. generic does")
		}
		t.saySecret("--oauth-secret", "PANEL_OAUTH_SECRET", value)
	}
}

// extraParams gathers the parameters of the dictionary and of the variables
// that stand for some of them.
func (t *translation) extraParams(provider string) error {
	params := line{name: "oauth_extra_params"}
	if written, given := t.setting("--oauth-extra-params"); given {
		t.refersTo(written.word)
		dict, err := parseLiteral(written.text)
		if err == nil && dict.kind != literalDict {
			err = errors.New("it is not a dictionary: {'key': 'value'}")
		}
		if err != nil {
			return fmt.Errorf("reading --oauth-extra-params: %w", err)
		}
		for i, key := range dict.keys {
			if err := t.extraParam(&params, key, dict.items[i]); err != nil {
				return fmt.Errorf("reading --oauth-extra-params: %w", err)
			}
		}
	}
	for _, extra := range extraVariables {
		value := t.variables[extra.variable]
		isTenant := extra.key == "tenant"
		if value == "" || isTenant && !strings.HasPrefix(provider, "azure") {
			continue
		}
		if extra.key == "scope" {
			value = strings.ReplaceAll(value, ",", " ")
		}
		at := slices.IndexFunc(params.block, func(pair [2]string) bool { return pair[0] == extra.key })
		switch {
		case at < 0:
			params.block = append(params.block, [2]string{extra.key, value})
		case isTenant: // the one variable that counts before the dictionary
			params.block[at][1] = value
		}
	}
	if len(params.block) == 0 {
		return nil
	}
	t.lines = append(t.lines, params)
	values := make(map[string]string)
	for _, pair := range params.block {
		values[pair[0]] = pair[1]
	}
	t.options[params.name] = values
	return nil
}

// extraParam adds one entry of the dictionary.
func (t *translation) extraParam(params *line, key, value literal) error {
	if key.kind != literalText || key.text == "" {
		return errors.New("a key is not a text")
	}
	name, text := key.text, value.text
	switch {
	case slices.ContainsFunc(params.block, func(pair [2]string) bool { return pair[0] == name }):
		return fmt.Errorf("%s is there twice", name)
	case value.kind == literalName && text == "None":
		t.note("--oauth-extra-params: %s is None, and left out", name)
		return nil
	case name == "scope" && value.kind == literalList:
		scopes := make([]string, len(value.items))
		for i, scope := range value.items {
			scopes[i] = scope.text
		}
		text = strings.Join(scopes, " ")
	case value.kind == literalList || value.kind == literalDict:
		return fmt.Errorf("the value of %s is no text", name)
	case looksSecret(name):
		variable := "PANEL_OAUTH_EXTRA_" + variableName(name)
		t.secrets = append(t.secrets, secret{variable, "the value of " + name + " in --oauth-extra-params"})
		text = "{env." + variable + "}"
	}
	params.block = append(params.block, [2]string{name, text})
	return nil
}

// looksSecret reports whether a parameter's name says that nobody should read
// its value.
func looksSecret(name string) bool {
	lower := strings.ToLower(name)
	return slices.ContainsFunc([]string{"secret", "password", "assertion", "api_key", "apikey"}, func(part string) bool {
		return strings.Contains(lower, part)
	})
}

func variableName(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToUpper(name))
}

func (t *translation) expiry(hasProvider bool) error {
	days, given := t.setting("--oauth-expiry-days")
	if !given {
		return nil
	}
	if len(days.variables) > 0 {
		return errors.New("--oauth-expiry-days: write the number itself in the place of the variable")
	}
	number, err := strconv.ParseFloat(days.text, 64)
	if err != nil {
		return errors.New("--oauth-expiry-days is not a number")
	}
	t.say("oauth_expiry_days", days.text)
	t.options["oauth_expiry_days"] = number
	if !hasProvider && days.variable == "" {
		t.note("--oauth-expiry-days: Panel heeds it for providers alone; here it holds for passwords, too")
	}
	return nil
}

// guests translates what is open to everybody.
func (t *translation) guests() error {
	endpoints, err := t.guestEndpoints()
	if err != nil {
		return fmt.Errorf("reading --oauth-guest-endpoints: %w", err)
	}
	if t.isOn("--oauth-optional") {
		t.say("oauth_optional")
		if len(endpoints) > 0 {
			t.note("--oauth-guest-endpoints: left out, because --oauth-optional opens every page already")
		}
		return nil
	}
	var paths []string
	for _, endpoint := range endpoints {
		path, _, hasQuery := strings.Cut(endpoint, "?")
		if strings.Contains(path, "*") {
			t.note("--oauth-guest-endpoints: one with a star is left out, because it opens a whole tree here and nothing in Panel")
			continue
		}
		if hasQuery {
			t.note("--oauth-guest-endpoints: a page is open with any query string here, not with one alone")
		}
		if path = "/" + strings.TrimLeft(path, "/"); !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	if len(paths) == 0 {
		return nil
	}
	if prefix := t.prefix(); prefix != "" { // where Panel has what every page loads
		paths = append(paths, prefix+"/static/*", prefix+"/favicon.ico")
	}
	t.say("oauth_guest_endpoints", paths...)
	return nil
}

// guestEndpoints are words on the command line, and a list of Python's in the
// variable.
func (t *translation) guestEndpoints() (endpoints []string, err error) {
	if written := t.variables["PANEL_OAUTH_GUEST_ENDPOINTS"]; written != "" {
		list, err := parseLiteral(written)
		if err != nil {
			return nil, err
		}
		for _, item := range list.items {
			if item.kind != literalText {
				return nil, errors.New("an endpoint is not a text")
			}
			endpoints = append(endpoints, item.text)
		}
		if list.kind != literalList {
			return nil, errors.New("it is not a list: ['/app']")
		}
		return endpoints, nil
	}
	values, _ := t.run.values("--oauth-guest-endpoints")
	for _, w := range values {
		endpoints = append(endpoints, w.text)
	}
	return endpoints, nil
}
