// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	tests := map[string]struct {
		text    string
		secrets []string
		want    string
	}{
		"as it is":              {"AADSTS70000: bad", nil, "AADSTS70000: bad"},
		"one line":              {"a\r\nb\t c", nil, "a b c"},
		"unprintable":           {"a\x00b\x1b[31m\u202ec\ufeff\xff", nil, "ab[31mc"},
		"a secret":              {"code abc+/= is wrong", []string{"abc+/="}, "code [REDACTED] is wrong"},
		"a secret, encoded":     {"?code=abc%2B%2F%3D", []string{"abc+/="}, "?code=[REDACTED]"},
		"a secret in another":   {"xsecretx", []string{"secret", "xsecretx"}, "[REDACTED]"},
		"a secret in pieces":    {"sec\u200bret", []string{"secret"}, "[REDACTED]"},
		"a secret, very short":  {"the password is a", []string{"a"}, ""},
		"no secret":             {"nothing", []string{""}, "nothing"},
		"what looks like one":   {"token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.AAAA-_ is bad", nil, "token [REDACTED] is bad"},
		"long":                  {strings.Repeat("é", 400), nil, strings.Repeat("é", 150) + "…"},
		"cut inside a letter":   {"x" + strings.Repeat("é", 400), nil, "x" + strings.Repeat("é", 149) + "…"},
		"a secret across a cut": {strings.Repeat("x", 297) + "secret", []string{"secret"}, strings.Repeat("x", 297) + "[RE…"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := clean(test.text, test.secrets...); got != test.want {
				t.Errorf("clean gives %q, want %q", got, test.want)
			}
		})
	}
}

func TestErrorCode(t *testing.T) {
	for code, want := range map[string]string{
		"invalid_grant": "invalid_grant", "a.b-c": "a.b-c", "": "", "a b": "", "<b>": "", "é": "", strings.Repeat("x", 65): "",
	} {
		if got := errorCode(code); got != want {
			t.Errorf("errorCode(%q) = %q", code, got)
		}
	}
}

func TestKindOf(t *testing.T) {
	e := fail(KindDenied, "x", "")
	if KindOf(fmt.Errorf("wrapped: %w", e)) != KindDenied || KindOf(errors.New("x")) != KindMisbehaved {
		t.Error("kinds are wrong")
	}
	for kind, ends := range map[Kind]bool{
		KindInvalidGrant: true, KindIdentityChanged: true, KindUnreachable: false, KindMisbehaved: false, KindMisconfigured: false,
	} {
		if EndsSession(fail(kind, "x", "")) != ends {
			t.Errorf("%s ends a session: %v", kind, !ends)
		}
	}
	if EndsSession(errors.New("x")) || EndsSession(nil) {
		t.Error("an error of another's ends a session")
	}
}

func FuzzClean(f *testing.F) {
	f.Add("text with secret", "secret")
	f.Fuzz(func(t *testing.T, text, secret string) {
		got := clean(text, secret)
		if !utf8.ValidString(got) || len(got) > maxDetail+len(cutIndicator) || strings.ContainsAny(got, "\r\n\x00\x1b") {
			t.Fatalf("clean gives %q", got)
		}
		if len(secret) >= minRedacted && strings.Contains(got, secret) && !strings.Contains(redacted, secret) {
			t.Fatalf("clean leaves %q in %q", secret, got)
		}
	})
}
