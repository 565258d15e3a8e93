// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package attack

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
	"github.com/panelauth/caddy-panelauth/caddyauth/tornado"
)

var headerScenes = map[string]scene{
	"HS-077": limitStands, "HS-078": limitStands, "HS-079": limitStands,
	"HS-084": literalName("alice\nX-Admin: 1", false), "HS-087": literalName("\u0430lice", true), "HS-089": literalName("{env.COOKIE_SECRET}", true),
	"HS-090": literalName("{file./etc/passwd}", true), "HS-095": literalName("", false), "HS-096": literalName("alice;admin=1", true),
	"HS-098": literalName("../../admin", true),
	"HS-100": claimed("preferred_username", "alice\r\nX-Admin: 1"), "HS-101": claimed("name", "=?"),
	"HS-103": claimed("email", []string{"a@x", "b@y"}), "HS-108": claimed("preferred_username", "{env.COOKIE_SECRET}"),
}

// limitStands: an address that a client makes up does not give it new attempts.
func limitStands(s *site, a attack) {
	refused := 0
	for n := range 100 {
		q := filled(a.Request, map[string]string{"N": fmt.Sprint(n)})
		o := s.attackedWith(q)
		if err := untouched(o); err != nil {
			s.t.Fatal(err)
		}
		if o.answer.status == http.StatusTooManyRequests {
			refused++
		}
	}
	// Five of a name; another case of this kind may have used them up already.
	if refused < 95 {
		s.t.Errorf("of 100 attempts only %d are refused", refused)
	}
	if strings.Contains(s.logs(), `"client_ip":"10.0.0.`) {
		s.t.Error("the log believes the header")
	}
}

// literalName: with one password for all, any name will do that is one. It
// reaches the application as it was typed.
func literalName(name string, accepted bool) scene {
	return func(s *site, a attack) {
		got := s.send(filled(a.Request, s.words(a)))
		value := got.cookie(s.sessionCookie())
		if (value != "") != accepted {
			s.t.Fatalf("%q: %d", name, got.status)
		}
		if !accepted {
			if got.status != http.StatusUnauthorized {
				s.t.Errorf("%q: %d", name, got.status)
			}
			return
		}
		wantLiteral(s, [2]string{s.sessionCookie(), value}, name)
	}
}

// wantLiteral checks that the application hears a name once in each place, to
// the letter.
func wantLiteral(s *site, session [2]string, name string) {
	s.t.Helper()
	o := s.attackedWith(get("/app").as(session))
	if len(o.app) != 1 {
		s.t.Fatalf("the application got %d requests: %d", len(o.app), o.answer.status)
	}
	for header, claim := range identityHeaders {
		if claim != "user" {
			continue
		}
		values := o.app[0].values(header)
		if len(values) != 1 {
			s.t.Fatalf("%s is there %d times", header, len(values))
		}
		if decoded, err := url.PathUnescape(values[0]); err != nil || decoded != name {
			s.t.Errorf("%s is %q, wanted %q", header, values[0], name)
		}
	}
	if got := o.app[0].values("X-Admin"); got != nil {
		s.t.Errorf("X-Admin is %q", got)
	}
	for _, pair := range everyReading(o.app[0].values("Cookie")[0]) {
		if pair[0] != "user" {
			continue
		}
		if user, err := tornado.Verify([]byte(cookieSecret), "user", pair[1], time.Now(), time.Hour); err != nil || user != name {
			s.t.Errorf("the cookie says %q, %v", user, err)
		}
	}
}

// claimed: whatever a provider says of somebody, it is a text in one header or
// nobody is signed in.
func claimed(name string, value any) scene {
	return func(s *site, _ attack) {
		flow := s.begin("/login")
		params := flow.visit("alice")
		claim := func(claims map[string]any) { claims[name] = value }
		s.turn(func(k *providertest.Knobs) { k.IDToken, k.UserInfo = claim, claim })
		a := flow.back(params)
		session := a.cookie(s.sessionCookie())
		if name == "email" {
			if session != "" || a.status != http.StatusUnauthorized {
				s.t.Errorf("a list is a user name: %d", a.status)
			}
			return
		}
		if session == "" {
			s.t.Fatalf("cannot sign in: %d", a.status)
		}
		o := s.attackedWith(get("/app").as([2]string{s.sessionCookie(), session}))
		o.user = s.alice()
		for _, r := range o.app {
			o.app[0].fields = without(r.fields, "X-Forwarded-Preferred-Username", "X-Forwarded-Email", "X-Auth-Request-Email", "X-Forwarded-Groups")
			if len(r.values("X-Forwarded-Preferred-Username")) > 1 || r.values("X-Admin") != nil || strings.Contains(r.raw, cookieSecret) {
				s.t.Errorf("the application gets %s", r.raw)
			}
		}
		if err := onlyOurs(o); err != nil {
			s.t.Error(err)
		}
	}
}

