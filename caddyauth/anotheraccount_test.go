// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

var asOtherLink = regexp.MustCompile(`href="([^"]*)">Sign in as somebody else`)

// asOther is where the button of a page leads.
func (a answer) asOther() string {
	a.t.Helper()
	found := asOtherLink.FindStringSubmatch(a.text)
	if found == nil {
		a.t.Fatalf("nothing leads to another account: %s", a.text[strings.Index(a.text, "<main"):])
	}
	return html.UnescapeString(found[1])
}

// TestSignInAsSomebodyElse: where a provider is the only way in, whoever may not
// open a page gets to choose another account there.
func TestSignInAsSomebodyElse(t *testing.T) {
	p := newOpenID(t)
	p.SetUsers(
		providertest.User{ID: "1001", Login: "alice", Email: "alice@example.org"},
		providertest.User{ID: "1002", Login: "bob", Email: "bob@example.org"})
	s := newSite(t, signInWith(p), rulesOf(`deny path=["/admin*"] not=[{"auth_user":["bob@example.org"]}]; allow`))
	v := s.newVisitor("alice@example.org")
	v.mustSignIn("/")
	refused := v.open("/admin?x=1")
	refused.wantRefusedHere(http.StatusForbidden)
	refused.wantBody("alice@example.org", `action="/logout"`)
	at := v.begin(refused.asOther())
	if !strings.Contains(at, "prompt=login") {
		t.Errorf("the provider is not told to ask: %s", at)
	}
	v.wantSignedIn("alice@example.org") // until somebody else is
	v.hint = "bob@example.org"
	a := v.comeBack(v.answerOf(at))
	a.wantHeader("Location", "/admin?x=1")
	v.open("/admin?x=1").wantReached()
	if at := v.begin("/login?next=%2F"); strings.Contains(at, "prompt=") {
		t.Errorf("a usual sign-in asks as well: %s", at)
	}
}

// TestSomebodyElseAtOneOfSeveral: the choice of a provider comes first.
func TestSomebodyElseAtOneOfSeveral(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, entries(entryFor(p, called("one")), entryFor(p, called("two"))), rulesOf(`deny path=["/admin"]; allow`))
	v := s.newVisitor("")
	v.open("/login?provider=one")
	v.mustSignIn("/login?provider=one")
	choice := v.open(v.open("/admin").asOther())
	choice.want(http.StatusOK)
	if n := strings.Count(choice.text, "another=1"); n != 2 {
		t.Fatalf("%d of the buttons lead to another account", n)
	}
	if at := v.begin("/login?another=1&provider=two"); !strings.Contains(at, "prompt=login") {
		t.Errorf("the provider is not told to ask: %s", at)
	}
}

// TestSomebodyElseAfterSigningOut: a provider that cannot be told to ask would
// let the same account in again.
func TestSomebodyElseAfterSigningOut(t *testing.T) {
	p := connected(t, providertest.Bitbucket(t))
	s := newSite(t, signInWith(p), rulesOf(`deny path=["/admin"]; allow`))
	v := s.newVisitor("")
	v.mustSignIn("/")
	refused := v.open("/admin")
	refused.wantBody(`<form method="post" action="/logout"><button class="button main" type="submit">Sign in as somebody else`)
	out := v.send(post("/logout", url.Values{}, header("Referer", "https://"+testHost+"/admin")))
	out.want(http.StatusOK)
	out.wantBody("Your identity provider may still know you.")
	out.wantLeadsBackTo("/admin")
	if v.hasSession() {
		t.Error("the session goes on")
	}
}

// TestNotThisAccount: who cannot sign in with an account is offered another.
func TestNotThisAccount(t *testing.T) {
	p := newOpenID(t)
	p.Turn(func(k *providertest.Knobs) { k.IDToken = func(c map[string]any) { c["email_verified"] = false } })
	v := newSite(t, signInWith(p)).newVisitor("")
	a := v.comeBack(v.answerOf(v.begin("/login?next=%2Fapp")))
	a.want(http.StatusUnauthorized)
	if got := a.asOther(); got != "/login?next=%2Fapp&another=1" {
		t.Errorf("it leads to %q", got)
	}
	p.Turn(func(k *providertest.Knobs) { k.IDToken, k.Deny = nil, "access_denied" })
	if a := v.comeBack(v.answerOf(v.begin("/login"))); strings.Contains(a.text, "somebody else") {
		t.Error("another account is offered to who changed their mind")
	}
}
