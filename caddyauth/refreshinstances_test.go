// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/certmagic"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// manyInstances are three that share a store, and one visitor of theirs.
type manyInstances struct {
	t        *testing.T
	provider *providertest.Server
	sites    []*site
	visitor  *visitor
	realTime bool
}

func newInstances(t *testing.T, p *providertest.Server, dir string, configure ...func(*Handler)) *manyInstances {
	t.Helper()
	m := &manyInstances{t: t, provider: p}
	configure = append([]func(*Handler){signInWith(p), refreshTokens, allPanelCookies}, configure...)
	for _, name := range []string{"one", "two", "three"} {
		m.sites = append(m.sites, newSiteIn(t, anotherInstance(name+" "+dir, dir), configure...))
	}
	m.visitor = m.sites[0].newVisitor("")
	return m
}

// signIn signs in, so that all instances know the session. On a real clock the
// tokens are at once what they are to become, and no request may come before
// those of the test.
func (m *manyInstances) signIn(expired bool) {
	m.t.Helper()
	if !m.realTime {
		m.visitor.mustSignIn("/")
		for _, s := range m.sites {
			m.visitor.at(s, testHost).wantSignedIn("alice@example.org")
		}
		time.Sleep(59*time.Minute + 30*time.Second)
		if expired {
			time.Sleep(time.Hour)
		}
		return
	}
	seconds := 30
	if expired {
		seconds = 1
	}
	m.provider.Turn(func(k *providertest.Knobs) {
		k.Tokens = func(answer map[string]any) { answer["expires_in"] = seconds }
	})
	m.visitor.comeBack(m.visitor.answerOf(m.visitor.begin("/login"))).want(http.StatusSeeOther)
	cookie := m.visitor.jar.Cookies(m.visitor.url("/"))[0].Value
	for _, s := range m.sites {
		eventually(m.t, "the session is known", func() bool {
			found, err := s.door.sessions.Find(m.t.Context(), cookie, 0)
			return found != nil && err == nil
		})
	}
	if expired {
		time.Sleep(1100 * time.Millisecond)
	}
}

// fifty sends as many requests at once, which all must reach the application,
// and returns how long the slowest took and how many tokens it saw.
func (m *manyInstances) fifty() (slowest time.Duration, tokens map[string]int) {
	m.t.Helper()
	var pairs []string
	for _, c := range m.visitor.jar.Cookies(m.visitor.url("/")) {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	var mu sync.Mutex
	tokens = make(map[string]int)
	app := caddyhttp.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) error {
		mu.Lock()
		defer mu.Unlock()
		_, token, _ := strings.Cut(r.Header.Get("Cookie"), "access_token=")
		tokens[signedValue(token)]++
		return nil
	})
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() {
			r := prepared(get("/app", browser, overTLS, cookieLine(strings.Join(pairs, "; "))))
			began := time.Now()
			if err := m.sites[i%len(m.sites)].ServeHTTP(httptest.NewRecorder(), r, app); err != nil {
				m.t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			slowest = max(slowest, time.Since(began))
		})
	}
	group.Wait()
	served := 0
	for _, n := range tokens {
		served += n
	}
	if served != 50 {
		m.t.Errorf("%d of 50 requests reached the application", served)
	}
	return slowest, tokens
}

// valueOf is what Tornado has signed: without the time and the signature, which
// are another each second.
func signedValue(signed string) string {
	parts := strings.Split(signed, "|")
	if len(parts) < 5 {
		return ""
	}
	return parts[4]
}

// renewOnce: with tokens that are over, all wait for the one renewal and have
// what came of it. With tokens that are due, nobody waits.
func (m *manyInstances) renewOnce(expired bool) {
	m.t.Helper()
	m.signIn(expired)
	m.provider.Turn(func(k *providertest.Knobs) {
		k.Tokens = func(map[string]any) { time.Sleep(2 * time.Second) }
	})
	slowest, tokens := m.fifty()
	m.t.Logf("the slowest request took %v", slowest)
	if expired && len(tokens) != 1 {
		m.t.Errorf("the application got %d tokens", len(tokens))
	}
	eventually(m.t, "the tokens are renewed everywhere", func() bool {
		time.Sleep(100 * time.Millisecond) // a fake clock needs somebody to wait
		_, now := m.fifty()
		return len(now) == 1 && (expired || !maps.Equal(now, tokens)) && len(renewals(m.provider)) > 0
	})
	if n := len(renewals(m.provider)); n != 1 {
		m.t.Errorf("%d renewals for 50 requests on three instances", n)
	}
}

