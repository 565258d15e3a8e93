// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/rewrite"
	_ "github.com/caddyserver/caddy/v2/modules/filestorage"
	_ "github.com/caddyserver/caddy/v2/modules/logging"
)

// runningCaddy loads a configuration and returns what it logs.
func runningCaddy(t *testing.T, servers map[string]any) (logged func() []map[string]any) {
	t.Helper()
	dir := newFolder(t)
	file := filepath.Join(dir, "log")
	config, err := json.Marshal(map[string]any{
		"admin":   map[string]any{"disabled": true, "config": map[string]any{"persist": false}},
		"storage": map[string]any{"module": "file_system", "root": dir},
		"logging": map[string]any{"logs": map[string]any{"default": map[string]any{
			"level": "DEBUG", "encoder": map[string]any{"format": "json"}, "writer": map[string]any{"output": "file", "filename": file},
		}}},
		"apps": map[string]any{"http": map[string]any{"servers": servers}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := caddy.Load(config, true); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := caddy.Stop(); err != nil {
			t.Error(err)
		}
	})
	return func() (lines []map[string]any) {
		text, _ := os.ReadFile(file)
		for line := range strings.Lines(string(text)) {
			var fields map[string]any
			if json.Unmarshal([]byte(line), &fields) == nil {
				lines = append(lines, fields)
			}
		}
		return lines
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// TestAnnouncement: once it runs, the log says for each provider which redirect
// URI to register.
func TestAnnouncement(t *testing.T) {
	block := func(extra map[string]any) map[string]any {
		block := map[string]any{
			"handler": "panelauth", "cookie_secret": []string{testSecret},
			"oauth_provider": "github", "oauth_key": "id", "oauth_secret": "very secret",
		}
		for key, value := range extra {
			block[key] = value
		}
		return block
	}
	route := func(hosts []string, handlers ...any) any {
		route := map[string]any{"handle": []any{map[string]any{"handler": "subroute", "routes": []any{map[string]any{"handle": handlers}}}}}
		if hosts != nil {
			route["match"] = []any{map[string]any{"host": hosts}}
		}
		return route
	}
	// What handle_path makes: a route of its own that strips, before the others.
	underPath := func(host, prefix string, handler any) any {
		strip := map[string]any{"handle": []any{map[string]any{"handler": "rewrite", "strip_path_prefix": prefix}}}
		inner := map[string]any{"handler": "subroute", "routes": []any{strip, map[string]any{"handle": []any{handler}}}}
		return map[string]any{
			"match": []any{map[string]any{"host": []string{host}}},
			"handle": []any{map[string]any{"handler": "subroute", "routes": []any{
				map[string]any{"match": []any{map[string]any{"path": []string{prefix + "*"}}}, "handle": []any{inner}},
			}}},
		}
	}
	ports := []int{freePort(t), freePort(t), freePort(t), freePort(t), freePort(t), freePort(t)}
	server := func(i int, tls bool, routes ...any) map[string]any {
		s := map[string]any{
			"listen": []string{"127.0.0.1:" + strconv.Itoa(ports[i])}, "routes": routes,
			"automatic_https": map[string]any{"disable": true},
		}
		if tls {
			s["tls_connection_policies"] = []any{map[string]any{}}
		}
		return s
	}
	at := func(i int) string { return ":" + strconv.Itoa(ports[i]) }
	logged := runningCaddy(t, map[string]any{
		"https": server(0, true,
			route([]string{"a.example.com", "www.a.example.com"}, block(nil)),
			route([]string{"b.example.com"}, block(map[string]any{"login_endpoint": "/in"}))),
		"plain":    server(1, false, route([]string{"c.example.com"}, block(nil))),
		"no hosts": server(2, true, route(nil, block(nil))),
		"configured": server(3, true, route([]string{"d.example.com"}, block(map[string]any{
			"oauth_redirect_uri": "https://d.example.com/oauth/callback",
		}))),
		"several": server(4, true, route([]string{"e.example.com"}, block(map[string]any{
			"oauth_provider": []any{
				map[string]any{"name": "github", "key": "id", "secret": "very secret"},
				map[string]any{"name": "gitlab", "key": "id", "redirect_uri": "https://e.example.com/gitlab"},
			},
			"oauth_key": "", "oauth_secret": "",
		}))),
		"prefix": server(5, true, route([]string{"f.example.com"},
			map[string]any{"handler": "rewrite", "strip_path_prefix": "/proxy"}, block(nil)),
			underPath("g.example.com", "/one", block(nil)), underPath("h.example.com", "/two", block(nil))),
	})
	want := []string{
		"info github https://a.example.com" + at(0) + "/login", "info github https://www.a.example.com" + at(0) + "/login",
		"info github https://b.example.com" + at(0) + "/in", "info github http://c.example.com" + at(1) + "/login",
		"info github https://d.example.com/oauth/callback", "info github https://e.example.com" + at(4) + "/login",
		"info gitlab https://e.example.com/gitlab", "info github https://f.example.com" + at(5) + "/proxy/login",
		"info github https://g.example.com" + at(5) + "/one/login", "info github https://h.example.com" + at(5) + "/two/login",
	}
	slices.Sort(want)
	announced := func() (lines []string, warnings int) {
		for _, line := range logged() {
			uri, ok := line["redirect_uri"].(string)
			if !ok {
				continue
			}
			if line["level"] == "warn" {
				warnings++
				continue
			}
			lines = append(lines, line["level"].(string)+" "+line["provider"].(string)+" "+uri)
		}
		slices.Sort(lines)
		return lines, warnings
	}
	eventually(t, "all is announced", func() bool {
		lines, warnings := announced()
		return len(lines) >= len(want) && warnings > 0
	})
	lines, warnings := announced()
	if !slices.Equal(lines, want) || warnings != 1 {
		t.Errorf("%d warnings, and announced are\n%s\nwanted\n%s", warnings, strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	for _, line := range logged() {
		if text, _ := json.Marshal(line); strings.Contains(string(text), "very secret") || strings.Contains(string(text), testSecret) {
			t.Errorf("a secret is in the log: %s", text)
		}
	}
}

// TestLogoutOutsideCookiePath is said, and not where the prefix that is taken
// off before brings both together.
func TestLogoutOutsideCookiePath(t *testing.T) {
	tests := map[string]struct {
		path, logout, prefix string
		want                 int
	}{
		"outside":                 {"/app", "", "", 1},
		"beside":                  {"/app", "/application", "", 1},
		"inside":                  {"/app", "/app/logout", "", 0},
		"at the path":             {"/app", "/app", "", 0},
		"path with a slash":       {"/app/", "/app/logout", "", 0},
		"path that begins so":     {"/app", "/app2/logout", "", 1},
		"below the prefix":        {"/proxy", "", "/proxy", 0},
		"below another prefix":    {"/proxy", "", "/other", 1},
		"inside, without prefix":  {"/app", "/app/logout", "/proxy", 1},
		"inside, with the prefix": {"/proxy/app", "/app/logout", "/proxy", 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(h *Handler) { h.CookiePath, h.LogoutEndpoint = test.path, test.logout })
			s.announceFor(nil, test.prefix)
			if n := s.logs.FilterMessageSnippet("outside cookie_path").Len(); n != test.want {
				t.Errorf("said %d times: %v", n, s.logs.All())
			}
		})
	}
}

// TestGuessableSecretIsSaid once a site runs with it.
func TestGuessableSecretIsSaid(t *testing.T) {
	tests := map[string]struct {
		secrets []string
		want    int
	}{
		"of examples": {[]string{"replace-this-example-secret"}, 1},
		"repeated":    {[]string{"secretsecretsecret"}, 1},
		"older":       {[]string{testSecret, "0000000000000000"}, 1},
		"of 16 signs": {[]string{"0123456789abcdef"}, 0},
		"generated":   {nil, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(h *Handler) { h.CookieSecret = test.secrets })
			s.announceFor(nil, "")
			if n := s.logs.FilterMessageSnippet("can be guessed").Len(); n != test.want {
				t.Errorf("said %d times: %v", n, s.logs.All())
			}
		})
	}
}
