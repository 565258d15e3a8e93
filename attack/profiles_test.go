// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package attack

import (
	"encoding/base64"
	"encoding/json"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// What the sites are protected with. The secrets are looked for where they must
// not be.
const (
	cookieSecret   = "cookie secret of the attacked sites"
	master         = "the master password"
	alicesPassword = "correct horse battery"
	clientSecret   = "very secret: +/=%" // what the fake provider goes by
)

// identityHeaders are all that the corpus tries to say for somebody, each with
// a claim, so that each is this module's to say. Nobody has the claim "nothing".
var identityHeaders = map[string]string{
	"X-Forwarded-User":               "user",
	"X-Forwarded-Email":              "email",
	"X-Forwarded-Groups":             "groups",
	"X-Forwarded-Preferred-Username": "name",
	"X-Forwarded-Access-Token":       "nothing",
	"X-Forwarded-Id-Token":           "nothing",
	"X-Auth-Request-User":            "user",
	"X-Auth-Request-Email":           "email",
	"X-Auth-Request-Access-Token":    "nothing",
	"X-Webauth-User":                 "user",
	"X-Panel-User":                   "user",
}

// profile is a way to set the module up. Its lines go into the panelauth block
// beside the common ones; {files} is a folder with the files of files.
type profile struct {
	lines string
	// around is what stands around the block. Default: panelauth alone
	around string
	// anyHost leaves the host out of the site's address.
	anyHost bool
	// limited keeps the usual limit on attempts; elsewhere it would be in the
	// way, since all attacks come from one address.
	limited bool
	// provider starts a fake one, whose lines are {provider}; second another
	// one, at {second}.
	provider, second bool
	files            map[string]string
}

// users is a credentials file in which everybody has alice's password, each in
// another form.
var users = func() string {
	salt := []byte("saltsaltsaltsalt")
	key := argon2.IDKey([]byte(alicesPassword), salt, 1, 64, 1, 32)
	encode := base64.RawStdEncoding.EncodeToString
	hash, err := bcrypt.GenerateFromPassword([]byte(alicesPassword), bcrypt.MinCost)
	if err != nil {
		panic(err)
	}
	text, err := json.Marshal(map[string]any{
		"alice": string(hash),
		"bob":   map[string]any{"password": "$argon2id$v=19$m=64,t=1,p=1$" + encode(salt) + "$" + encode(key), "email": "bob@example.com"},
		"carol": alicesPassword,
	})
	if err != nil {
		panic(err)
	}
	return string(text)
}()

var profiles = map[string]profile{
	"master":         {lines: "basic_auth {env.MASTER}"},
	"limited":        {lines: "basic_auth {env.MASTER}", limited: true},
	"stateless":      {lines: "session_store cookie\nbasic_auth {\nalice \"" + alicesPassword + "\"\n}"},
	"short":          {lines: "basic_auth {env.MASTER}\noauth_expiry_days 0.00003\nsession_idle 1h"},
	"credentials":    {lines: "basic_auth {files}/users.json", files: map[string]string{"users.json": users}},
	"guest":          {lines: "basic_auth {env.MASTER}\noauth_guest_endpoints /public"},
	"optional":       {lines: "basic_auth {env.MASTER}\noauth_optional"},
	"base path":      {lines: "basic_auth {env.MASTER}\noauth_guest_endpoints /public", around: "handle_path /app/* {\n%s\n}\nhandle {\n\trespond 404\n}"},
	"no application": {lines: "basic_auth {env.MASTER}", around: "%s"},
	"oidc":           {lines: "{provider}", provider: true},
	"oidc stateless": {lines: "{provider}\nsession_store cookie", provider: true},
	"any host":       {lines: "{provider}", provider: true, anyHost: true},
	"refresh":        {lines: "{provider}\noauth_refresh_tokens", provider: true},
	"two providers":  {lines: "{second}", provider: true, second: true},
	"every way":      {lines: "{second}\nbasic_auth {env.MASTER}\noauth_guest_endpoints /public\nremember_me 30", provider: true, second: true},
	"templates": {
		lines: "basic_auth {env.MASTER}\nbasic_login_template {files}/login.html",
		files: map[string]string{"login.html": `<a href="{{ next }}">{{ username }}</a><form method="post" action=".{{ login_endpoint }}"><input name="next" value="{{ next }}"></form>` +
			`{% if username == "boom" %}{% for i in range(100000000) %}{{ i }}{% endfor %}{% endif %}`},
	},
}