func without(fields [][2]string, names ...string) (kept [][2]string) {
	for _, field := range fields {
		drop := false
		for _, name := range names {
			drop = drop || folded(field[0]) == folded(name)
		}
		if !drop {
			kept = append(kept, field)
		}
	}
	return kept
}

// turn changes the provider until the test ends.
func (s *site) turn(change func(*providertest.Knobs)) {
	s.provider.Turn(change)
	s.t.Cleanup(func() { s.provider.Turn(func(k *providertest.Knobs) { *k = providertest.Knobs{} }) })
}

// spellings are how a header could be written so that some server takes it for
// the one that is meant.
func spellings(header string) (all []string) {
	for _, separator := range []string{"-", "_", ".", "--", "-_", "~", "!", "*"} {
		s := strings.ReplaceAll(header, "-", separator)
		all = append(all, s, strings.ToLower(s), strings.ToUpper(s))
	}
	return append(all, strings.Replace(header, "-", "_", 1), header[:1]+strings.ToLower(header[1:]))
}

// TestHeadersInDisguise: each identity header in each spelling, at each place,
// once, twice and over several lines, for somebody and for a guest.
func TestHeadersInDisguise(t *testing.T) {
	s := serve(t, "guest")
	session := s.anybody("alice")
	for header := range identityHeaders {
		for _, name := range append(spellings(header), header+" ", header+"\t") {
			if folded(strings.TrimSpace(name)) != folded(header) {
				continue // another header to everybody
			}
			evil := [2]string{name, "admin"}
			for what, q := range map[string]request{
				"first":  get("/public", evil, [2]string{"A", "b"}),
				"last":   get("/public", [2]string{"A", "b"}, evil),
				"twice":  get("/public", evil, evil),
				"folded": get("/public", [2]string{"A", "b\r\n\t c\n" + name + ": admin"}),
				"named":  get("/public", evil, [2]string{"Connection", "close, " + strings.TrimSpace(name)}),
			} {
				for user, q := range map[string]request{"alice": q.as(session), "guest": q} {
					o := s.attackedWith(q)
					o.user = user
					if o.answer.status == http.StatusBadRequest && len(o.app) == 0 {
						continue // not a header
					}
					if err := onlyOurs(o); err != nil {
						t.Errorf("%q, %s, for %s: %v", name, what, user, err)
					}
				}
			}
		}
	}
}

// TestCookiesInDisguise: each name that Panel and this module go by, with each
// byte around it, each kind of quote and each order, beside a session and
// without.
func TestCookiesInDisguise(t *testing.T) {
	s := serve(t, "guest")
	session := s.anybody("alice")
	own := session[0] + "=" + session[1]
	evil := tornado.Sign([]byte(cookieSecret), "user", "bob", time.Now())
	names := []string{"user", "id_token", "access_token", "refresh_token", "oauth_expiry", "is_guest", "next_url", "panel-oauth-state", "panelauth_1", "panelauth_next", "panelauth_last", "panelauth_left", "panelauth_state_1", "__Host-panelauth", "__HOST-panelauth"}
	var lines []string
	for _, name := range names {
		for c := range 0x100 {
			if c == '\r' || c == '\n' || c == 0 {
				continue // Go refuses such a header, and so does Caddy
			}
			around := string([]byte{byte(c)})
			lines = append(lines, around+name+"="+evil, name+around+"="+evil)
		}
		lines = append(lines,
			`"`+name+`"=`+evil, name+`="`+evil+`"`, name+`="`+evil, name+`=`+evil+`"`, `a="x; `+name+`=`+evil+`; y"`, "="+name+"="+evil, "=="+name+"="+evil,
			"a=b "+name+"="+evil, "a=b\t"+name+" ="+evil, "a=b,"+name+"="+evil, "$Version=1, "+name+"=\""+evil+"\"", "a=b "+name+"="+evil+" c=d",
			name, name+"=", "; ;"+name+"="+evil+";;", name+"=1; "+name+"="+evil, name+`=\"`+evil)
	}
	for i, line := range lines {
		for user, sent := range map[string]string{"alice": own + "; " + line, "guest": line + "; a=b"} {
			q := get("/public", [2]string{"Cookie", sent})
			switch i % 3 { // each place, in turn
			case 1:
				q = get("/public", [2]string{"Cookie", line}, [2]string{"Cookie", strings.TrimSuffix(strings.TrimPrefix(sent, line+"; "), "; "+line)})
			case 2:
				q = get("/public", [2]string{"Cookie", "a=b; " + line + ";" + strings.TrimSuffix(strings.TrimPrefix(sent, line+"; "), "; "+line)})
			}
			o := s.attackedWith(q)
			o.user = user
			if o.answer.status == http.StatusBadRequest && len(o.app) == 0 {
				continue
			}
			if err := errors.Join(onlyOurs(o)); err != nil {
				t.Errorf("%q for %s: %v", line, user, err)
			}
		}
	}
}
