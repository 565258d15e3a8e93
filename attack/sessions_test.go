// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package attack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

var sessionScenes = map[string]scene{
	"CK-001": everyByte,
	"CK-013": func(s *site, _ attack) {
		flow, session := s.begin("/login"), s.anybody("alice")
		if err := noSession(s.attackedWith(get("/app").as([2]string{s.sessionCookie(), flow.cookies[0][1]}))); err != nil {
			s.t.Error(err)
		}
		params := flow.visit("alice")
		asked := s.asked()
		a := s.send(get("/login?" + params.Encode()).as([2]string{flow.cookies[0][0], session[1]}))
		if err := nothingAsked(outcome{base: s.base(), session: s.sessionCookie(), answer: a, asked: s.asked() - asked}); err != nil {
			s.t.Error(err)
		}
	},
	"CK-015": func(s *site, _ attack) {
		session := s.anybody("alice")
		other := serveBeside(s, `basic_auth "another password"`) // with the same secret
		if err := closed(other.attackedWith(get("/app").as(session))); err != nil {
			s.t.Error(err)
		}
		another := serveBeside(s, "basic_auth {env.MASTER}", `cookie_secret "a secret of its own, of another site"`)
		if err := noSession(another.attackedWith(get("/app").as(session))); err != nil {
			s.t.Error(err)
		}
	},
	"CK-017": func(s *site, _ attack) {
		session := s.begin("/login?provider=one").finish("alice")
		if o := s.attackedWith(get("/app").as(session)); len(o.app) != 1 {
			s.t.Fatalf("the session is not good where it was made: %d", o.answer.status)
		}
		only := serveBeside(s, providerLines("oidc two", s.second))
		if err := closed(only.attackedWith(get("/app").as(session))); err != nil {
			s.t.Error(err)
		}
	},
	"CK-018": func(s *site, _ attack) {
		alice, mallory := s.anybody("alice"), s.anybody("mallory")
		garbage := [2]string{s.sessionCookie(), "garbage"}
		for user, cookies := range map[string][][2]string{
			"mallory": {mallory, alice}, "alice": {alice, mallory}, "alice after garbage": {garbage, alice}, "alice before garbage": {alice, garbage},
		} {
			o := s.attackedWith(get("/app").as(cookies...))
			o.user, _, _ = strings.Cut(user, " ")
			if err := onlyOurs(o); err != nil {
				s.t.Errorf("%s: %v", user, err)
			}
		}
	},
	"CK-025": func(s *site, _ attack) {
		session := s.anybody("alice")
		s.send(get("/logout").as(session))
		for range 3 {
			if err := noSession(s.attackedWith(get("/app").as(session))); err != nil {
				s.t.Fatal(err)
			}
		}
	},
	"CK-029": endsAtItsTime, "CK-030": endsAtItsTime,
	"CK-033": func(s *site, _ attack) {
		for ahead, good := range map[time.Duration]bool{0: true, 10 * time.Minute: false, 365 * 24 * time.Hour: false} {
			o := s.attackedWith(get("/app").as([2]string{s.sessionCookie(), s.forged(ahead)}))
			if o.user = "alice"; good && onlyOurs(o) != nil {
				s.t.Errorf("a session of now is refused: %d, %v", o.answer.status, onlyOurs(o)) // so the others are refused for their time
			}
			if !good {
				if err := noSession(o); err != nil {
					s.t.Errorf("a session of %v ahead: %v", ahead, err)
				}
			}
		}
	},
	"CK-035": func(s *site, _ attack) {
		a := s.send(signingInAsAnybody().with("X-Forwarded-Proto", "https"))
		cookie := a.header.Get("Set-Cookie")
		if a.status != http.StatusSeeOther || strings.Contains(cookie, "Secure") || strings.Contains(cookie, "__Host-") {
			s.t.Errorf("a header makes it HTTPS: %d, %q", a.status, cookie)
		}
		if !strings.Contains(s.logs(), `"level":"warn"`) || !strings.Contains(s.logs(), "unencrypted") {
			s.t.Error("nobody is warned")
		}
	},
	"CK-036": func(s *site, _ attack) {
		session := s.anybody("alice")
		left := [][2]string{{"user", "x"}, {"id_token", "x"}, {"access_token", "x"}, {"refresh_token", "x"}, {"oauth_expiry", "x"}, {"is_guest", "1"}, {"panel-oauth-state", "x"}}
		a := s.send(form("/logout", nil).as(session).as(left...))
		for _, cookie := range append(left, session) {
			if !a.clears(cookie[0]) {
				s.t.Errorf("%s stays", cookie[0])
			}
		}
		made := s.send(signingInAsAnybody())
		if got, want := attributes(a, s.sessionCookie()), attributes(made, s.sessionCookie()); got != want {
			s.t.Errorf("it is deleted with %q, but was set with %q", got, want)
		}
	},
	"CK-038": ciphertext, "LG-011": ciphertext,
	"CK-039": func(s *site, _ attack) {
		good := s.anybody("alice")[1]
		short := s.anybody("alice")
		s.send(get("/logout").as(short))
		answers := map[string]string{}
		for what, value := range map[string]string{
			"none of ours": "garbage", "bad MAC": good[:len(good)-2] + "AA", "bad start": "AA" + good[2:], "cut": good[:len(good)/2],
			"ended": short[1], "another alphabet": "%00%ff", "empty": "", "twice": good + good, "future": s.forged(time.Hour),
		} {
			answers[shape(s.send(get("/app").page().as([2]string{s.sessionCookie(), value})))] = what
		}
		if len(answers) != 1 {
			s.t.Errorf("there are %d answers to bad cookies: %v", len(answers), answers)
		}
	},
}

