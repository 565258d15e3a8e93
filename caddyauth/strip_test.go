// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
)

// TestStripSpellings: an application server that folds names must not find
// what a client said. (Caddy CVE-2026-30851, CVE-2026-52845,
// GHSA-49wc-4hcv-v58q; oauth2-proxy CVE-2025-64484; Traefik CVE-2026-54763.)
func TestStripSpellings(t *testing.T) {
	for name, s := range map[string]*site{
		"bare":      newSite(t, identityHeaders),
		"not asked": newSite(t),
		"own and a claim that is missing": newSite(t, func(h *Handler) {
			h.IdentityHeaders = map[string]string{"X-Forwarded-User": "user", "X_Forwarded_Groups": "groups", strings.Repeat("X-Long-", 12) + "Header": "email"}
		}),
	} {
		t.Run(name, func(t *testing.T) {
			s := s.in(t)
			cookie := s.signInAlice()
			managed := map[string]bool{"Remote-User": true, "Remote-Name": true, "Remote-Email": true, "Remote-Groups": true}
			for name := range s.settings.identityHeaders {
				managed[name] = true
			}
			var spellings []string
			for name := range managed {
				for _, separator := range []string{"-", "_", "."} {
					other := strings.NewReplacer("-", separator, "_", separator).Replace(name)
					spellings = append(spellings, other, strings.ToLower(other), strings.ToUpper(other))
				}
				spellings = append(spellings, strings.Replace(name, "-", "_", 1), strings.Replace(name, "-", ".", 1))
			}
			s.serve(get("/app", cookieLine(cookie), func(r *http.Request) {
				for _, spelling := range spellings {
					r.Header[spelling] = []string{"admin", "root"}
				}
				r.Header["X-Foo"] = []string{"kept"}
				r.Header["Remote-Users"] = []string{"kept"}
				r.Header["Xremote-User"] = []string{"kept"}
			})).wantReached()
			for header, values := range s.app.got.Header {
				for _, value := range values {
					if value == "admin" || value == "root" {
						t.Errorf("%s: %s arrives", header, value)
					}
				}
			}
			for _, header := range []string{"X-Foo", "Remote-Users", "Xremote-User"} {
				if s.app.got.Header.Get(header) != "kept" {
					t.Errorf("%s is gone", header)
				}
			}
			for header, claim := range s.settings.identityHeaders {
				if got := s.app.got.Header[header]; claim == "user" && !reflect.DeepEqual(got, []string{testUser}) {
					t.Errorf("%s is %q", header, got)
				}
			}
		})
	}
}

// TestStripForGuests: HS-015, and HS-014: a header that the visitor has no
// claim for does not stay.
func TestStripForGuests(t *testing.T) {
	s := newSite(t, guestPages("/public"), identityHeaders)
	s.serve(get("/public", cookieLine("user=evil; id_token=evil"), func(r *http.Request) {
		for _, name := range []string{"Remote-User", "Remote-Groups", "Remote-Email", "Remote-Name", "Remote_User"} {
			r.Header[name] = []string{"admin"}
		}
	})).wantReached()
	want := http.Header{"Remote-User": {"guest"}, "Cookie": {"is_guest=1"}}
	if got := s.app.got.Header; !reflect.DeepEqual(got, want) {
		t.Errorf("the application gets %v", got)
	}
}

// TestStripConnection: a proxy drops the headers that Connection names, ours
// among them. (Fabio CVE-2025-48865; HS-025, HS-026, HS-028.)
func TestStripConnection(t *testing.T) {
	tests := []struct {
		in   []string
		want string
	}{
		{[]string{"close"}, "close"},
		{[]string{"keep-alive"}, "keep-alive"},
		{[]string{"Upgrade"}, "Upgrade"},
		{[]string{"keep-alive, Upgrade"}, "keep-alive, Upgrade"},
		{[]string{"Upgrade, HTTP2-Settings"}, "Upgrade"},
		{[]string{"close, Cookie"}, "close"},
		{[]string{"close, Authorization"}, "close"},
		{[]string{"close, Remote-User, Cookie"}, "close"},
		{[]string{"COOKIE,rEMOTE-uSER"}, ""},
		{[]string{"Cookie"}, ""},
		{[]string{"close", "Cookie", "Upgrade"}, "close, Upgrade"},
		{[]string{"\tcookie\t ,close"}, "close"},
		{[]string{", ,,"}, ""},
		{[]string{"Remote_User, Remote.User, X-Forwarded-For"}, ""},
	}
	s := newSite(t, identityHeaders)
	cookie := s.signInAlice()
	for _, test := range tests {
		t.Run(strings.Join(test.in, " | "), func(t *testing.T) {
			s := s.in(t)
			s.serve(get("/app", websocket, cookieLine(cookie), func(r *http.Request) { r.Header["Connection"] = test.in })).wantReached()
			got := s.app.got.Header["Connection"]
			if strings.Join(got, "|") != test.want {
				t.Errorf("becomes %q, want %q", got, test.want)
			}
			if s.app.got.Header.Get("Remote-User") != testUser || s.app.got.Header.Get("Cookie") == "" {
				t.Error("the identity is gone")
			}
		})
	}
}

