// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
)

// wellKnownSecrets stand in documentation, this project's and Panel's, in lower
// case, and what people type when they mean to change it later.
var wellKnownSecrets = []string{
	"replace-this-example-secret", "my_super_safe_cookie_secret", "my_super_secret_cookie_secret", "my_password", "open-sesame",
	"alices-password", "bobs-password", "secret", "cookie_secret", "cookie-secret", "password", "passw0rd", "changeme",
	"change-me", "change_me", "admin", "letmein", "12345678", "123456789", "1234567890", "qwertyui",
}

// looksWellKnown reports whether many could guess a secret at once. Digits and
// signs around a word hide nothing.
func looksWellKnown(secret string) bool {
	lower := strings.ToLower(secret)
	for _, start := range []string{"put-the-", "your-", "your_", "replace-"} {
		if strings.HasPrefix(lower, start) {
			return true
		}
	}
	bare := strings.Trim(lower, "0123456789!._-")
	return slices.Contains(wellKnownSecrets, lower) || bare != "" && slices.Contains(wellKnownSecrets, bare)
}

// entropy estimates the bits in a secret from how its characters are spread. It
// overrates words and underrates nothing that a generator makes.
func entropy(secret string) float64 {
	counts := make(map[byte]int)
	for i := range len(secret) {
		counts[secret[i]]++
	}
	perByte, all := 0.0, float64(len(secret))
	for _, count := range counts {
		share := float64(count) / all
		perByte -= share * math.Log2(share)
	}
	return perByte * all
}

const enoughEntropy = 80 // bits

func (p *patient) checkSecrets(_ context.Context, r *report) {
	const advice = "make a new one with caddy panelauth secret, give it to Panel, too, and keep the old one after it for a day"
	for i, secret := range p.settings.secrets {
		name := "cookie_secret"
		if i > 0 {
			name = "an older cookie_secret"
		}
		switch text := string(secret); {
		case looksWellKnown(text):
			r.fail(advice, "%s stands in documentation: whoever reads it can be anybody here", name)
		case len(text) >= minSecret && entropy(text) < enoughEntropy:
			r.warn(advice, "%s looks as if it could be guessed", name)
		}
	}
	for _, s := range p.settings.providers {
		if secret := string(s.config.ClientSecret); secret != "" && (len(secret) < 8 || looksWellKnown(secret)) {
			r.fail("copy the client secret from the provider", "the client secret of %s is none that a provider gives", s.config.ID)
		}
	}
	switch {
	case len(r.findings) > 0:
	case len(p.settings.secrets) == 0 && len(p.mistakes) == 0:
		r.ok("a generated cookie_secret is used, in Caddy's storage. A Panel application gets no user: for that, configure one")
	default:
		r.ok("long and varied enough")
	}
}

func (p *patient) checkPasswords(_ context.Context, r *report) {
	accounts := p.accounts()
	if accounts == nil {
		r.ok("there are none")
		return
	}
	const hash = "write what caddy hash-password prints in its place"
	weak, plain := 0, 0
	judge := func(a account) {
		if a.Password == "" || a.kind != (hashKind{}) {
			return
		}
		plain++
		if looksWellKnown(a.Password) || len(a.Password) < 8 {
			weak++
		}
	}
	for _, a := range accounts.all {
		judge(a)
	}
	if a := accounts.anyUser; a != nil {
		judge(*a)
	}
	if weak > 0 {
		r.fail("choose longer ones", "%s shorter than 8 characters, or known to everybody", countOf(weak, "password is", "passwords are"))
	}
	inFile := p.settings.credentialsFile != nil
	if plain > 0 && (inFile || accounts.anyUser == nil) {
		r.warn(hash, "%s not hashed: whoever reads the file can sign in", countOf(plain, "password is", "passwords are"))
	}
	if len(r.findings) == 0 {
		r.ok("%s", countOf(accounts.count(), "account", "accounts"))
	}
}

// accounts are those of the file or of the block, or nil.
func (p *patient) accounts() *accounts {
	if file := p.settings.credentialsFile; file != nil {
		return file.get()
	}
	if len(p.settings.inline) == 0 {
		return nil
	}
	found, err := newAccounts(p.settings.inline)
	if err != nil {
		return nil
	}
	return found
}

// checkFiles looks at who may read secrets, and who may change what lets people
// in.
func (p *patient) checkFiles(r *report, config string) {
	if runtime.GOOS == "windows" {
		r.ok("not looked at on Windows")
		return
	}
	s := p.settings
	files := []string{s.rulesFile, config}
	if s.credentialsFile != nil {
		files = append(files, s.credentialsFile.path)
		warnOfReaders(r, s.credentialsFile.path, "everybody on this machine can read the passwords or hashes in it")
	}
	if config != "" && p.hasSecretsIn(config) {
		warnOfReaders(r, config, "everybody on this machine can read the secrets in it")
	}
	for _, file := range s.templates {
		files = append(files, file)
	}
	slices.Sort(files)
	for _, file := range slices.Compact(files) {
		if mode, known := modeOf(file); known && mode&0o002 != 0 {
			r.fail("chmod o-w "+file, "everybody on this machine can change %s", file)
		}
	}
	if len(r.findings) == 0 {
		r.ok("nobody else can change them, or read secrets in them")
	}
}

func warnOfReaders(r *report, file, what string) {
	if mode, known := modeOf(file); known && mode&0o004 != 0 {
		r.warn("chmod o-r "+file+", and see to it that Caddy's user can read it", "%s: %s", file, what)
	}
}

func modeOf(file string) (os.FileMode, bool) {
	if file == "" {
		return 0, false
	}
	if info, err := os.Stat(filepath.Clean(file)); err == nil {
		return info.Mode().Perm(), true
	}
	return 0, false
}

// hasSecretsIn reports whether secrets stand in the configuration file itself.
func (p *patient) hasSecretsIn(config string) bool {
	h := p.handler
	written := append([]string{h.OAuthSecret, h.OAuthEncryptionKey}, h.CookieSecret...)
	for _, provider := range h.OAuthProvider {
		written = append(written, provider.Secret)
	}
	if h.BasicAuth != nil && !isCredentialsFile(h.BasicAuth.Source) {
		written = append(written, h.BasicAuth.Source)
		for _, password := range h.BasicAuth.Accounts {
			written = append(written, password)
		}
	}
	text, err := readBounded(config, maxCredentialsFile)
	if err != nil {
		return false
	}
	repl := caddy.NewReplacer()
	return slices.ContainsFunc(written, func(value string) bool {
		return value != "" && value == repl.ReplaceKnown(value, "") && strings.Contains(string(text), value)
	})
}
