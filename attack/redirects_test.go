// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package attack

import (
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
)

var redirectScenes = map[string]scene{
	"OR-160": func(s *site, _ attack) { allThrough(s, "form field") },
	"OR-161": func(s *site, _ attack) { allThrough(s, "Panel's cookie") },
}

// injectionPoints are the ways by which an address can come to a sign-in.
var injectionPoints = map[string]func(next string) request{
	"form field": func(next string) request { return signingIn("/login", "next", next) },
	"query":      func(next string) request { return signingIn("/login?next=" + url.QueryEscape(next)) },
	"Referer":    func(next string) request { return signingIn("/login").with("Referer", oneLine(next)) },
	"Panel's cookie": func(next string) request {
		return signingIn("/login").as([2]string{"next_url", oneLine(next)})
	},
	// This one is read where a page of the operator's has no field for next.
	"our own cookie": func(next string) request {
		return signingIn("/login").as([2]string{"panelauth_next", url.QueryEscape(next)})
	},
	"another's cookie": func(next string) request {
		return signingIn("/login").as([2]string{"AUTHP_REDIRECT_URL", oneLine(next)})
	},
	"other parameters": func(next string) request {
		e := url.QueryEscape(next)
		return signingIn("/login?redirect_url=" + e + "&rd=" + e + "&url=" + e + "&return_to=" + e + "&redirect=" + e)
	},
	"headers": func(next string) request {
		next = oneLine(next)
		return signingIn("/login").with("X-Forwarded-Prefix", next).with("X-Original-URL", next).with("X-Forwarded-Uri", next)
	},
}

// oneLine takes out what no header can have in it: HTTP refuses that.
func oneLine(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' && c != '\t' || c == 0x7f {
			return -1
		}
		return c
	}, text)
}

func signingIn(path string, more ...string) request {
	fields := url.Values{"username": {"alice"}, "password": {alicesPassword}}
	for i := 0; i < len(more); i += 2 {
		fields.Set(more[i], more[i+1])
	}
	return form(path, fields)
}

// everyInjectionPoint follows an address to the end of a sign-in, wherever it
// comes in, and looks at the page on the way.
func everyInjectionPoint(s *site, a attack) {
	next := strings.NewReplacer("{HOST}", s.host, "{SESSION}", s.sessionCookie()).Replace(a.String)
	for name := range injectionPoints {
		through(s, name, next)
	}
	page := s.send(filled(a.Request, s.words(a)).page())
	if err := staysHere(outcome{base: s.base(), answer: page}); err != nil || page.status != http.StatusOK {
		s.t.Errorf("the page: %d, %v", page.status, err)
	}
	through(s, "form field", fieldOf(page, "next"))
}

func through(s *site, point, next string) {
	s.t.Helper()
	a := s.send(injectionPoints[point](next))
	if a.status != http.StatusSeeOther {
		s.t.Errorf("%q by way of the %s: %d", next, point, a.status)
	}
	if err := staysHere(outcome{base: s.base(), answer: a}); err != nil {
		s.t.Errorf("%q by way of the %s: %v", next, point, err)
	}
}

// allThrough sends every known address through one point.
func allThrough(s *site, point string) {
	for _, next := range knownAddresses(s) {
		through(s, point, next)
	}
}

// knownAddresses are those of the corpus, and the list of package caddyauth.
func knownAddresses(s *site) (all []string) {
	s.t.Helper()
	text, err := os.ReadFile("../caddyauth/testdata/redirects.json")
	if err != nil {
		s.t.Fatal(err)
	}
	var more []struct {
		String string `json:"string"`
	}
	if err := json.Unmarshal(text, &more); err != nil {
		s.t.Fatal(err)
	}
	for _, fact := range more {
		all = append(all, fact.String)
	}
	for _, a := range corpus(s.t) {
		if a.String != "" {
			all = append(all, strings.ReplaceAll(a.String, "{HOST}", s.host))
		}
	}
	return all
}

var inputs = regexp.MustCompile(`<input[^>]*>`)

// fieldOf is the value of a field of a page's form.
func fieldOf(page answer, name string) string {
	for _, input := range inputs.FindAllString(page.body, -1) {
		if strings.Contains(input, `name="`+name+`"`) {
			_, value, _ := strings.Cut(input, `value="`)
			value, _, _ = strings.Cut(value, `"`)
			return html.UnescapeString(value)
		}
	}
	return ""
}

// keptToTheByte: what is on this site survives the sign-in as it is.
func keptToTheByte(s *site, a attack) {
	page := s.send(filled(a.Request, s.words(a)).page())
	if got := s.send(signingIn("/login", "next", fieldOf(page, "next"))).location(); got != a.String {
		s.t.Errorf("%q becomes %q", a.String, got)
	}
}

// TestRedirectsThroughProvider has every known address go to a provider and
// back, where there is one, with a session in the cookie and over TLS.
func TestRedirectsThroughProvider(t *testing.T) {
	s := serve(t, "oidc stateless", overTLS)
	for _, next := range knownAddresses(s) {
		flow := s.begin("/login?next=" + url.QueryEscape(next))
		a := flow.back(flow.visit("alice"))
		if err := staysHere(outcome{base: s.base(), answer: a}); err != nil || a.status != http.StatusSeeOther {
			t.Errorf("%q: %d, %v", next, a.status, err)
		}
	}
}

// TestOverTLS plays what is judged from one request once more, over HTTPS: the
// cookies have other names there, and addresses another scheme.
func TestOverTLS(t *testing.T) {
	for _, profile := range []string{"stateless", "master", "guest"} {
		t.Run(profile, func(t *testing.T) {
			s := serve(t, profile, overTLS)
			for _, a := range corpus(t) {
				if a.Profile == profile && (judges[a.Judge] != nil || a.Judge == "stays here") {
					t.Run(a.ID, func(t *testing.T) { play(s.in(t), a) })
				}
			}
		})
	}
}

// TestEveryByteOfNext puts each byte at each place of an address, encoded as a
// browser does and as it is.
func TestEveryByteOfNext(t *testing.T) {
	s := serve(t, "stateless")
	for _, place := range []string{"%app", "/%", "/%/evil.com", "/a%b", "/a/%", "/a/%/b", "/%2f%", "/?%", "/?q=%//evil.com", "/#%", "//%evil.com", "/%\\evil.com"} {
		t.Run(place, func(t *testing.T) {
			s := s.in(t)
			for c := range 0x100 {
				next := strings.Replace(place, "%", string([]byte{byte(c)}), 1)
				through(s, "form field", next)
				if c > ' ' && c != 0x7f && c != '&' && c != '#' && c != '+' && c != '%' {
					a := s.send(get("/login?next=" + next).page())
					if err := staysHere(outcome{base: s.base(), answer: a}); err != nil {
						t.Errorf("%q as it is: %v", next, err)
					}
				}
			}
		})
	}
}
