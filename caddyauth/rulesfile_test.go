// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
)

func init() {
	// The language itself is the package caddyfile's.
	ReadRules = func(file string, content []byte) ([]Rule, error) {
		if strings.Contains(string(content), "broken") {
			return nil, fmt.Errorf("it is broken, at %s:1", file)
		}
		return parseRules(string(content)), nil
	}
	caddy.RegisterModule(countedMatcher{})
}

// countedMatcher matches everything and knows how many of it there are.
type countedMatcher struct{ ID string }

var (
	countedMatchers atomic.Int64
	cleanedMatchers sync.Map
)

func (countedMatcher) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.matchers.test_counted", New: func() caddy.Module { return new(countedMatcher) }}
}

func (m *countedMatcher) Provision(caddy.Context) error {
	countedMatchers.Add(1)
	return nil
}

func (m *countedMatcher) Cleanup() error {
	countedMatchers.Add(-1)
	cleanedMatchers.Store(m, true)
	return nil
}

var errCleaned = errors.New("asked after it was cleaned up")

func (m *countedMatcher) MatchWithError(*http.Request) (bool, error) {
	if _, cleaned := cleanedMatchers.Load(m); cleaned {
		return false, errCleaned
	}
	return true, nil
}

func rulesFileOf(path string) func(*Handler) {
	return func(h *Handler) { h.Authorize = &Authorize{File: path} }
}

// TestRulesFile changes the rules under a handler that runs.
func TestRulesFile(t *testing.T) {
	path := newFile(t, "rules", "allow /a\n")
	s := newSite(t, rulesFileOf(path))
	cookie := s.signInAlice()
	allows := func(path string) bool { return s.serve(get(path, cookieLine(cookie))).reached }
	if !allows("/a") || allows("/b") {
		t.Fatal("the first rules are not in force")
	}
	writeFile(t, path, "allow /b\n")
	eventually(t, "the new rules are in force", func() bool { return allows("/b") && !allows("/a") })
	for name, content := range map[string]string{
		"broken":      "broken\n",
		"empty":       "",
		"bad matcher": "allow nonsense=1\n",
		"too large":   strings.Repeat("#", maxRulesFile+1),
	} {
		t.Run(name, func(t *testing.T) {
			before := s.logs.FilterMessageSnippet("file is broken").Len()
			writeFile(t, path, content)
			eventually(t, "it is noticed", func() bool { return s.logs.FilterMessageSnippet("file is broken").Len() > before })
			if !allows("/b") || allows("/a") {
				t.Error("the last good rules are not in force")
			}
		})
	}
	t.Run("deleted", func(t *testing.T) {
		before := s.logs.FilterMessageSnippet("file is broken").Len()
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it is noticed", func() bool { return s.logs.FilterMessageSnippet("file is broken").Len() > before })
		if !allows("/b") || allows("/a") {
			t.Error("the last good rules are not in force")
		}
	})
	writeFile(t, path, "allow /c\n")
	eventually(t, "a good file is in force again", func() bool { return allows("/c") && !allows("/b") })
}

// TestRulesFileStart: what is wrong when Caddy starts keeps it from starting.
func TestRulesFileStart(t *testing.T) {
	for name, content := range map[string]string{"broken": "broken\n", "empty": "", "bad matcher": "allow nonsense=1\n"} {
		t.Run(name, func(t *testing.T) {
			path := newFile(t, "rules", content)
			_, err := tryNewSite(t, newFlakyStorage(t), rulesFileOf(path))
			if err == nil {
				t.Fatal("it starts")
			}
			if name == "broken" && !strings.Contains(err.Error(), path+":1") {
				t.Errorf("the error does not say where: %v", err)
			}
		})
	}
}

