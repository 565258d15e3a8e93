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
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

// damages are what may have become of a file.
var damages = map[string]func(t *testing.T, path, others string){
	"cut off": func(t *testing.T, path, _ string) {
		content := readFile(t, path)
		writeFile(t, path, content[:len(content)/2])
	},
	"one bit flipped": func(t *testing.T, path, _ string) {
		content := []byte(readFile(t, path))
		content[len(content)/2] ^= 1
		writeFile(t, path, string(content))
	},
	"empty": func(t *testing.T, path, _ string) { writeFile(t, path, "") },
	"zeros": func(t *testing.T, path, _ string) {
		writeFile(t, path, strings.Repeat("\x00", len(readFile(t, path))))
	},
	"somebody else's": func(t *testing.T, path, others string) { writeFile(t, path, readFile(t, others)) },
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// recordsIn are the files below the sessions of a storage folder whose names
// end so; "" is for the records themselves.
func recordsIn(t *testing.T, dir, suffix string) (found []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, storageRoot, "sessions", "*", "*"+suffix))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		if suffix != "" || !strings.Contains(filepath.Base(path), ".") {
			found = append(found, path)
		}
	}
	return found
}

// newRecord is the record of the session that somebody began.
func newRecord(t *testing.T, dir, suffix string, begin func()) string {
	t.Helper()
	before := recordsIn(t, dir, suffix)
	begin()
	for _, path := range recordsIn(t, dir, suffix) {
		if !slices.Contains(before, path) {
			return path
		}
	}
	t.Fatal("there is no record")
	return ""
}

// TestDamagedRecords: a record that is not what was written gets nobody in,
// signs nobody out who is in memory, and stops nothing.
func TestDamagedRecords(t *testing.T) {
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			p := newOpenID(t)
			onFakeTime(t, func(t *testing.T) {
				dir := newFolder(t)
				instance := func(name string) *site {
					return newSiteIn(t, anotherInstance(t.Name()+name, dir), signInWith(p), masterPassword, refreshTokens, allPanelCookies)
				}
				here, there := instance("here"), instance("there")
				var alice, mallory string
				record := newRecord(t, dir, "", func() { alice = here.signInAlice() })
				others := newRecord(t, dir, "", func() { mallory = here.signIn("mallory", testPassword) })
				whole := readFile(t, record)
				damage(t, record, others)

				a := there.serve(get("/app", browser, cookieLine(alice)))
				a.wantRefusedHere(http.StatusFound)
				if len(a.Cookies()) > 0 {
					t.Error("the browser is told to forget the session, which may be mended")
				}
				for range 4 {
					if !here.isSignedIn(alice) || !there.isSignedIn(mallory) {
						t.Fatal("somebody is signed out")
					}
					time.Sleep(20 * time.Second)
				}
				writeFile(t, record, whole)
				if !there.isSignedIn(alice) {
					t.Error("the session is not found when its record is mended")
				}

				damage(t, record, others)
				if n, err := endUser(t.Context(), []*door{here.door}, testUser); n != 1 || err != nil {
					t.Errorf("revoked %d sessions, %v", n, err)
				}
				if _, err := os.Stat(record); err == nil || here.isSignedIn(alice) {
					t.Error("the session goes on")
				}
				tokensAreDamaged(t, p, dir, damage, here, there)

				left := newRecord(t, dir, "", func() { here.signInAlice() })
				damage(t, left, others)
				time.Sleep(28 * time.Hour)
				if _, err := os.Stat(left); err == nil {
					t.Error("a damaged record is not swept")
				}
			})
		})
	}
}

// tokensAreDamaged: tokens that are lost sign nobody out either, and the next
// renewal by who has them makes them good for all.
func tokensAreDamaged(t *testing.T, p *providertest.Server, dir string, damage func(t *testing.T, path, others string), here, there *site) {
	t.Helper()
	others := newRecord(t, dir, ".tokens", func() { here.signedInAt("oidc") })
	var v *visitor
	tokens := newRecord(t, dir, ".tokens", func() { v = here.signedInAt("oidc") })
	damage(t, tokens, others)
	elsewhere := v.at(there, testHost)
	elsewhere.wantSignedIn("alice@example.org")
	if token := elsewhere.accessToken(); token != "" {
		t.Errorf("the application gets the token %.20q", token)
	}
	time.Sleep(2 * time.Hour)
	before := len(renewals(p))
	token := v.accessToken()
	time.Sleep(11 * time.Second)
	if got := elsewhere.accessToken(); token == "" || got != token || len(renewals(p)) != before+1 {
		t.Errorf("after a renewal the application gets %.20q here and %.20q there", token, got)
	}
}
