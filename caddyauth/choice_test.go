// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

var buttonsOn = regexp.MustCompile(`<a class="button" href="(/login\?[^"]*)">([^<]*)</a>`)

// offered are the ids on the sign-in page in their order.
func offered(a answer) (ids []string) {
	for _, button := range buttonsOn.FindAllStringSubmatch(a.text, -1) {
		u, err := url.Parse(strings.ReplaceAll(button[1], "&amp;", "&"))
		if err != nil {
			continue
		}
		ids = append(ids, u.Query().Get("provider"))
	}
	return ids
}

func TestChoice(t *testing.T) {
	one, two, hub := newOpenID(t), newOpenID(t), connected(t, providertest.GitHub(t))
	configure := entries(
		entryFor(one, called("one"), func(e *OAuthProvider) { e.Label = "One & Co <b>" }),
		entryFor(two, called("two")), entryFor(hub))
	s := newSite(t, configure, withPassword)
	v := s.newVisitor("")
	a := v.visit("/report?a=1&b=2#f")
	a.want(http.StatusOK)
	a.wantBody(`name="password"`, ">One &amp; Co &lt;b&gt;</a>", ">Continue with two</a>", ">Continue with GitHub</a>", "next=%2Freport%3Fa%3D1%26b%3D2")
	if got := offered(a); !slices.Equal(got, []string{"one", "two", "github"}) {
		t.Fatalf("the page offers %q", got)
	}
	if got := v.attempts(); len(got) > 0 {
		t.Errorf("the page alone has begun %q", got)
	}

	t.Run("last choice first", func(t *testing.T) {
		v := s.in(t).newVisitor("")
		for _, id := range []string{"github", "two"} {
			v.visit("/login?provider=" + id + "&next=/app").wantReached()
			v.open("/logout", fromHere)
			got := offered(v.open("/login"))
			if len(got) != 3 || got[0] != id {
				t.Errorf("after %s the page offers %q", id, got)
			}
		}
		if names := v.keeps("/app"); slices.ContainsFunc(names, func(n string) bool { return strings.HasSuffix(n, lastSuffix) }) {
			t.Errorf("other pages get %q", names)
		}
		v.visit("/login?provider=one&next=/login/x").wantReached()
		if got := s.app.got.Header.Get("Cookie"); strings.Contains(got, lastSuffix) {
			t.Errorf("the application gets %q", got)
		}
	})
	t.Run("a forged last choice", func(t *testing.T) {
		a := s.in(t).serve(get("/login", browser, cookieLine(`panelauth_last=%3Cscript%3E`)))
		a.want(http.StatusOK)
		if got := offered(a); !slices.Equal(got, []string{"one", "two", "github"}) || strings.Contains(a.text, "<script>") {
			t.Errorf("the page offers %q", got)
		}
	})
	t.Run("straight", func(t *testing.T) {
		v := s.in(t).newVisitor("")
		for id, p := range map[string]*providertest.Server{"one": one, "two": two, "github": hub} {
			if address := v.begin("/login?provider=" + id + "&next=/app"); !strings.HasPrefix(address, p.URL+"/") {
				t.Errorf("%s leads to %s", id, address)
			}
		}
	})
	t.Run("unknown id", func(t *testing.T) {
		v := s.in(t).newVisitor("")
		for _, id := range []string{"three", "ONE", "password", "<script>", "one/../two", strings.Repeat("x", 5000)} {
			a := v.open("/login?next=/app&provider=" + url.QueryEscape(id))
			a.want(http.StatusOK)
			if len(offered(a)) != 3 || strings.Contains(a.text, "<script>") {
				t.Errorf("%q: %.300q", id, a.text)
			}
		}
	})
	t.Run("password beside them", func(t *testing.T) {
		s := s.in(t)
		if !s.isSignedIn(s.signInAlice()) {
			t.Error("alice cannot sign in")
		}
		a := s.serve(post("/login", credentialsForm("alice", "wrong")))
		a.want(http.StatusUnauthorized)
		if len(offered(a)) != 3 {
			t.Error("after a wrong password the providers are gone")
		}
	})
	t.Run("one is away", func(t *testing.T) {
		away(two)
		defer back(two)
		s := newSite(t, configure, withPassword)
		v := s.newVisitor("")
		if got := offered(v.open("/login")); len(got) != 3 {
			t.Errorf("the page offers %q", got)
		}
		v.wantFailed(v.open("/login?provider=two"), http.StatusServiceUnavailable, "provider_unreachable", "")
		v.visit("/login?provider=one&next=/app").wantReached()
	})
}

func TestOnlyProvider(t *testing.T) {
	p := newOpenID(t)
	t.Run("goes straight", func(t *testing.T) {
		v := newSite(t, signInWith(p)).newVisitor("")
		v.begin("/login")
		v.begin("/login/")
		v.begin("/login?provider=oidc")
		a := v.open("/login?provider=nope&next=/app")
		a.want(http.StatusOK)
		if got := offered(a); !slices.Equal(got, []string{"oidc"}) {
			t.Errorf("an unknown id offers %q", got)
		}
		v.mustSignIn("/")
		if got := v.keeps("/login"); slices.Contains(got, "panelauth_last") {
			t.Error("a choice is remembered where there is none")
		}
	})
	t.Run("beside a password", func(t *testing.T) {
		v := newSite(t, signInWith(p), withPassword).newVisitor("")
		a := v.open("/login")
		a.want(http.StatusOK)
		a.wantBody(`name="password"`)
		if len(offered(a)) != 1 {
			t.Errorf("the page offers %q", offered(a))
		}
	})
	t.Run("takes no form", func(t *testing.T) {
		s := newSite(t, signInWith(p))
		a := s.serve(post("/login", credentialsForm(testUser, testPassword)))
		a.want(http.StatusMethodNotAllowed)
		a.wantHeader("Allow", "GET, HEAD")
	})
	t.Run("after a form was sent without a session", func(t *testing.T) {
		v := newSite(t, signInWith(p)).newVisitor("")
		a := v.send(post("/app/save", url.Values{"x": {"y"}}, browser, header("Referer", "https://"+testHost+"/app?a=1"), fromHere))
		a.wantRefusedHere(http.StatusUnauthorized)
		if got := offered(a); !slices.Equal(got, []string{"oidc"}) || !strings.Contains(a.text, "next=%2Fapp%3Fa%3D1") {
			t.Errorf("the page is %.500q", a.text)
		}
	})
}

func TestLabels(t *testing.T) {
	for _, test := range []struct{ configured, name, id, want string }{
		{"", "github", "github", "GitHub"}, {"", "oidc", "oidc", "oidc"}, {"", "oidc", "sso", "sso"},
		{"", "github", "hub", "hub"}, {"Work", "github", "github", "Work"}, {"", "azurev2", "azurev2", "Microsoft"},
	} {
		if got := labelOf(test.configured, test.name, test.id); got != test.want {
			t.Errorf("%+v: got %q", test, got)
		}
	}
}
