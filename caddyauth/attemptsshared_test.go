// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"golang.org/x/crypto/bcrypt"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
	"github.com/panelauth/caddy-panelauth/caddyauth/session/sessiontest"
)

func TestCaddyStorageTally(t *testing.T) {
	sessiontest.RunTally(t, func(t *testing.T) session.Store {
		store, storage := new(caddyStorage), newFlakyStorage(t)
		if err := mark(t.Context(), storage); err != nil {
			t.Fatal(err)
		}
		store.add(storage)
		return store
	})
}

// tries signs in with a password and returns the status.
func (s *site) tries(user, password string, options ...func(*http.Request)) int {
	s.t.Helper()
	return s.serve(post("/login", credentialsForm(user, password), options...)).StatusCode
}

// fromIP is a client that Caddy sees at an address.
func fromIP(ip string) func(*http.Request) {
	return func(r *http.Request) {
		*r = *prepared(r)
		caddyhttp.SetVar(r.Context(), caddyhttp.ClientIPVarKey, ip)
	}
}

// instances are some that share a storage, and a clock.
func instances(t *testing.T, folder string, c *clock, names ...string) (sites []*site) {
	t.Helper()
	for _, name := range names {
		s := newSiteIn(t, anotherInstance(t.Name()+name, folder), func(h *Handler) {
			h.BasicAuth = &BasicAuth{Accounts: map[string]string{testUser: testPassword, "bob": testPassword}}
		})
		s.useClock(c)
		sites = append(sites, s)
	}
	return sites
}

// TestAttemptsOfInstances: several allow no more than one.
func TestAttemptsOfInstances(t *testing.T) {
	c := newClock()
	sites := instances(t, newFolder(t), c, "a", "b", "c")
	allowed := 0
	for i := range 30 {
		if sites[i%3].tries(testUser, "wrong") == http.StatusUnauthorized {
			allowed++
		}
	}
	if allowed != 5 {
		t.Errorf("%d attempts were allowed", allowed)
	}
	for _, s := range sites {
		if got := s.tries(testUser, testPassword); got != http.StatusTooManyRequests {
			t.Errorf("the right password gets %d", got)
		}
	}
	c.pass(2 * time.Minute)
	for _, s := range sites {
		s.signInAlice()
	}
}

// TestAttemptsOfInstancesAtOnce: nor do they when asked together.
func TestAttemptsOfInstancesAtOnce(t *testing.T) {
	sites := instances(t, newFolder(t), newClock(), "a", "b", "c")
	var allowed atomic.Int32
	var wg sync.WaitGroup
	for i := range 60 {
		s := sites[i%3]
		wg.Go(func() {
			if _, wait, _ := s.countAttempt(post("/login", nil), testUser, &turn{}); wait == 0 {
				allowed.Add(1)
			}
		})
	}
	wg.Wait()
	if n := allowed.Load(); n > 5 {
		t.Errorf("%d of 60 at once were allowed", n)
	}
}

// TestAttemptsAfterRestart: a restart gives no new attempts.
func TestAttemptsAfterRestart(t *testing.T) {
	folder, c := newFolder(t), newClock()
	allowed := 0
	for i := range 20 {
		if instances(t, folder, c, fmt.Sprint("start ", i))[0].tries(testUser, "wrong") == http.StatusUnauthorized {
			allowed++
		}
	}
	if allowed != 5 {
		t.Errorf("%d attempts were allowed", allowed)
	}
}

// TestAttemptsForgivenElsewhere: a sign-in on one instance forgives what failed
// on another, and that alone.
func TestAttemptsForgivenElsewhere(t *testing.T) {
	sites := instances(t, newFolder(t), newClock(), "a", "b", "c")
	for range 4 {
		sites[0].tries(testUser, "wrong")
		sites[0].tries("bob", "wrong")
	}
	sites[1].signInAlice()
	for range 4 {
		if got := sites[2].tries(testUser, "wrong"); got != http.StatusUnauthorized {
			t.Errorf("alice gets %d", got)
		}
	}
	sites[2].tries("bob", "wrong")
	if got := sites[1].tries("bob", testPassword); got != http.StatusTooManyRequests {
		t.Errorf("bob gets %d", got)
	}
}

// TestAttemptsWhileStoreIsAway: each instance counts for itself; nobody gets
// more than that, and nobody is kept out.
func TestAttemptsWhileStoreIsAway(t *testing.T) {
	storage := newFlakyStorage(t)
	s := newSiteIn(t, storage)
	c := s.withClock()
	s.signInAlice()
	storage.setAway(true)
	allowed := 0
	for range 20 {
		if s.tries(testUser, "wrong") == http.StatusUnauthorized {
			allowed++
		}
	}
	if allowed != 5 {
		t.Errorf("%d attempts were allowed", allowed)
	}
	storage.setAway(false)
	c.pass(2 * time.Minute)
	s.signInAlice()
}

