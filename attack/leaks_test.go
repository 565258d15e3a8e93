// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package attack

import (
	"context"
	"encoding/base64"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

var leakScenes = map[string]scene{
	"LG-001": func(s *site, _ attack) {
		secrets, _ := everySecret(s)
		log := s.logs()
		for name, secret := range secrets {
			for line := range strings.Lines(log) {
				if strings.Contains(line, secret) || strings.Contains(line, url.QueryEscape(secret)) {
					s.t.Errorf("the log has the %s: %.200s", name, line)
					break
				}
			}
		}
	},
	"LG-006": func(s *site, _ attack) {
		other := besideWith(s, another{plain: "metrics"}) // which begins to count anew
		s.send(get("/a-path-of-the-application?a-parameter").as(s.anybody("somebody-of-this-name")))
		metrics := other.send(get("/"))
		if metrics.status != http.StatusOK || !strings.Contains(metrics.body, "caddy_http_requests_total") {
			s.t.Fatalf("there are no metrics: %d\n%s", metrics.status, metrics.body)
		}
		for _, word := range []string{"somebody-of-this-name", "a-path", "a-parameter", "alice", master, cookieSecret} {
			if strings.Contains(metrics.body, word) {
				s.t.Errorf("the metrics have %q in them", word)
			}
		}
	},
	"LG-008": func(s *site, _ attack) {
		secrets, locations := everySecret(s)
		for name, secret := range secrets {
			for _, location := range locations {
				if name != "state" && name != "nonce" && name != "id_token" && strings.Contains(location, secret) {
					s.t.Errorf("the %s is in an address: %s", name, location)
				}
			}
		}
	},
	"LG-010": func(s *site, _ attack) {
		jar, err := cookiejar.New(nil)
		if err != nil {
			s.t.Fatal(err)
		}
		client := &http.Client{Jar: jar, Transport: &http.Transport{
			DialContext: func(context.Context, string, string) (net.Conn, error) { return s.dial() }, DisableKeepAlives: true,
		}}
		at, err := url.Parse(s.base() + "/logout")
		if err != nil {
			s.t.Fatal(err)
		}
		session := s.anybody("alice")
		jar.SetCookies(at, []*http.Cookie{{Name: session[0], Value: session[1], Path: "/"}, {Name: "user", Value: "x", Path: "/"}, {Name: "theirs", Value: "kept", Path: "/"}})
		answer, err := client.Get(at.String())
		if err != nil {
			s.t.Fatal(err)
		}
		_ = answer.Body.Close()
		if kept := jar.Cookies(at); len(kept) != 1 || kept[0].Name != "theirs" || answer.Header.Get("Cache-Control") != "no-store" {
			s.t.Errorf("the browser keeps %v, and the page %q", kept, answer.Header.Get("Cache-Control"))
		}
	},
}

// everySecret goes through a whole life of a session, and returns what must not
// be said, and all addresses that answers lead to.
func everySecret(s *site) (secrets map[string]string, locations []string) {
	s.t.Helper()
	secrets = map[string]string{"cookie secret": cookieSecret, "client secret": clientSecret}
	s.turn(func(k *providertest.Knobs) {
		k.Tokens = func(answer map[string]any) {
			for _, name := range []string{"id_token", "access_token", "refresh_token"} {
				if token, ok := answer[name].(string); ok {
					secrets[name] = token
				}
			}
		}
	})
	flow := s.begin("/login?next=/app")
	params := flow.visit("alice")
	asked := flow.params()
	secrets["state"], secrets["code"], secrets["nonce"] = asked.Get("state"), params.Get("code"), asked.Get("nonce")
	secrets["cookie of the sign-in"] = flow.cookies[0][1]
	back := flow.back(params)
	session := [2]string{s.sessionCookie(), back.cookie(s.sessionCookie())}
	secrets["session"] = session[1]
	o := s.attackedWith(get("/app").as(session))
	for _, r := range o.app {
		secrets["cookies of the application"] = r.values("Cookie")[0]
	}
	requests := s.provider.Requests(providertest.Token)
	secrets["verifier"] = requests[len(requests)-1].Form.Get("code_verifier")
	answers := []answer{
		back, o.answer,
		flow.back(params), // a second time
		s.send(get("/login?code=" + secrets["code"] + "&state=" + secrets["state"]).page()),
		s.send(get("/app?token=x").page()),
		s.send(get("/app").page().as([2]string{session[0], session[1] + "x"})),
		s.send(opening("/app/ws").with("Origin", "https://evil.com").as(session)),
		s.send(form("/logout", nil).as(session)),
		s.send(get("/logout").page().as(session)),
	}
	for _, a := range answers {
		locations = append(locations, a.location())
		for name, secret := range secrets {
			// The provider gets its own ID token back when its session is to end.
			if name != "id_token" && strings.Contains(a.body, secret) {
				s.t.Errorf("a page has the %s", name)
			}
		}
	}
	for name, secret := range secrets {
		if len(secret) < 8 {
			s.t.Errorf("the %s is %q", name, secret)
		}
	}
	return secrets, locations
}

// decodings are what a text says in base64, and its parts say again.
func decodings(text string) (all []string) {
	for _, encoding := range []*base64.Encoding{base64.URLEncoding, base64.RawURLEncoding, base64.StdEncoding, base64.RawStdEncoding} {
		decoded, err := encoding.DecodeString(text)
		if err != nil {
			continue
		}
		all = append(all, string(decoded))
		for part := range strings.SplitSeq(string(decoded), "|") {
			if part != string(decoded) {
				all = append(all, decodings(part)...)
			}
		}
	}
	return all
}
