// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	atWork    = 200
	signingIn = 500
)

// TestFloodOfSignIns: 500 people who sign in at once, from as many addresses,
// leave the 200 who work alone. How long pages take is said; what is asserted is
// no more than any machine can keep.
func TestFloodOfSignIns(t *testing.T) {
	hash, err := exec.Command(caddyProgram, "hash-password", "--plaintext", bobsPassword).Output()
	if err != nil {
		t.Fatal(err)
	}
	app := notPanel(t)
	users := writeJSON(t, "users.json", map[string]string{"bob": strings.TrimSpace(string(hash))})
	site := caddy(t, "panelauth {\n\tbasic_auth "+users+"\n}\nreverse_proxy "+app.address)
	site.trustsProxies(t)

	sessions := make([][]*http.Cookie, atWork)
	first := signsInFrom(t, site, "198.51.100.1")
	for i := range sessions {
		sessions[i] = first.Cookies() // one person in many tabs
	}
	quiet := work(t, site, sessions, func() { time.Sleep(5 * time.Second) })
	answers := map[int]*atomic.Int64{http.StatusSeeOther: {}, http.StatusServiceUnavailable: {}, http.StatusTooManyRequests: {}}
	busy := work(t, site, sessions, func() {
		var all sync.WaitGroup
		for i := range signingIn {
			all.Go(func() {
				response := signsInFrom(t, site, fmt.Sprintf("203.0.%d.%d", 113+i/250, 1+i%250))
				if count := answers[response.StatusCode]; count != nil {
					count.Add(1)
					return
				}
				t.Errorf("a sign-in is answered %d", response.StatusCode)
			})
		}
		all.Wait()
	})
	t.Logf("99 of 100 pages took at most %v without and %v with sign-ins (%d and %d pages); of the sign-ins %d went well and %d were to wait",
		quiet[len(quiet)*99/100], busy[len(busy)*99/100], len(quiet), len(busy),
		answers[http.StatusSeeOther].Load(), answers[http.StatusServiceUnavailable].Load())
	if slower := busy[len(busy)*99/100] - quiet[len(quiet)*99/100]; slower > 2*time.Second {
		t.Errorf("pages take %v longer", slower)
	}
	if answers[http.StatusSeeOther].Load() == 0 {
		t.Error("nobody could sign in")
	}
	eventually(t, patience, "a sign-in after the flood", func() bool {
		return signsInFrom(t, site, "198.51.100.2").StatusCode == http.StatusSeeOther
	})
}

// trustsProxies lets requests say where they come from.
func (c *caddyServer) trustsProxies(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(c.file)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.Replace(text, []byte("\tdebug\n"), []byte("\tservers {\n\t\ttrusted_proxies static 127.0.0.0/8\n\t}\n"), 1)
	if err := os.WriteFile(c.file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if output, err := exec.Command(caddyProgram, "reload", "--config", c.file, "--adapter", "caddyfile", "--address", c.admin).CombinedOutput(); err != nil {
		t.Fatalf("reloading: %v\n%s", err, output)
	}
}

func signsInFrom(t *testing.T, site *caddyServer, address string) *http.Response {
	t.Helper()
	request := form(t, site.url+"/login", "bob", bobsPassword)
	request.Header.Set("X-Forwarded-For", address)
	client := &http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		t.Error(err)
		return &http.Response{}
	}
	_ = response.Body.Close()
	return response
}

// work lets everybody who is signed in open a page a second while something
// happens, and returns how long pages took, the fastest first.
func work(t *testing.T, site *caddyServer, sessions [][]*http.Cookie, meanwhile func()) (took []time.Duration) {
	t.Helper()
	var mu sync.Mutex
	var workers sync.WaitGroup
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: len(sessions)}, Timeout: time.Minute}
	stop := make(chan struct{})
	for i, cookies := range sessions {
		workers.Go(func() {
			wait := time.NewTimer(time.Duration(i) * time.Second / time.Duration(len(sessions)))
			defer wait.Stop()
			for {
				select {
				case <-stop:
					return
				case <-wait.C:
				}
				wait.Reset(time.Second)
				request := navigation(t, site.url+"/page")
				for _, cookie := range cookies {
					request.AddCookie(cookie)
				}
				start := time.Now()
				response, err := client.Do(request)
				if err != nil {
					t.Error(err)
					return
				}
				_ = response.Body.Close()
				mu.Lock()
				took = append(took, time.Since(start))
				mu.Unlock()
				if response.StatusCode != http.StatusOK {
					t.Errorf("a page is answered %d", response.StatusCode)
				}
			}
		})
	}
	meanwhile()
	close(stop)
	workers.Wait()
	if len(took) < 100 {
		t.Fatalf("only %d pages", len(took))
	}
	slices.Sort(took)
	return took
}
