// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/rewrite"
)

func TestIsNavigation(t *testing.T) {
	const pages = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	tests := []struct {
		name    string
		method  string
		headers []string // name, value, …
		want    bool
	}{
		{name: "browser", method: "GET", headers: []string{"Accept", pages, "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, want: true},
		{name: "browser, HEAD", method: "HEAD", headers: []string{"Accept", pages}, want: true},
		{name: "old browser", method: "GET", headers: []string{"Accept", pages}, want: true},
		{name: "frame", method: "GET", headers: []string{"Accept", pages, "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, want: true},
		{name: "anything", method: "GET", headers: []string{"Accept", "*/*"}, want: true},
		{name: "any text", method: "GET", headers: []string{"Accept", "text/*"}, want: true},
		{name: "no Accept", method: "GET", want: true},
		{name: "HTML with parameters", method: "GET", headers: []string{"Accept", "application/json;q=0.1, Text/HTML ; level=1"}, want: true},
		{name: "JSON", method: "GET", headers: []string{"Accept", "application/json"}},
		{name: "image", method: "GET", headers: []string{"Accept", "image/*"}},
		{name: "event stream", method: "GET", headers: []string{"Accept", "text/event-stream"}},
		{name: "no HTML by name", method: "GET", headers: []string{"Accept", "text/htmlx, x-text/html"}},
		{name: "fetch", method: "GET", headers: []string{"Accept", "*/*", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"}},
		{name: "fetch that asks for HTML", method: "GET", headers: []string{"Accept", "text/html", "Sec-Fetch-Mode", "cors"}},
		{name: "fetch of the same origin", method: "GET", headers: []string{"Accept", "*/*", "Sec-Fetch-Mode", "same-origin", "Sec-Fetch-Dest", "empty"}},
		{name: "script", method: "GET", headers: []string{"Accept", "*/*", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "script"}},
		{name: "style", method: "GET", headers: []string{"Accept", "*/*", "Sec-Fetch-Dest", "style"}},
		{name: "picture", method: "GET", headers: []string{"Accept", "*/*", "Sec-Fetch-Dest", "image"}},
		{name: "service worker", method: "GET", headers: []string{"Accept", "*/*", "Sec-Fetch-Dest", "serviceworker"}},
		{name: "XHR", method: "GET", headers: []string{"Accept", "*/*", "X-Requested-With", "XMLHttpRequest"}},
		{name: "form", method: "POST", headers: []string{"Accept", pages, "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, want: true},
		{name: "form of an old browser", method: "POST", headers: []string{"Accept", pages}, want: true},
		{name: "program's post", method: "POST", headers: []string{"Accept", "*/*"}},
		{name: "program's post without Accept", method: "POST"},
		{name: "program's put", method: "PUT", headers: []string{"Accept", "application/json"}},
		{name: "fetch's post", method: "POST", headers: []string{"Accept", pages, "Sec-Fetch-Mode", "cors"}},
		{name: "preflight", method: "OPTIONS", headers: []string{"Accept", pages}},
		{name: "tunnel", method: "CONNECT", headers: []string{"Accept", pages}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := get("/app")
			r.Method = test.method
			for i := 0; i < len(test.headers); i += 2 {
				r.Header.Set(test.headers[i], test.headers[i+1])
			}
			if got := isNavigation(r); got != test.want {
				t.Errorf("is a navigation: %t", got)
			}
		})
	}
}

// websocketShapes are the ways a websocket is asked for, over the three
// versions of HTTP. (jupyter-server-proxy CVE-2024-28179: forgotten.)
var websocketShapes = map[string]func(*http.Request){
	"HTTP/1.1":                     websocket,
	"HTTP/1.1, other case":         func(r *http.Request) { websocket(r); r.Header.Set("Upgrade", "WebSocket") },
	"HTTP/1.1, several connection": func(r *http.Request) { websocket(r); r.Header.Set("Connection", "keep-alive, Upgrade") },
	"HTTP/1.1, several upgrades":   func(r *http.Request) { websocket(r); r.Header.Set("Upgrade", "h2c, websocket") },
	"HTTP/1.1, two lines":          func(r *http.Request) { websocket(r); r.Header["Upgrade"] = []string{"h2c", "websocket"} },
	"HTTP/2": func(r *http.Request) {
		r.Method, r.Proto, r.ProtoMajor, r.ProtoMinor = http.MethodConnect, "HTTP/2.0", 2, 0
		r.Header[":protocol"] = []string{"websocket"}
	},
	"HTTP/3": func(r *http.Request) {
		r.Method, r.Proto, r.ProtoMajor, r.ProtoMinor = http.MethodConnect, "websocket", 3, 0
	},
}

func TestIsWebsocket(t *testing.T) {
	for name, shape := range websocketShapes {
		t.Run(name, func(t *testing.T) {
			r := get("/app/ws", browser, shape)
			if !isWebsocket(r) {
				t.Error("not recognised")
			}
			if wantsPage(r) {
				t.Error("taken for a page")
			}
		})
	}
	for name, shape := range map[string]func(*http.Request){
		"page":          func(*http.Request) {},
		"h2c":           func(r *http.Request) { r.Header.Set("Upgrade", "h2c"); r.Header.Set("Connection", "Upgrade") },
		"other name":    func(r *http.Request) { r.Header.Set("Upgrade", "websocket2") },
		"tunnel":        func(r *http.Request) { r.Method = http.MethodConnect },
		"other tunnel":  func(r *http.Request) { r.Method = http.MethodConnect; r.Header[":protocol"] = []string{"connect-udp"} },
		"protocol, GET": func(r *http.Request) { r.Header[":protocol"] = []string{"websocket"} },
	} {
		t.Run("not "+name, func(t *testing.T) {
			if isWebsocket(get("/app/ws", shape)) {
				t.Error("taken for a websocket")
			}
		})
	}
}

// TestWebsocketOrigin is about CVE-2026-21883 (Bokeh) and its like: a prefix
// or a suffix of the host is another site.
func TestMayOpenWebsocket(t *testing.T) {
	s := newSite(t, func(h *Handler) {
		h.WebsocketAllowedOrigins = []string{"https://Other.example:8443", "http://plain.example"}
	})
	tests := []struct {
		host, origin string
		want         bool
	}{
		{testHost, "", true},
		{testHost, "https://" + testHost, true},
		{testHost, "http://" + testHost, true},
		{testHost, "https://APP.example.COM", true},
		{testHost + ":443", "https://" + testHost, true},
		{testHost, "https://" + testHost + ":443", true},
		{testHost + ":80", "http://" + testHost, true},
		{testHost + ":8080", "http://" + testHost + ":8080", true},
		{"[2001:db8::1]:8080", "http://[2001:db8::1]:8080", true},
		{testHost + ":8080", "http://" + testHost, false},
		{testHost, "https://" + testHost + ":8443", false},
		{testHost + ":80", "https://" + testHost, false},
		{testHost, "https://evil.com", false},
		{testHost, "https://" + testHost + ".evil.com", false},
		{testHost, "https://evil" + testHost, false},
		{testHost, "https://example.com", false},
		{testHost, "https://" + testHost + "@evil.com", false},
		{testHost, "https://evil.com/" + testHost, false},
		{testHost, "https://evil.com#" + testHost, false},
		{testHost, "null", false},
		{testHost, "NULL", false},
		{testHost, "file://", false},
		{"", "null", false},
		{"", "https://", false},
		{"", "file:///x", false},
		{testHost, testHost, false},
		{testHost, "%zz", false},
		{testHost, "chrome-extension://abcdef", false},
		{testHost, "https://other.example:8443", true},
		{testHost, "https://OTHER.example:8443", true},
		{testHost, "http://plain.example", true},
		{testHost, "https://other.example", false},
		{testHost, "https://plain.example", false},
		{testHost, "https://other.example:8443.evil.com", false},
		{testHost, "https://sub.other.example:8443", false},
	}
	for _, test := range tests {
		t.Run(test.host+" "+test.origin, func(t *testing.T) {
			r := get("/app/ws", websocket, header("Origin", test.origin))
			r.Host = test.host
			if got := s.mayOpenWebsocket(r); got != test.want {
				t.Errorf("may open: %t", got)
			}
		})
	}
	t.Run("empty", func(t *testing.T) {
		r := get("/app/ws", websocket)
		r.Header["Origin"] = []string{""}
		if s.mayOpenWebsocket(r) {
			t.Error("an empty origin is nobody's")
		}
	})
	t.Run("two", func(t *testing.T) {
		r := get("/app/ws", websocket)
		r.Header["Origin"] = []string{"https://" + testHost, "https://evil.com"}
		if s.mayOpenWebsocket(r) {
			t.Error("two origins")
		}
	})
}

// TestMayOpenWebsocketFromHTTP: who can answer for http:// on the way is not
// the site that is reached by https://.
func TestMayOpenWebsocketFromHTTP(t *testing.T) {
	s := newSite(t)
	for origin, want := range map[string]bool{"https://" + testHost: true, "http://" + testHost: false, "HTTP://" + testHost: false, "http://" + testHost + ":80": false, "ftp://" + testHost: false} {
		if got := s.mayOpenWebsocket(get("/app/ws", websocket, overTLS, header("Origin", origin))); got != want {
			t.Errorf("%s may open: %t", origin, got)
		}
	}
}

// TestMayOpenWebsocketBehindProxy: a proxy may ask for another host than the
// browser did, and is believed if it is trusted.
func TestMayOpenWebsocketBehindProxy(t *testing.T) {
	s := newSite(t)
	for name, test := range map[string]struct {
		trusted   bool
		forwarded []string
		origin    string
		want      bool
	}{
		"trusted":                {true, []string{"www.example.com"}, "https://www.example.com", true},
		"with the usual port":    {true, []string{"www.example.com:443"}, "https://www.example.com", true},
		"another port":           {true, []string{"www.example.com:8443"}, "https://www.example.com", false},
		"another host":           {true, []string{"www.example.com"}, "https://evil.example", false},
		"added to":               {true, []string{"www.example.com, inner.example"}, "https://www.example.com", true},
		"several":                {true, []string{"www.example.com, evil.example"}, "https://evil.example", false},
		"several lines":          {true, []string{"www.example.com", "evil.example"}, "https://evil.example", false},
		"not trusted":            {false, []string{"www.example.com"}, "https://www.example.com", false},
		"nothing for nothing":    {true, []string{""}, "null", false},
		"the host that is asked": {true, []string{"www.example.com"}, "https://" + testHost, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := prepared(get("/ws", websocket, header("Origin", test.origin)))
			r.Header["X-Forwarded-Host"] = test.forwarded
			caddyhttp.SetVar(r.Context(), caddyhttp.TrustedProxyVarKey, test.trusted)
			if got := s.mayOpenWebsocket(r); got != test.want {
				t.Errorf("may open: %t", got)
			}
		})
	}
}

func TestIsHTTPS(t *testing.T) {
	trusted := func(r *http.Request) *http.Request {
		r = prepared(r)
		caddyhttp.SetVar(r.Context(), caddyhttp.TrustedProxyVarKey, true)
		return r
	}
	tests := []struct {
		name string
		r    *http.Request
		want bool
	}{
		{"plain", prepared(get("/")), false},
		{"TLS", prepared(get("/", overTLS)), true},
		{"forwarded by anybody", prepared(get("/", header("X-Forwarded-Proto", "https"))), false},
		{"forwarded by a trusted proxy", trusted(get("/", header("X-Forwarded-Proto", "https"))), true},
		{"forwarded in other case", trusted(get("/", header("X-Forwarded-Proto", "HTTPS"))), true},
		{"forwarded by two", trusted(get("/", header("X-Forwarded-Proto", "https, http"))), true},
		{"forwarded by two, plain", trusted(get("/", header("X-Forwarded-Proto", "http, https"))), false},
		{"forwarded plain", trusted(get("/", header("X-Forwarded-Proto", "http"))), false},
		{"forwarded nonsense", trusted(get("/", header("X-Forwarded-Proto", "evil_protocol"))), false},
		{"trusted proxy that says nothing", trusted(get("/")), false},
		{"TLS, said to be plain", trusted(get("/", overTLS, header("X-Forwarded-Proto", "http"))), true},
		{"other headers", trusted(get("/", header("Forwarded", "proto=https"), header("Front-End-Https", "on"), header("X-Forwarded-Ssl", "on"))), false},
		{"without Caddy", get("/", header("X-Forwarded-Proto", "https")), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := isHTTPS(test.r); got != test.want {
				t.Errorf("HTTPS: %t", got)
			}
		})
	}
}

// TestClientNetwork: headers are not believed. (CVE-2024-21494, CVE-2023-36456,
// CVE-2024-47070.)
func TestClientNetwork(t *testing.T) {
	as := func(ip string) *http.Request {
		r := prepared(get("/", header("X-Forwarded-For", "1.3.3.4"), header("X-Real-IP", "1.3.3.5"), header("CF-Connecting-IP", "1.3.3.6"),
			header("True-Client-IP", "1.3.3.7"), header("Forwarded", "for=1.3.3.8")))
		caddyhttp.SetVar(r.Context(), caddyhttp.ClientIPVarKey, ip)
		return r
	}
	for ip, want := range map[string]string{
		"203.0.113.9":          "203.0.113.9",
		"::ffff:203.0.113.9":   "203.0.113.9",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"2001:db8:1:2::":       "2001:db8:1:2::/64",
		"2001:DB8:1:2:ffff::1": "2001:db8:1:2::/64",
		"2001:db8:1:3::1":      "2001:db8:1:3::/64",
		"fe80::1%eth0":         "fe80::/64",
		"::1":                  "::/64",
		"@":                    "@",
		"":                     "192.0.2.1", // the peer
	} {
		if got := clientNetwork(as(ip)); got != want {
			t.Errorf("%q: %q, want %q", ip, got, want)
		}
	}
	r := get("/", from("@"))
	if got := clientIP(r); got != "@" {
		t.Errorf("a socket's client is %q", got)
	}
}

func TestPrefix(t *testing.T) {
	strip := func(prefix string) func(*http.Request) {
		return func(r *http.Request) { rewrite.Rewrite{StripPathPrefix: prefix}.Rewrite(r, replacerOf(r)) }
	}
	to := func(uri string) func(*http.Request) {
		return func(r *http.Request) { rewrite.Rewrite{URI: uri}.Rewrite(r, replacerOf(r)) }
	}
	tests := []struct {
		name, target string
		change       func(*http.Request)
		want         string
	}{
		{"no change", "/app", func(*http.Request) {}, ""},
		{"stripped", "/proxy/app", strip("/proxy"), "/proxy"},
		{"stripped, with a query", "/proxy/app?x=/y", strip("/proxy"), "/proxy"},
		{"stripped to the root", "/proxy/", strip("/proxy"), "/proxy"},
		{"nothing left", "/proxy", strip("/proxy"), "/proxy"},
		{"deep", "/a/b/app/x", strip("/a/b"), "/a/b"},
		{"another prefix", "/other/app", strip("/proxy"), ""},
		{"beyond ASCII", "/pr%C3%B6/app", strip("/pr%C3%B6"), "/pr%C3%B6"},
		{"stripped, encoded rest", "/proxy/a%2Fb%20c", strip("/proxy"), "/proxy"},
		{"doubled slash", "//proxy/app", strip("/proxy"), "/proxy"},
		{"doubled slash after it", "/proxy/a//b", strip("/proxy"), "/proxy"},
		{"doubled slash at the end", "/proxy/a//", strip("/proxy"), "/proxy"},
		{"dot segments", "/x/../proxy/app", strip("/proxy"), "/proxy"},
		{"dot segments after it", "/proxy/a/../b", strip("/proxy"), "/proxy"},
		{"dot segments that leave it", "/proxy/../app", strip("/proxy"), ""},
		{"rewritten", "/app", to("/other"), ""},
		{"rewritten to a longer path", "/app", to("/other/app"), ""},
		{"rewritten to an ending", "/a/app", to("/app"), "/a"}, // the same as stripped
		{"query rewritten", "/app?x", to("/app?y"), ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := prepared(get(test.target))
			test.change(r)
			got := prefix(r)
			if got != test.want {
				t.Errorf("%q, want %q (path is %q)", got, test.want, r.URL.EscapedPath())
			}
		})
	}
}

// FuzzPrefix: whatever the client writes, what is taken for a prefix leads
// nowhere else.
func FuzzPrefix(f *testing.F) {
	for _, target := range []string{"/proxy/app", "//proxy//evil.com", "/proxy/..//evil.com", "/%2fproxy/x", "/proxy%2f/x", "/proxy", `/\proxy/x`, "/proxy/%2e%2e//x"} {
		f.Add(target)
	}
	f.Fuzz(func(t *testing.T, target string) {
		r := parsed(target)
		if r == nil {
			return
		}
		r = prepared(r)
		rewrite.Rewrite{StripPathPrefix: "/proxy"}.Rewrite(r, replacerOf(r))
		if p := prefix(r); p != "" {
			wantOnSite(t, target, p+"/login")
		}
	})
}
