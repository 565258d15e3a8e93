// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/zap"
)

func TestSessionsCommand(t *testing.T) {
	s := newSite(t, func(h *Handler) {
		h.BasicAuth.Accounts["bob"] = testPassword
		h.BasicAuth.Accounts["zoë"] = testPassword
	})
	admin := httptest.NewServer(newAdmin())
	t.Cleanup(admin.Close)
	address := strings.TrimPrefix(admin.URL, "http://")
	sessions := func(args ...string) (string, error) {
		return run(t, append([]string{"sessions", "--address", address}, args...)...)
	}
	must := func(args ...string) string {
		t.Helper()
		out, err := sessions(args...)
		if err != nil {
			t.Fatalf("%q: %v", args, err)
		}
		return out
	}
	if out := must("list"); len(strings.Split(out, "\n")) != 2 {
		t.Errorf("nobody is %q", out)
	}
	bob := s.signIn("bob", testPassword, from("203.0.113.5:1"))
	one, two := s.signInAlice(), s.signInAlice()
	s.signIn("zoë", testPassword)
	table := strings.Split(must("list"), "\n")
	if len(table) != 6 || !strings.HasPrefix(table[0], "ID ") || !strings.Contains(table[3], " bob ") ||
		!strings.Contains(table[3], " 203.0.113.5 ") || !strings.Contains(table[1], " alice ") {
		t.Errorf("the table is\n%s", strings.Join(table, "\n"))
	}
	id, _, _ := strings.Cut(table[3], " ")
	must("revoke", id)
	if s.isSignedIn(bob) || !s.isSignedIn(one) {
		t.Error("the wrong session is over")
	}
	if out := must("revoke", "--user", "alice"); out != "Sessions of alice that have ended: 2\n" {
		t.Errorf("it says %q", out)
	}
	if s.isSignedIn(one) || s.isSignedIn(two) {
		t.Error("a session of alice's goes on")
	}
	if out := must("revoke", "--user", "alice"); out != "Sessions of alice that have ended: 0\n" {
		t.Errorf("it says %q", out)
	}
	for name, args := range map[string][]string{
		"an id that there is not": {"revoke", id},
		"no id":                   {"revoke"},
		"an empty id":             {"revoke", ""},
		"two ids":                 {"revoke", id, id},
		"an id and a user":        {"revoke", id, "--user", "alice"},
		"an empty user":           {"revoke", "--user", ""},
		"a path":                  {"revoke", "../../config/"},
		"list of what":            {"list", "alice"},
	} {
		if out, err := sessions(args...); err == nil {
			t.Errorf("%s: %q", name, out)
		}
	}
	admin.Close()
	if _, err := sessions("list"); err == nil {
		t.Error("a Caddy that is not there is no error")
	}
}

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"zoë o'neil": "zoë o'neil", "a\x1b[2Jb": "a\uFFFD[2Jb", "a\tb\nc": "a\uFFFDb\uFFFDc", "\u202ea": "\uFFFDa",
	} {
		if got := printable(text); got != want {
			t.Errorf("%q is shown as %q", text, got)
		}
	}
}

func TestSessionsCommandFindsTheAddress(t *testing.T) {
	newSite(t)
	admin := httptest.NewServer(newAdmin())
	t.Cleanup(admin.Close)
	path := newFile(t, "caddy.json", `{"admin": {"listen": "`+strings.TrimPrefix(admin.URL, "http://")+`"}}`)
	if out, err := run(t, "sessions", "list", "--config", path); err != nil || !strings.HasPrefix(out, "ID ") {
		t.Errorf("got %q, %v", out, err)
	}
	if _, err := run(t, "sessions", "list", "--config", path+".missing"); err == nil {
		t.Error("a file that is not there is no error")
	}
}

func TestSessionsCommandWithAStoreAway(t *testing.T) {
	storage := newFlakyStorage(t)
	newSiteIn(t, storage).door.logger = zap.NewNop()
	newSite(t).signInAlice()
	admin := httptest.NewServer(newAdmin())
	t.Cleanup(admin.Close)
	storage.setAway(true)
	out, err := run(t, "sessions", "list", "--address", strings.TrimPrefix(admin.URL, "http://"))
	if err == nil || !strings.Contains(err.Error(), "not all") || !strings.Contains(out, " alice ") {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestSessionsCommandOfCookies(t *testing.T) {
	s := newSite(t, stateless)
	s.signInAlice()
	admin := httptest.NewServer(newAdmin())
	t.Cleanup(admin.Close)
	out, err := run(t, "sessions", "list", "--address", strings.TrimPrefix(admin.URL, "http://"))
	if err != nil || !strings.Contains(out, "kept in cookies") || !strings.Contains(out, " alice ") {
		t.Errorf("got %q, %v", out, err)
	}
}

// TestSessionsCommandOnBrokenList: a part is not shown as the whole.
func TestSessionsCommandOnBrokenList(t *testing.T) {
	admin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`[{"id":"x","user":"alice"},`))
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(admin.Close)
	out, err := run(t, "sessions", "list", "--address", strings.TrimPrefix(admin.URL, "http://"))
	if err == nil || strings.Contains(out, "alice") {
		t.Errorf("got %q, %v", out, err)
	}
}