// failOnce: a renewal that fails is tried once by each instance, and everybody
// goes on with what there was.
func (m *manyInstances) failOnce() {
	m.t.Helper()
	m.signIn(true)
	m.provider.Fault(providertest.Token, func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(500 * time.Millisecond)
		providertest.Unavailable()(w, r)
	})
	slowest, _ := m.fifty()
	again, _ := m.fifty()
	m.t.Logf("failing: the slowest request took %v, then %v", slowest, again)
	if n := len(renewals(m.provider)); n < 1 || n > len(m.sites) {
		m.t.Errorf("%d renewals for 100 requests while the provider is away", n)
	}
}

var manyWays = map[string]func(*manyInstances){
	"expired":           func(m *manyInstances) { m.renewOnce(true) },
	"due":               func(m *manyInstances) { m.renewOnce(false) },
	"provider is away":  (*manyInstances).failOnce,
	"provider is stuck": (*manyInstances).stuck,
	"holder has died":   (*manyInstances).holderDied,
}

// TestRenewalOnThreeInstances: 50 requests at once need one token request.
func TestRenewalOnThreeInstances(t *testing.T) {
	for name, check := range manyWays {
		t.Run(name, func(t *testing.T) {
			p := newOpenID(t)
			onFakeTime(t, func(t *testing.T) { check(newInstances(t, p, newFolder(t))) })
		})
	}
}

// TestRenewalOnThreeInstancesWithRedis is the same on the real clock.
func TestRenewalOnThreeInstancesWithRedis(t *testing.T) {
	url := startRedis(t)
	for _, name := range []string{"expired", "due", "provider is away"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newInstances(t, newOpenID(t), newFolder(t), inRedis(url))
			m.realTime = true
			manyWays[name](m)
		})
	}
}

// stuck: requests wait for a provider that does not answer, but not for ever,
// and then not again.
func (m *manyInstances) stuck() {
	m.t.Helper()
	m.signIn(true)
	m.provider.Fault(providertest.Token, providertest.Hang())
	slowest, _ := m.fifty()
	again, _ := m.fifty()
	m.t.Logf("stuck: the slowest request took %v, then %v", slowest, again)
	if slowest > 30*time.Second || again > 0 {
		m.t.Errorf("a request waited %v, the next %v", slowest, again)
	}
	m.provider.Fault(providertest.Token, nil)
	time.Sleep(2 * time.Minute)
	m.fifty()
	if _, tokens := m.fifty(); len(tokens) != 1 {
		m.t.Errorf("the application gets %d tokens when the provider is back", len(tokens))
	}
}

// holderDied: an instance died while it renewed. Its lock keeps nobody from
// the application, and the others from renewing only for a while.
func (m *manyInstances) holderDied() {
	m.t.Helper()
	m.signIn(true)
	storage := m.sites[0].storage.(*flakyStorage).Storage.(*certmagic.FileStorage)
	records := recordsIn(m.t, storage.Path, ".tokens")
	if len(records) != 1 {
		m.t.Fatalf("tokens in %q", records)
	}
	bucket := filepath.Base(filepath.Dir(records[0]))
	leaveLock(m.t, storage.Path, "sessions/"+bucket+"/"+filepath.Base(records[0]))
	began := time.Now()
	var slowest time.Duration
	for len(renewals(m.provider)) == 0 && time.Since(began) < 2*session.LockLease {
		took, _ := m.fifty()
		slowest = max(slowest, took)
		time.Sleep(time.Second)
	}
	m.t.Logf("holder has died: renewed after %v, the slowest request took %v", time.Since(began), slowest)
	// Two who find the lock of a dead one at the same moment may both take it,
	// as all do on this clock. Who comes second takes what the first got.
	if n := len(renewals(m.provider)); n > len(m.sites) || slowest > 15*time.Second {
		m.t.Errorf("%d renewals, the slowest request took %v", n, slowest)
	}
	time.Sleep(11 * time.Second)
	if _, tokens := m.fifty(); len(tokens) != 1 {
		m.t.Errorf("the application gets %d tokens", len(tokens))
	}
}

// leaveLock leaves the lock of somebody who died this moment.
func leaveLock(t *testing.T, dir, key string) {
	t.Helper()
	now := time.Now().Format(time.RFC3339Nano)
	path := filepath.Join(dir, "locks", certmagic.StorageKeys.Safe(storageRoot+"/"+key)+".lock")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, `{"created":"`+now+`","updated":"`+now+`"}`)
}
