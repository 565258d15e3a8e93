// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package attack

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

var tokenScenes = map[string]scene{
	"TV-019": refusedToken(func(_ *site, k *providertest.Knobs) { k.IDToken = func(c map[string]any) { c["aud"] = "client-2" } }),
	"TV-022": refusedToken(func(_ *site, k *providertest.Knobs) { k.IDToken = func(c map[string]any) { delete(c, "exp") } }),
	"TV-026": refusedToken(func(_ *site, k *providertest.Knobs) {
		k.IDToken = func(c map[string]any) { c["nbf"] = time.Now().Add(time.Hour).Unix() }
	}),
	"TV-028": refusedToken(func(_ *site, k *providertest.Knobs) {
		k.IDToken = func(c map[string]any) { c["iat"] = time.Now().Add(24 * time.Hour).Unix() }
	}),
	"TV-035": refusedToken(func(_ *site, k *providertest.Knobs) {
		k.AccessToken = map[string]any{"email": "mallory@example.org", "sub": "1001"}
		k.Tokens = func(answer map[string]any) { delete(answer, "id_token") }
	}),
	"TV-040": refusedToken(func(_ *site, k *providertest.Knobs) {
		k.Faults = map[providertest.Endpoint]http.HandlerFunc{
			providertest.UserInfo: providertest.Reply(http.StatusOK, "application/json", `{"message":"Bad credentials"}`),
		}
	}),
	"TV-041": refusedToken(func(_ *site, k *providertest.Knobs) {
		unverified := func(c map[string]any) { c["email_verified"] = false }
		k.IDToken, k.UserInfo = unverified, unverified
	}),
	"TV-044": func(s *site, _ attack) {
		corp := atCorp(s)
		corp.letIn("a@corp.com")
		for _, email := range []string{"a@evilcorp.com", "a@corp.com.evil.com", "a@CORP.COM", "a@corp.com ", "a@corp.com.", "a@corp.co"} {
			corp.keptOut(email)
		}
	},
	"TV-045": func(s *site, _ attack) {
		corp := atCorp(s)
		for _, email := range []string{"a@\u0441orp.com", "a@c\u03bfrp.com", "a@\uff43orp.com", "a@corp\u3002com", `"a"@corp.com`, `"a@evil.com"@corp.com`} {
			corp.keptOut(email)
		}
		corp.letIn("a@corp.com")
	},
	"TV-053": refusedToken(func(_ *site, k *providertest.Knobs) {
		k.Tokens = func(answer map[string]any) {
			answer["id_token"] = "eyJhbGciOiJQQkVTMi1IUzUxMitBMjU2S1ciLCJlbmMiOiJBMTI4R0NNIiwicDJjIjoyMTQ3NDgzNjQ3LCJwMnMiOiJBQUFBIiwiemlwIjoiREVGIn0.AAAA.AAAA.AAAA.AAAA"
		}
	}),
	"TV-055": func(s *site, _ attack) {
		// Nobody has vouched for this one's certificate.
		untrusted := httptest.NewTLSServer(s.provider)
		defer untrusted.Close()
		other := serveBeside(s, "oauth_provider oidc {\nkey x\nsecret y\nextra_params {\nISSUER "+untrusted.URL+"\n}\n}")
		a := other.send(get("/login").page())
		if a.status != http.StatusServiceUnavailable || a.location() != "" {
			s.t.Errorf("the answer is %d to %q", a.status, a.location())
		}
		if !strings.Contains(other.logs(), "certificate") {
			s.t.Error("the log does not say why")
		}
	},
}

// corp is a site for the people of one e-mail domain.
type corp struct{ *site }

func atCorp(s *site) corp {
	s.t.Helper()
	return corp{besideWith(s, another{
		lines: providerLines("oidc", s.provider) + "\nauthorize {\nallow @corp\n}",
		after: "@corp auth_claim email *@corp.com",
	})}
}

// visit signs somebody in by an e-mail address, as far as that goes, and has
// them open a page.
func (c corp) visit(email string) (signIn answer, page outcome) {
	c.t.Helper()
	flow := c.begin("/login")
	params := flow.visit("alice")
	edit := func(claims map[string]any) { claims["email"] = email }
	c.turn(func(k *providertest.Knobs) { k.IDToken, k.UserInfo = edit, edit })
	signIn = flow.back(params)
	q := get("/app").page()
	if session := signIn.cookie(c.sessionCookie()); session != "" {
		q = q.as([2]string{c.sessionCookie(), session})
	}
	page = c.attackedWith(q)
	c.provider.Turn(func(k *providertest.Knobs) { *k = providertest.Knobs{} })
	return signIn, page
}

// keptOut: no page for them, a page of our words instead, and a line in the log.
func (c corp) keptOut(email string) {
	c.t.Helper()
	before := len(c.logs())
	signIn, page := c.visit(email)
	refused, own := page.answer, noMarkup // the page says who was signed in
	if signIn.cookie(c.sessionCookie()) == "" {
		refused, own = signIn, noText
	}
	if err := errors.Join(closed(page), own(refused)); err != nil {
		c.t.Errorf("%q: %v", email, err)
	}
	if refused.status != http.StatusForbidden && refused.status != http.StatusUnauthorized {
		c.t.Errorf("%q is answered %d", email, refused.status)
	}
	if log := c.logs()[before:]; !strings.Contains(log, `"event":"denied"`) && !strings.Contains(log, `"event":"login_failed"`) {
		c.t.Errorf("%q: the log does not say why", email)
	}
}

func (c corp) letIn(email string) {
	c.t.Helper()
	if _, page := c.visit(email); len(page.app) != 1 {
		c.t.Errorf("%q is answered %d", email, page.answer.status)
	}
}

// refusedToken: a sign-in whose tokens are not what they should be fails on a
// page of our words, with the reason in the log and nothing of the token.
func refusedToken(turn func(*site, *providertest.Knobs)) scene {
	return func(s *site, _ attack) {
		flow := s.begin("/login")
		params := flow.visit("alice")
		var issued []string
		s.turn(func(k *providertest.Knobs) {
			turn(s, k)
			edit := k.Tokens
			k.Tokens = func(answer map[string]any) {
				if edit != nil {
					edit(answer)
				}
				for _, name := range []string{"id_token", "access_token", "refresh_token"} {
					if token, ok := answer[name].(string); ok && len(token) > 8 {
						issued = append(issued, token)
					}
				}
			}
		})
		a := flow.back(params)
		if err := closed(outcome{base: s.base(), session: s.sessionCookie(), answer: a}); err != nil {
			s.t.Error(err)
		}
		if a.status != http.StatusUnauthorized && a.status != http.StatusForbidden {
			s.t.Errorf("the answer is %d", a.status)
		}
		if err := noText(a); err != nil {
			s.t.Error(err)
		}
		log := s.logs()
		if !strings.Contains(log, `"event":"login_failed"`) {
			s.t.Error("the log does not say that a sign-in failed")
		}
		for _, token := range append(issued, params.Get("code"), params.Get("state")) {
			if strings.Contains(log, token) || strings.Contains(a.body, token) {
				s.t.Errorf("%.12s… is in the log or on the page", token)
			}
		}
		s.provider.Turn(func(k *providertest.Knobs) { *k = providertest.Knobs{} })
		s.anybody("alice") // nothing stands in the way of a good one
	}
}