// TestAttemptsInTheStore: what is refused writes nothing, what went well leaves
// nothing, and nothing that is there tells of whom it is.
func TestAttemptsInTheStore(t *testing.T) {
	folder := newFolder(t)
	s := newSiteIn(t, anotherInstance(t.Name(), folder))
	entries := func() (found []string) {
		_ = filepath.WalkDir(filepath.Join(folder, storageRoot, "attempts"), func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				found = append(found, path)
			}
			return nil
		})
		return found
	}
	s.signInAlice()
	if found := entries(); len(found) != 0 {
		t.Errorf("a sign-in leaves %q", found)
	}
	for range 100 {
		s.tries(testUser, "wrong")
	}
	found := entries()
	if len(found) != 5 {
		t.Errorf("100 attempts leave %d entries", len(found))
	}
	for _, path := range found {
		content, err := os.ReadFile(path)
		if err != nil || strings.Contains(path[len(folder):]+string(content), testUser) || strings.Contains(path[len(folder):], "192.0.2") {
			t.Errorf("%s: %q, %v", path, content, err)
		}
	}
	for i := range 300 {
		s.tries(fmt.Sprint("made up ", i), "wrong")
	}
	if n := len(entries()); n > 20 {
		t.Errorf("made-up names leave %d entries", n)
	}
}

// TestAttemptsFromManyAddresses: nobody can keep alice out from elsewhere.
func TestAttemptsFromManyAddresses(t *testing.T) {
	s := newSite(t)
	for i := range 200 {
		s.tries(testUser, "wrong", from(fmt.Sprintf("198.51.100.%d:1", i)))
	}
	s.signInAlice()
}

// TestAttemptsFromAnArea: who has an IPv6 /48 has no 65536 times as many
// attempts, and who lives in it and has signed in before is not kept out.
func TestAttemptsFromAnArea(t *testing.T) {
	sites := instances(t, newFolder(t), newClock(), "a", "b")
	home := fromIP("2001:db8:0:ffff::1")
	sites[0].signInAlice(home)
	allowed := 0
	for i := range 300 {
		if sites[i%2].tries(testUser, "wrong", fromIP(fmt.Sprintf("2001:db8:0:%x::1", i))) == http.StatusUnauthorized {
			allowed++
		}
	}
	if allowed != 80 {
		t.Errorf("%d attempts were allowed", allowed)
	}
	sites[0].signInAlice(home)
	sites[0].signInAlice(fromIP("2001:db8:1::1"))
	if got := sites[0].tries("bob", testPassword, home); got != http.StatusTooManyRequests {
		t.Errorf("who has never signed in from there gets %d", got)
	}
}

// TestAttemptsOfLookalikes: what looks like alice's name is either counted with
// it, or the name of nobody.
func TestAttemptsOfLookalikes(t *testing.T) {
	for _, name := range []string{"аlice" /* Cyrillic */, "aIice", "a1ice", "alıce", "ɑlice"} {
		s := newSite(t)
		if got := s.tries(name, testPassword); got != http.StatusUnauthorized {
			t.Errorf("%+q gets %d", name, got)
		}
	}
}

// TestAttemptsOfProgramsCount: a password that is tried in a header counts with
// those of the form, on all instances.
func TestAttemptsOfProgramsCount(t *testing.T) {
	folder := newFolder(t)
	here := newSiteIn(t, anotherInstance("here", folder), func(h *Handler) { h.BasicAuthHeader = true })
	there := newSiteIn(t, anotherInstance("there", folder), func(h *Handler) {
		h.BasicAuth = &BasicAuth{Accounts: map[string]string{testUser: bcryptOf(t, testPassword, bcrypt.MinCost)}}
	})
	for range 5 {
		here.serve(get("/", func(r *http.Request) { r.SetBasicAuth(testUser, "wrong") })).want(http.StatusUnauthorized)
	}
	if got := there.tries(testUser, testPassword); got != http.StatusTooManyRequests {
		t.Errorf("the form answers %d", got)
	}
}

// TestFloodCostsTheStoreNothing: who finds no place to hash is not counted there.
func TestFloodCostsTheStoreNothing(t *testing.T) {
	folder := newFolder(t)
	s := newSiteIn(t, anotherInstance(t.Name(), folder), basicHeader, func(h *Handler) {
		h.BasicAuth = &BasicAuth{Accounts: map[string]string{testUser: bcryptOf(t, testPassword, bcrypt.MinCost)}}
	})
	counted := filepath.Join(folder, storageRoot, "attempts")
	func() {
		defer withHashes(newHashGate(0, 0))()
		for range 10 {
			if status := s.tries(testUser, testPassword); status != http.StatusServiceUnavailable {
				t.Errorf("the form is answered %d", status)
			}
			s.serve(get("/app", basic(testUser, testPassword))).want(http.StatusServiceUnavailable)
		}
	}()
	if _, err := os.Stat(counted); err == nil {
		t.Error("the store was asked")
	}
	s.tries(testUser, "wrong")
	if _, err := os.Stat(counted); err != nil {
		t.Errorf("an attempt is not counted: %v", err)
	}
}
