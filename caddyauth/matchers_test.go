// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/json"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

func TestMatchClaim(t *testing.T) {
	claims := map[string]any{
		"text": "abc", "yes": true, "number": json.Number("42"), "float": 1.5, "empty": "", "null": nil,
		"list": []any{"a", "b", json.Number("3"), nil, "", []any{"inner"}}, "texts": []string{"x", "y"},
		"object": map[string]any{"inner": "deep", "more": map[string]any{"inner": "deeper"}},
		"a.b":    "dots", "a": map[string]any{"b": "not this"}, "path": "/a/b/c", "star": "*",
	}
	tests := map[string]struct {
		claim, glob string
		want        bool
	}{
		"text":                {"text", "abc", true},
		"other text":          {"text", "abd", false},
		"upper case":          {"text", "ABC", false},
		"part of text":        {"text", "ab", false},
		"beginning":           {"text", "ab*", true},
		"end":                 {"text", "*bc", true},
		"middle":              {"text", "*b*", true},
		"both ends":           {"text", "a*c", true},
		"overlap":             {"text", "abc*bc", false},
		"order":               {"text", "*b*a*", false},
		"star alone":          {"text", "*", true},
		"question mark":       {"text", "a?c", false},
		"star itself":         {"star", "*", true},
		"true":                {"yes", "true", true},
		"number":              {"number", "42", true},
		"number with decimal": {"float", "1.5", true},
		"empty":               {"empty", "*", false},
		"null":                {"null", "*", false},
		"missing":             {"missing", "*", false},
		"first of list":       {"list", "a", true},
		"last of list":        {"list", "3", true},
		"joined list":         {"list", "a,b", false},
		"list in list":        {"list", "inner", false},
		"list of texts":       {"texts", "y", true},
		"object":              {"object", "*", false},
		"in object":           {"object.inner", "deep", true},
		"further in":          {"object.more.inner", "deep*", true},
		"not in object":       {"object.other", "*", false},
		"name with dots":      {"a.b", "dots", true},
		"slashes":             {"path", "/a/*", true},
		"user":                {"user", "alice", true},
	}
	s := newSite(t)
	who := s.newIdentity("alice", passwordProvider, claims)
	guest := s.newIdentity(guestUser, "", claims)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := MatchClaim{test.claim: {"no such value", test.glob}}
			if got := m.matches(who); got != test.want {
				t.Errorf("got %t", got)
			}
			if m.matches(guest) {
				t.Error("it matches a guest")
			}
		})
	}
	if (MatchClaim{}).matches(who) {
		t.Error("no claim at all matches")
	}
	if (MatchClaim{"text": {"abc"}, "number": {"43"}}).matches(who) {
		t.Error("one of two claims is enough")
	}
}

func TestMatchGroup(t *testing.T) {
	s := newSite(t)
	for name, test := range map[string]struct {
		groups any
		want   bool
	}{
		"list":          {[]any{"staff", "admins"}, true},
		"list of texts": {[]string{"admins"}, true},
		"text":          {"admins", true},
		"other":         {[]any{"administrators"}, false},
		"several":       {"admins,staff", false},
		"object":        {map[string]any{"admins": true}, false},
		"nothing":       {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			who := s.newIdentity("alice", passwordProvider, map[string]any{"groups": test.groups})
			if got := (MatchGroup{"x", "admins"}).matches(who); got != test.want {
				t.Errorf("got %t", got)
			}
		})
	}
}

// TestMatchersFailClosed: where no identity is left, nothing matches.
func TestMatchersFailClosed(t *testing.T) {
	matchers := []caddyhttp.RequestMatcherWithError{MatchUser{"alice"}, MatchGroup{"admins"}, MatchClaim{"user": {"*"}}, MatchGuest{}}
	for name, left := range map[string]any{"nothing": nil, "a text": "alice", "nil": (*identity)(nil)} {
		t.Run(name, func(t *testing.T) {
			r := prepared(get("/"))
			if left != nil {
				caddyhttp.SetVar(r.Context(), identityVar, left)
			}
			for _, m := range matchers {
				if met, err := m.MatchWithError(r); met || err != nil {
					t.Errorf("%T: %t, %v", m, met, err)
				}
			}
		})
	}
}

func TestMatchersResolvePlaceholders(t *testing.T) {
	t.Setenv("PANELAUTH_TEST_ADMIN", "alice")
	m := MatchUser{"{env.PANELAUTH_TEST_ADMIN}"}
	if err := m.Provision(caddy.Context{Context: t.Context()}); err != nil || m[0] != "alice" {
		t.Errorf("got %q, %v", m, err)
	}
	for name, m := range map[string]caddy.Provisioner{
		"nobody":         MatchUser{},
		"no group":       MatchGroup{},
		"no claim":       MatchClaim{},
		"no value":       MatchClaim{"email": {}},
		"empty name":     MatchUser{""},
		"missing":        MatchGroup{"{env.PANELAUTH_IS_NOT_SET}"},
		"of the request": MatchUser{"{http.request.uri.query.user}"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := m.Provision(caddy.Context{Context: t.Context()}); err == nil {
				t.Error("it starts")
			}
		})
	}
}
