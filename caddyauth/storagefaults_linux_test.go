// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

// fault is what may happen to the disk that sessions are on, and what still
// works meanwhile.
type fault struct {
	begin, end            func(*disk)
	reads, saves, deletes bool
}

var diskFaults = map[string]fault{
	"none":      {begin: func(*disk) {}, end: func(*disk) {}, reads: true, saves: true, deletes: true},
	"read-only": {begin: (*disk).makeReadOnly, end: (*disk).makeWritable, reads: true},
	"full":      {begin: (*disk).fill, end: (*disk).empty, reads: true, deletes: true},
	"unmounted": {begin: (*disk).unmount, end: (*disk).mount},
	"removed":   {begin: (*disk).remove, end: (*disk).mount},
}

// faultyPair is two instances on one disk that breaks. The clock is the test's,
// but everything else happens as it does in the background of a real one.
type faultyPair struct {
	fault
	t           *testing.T
	disk        *disk
	provider    *providertest.Server
	here, there *site
}

func (p *faultyPair) begin() { p.fault.begin(p.disk) }
func (p *faultyPair) end()   { p.fault.end(p.disk) }

// another is an instance that has nothing in memory.
func (p *faultyPair) another(name string) *site {
	p.t.Helper()
	return newSiteIn(p.t, p.disk.instance(name), signInWith(p.provider), masterPassword, refreshTokens, allPanelCookies)
}

// TestStorageFaults: whatever happens to the disk, nobody is signed out or let
// in, no session is lost that a browser was told of, and all goes on by itself
// when the fault is over.
func TestStorageFaults(t *testing.T) {
	withDisks(t, func(t *testing.T) {
		for name, fault := range diskFaults {
			for what, check := range map[string]func(*faultyPair){
				"sign-in":                  (*faultyPair).checkSignIn,
				"session in memory":        (*faultyPair).checkMemory,
				"session only in store":    (*faultyPair).checkStored,
				"renewal":                  (*faultyPair).checkRenewal,
				"logout":                   (*faultyPair).checkLogout,
				"logout, only in store":    (*faultyPair).checkLogoutOfStored,
				"revoked by administrator": (*faultyPair).checkRevoke,
				"sweep":                    (*faultyPair).checkSweep,
				"restart":                  (*faultyPair).checkRestart,
			} {
				t.Run(name+"/"+what, func(t *testing.T) {
					provider := newOpenID(t)
					onFakeTime(t, func(t *testing.T) {
						p := &faultyPair{fault: fault, t: t, disk: newDisk(t), provider: provider}
						p.here, p.there = p.another("here"), p.another("there")
						check(p)
					})
				})
			}
		}
	})
}

// asksToWait checks that nobody is let in, nor told that the session is over.
func (a answer) asksToWait() {
	a.t.Helper()
	a.wantRefusedHere(http.StatusServiceUnavailable)
	if a.Header.Get("Retry-After") == "" || len(a.Cookies()) > 0 {
		a.t.Errorf("the header is %v", a.Header)
	}
}

func (p *faultyPair) checkSignIn() {
	p.begin()
	a := p.here.serve(post("/login", credentialsForm("alice", testPassword)))
	if !p.saves {
		a.asksToWait()
		p.end()
	}
	cookie := a.cookieLine()
	if cookie == "" {
		cookie = p.here.signInAlice()
	}
	if !p.here.isSignedIn(cookie) || !p.there.isSignedIn(cookie) {
		p.t.Error("who has signed in is not")
	}
}

func (p *faultyPair) checkMemory() {
	cookie := p.here.signInAlice()
	p.begin()
	for range 5 {
		if !p.here.isSignedIn(cookie) {
			p.t.Fatal("signed out by a fault")
		}
		time.Sleep(20 * time.Second)
	}
	p.end()
	for range 5 {
		if !p.here.isSignedIn(cookie) || !p.there.isSignedIn(cookie) {
			p.t.Fatal("signed out by the end of a fault")
		}
		time.Sleep(20 * time.Second)
	}
}

func (p *faultyPair) checkStored() {
	cookie := p.there.signInAlice()
	p.begin()
	a := p.here.serve(get("/", browser, cookieLine(cookie)))
	if p.reads {
		a.wantReached()
	} else {
		a.asksToWait()
	}
	if p.here.isSignedIn("panelauth=x") {
		p.t.Error("a stranger is let in")
	}
	p.end()
	if !p.here.isSignedIn(cookie) {
		p.t.Error("signed out by the end of a fault")
	}
}

