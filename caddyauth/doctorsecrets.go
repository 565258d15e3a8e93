// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"math"
	"slices"
	"strings"
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

const (
	enoughEntropy = 80 // bits
	tooLittle     = 40 // which no generator makes of 16 characters
)

// isGuessable reports a secret that is none, beyond doubt.
func isGuessable(secret []byte) bool {
	return looksWellKnown(string(secret)) || entropy(unrepeated(string(secret))) < tooLittle
}

// unrepeated is what a text repeats, or all of it.
func unrepeated(text string) string {
	for n := 1; n <= len(text)/2; n++ {
		if len(text)%n == 0 && strings.Repeat(text[:n], len(text)/n) == text {
			return text[:n]
		}
	}
	return text
}

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
