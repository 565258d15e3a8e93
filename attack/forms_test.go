// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package attack

import (
	"net/http"
	"net/url"
	"strings"
)

var formScenes = map[string]scene{
	// Only the one kind of form that browsers send by default is read at all.
	"CS-044": func(s *site, a attack) {
		o := s.attackedWith(filled(a.Request, s.words(a)))
		if err := closed(o); err != nil && o.answer.status != http.StatusUnsupportedMediaType {
			s.t.Error(err)
		}
		if o.answer.status != http.StatusUnsupportedMediaType || o.answer.cookie(s.sessionCookie()) != "" {
			s.t.Errorf("a form of several parts: %d", o.answer.status)
		}
	},
	// A password in an address is not one, and is not repeated.
	"CS-046": func(s *site, a attack) {
		o := s.attackedWith(filled(a.Request, s.words(a)).page())
		if o.answer.cookie(s.sessionCookie()) != "" || len(o.app) > 0 || o.answer.status != http.StatusOK {
			s.t.Errorf("signed in by an address: %d", o.answer.status)
		}
		if strings.Contains(o.answer.body, master) || strings.Contains(o.answer.body, `value="alice"`) || strings.Contains(s.logs(), master) {
			s.t.Error("the address is on the page or in the log")
		}
	},
	"BF-005": func(s *site, _ attack) {
		wrong := form("/login", url.Values{"username": {"victim"}, "password": {"wrong"}})
		right := form("/login", url.Values{"username": {"victim"}, "password": {master}})
		for range 10 {
			s.send(wrong)
		}
		one, two := s.send(wrong), s.send(right)
		one.header.Del("Retry-After")
		two.header.Del("Retry-After")
		if one.status != http.StatusTooManyRequests || shape(withoutWait(one)) != shape(withoutWait(two)) {
			s.t.Errorf("the right password is answered differently:\n%s\n%s", shape(one), shape(two))
		}
	},
	"BF-010": func(s *site, _ attack) {
		tried := func(user, password string) string {
			a := s.send(form("/login", url.Values{"username": {user}, "password": {password}}))
			a.body = strings.ReplaceAll(a.body, `value="`+user+`"`, "")
			return shape(a)
		}
		usual := tried("alice", "wrong")
		for _, other := range [][2]string{{"nobody", "wrong"}, {"bob", "wrong"}, {"carol", "wrong"}, {"alice", alicesPassword + " "}, {"guest", alicesPassword}, {"*", alicesPassword}, {"ALICE", alicesPassword}, {"users.json", "x"}} {
			if got := tried(other[0], other[1]); got != usual {
				s.t.Errorf("%q is answered differently:\n%s\n%s", other, got, usual)
			}
		}
	},
}

// withoutWait takes out how long to wait, which goes down from one answer to the
// next.
func withoutWait(a answer) answer {
	before, after, found := strings.Cut(a.body, "Try again in")
	if found {
		_, after, _ = strings.Cut(after, "</p>")
		a.body = before + after
	}
	return a
}