// checkRenewal: tokens that cannot be kept are not renewed, since each refresh
// token may be good for one use.
func (p *faultyPair) checkRenewal() {
	v := p.here.signedInAt("oidc")
	before := v.accessToken()
	time.Sleep(2 * time.Hour)
	p.begin()
	for range 3 {
		v.wantSignedIn("alice@example.org")
		time.Sleep(10 * time.Second)
	}
	p.end()
	for range 12 { // longer than the pause after failures
		v.wantSignedIn("alice@example.org")
		time.Sleep(10 * time.Second)
	}
	after := v.accessToken()
	if after == before {
		p.t.Error("not renewed when the fault is over")
	}
	if elsewhere := v.at(p.there, testHost).accessToken(); elsewhere != after {
		p.t.Error("the other instance has other tokens")
	}
	if n := len(renewals(p.provider)); n != 1 {
		p.t.Errorf("%d renewals", n)
	}
}

// checkLogout: over at once where it was asked for, and elsewhere as soon as
// the disk allows.
func (p *faultyPair) checkLogout() {
	cookie := p.here.signInAlice()
	if !p.there.isSignedIn(cookie) {
		p.t.Fatal("not signed in")
	}
	p.begin()
	p.here.serve(get("/logout", cookieLine(cookie))).want(http.StatusOK)
	if p.here.isSignedIn(cookie) {
		p.t.Error("goes on where the logout was")
	}
	reported := strings.Contains(p.here.logText(), "the store could not be told yet")
	if reported == p.deletes {
		p.t.Errorf("told that the store was not told: %v", reported)
	}
	if p.deletes {
		time.Sleep(11 * time.Second)
		p.isOver(cookie)
	}
	p.end()
	time.Sleep(time.Minute)
	p.isOver(cookie)
}

// isOver checks that a cookie is good on no instance, old or new.
func (p *faultyPair) isOver(cookie string) {
	p.t.Helper()
	for _, s := range []*site{p.here, p.there, p.another("new, " + time.Now().String())} {
		if s.in(p.t).isSignedIn(cookie) {
			p.t.Error("the session goes on")
		}
	}
}

// checkLogoutOfStored: who cannot be signed out is not told so, and may try
// again.
func (p *faultyPair) checkLogoutOfStored() {
	cookie := p.there.signInAlice()
	p.begin()
	a := p.here.serve(get("/logout", browser, cookieLine(cookie)))
	if !p.reads {
		a.asksToWait()
		p.end()
		p.here.serve(get("/logout", browser, cookieLine(cookie))).want(http.StatusOK)
		time.Sleep(11 * time.Second)
		p.isOver(cookie)
		return
	}
	a.want(http.StatusOK)
	p.end()
	time.Sleep(time.Minute)
	p.isOver(cookie)
}

func (p *faultyPair) checkRevoke() {
	known, unknown := p.here.signIn("carol", testPassword), p.there.signIn("carol", testPassword)
	p.begin()
	revoke := func() error {
		_, err := endUser(p.t.Context(), []*door{p.here.door}, "carol")
		return err
	}
	err := revoke()
	if (err == nil) != (p.reads && p.deletes) {
		p.t.Errorf("the administrator is told %v", err)
	}
	if p.here.isSignedIn(known) {
		p.t.Error("goes on where it was revoked")
	}
	p.end()
	time.Sleep(time.Minute)
	p.isOver(known)
	if err != nil && revoke() != nil {
		p.t.Error("asking again is no use")
	}
	time.Sleep(11 * time.Second)
	p.isOver(unknown)
}

// checkSweep: what could not be swept is swept later, and what is not over
// stays.
func (p *faultyPair) checkSweep() {
	p.here.signInAlice()
	for _, path := range p.disk.files("") { // as of who is killed while writing
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), "1234567"), []byte("half a rec"), 0o600); err != nil {
			p.t.Fatal(err)
		}
	}
	old := append(p.disk.files("sessions"), p.disk.files("index")...)
	time.Sleep(23 * time.Hour)
	young := p.here.signInAlice()
	p.begin()
	time.Sleep(4 * time.Hour)
	p.end()
	time.Sleep(2 * time.Hour)
	for _, path := range p.disk.files("") {
		if slices.Contains(old, path) {
			p.t.Error("left behind:", path)
		}
	}
	if !p.there.isSignedIn(young) {
		p.t.Error("signed out by a sweep")
	}
}

// checkRestart: Caddy starts, whatever the state of the disk. It cannot tell an
// empty folder from one whose file system is to be mounted yet, but sessions
// are there again soon after that is.
func (p *faultyPair) checkRestart() {
	cookie := p.there.signInAlice()
	p.begin()
	restarted := p.another("restarted")
	if got := restarted.isSignedIn(cookie); got != p.reads {
		p.t.Errorf("let in: %v", got)
	}
	p.end()
	time.Sleep(61 * time.Second)
	if !restarted.isSignedIn(cookie) {
		p.t.Error("signed out by a restart")
	}
	if another := restarted.signIn("bob", testPassword); !p.there.isSignedIn(another) {
		p.t.Error("nobody can sign in")
	}
	synctest.Wait()
}
