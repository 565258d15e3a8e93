// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package panelauth

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

// ourGoroutines are the stacks of this module's goroutines, but for those of
// tests.
func ourGoroutines(t *testing.T) (stacks []string) {
	t.Helper()
	var all bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&all, 2); err != nil {
		t.Fatal(err)
	}
	for stack := range strings.SplitSeq(all.String(), "\n\n") {
		if strings.Contains(stack, "caddy-panelauth/") && !strings.Contains(stack, "_test.go") && !strings.Contains(stack, "providertest") {
			stacks = append(stacks, stack)
		}
	}
	return stacks
}

// openFiles are the files of this process, where the system tells.
func openFiles() (names []string) {
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, entry := range entries {
		if name, err := os.Readlink("/proc/self/fd/" + entry.Name()); err == nil && strings.HasPrefix(name, "/") {
			names = append(names, name)
		}
	}
	return names
}

// reloaded is a site of everything that lasts: files that are watched, a
// provider that is asked in the background, sessions with sockets.
func reloaded(t *testing.T) (site *testSite, other []byte) {
	t.Helper()
	p, folder := providertest.Start(t), t.TempDir()
	file := filepath.Join(folder, "Caddyfile")
	text := `:8080 {
	panelauth {
		cookie_secret a-cookie-secret-of-the-tests
		basic_auth ` + filepath.Join(folder, "users.json") + `
		logout_template ` + filepath.Join(folder, "out.html") + `
		oauth_provider oidc corp {
			key "` + p.ClientID + `"
			secret "` + p.ClientSecret + `"
			extra_params {
				ISSUER ` + p.URL + `
			}
		}
		oauth_refresh_tokens
		session_idle 1h
	}
	respond "one: {http.auth.user.id}"
}
`
	for name, content := range map[string]string{file: text, filepath.Join(folder, "users.json"): `{"maria": "open-sesame"}`, filepath.Join(folder, "out.html"): "out"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	site = serve(t, file)
	// A session is good in both versions of the configuration.
	other = bytes.ReplaceAll(site.config, []byte("one: "), []byte("two: "))
	return site, bytes.Replace(other, []byte(`"oauth_refresh_tokens":true,`), nil, 1)
}

// TestReloads loads two configurations in turn, a hundred times, while people
// work. No request fails, nobody is signed out, and nothing is left over.
func TestReloads(t *testing.T) {
	site, other := reloaded(t)
	if got := site.post(t, site.get(t, "/login"), url.Values{"username": {"maria"}, "password": {"open-sesame"}}); got.status != http.StatusSeeOther {
		t.Fatalf("signing in: got %d", got.status)
	}
	load(t, site.config)
	goroutines, files := len(ourGoroutines(t)), len(openFiles())

	ctx, stop := context.WithCancel(t.Context())
	var served, again atomic.Int64
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for ctx.Err() == nil {
				body, tries, err := site.work()
				again.Add(int64(tries - 1))
				if err != nil || body != "one: maria" && body != "two: maria" {
					t.Errorf("during a reload: %q, %v", body, err)
					return
				}
				served.Add(1)
			}
		})
	}
	for i := range 100 {
		load(t, [][]byte{other, site.config}[i%2])
	}
	stop()
	workers.Wait()
	if served.Load() < 100 {
		t.Errorf("%d requests, which proves little", served.Load())
	}
	t.Logf("%d requests, %d sent again because the connection was closed", served.Load(), again.Load())

	var left []string
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if left = ourGoroutines(t); len(left) <= goroutines && len(openFiles()) <= files {
			return
		}
		if time.Now().After(deadline) {
			break
		}
	}
	t.Errorf("%d goroutines, before %d; %d files %q, before %d\n%s",
		len(left), goroutines, len(openFiles()), openFiles(), files, strings.Join(left, "\n\n"))
}

// work asks for a page as a browser does: what fails because there was no
// connection, or it was closed before an answer, is sent again. Caddy closes
// connections, and new ones in between, when it hands a socket over.
func (s *testSite) work() (body string, tries int, err error) {
	for tries = 1; tries <= 20; tries++ {
		var response *http.Response
		if response, err = s.client.Get(s.origin.String() + "/page"); err != nil {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		text, readErr := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if readErr != nil || response.StatusCode != http.StatusOK {
			return fmt.Sprint(response.StatusCode, " ", string(text)), tries, readErr
		}
		return string(text), tries, nil
	}
	return "", tries, err
}
