// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package panelauth

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
)

// TestProgramsExample asks the example for what its README shows.
func TestProgramsExample(t *testing.T) {
	site := serve(t, "example/programs/Caddyfile")
	key := regexp.MustCompile(`panelauth_\w+`).FindString(read(t, "example/programs/README.md"))
	for name, test := range map[string]struct {
		edit   func(*http.Request)
		target string
		status int
		shows  string
	}{
		"a password":       {func(r *http.Request) { r.SetBasicAuth("grace", "first-compiler") }, "/", http.StatusOK, "Hello, grace!"},
		"a key":            {bearing(key), "/", http.StatusOK, "Hello, nightly!"},
		"a key, as one":    {func(r *http.Request) { r.SetBasicAuth("nightly", key) }, "/", http.StatusOK, "<dt>Remote-Groups</dt><dd>programs</dd>"},
		"who it is":        {bearing(key), "/login/me", http.StatusOK, `"provider":"api_key"`},
		"a wrong password": {func(r *http.Request) { r.SetBasicAuth("grace", "wrong") }, "/", http.StatusUnauthorized, `{"error":"invalid_credentials"}`},
		"a wrong key":      {bearing(key[:len(key)-2] + "AA"), "/", http.StatusUnauthorized, `{"error":"invalid_token"}`},
		"nothing":          {func(r *http.Request) { r.Header.Set("Accept", "application/json") }, "/", http.StatusUnauthorized, `"unauthenticated"`},
		"a preflight": {func(r *http.Request) {
			r.Method = http.MethodOptions
			r.Header.Set("Origin", "https://docs.example.com")
			r.Header.Set("Access-Control-Request-Method", "PUT")
		}, "/", http.StatusOK, "Hello, !"},
	} {
		t.Run(name, func(t *testing.T) {
			status, body, header := site.program(t, test.target, test.edit)
			if status != test.status || !strings.Contains(body, test.shows) {
				t.Errorf("got %d:\n%s", status, body)
			}
			if header["Set-Cookie"] != nil {
				t.Errorf("it sets cookies: %q", header["Set-Cookie"])
			}
			if challenged := header["Www-Authenticate"] != nil; challenged != (status == http.StatusUnauthorized) {
				t.Errorf("the challenge is %q", header["Www-Authenticate"])
			}
		})
	}
}

func bearing(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

// program sends a request without the browser's cookies.
func (s *testSite) program(t *testing.T, target string, edit func(*http.Request)) (status int, body string, header http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.origin.String()+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	edit(r)
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text), response.Header
}

// TestProgramsAndCaddyLogs: nothing that a program shows reaches the application
// or any of Caddy's logs, however much these say.
func TestProgramsAndCaddyLogs(t *testing.T) {
	folder := t.TempDir()
	logs := filepath.Join(folder, "caddy.log")
	config := filepath.Join(folder, "Caddyfile")
	text := ":8080 {\n\tlog\n\tpanelauth {\n\t\tbasic_auth " + filepath.Join(folder, "users.json") + "\n\t\tbasic_auth_header\n\t}\n" +
		"\trespond \"{http.auth.user.id} shows '{http.request.header.Authorization}'\"\n}\n"
	for name, content := range map[string]string{config: text, filepath.Join(folder, "users.json"): `{"grace": "first-compiler"}`} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	site := &testSite{origin: &url.URL{Scheme: "http", Host: freeAddress(t)}}
	t.Cleanup(func() { _ = caddy.Stop() })
	load(t, bytes.Replace(adapt(t, config, site.origin.Host), []byte(`"writer":{"output":"discard"}`),
		[]byte(`"level":"DEBUG","writer":{"output":"file","filename":"`+logs+`"}`), 1))
	for _, password := range []string{"first-compiler", "wrong-compiler"} {
		status, body, _ := site.program(t, "/", func(r *http.Request) { r.SetBasicAuth("grace", password) })
		if status == http.StatusOK && body != "grace shows ''" {
			t.Errorf("the application sees: %s", body)
		}
	}
	text = ""
	for deadline := time.Now().Add(10 * time.Second); strings.Count(text, `"user_id":"grace"`) < 2; time.Sleep(10 * time.Millisecond) {
		if text = read(t, logs); time.Now().After(deadline) {
			t.Fatalf("the log does not know grace twice:\n%s", text)
		}
	}
	for _, secret := range []string{"-compiler", "Z3JhY2U6"} {
		if strings.Contains(text, secret) {
			t.Errorf("the log has %q:\n%s", secret, text)
		}
	}
}