// TestStripUpgrades: after an upgrade to HTTP/2 a client would talk to the
// application past us. (CVE-2026-32136, MO-018.)
func TestStripUpgrades(t *testing.T) {
	s := newSite(t, optional)
	cookie := s.signInAlice()
	for _, line := range []string{"", cookie} {
		for upgrade, want := range map[string]string{"h2c": "", "H2C": "", "TLS/1.0": "", "h2c, websocket": "websocket", "WebSocket": "websocket", "websocket2": "", "": ""} {
			s.serve(get("/app", cookieLine(line), func(r *http.Request) {
				r.Header["Connection"] = []string{"Upgrade, HTTP2-Settings"}
				r.Header["Http2-Settings"] = []string{"AAMAAABkAAQAAP__"}
				r.Header["Upgrade"] = []string{upgrade}
			})).wantReached()
			connection := ""
			if want != "" {
				connection = "Upgrade"
			}
			got := s.app.got.Header
			if got.Get("Upgrade") != want || got.Get("Connection") != connection || got["Http2-Settings"] != nil {
				t.Errorf("%q becomes %q, with Connection %q and HTTP2-Settings %q", upgrade, got["Upgrade"], got["Connection"], got["Http2-Settings"])
			}
		}
	}
}

// TestStripTrailers: HS-030. Trailers arrive after the request was judged, and
// some servers merge them with the headers. Over a real connection, because it
// is Go's server that fills them in.
func TestStripTrailers(t *testing.T) {
	s := newSite(t, optional, identityHeaders)
	type seen struct {
		body             string
		header, trailers http.Header
	}
	got := make(chan seen, 1)
	s.app.do = func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- seen{string(body), r.Header, r.Trailer}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.ServeHTTP(w, prepared(r), s.app); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	for name, announced := range map[string]string{"announced": "Trailer: Remote-User\r\n", "not announced": ""} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			io.WriteString(conn, "POST /app HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"+announced+"Connection: close\r\n\r\n"+
				"1\r\na\r\n0\r\nRemote-User: admin\r\nCookie: user=evil\r\n\r\n")
			if _, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil {
				t.Fatal(err)
			}
			request := <-got
			if request.body != "a" {
				t.Errorf("the body is %q", request.body)
			}
			if len(request.trailers) > 0 || request.header["Trailer"] != nil {
				t.Errorf("trailers arrive: %v, announced as %q", request.trailers, request.header["Trailer"])
			}
			if got := request.header.Get("Remote-User"); got != "guest" {
				t.Errorf("Remote-User is %q", got)
			}
		})
	}
}

// TestStripTrailerHeader is for servers that leave the announcement in.
func TestStripTrailerHeader(t *testing.T) {
	s := newSite(t, optional)
	s.serve(get("/app", header("Trailer", "Remote-User"), func(r *http.Request) { r.Trailer = http.Header{"Remote-User": {"admin"}} })).wantReached()
	if got := s.app.got; got.Trailer != nil || got.Header["Trailer"] != nil {
		t.Errorf("trailers arrive: %v, announced as %q", got.Trailer, got.Header["Trailer"])
	}
}

// TestCVE_2018_14773_AnotherPath: where the path decides who may have something,
// no header names another one to the application.
func TestCVE_2018_14773_AnotherPath(t *testing.T) {
	names := []string{"X-Original-Url", "X-Rewrite-Url", "x_original_url", "X.Rewrite.Url", "X-ORIGINAL_URL"}
	for name, test := range map[string]struct {
		configure func(*Handler)
		request   *http.Request
		kept      bool
	}{
		"a guest page":       {guestPages("/public"), get("/public"), false},
		"somebody, guests":   {guestPages("/public"), get("/app", basic(testUser, testPassword)), false},
		"rules":              {rulesOf(`allow path=["/app"]; deny`), get("/app", basic(testUser, testPassword)), false},
		"a preflight":        {preflightsFrom("https://docs.example.com"), preflight("/app"), false},
		"everybody the same": {optional, get("/app"), true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, test.configure, basicHeader)
			for _, header := range names {
				test.request.Header[header] = []string{"/admin"}
			}
			s.serve(test.request).wantReached()
			for _, header := range names {
				if got := s.app.got.Header[header] != nil; got != test.kept {
					t.Errorf("%s reaches the application: %t", header, got)
				}
			}
		})
	}
}

// TestStripKeepsTheRest: what is nobody's identity is none of our business.
func TestStripKeepsTheRest(t *testing.T) {
	s := newSite(t, optional, func(h *Handler) { h.PanelCookies = []string{"off"} })
	r := get("/app?x=1", browser, func(r *http.Request) {
		r.Header["Authorization"] = []string{"Bearer of-the-application"}
		r.Header["Accept-Language"] = []string{"de", "en"}
		r.Header["X-Forwarded-For"] = []string{"1.2.3.4"}
		r.Header["Te"] = []string{"trailers"}
		r.Header["Sec-Websocket-Protocol"] = []string{"bokeh, token"}
		r.Header["Cookie"] = []string{"a=b"}
	})
	want := r.Header.Clone()
	s.serve(r).wantReached()
	if got := s.app.got.Header; !reflect.DeepEqual(got, want) {
		t.Errorf("%v becomes %v", want, got)
	}
}
