// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

const (
	oneLogo     = `<svg xmlns="http://www.w3.org/2000/svg" id="one"/>`
	anotherLogo = `<svg xmlns="http://www.w3.org/2000/svg" id="another"/>`
)

// TestBrandingOnPages: what the configuration says, and the logo as its file is
// now. A file that is no picture any more leaves the last one.
func TestBrandingOnPages(t *testing.T) {
	t.Setenv("TITLE_OF_TESTS", "Sales & more")
	logo := newFile(t, "logo.svg", oneLogo)
	s := newSite(t, func(h *Handler) {
		h.Branding = &Branding{Title: "{env.TITLE_OF_TESTS}", Logo: logo, Accent: "teal", Notice: "Employees only"}
	})
	shows := func(picture string) bool {
		a := s.serve(get("/login", browser))
		a.wantBody("<title>Sign in · Sales &amp; more</title>", "<footer>Employees only</footer>", "--accent:#008080")
		return strings.Contains(a.text, base64.StdEncoding.EncodeToString([]byte(picture)))
	}
	if !shows(oneLogo) {
		t.Error("no logo")
	}
	writeFile(t, logo, "no picture")
	eventually(t, "the broken logo in the log", func() bool { return s.logs.FilterMessageSnippet("file is broken").Len() > 0 })
	if !shows(oneLogo) {
		t.Error("the logo is gone with its file")
	}
	writeFile(t, logo, anotherLogo)
	eventually(t, "the new logo", func() bool { return shows(anotherLogo) })
}

func TestBrandingMistakes(t *testing.T) {
	for want, b := range map[string]Branding{
		"has none of title":       {},
		"the accent is no colour": {Accent: "blueish"},
		"the title is longer":     {Title: strings.Repeat("x", 101)},
		"the notice is longer":    {Notice: strings.Repeat("x", 501)},
		"no such file":            {Logo: "/nowhere/logo.svg"},
		"none of the pictures":    {Logo: newFile(t, "page.html", "<html>")},
		"is larger than":          {Logo: newFile(t, "large.svg", oneLogo+strings.Repeat(" ", 12<<10))},
		"resolves to nothing":     {Title: "{env.NO_SUCH_VARIABLE}"},
	} {
		t.Run(want, func(t *testing.T) {
			h := &Handler{BasicAuth: &BasicAuth{Source: testPassword}, CookieSecret: []string{testSecret}, Branding: &b}
			mistakes := h.Mistakes()
			if len(mistakes) != 1 || mistakes[0].Subdirective != "branding" || !strings.Contains(mistakes[0].Err.Error(), want) {
				t.Errorf("mistakes: %v", mistakes)
			}
		})
	}
}

func TestLanguageOfPages(t *testing.T) {
	s := newSite(t)
	german := header("Accept-Language", "de-CH,de;q=0.9,en;q=0.8")
	s.serve(get("/login", browser, german)).wantBody(`<html lang="de" dir="ltr">`, "Passwort")
	s.serve(post("/login", credentialsForm(testUser, "wrong"), browser, german)).wantBody("Benutzername oder Passwort ist falsch!")
	s.serve(get("/logout", browser, header("Accept-Language", "he"))).wantBody(`<html lang="he" dir="rtl">`)
	s.serve(get("/login", browser)).wantBody(`<html lang="en" dir="ltr">`)
}

// TestAttemptsLeft: how many are left is said near the end, alike for a user that
// there is and one that there is not.
func TestAttemptsLeft(t *testing.T) {
	var said [2][]string
	for i, user := range []string{testUser, "nobody-of-that-name"} {
		s := newSite(t)
		for range 5 {
			a := s.serve(post("/login", credentialsForm(user, "wrong"), browser))
			a.want(http.StatusUnauthorized)
			_, text, _ := strings.Cut(a.text, invalidPassword)
			text, _, _ = strings.Cut(text, "</p>")
			said[i] = append(said[i], strings.TrimSpace(text))
		}
		s.serve(post("/login", credentialsForm(user, "wrong"), browser)).want(http.StatusTooManyRequests)
	}
	want := "||2 attempts left.|One attempt left.|Try again in about 2 minutes."
	for _, got := range said {
		if strings.Join(got, "|") != want {
			t.Errorf("said %q, want %q", got, want)
		}
	}
}

// TestRememberWithProvider: a choice of providers offers to stay signed in, and
// a session made so lasts so long.
func TestRememberWithProvider(t *testing.T) {
	one, hub := newOpenID(t), connected(t, providertest.GitHub(t))
	for name, test := range map[string]struct {
		days     Number
		way      string
		lifetime time.Duration
	}{
		"asked":       {"30", "stay", 30 * day},
		"not asked":   {"30", "provider", day},
		"not offered": {"", "stay", day},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, entries(entryFor(one, called("one")), entryFor(hub)), func(h *Handler) {
				h.BasicAuth = nil
				h.RememberMe = test.days
			})
			v := s.newVisitor("")
			a := v.visit("/report")
			if offers := strings.Contains(a.text, `name="remember"`) && strings.Contains(a.text, "?next=%2Freport&amp;stay=one"); offers != (test.days != "") {
				t.Errorf("offered: %v", offers)
			}
			v.visit("/login?" + test.way + "=one&next=/app").wantReached()
			for made, err := range s.door.sessions.All(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				if got := made.Expires.Sub(made.Created); got != test.lifetime {
					t.Errorf("lasts %v, want %v", got, test.lifetime)
				}
			}
		})
	}
}