func signingInAsAnybody() request {
	return form("/login", url.Values{"username": {"alice"}, "password": {master}})
}

// everyByte changes each byte of a session's cookie in turn.
func everyByte(s *site, _ attack) {
	session := s.anybody("alice")
	for i := range session[1] {
		changed := []byte(session[1])
		for _, to := range []byte{'A', 'b', '-'} {
			if changed[i] != to {
				changed[i] = to
				break
			}
		}
		o := s.attackedWith(get("/app").as([2]string{session[0], string(changed)}))
		// Base64 has a byte at its end that says nothing in part.
		if err := noSession(o); err != nil && (i < len(changed)-4 || len(o.app) == 0) {
			s.t.Fatalf("byte %d: %v", i, err)
		}
	}
	if o := s.attackedWith(get("/app").as(session)); len(o.app) != 1 {
		s.t.Error("the session itself is over")
	}
	if strings.Contains(s.logs(), "panic") {
		s.t.Error("something panicked")
	}
}

// endsAtItsTime: a session is over when its time is, however it is used.
func endsAtItsTime(s *site, _ attack) {
	session := s.anybody("alice")
	used := 0
	s.eventually("the session ends", func() bool {
		o := s.attackedWith(get("/app").as(session))
		used += len(o.app)
		return len(o.app) == 0 && closed(o) == nil
	})
	if used == 0 {
		s.t.Error("the session was never good")
	}
}

// forged is a session of alice's in a cookie, made by a machine with our secret
// and a clock of its own.
func (s *site) forged(ahead time.Duration) string {
	s.t.Helper()
	now := func() time.Time { return time.Now().Add(ahead) }
	m, err := session.NewManager(session.Config{Secrets: [][]byte{[]byte(cookieSecret)}, Now: now})
	if err != nil {
		s.t.Fatal(err)
	}
	_, cookie, err := m.Begin(context.Background(), session.Record{
		User: "alice", Provider: "password", Proof: session.Fingerprint("account", "alice", alicesPassword), Created: now(), Expires: now().Add(24 * time.Hour),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return cookie
}

// attributes are what a Set-Cookie line says beside the value and the time.
func attributes(a answer, name string) string {
	for _, cookie := range (&http.Response{Header: a.header}).Cookies() {
		if cookie.Name == name {
			return fmt.Sprint(cookie.Path, cookie.Domain, cookie.Secure, cookie.HttpOnly, cookie.SameSite)
		}
	}
	return "nothing"
}

// ciphertext: nothing can be read in a cookie, and no two are alike.
func ciphertext(s *site, _ attack) {
	seen := map[string]bool{}
	for range 200 {
		value := s.anybody("alice")[1]
		if seen[value[:40]] {
			s.t.Fatal("two cookies begin alike")
		}
		seen[value[:40]] = true
		if err := readable(value, "alice@example", "example.org", "password", "provider", "expires"); err != nil {
			s.t.Fatal(err)
		}
	}
}

// readable looks for words in a text, as it is and decoded.
func readable(value string, words ...string) error {
	for _, text := range append(decodings(value), value) {
		for _, word := range words {
			if strings.Contains(text, word) {
				return fmt.Errorf("%q can be read", word)
			}
		}
	}
	if len(decodings(value)) == 0 {
		return errors.New("it is not base64, so what it says is unknown")
	}
	return nil
}