// TestRulesFileLetsGo: matchers live until they are replaced and nobody asks
// them any more, and no longer than their handler.
func TestRulesFileLetsGo(t *testing.T) {
	path := newFile(t, "rules", "allow test_counted={\"ID\":\"1\"}\n")
	core := newSite(t)
	ctx, cancel := caddy.NewContext(caddy.Context{Context: t.Context()})
	defer cancel()
	before := countedMatchers.Load()
	rules, err := openRules(ctx, core.logger, &Authorize{File: path}, path)
	if err != nil {
		t.Fatal(err)
	}
	live := func() int64 { return countedMatchers.Load() - before }
	borrowed := rules.borrow()
	writeFile(t, path, "allow test_counted={\"ID\":\"2\"}\n")
	eventually(t, "the file is read again", func() bool { return rules.current() != borrowed })
	if live() != 2 {
		t.Errorf("%d matchers live while one is in use and one in force", live())
	}
	borrowed.giveBack()
	if live() != 1 {
		t.Errorf("%d matchers live", live())
	}
	rules.close()
	rules.close()
	if live() != 0 {
		t.Errorf("%d matchers live at the end", live())
	}
	if rules.borrow() != nil {
		t.Error("rules can be borrowed after the end")
	}
	writeFile(t, path, "allow test_counted={\"ID\":\"3\"}\n")
	rules.file.refresh()
	if live() != 0 {
		t.Error("a file is read after the end")
	}
}

// TestRulesFileUnderLoad asks rules while they are replaced.
func TestRulesFileUnderLoad(t *testing.T) {
	path := newFile(t, "rules", "allow test_counted={}\n")
	s := newSite(t, rulesFileOf(path))
	who := s.newIdentity(testUser, passwordProvider, map[string]any{})
	stop := make(chan struct{})
	var asking sync.WaitGroup
	for range 4 {
		asking.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if d, err := s.ask(prepared(get("/x")), who); err != nil || !d.allowed {
					t.Errorf("got %+v, %v", d, err)
					return
				}
			}
		})
	}
	for i := range 30 {
		writeFile(t, path, fmt.Sprintf("allow test_counted={\"ID\":\"%d\"}\n", i))
		s.rules.file.refresh()
	}
	close(stop)
	asking.Wait()
}

// TestLiveRules: what the rules in a file no longer allow is closed, and what
// they still allow stays.
func TestLiveRules(t *testing.T) {
	tests := map[string]struct {
		path, rules string
		stays       bool
	}{
		"websocket":                {"/ws", "deny /; allow\n", false},
		"websocket, another page":  {"/ws", "deny /other; allow\n", true},
		"websocket, another user":  {"/ws", `allow auth_user=["bob"]` + "\n", false},
		"websocket, the same user": {"/ws", `allow auth_user=["alice"]` + "\n", true},
		"websocket, sent away":     {"/ws", "redirect / /x; allow\n", false},
		"events":                   {"/events", "deny /events; allow\n", false},
		"events, another page":     {"/events", "deny /other; allow\n", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := newFile(t, "rules", "allow\n")
			s := newLiveSite(t, rulesFileOf(path))
			c := openHTTP1(t, s, test.path, s.signInAlice())
			if test.path == "/ws" {
				s.echoes(t, c)
			}
			eventually(t, "the connection is known", func() bool { return s.door.live.open.Load() == 1 })
			before := s.rules.current()
			writeFile(t, path, test.rules)
			eventually(t, "the rules are read", func() bool { return s.rules.current() != before })
			switch {
			case test.stays:
				time.Sleep(3 * lookInterval)
				if s.door.live.open.Load() != 1 {
					t.Error("it was closed")
				}
			case test.path == "/ws":
				opcode, payload := readFrame(t, c)
				if opcode != opcodeClose || string(payload) != "\x11\x33no longer allowed" {
					t.Errorf("the client gets opcode %d, %q", opcode, payload)
				}
				_, _ = c.Write(frame(opcodeClose, payload, true))
				s.wantLeft(t)
			default:
				_, _ = io.Copy(io.Discard, c)
				s.wantLeft(t)
			}
		})
	}
}

// TestLiveGroups: so is what the rules no longer allow because the user has
// left a group.
func TestLiveGroups(t *testing.T) {
	users := newFile(t, "users.json", `{"alice": {"password": "pw", "groups": ["staff"]}}`)
	s := newLiveSite(t, accountsFile(users), rulesFileOf(newFile(t, "rules", `allow auth_group=["staff"]`+"\n")))
	cookie := s.signIn("alice", "pw")
	c := openHTTP1(t, s, "/ws", cookie)
	s.echoes(t, c)
	writeFile(t, users, `{"alice": {"password": "pw", "groups": ["guests"]}}`)
	if opcode, payload := readFrame(t, c); opcode != opcodeClose || !strings.Contains(string(payload), "no longer allowed") {
		t.Errorf("the client gets opcode %d, %q", opcode, payload)
	}
	s.serve(get("/", browser, cookieLine(cookie))).wantRefusedHere(http.StatusForbidden)
}
