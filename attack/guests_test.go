// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package attack

import (
	"errors"
	"net/url"
	"path"
	"strings"
	"testing"
)

var guestScenes = map[string]scene{
	// An empty guest page is a mistake that is said, never one that opens all.
	"GP-046": func(s *site, _ attack) {
		for _, lines := range []string{`oauth_guest_endpoints ""`, `oauth_guest_endpoints " "`, `oauth_guest_endpoints /public ""`} {
			wantRefused(s.t, "basic_auth \""+master+"\"\n"+lines, "oauth_guest_endpoints")
		}
		if err := closed(s.attackedWith(get("/secret"))); err != nil {
			s.t.Error(err)
		}
	},
}

// attackedWith sends a request that stands in no list, and returns what came of
// it.
func (s *site) attackedWith(q request) outcome {
	s.t.Helper()
	s.app.requests()
	asked := s.asked()
	o := outcome{base: s.base(), session: s.sessionCookie(), user: "guest", answer: s.send(q)}
	o.app, o.asked = s.app.requests(), s.asked()-asked
	return o
}

// methods are what a guest page is asked for with. CONNECT is no request for a
// page.
var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "MKCOL", "get", "Get", "GETX", "QUERY"}

// disguises are ways to write a path so that it looks like a guest's, or like
// another than it is.
func disguises(secret, public string) (targets []string) {
	add := func(list ...string) { targets = append(targets, list...) }
	for _, separator := range []string{"?", ";", "#", "%23", "%3f", "%3b", "%00", "%0a", "%0d%0a", "%20", "%09", "%5c", "\\", "&", "%26"} {
		add(secret+separator+public, secret+separator+"x="+public, public+separator+"/.."+secret, public+"/.."+separator+secret)
	}
	for _, dots := range []string{"..", "%2e%2e", "%2E.", ".%2e", "%252e%252e", "..;", "..%00", "%c0%ae%c0%ae", "%uff0e%uff0e", ".. ", "..%20", "..."} {
		for _, slash := range []string{"/", "%2f", "%2F", "%252f", "%5c", "\\", "//", "/./", ";/"} {
			add(public+"/"+dots+slash+strings.TrimPrefix(secret, "/"), public+slash+dots+secret, public+"/static"+slash+dots+slash+dots+secret,
				"/static/"+dots+slash+strings.TrimPrefix(secret, "/"))
		}
	}
	for i, c := range public[1:] {
		before, after := public[:i+1], public[i+1+len(string(c)):]
		add(before+strings.ToUpper(string(c))+after, before+"%"+hexOf(byte(c))+after, before+"%25"+hexOf(byte(c))+after, before+string(c+0xfee0)+after)
	}
	for _, around := range []string{"/", "//", "/./", "/.//", "///", "/%2f", "/x/..", "/\\", "/%2e/", "http://" + siteName + "/", "//x/"} {
		add(around+strings.TrimPrefix(secret, "/"), around+"/"+strings.TrimPrefix(public, "/"))
	}
	add(public+"x", public+".", public+"~", public+"/x", public+"/wsx", public+"/ws/", public+"/ws/x", public+"/static", public+"/metadata/",
		public+".html", public+"%", public+"%2", public+"%zz", public+"//", public+"/%2fws", "/static", "/staticx/y", "/favicon.icox", secret+"/ws", secret+public, "*")
	return targets
}

func hexOf(c byte) string { return string([]byte{"0123456789ABCDEF"[c>>4], "0123456789ABCDEF"[c&15]}) }

// TestGuestPathsInDisguise: a guest gets what every reader of the path takes for
// a guest page, and nothing else.
func TestGuestPathsInDisguise(t *testing.T) {
	s := serve(t, "guest")
	for _, target := range disguises("/secret", "/public") {
		o := s.attackedWith(get(target))
		if isOpenToAll(target, "/public") {
			continue
		}
		if strings.Contains(target, "://") { // of another site than this one, if not of this one
			if err := untouched(o); err != nil {
				t.Errorf("%s: %v", target, err)
			}
			continue
		}
		if err := closed(o); err != nil {
			t.Errorf("%s: %v", target, err)
		}
	}
	o := s.attackedWith(get("/public"))
	if len(o.app) != 1 || onlyOurs(o) != nil {
		t.Errorf("the guest page is closed: %d", o.answer.status)
	}
}

// isOpenToAll reads a target as leniently and as strictly as anybody does: is
// it a guest's by every reading?
func isOpenToAll(target, public string) bool {
	if strings.Contains(target, "://") {
		return false
	}
	before, _, _ := strings.Cut(target, "?")
	if strings.ContainsAny(before, `%\;#`+"\x00") || path.Clean(before) != strings.TrimSuffix(before, "/") {
		return false
	}
	switch before {
	case public, public + "/", public + "/ws", public + "/metadata", public + "/autoload.js", "/favicon.ico":
		return true
	}
	return strings.HasPrefix(before, public+"/static/") || strings.HasPrefix(before, "/static/")
}

// TestGuestMethods: no method opens what another does not, and no header changes
// what is asked for.
func TestGuestMethods(t *testing.T) {
	s := serve(t, "guest")
	for _, method := range methods {
		for _, target := range []string{"/secret", "/public/../secret", "/secret?x=/public", "/login/..%2fsecret"} {
			o := s.attackedWith(request{Method: method, Path: target})
			if err := errors.Join(closed(o)); err != nil {
				t.Errorf("%s %s: %v", method, target, err)
			}
		}
	}
	for _, header := range []string{"X-Original-Url", "X-Original-Uri", "X-Rewrite-Url", "X-Forwarded-Uri", "X-Forwarded-Path", "X-Forwarded-Prefix", "X-Envoy-Original-Path",
		"X-Http-Method-Override", "X-Method-Override", "X-Forwarded-Method", "X-Accel-Redirect", "X-Sendfile", "Sec-Fetch-Dest", "User-Agent", "Destination"} {
		for _, value := range []string{"/public", "http://x/public", "OPTIONS", "GoogleHC/1.0", "kube-probe/1.0"} {
			if err := closed(s.attackedWith(get("/secret", [2]string{header, value}))); err != nil {
				t.Errorf("%s: %s: %v", header, value, err)
			}
		}
	}
}

// TestGuestUnderAPrefix: what handle_path takes off does not hide anything.
func TestGuestUnderAPrefix(t *testing.T) {
	s := serve(t, "base path")
	for _, target := range disguises("/app/secret", "/app/public") {
		if strings.EqualFold(target, "/app/public") {
			continue // Caddy takes prefixes off in any case
		}
		if isOpenToAll(target, "/app/public") || strings.HasPrefix(target, "/app/static/") && !strings.ContainsAny(target, `%\;#`) && path.Clean(target) == target {
			continue
		}
		if err := untouched(s.attackedWith(get(target))); err != nil {
			t.Errorf("%s: %v", target, err)
		}
	}
	if o := s.attackedWith(get("/app/public?x=" + url.QueryEscape("../.."))); len(o.app) != 1 {
		t.Errorf("the guest page is closed: %d", o.answer.status)
	}
}
