// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package panelauth

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/panelauth/caddy-panelauth/caddyauth/tornado"
)

// Two parsers of one request must mean the same by it: whatever the module
// makes of a path, a cookie or a header has to be what the application reads.
// These tests make requests at random, of the parts by which parsers differ,
// send them through a real Caddy, and give what comes out to real servers.
//
//	go test -tags e2e -run Differential . -cases 1000000 -seed 1
var (
	cases = flag.Int("cases", 20_000, "generated inputs of each differential test")
	seed  = flag.Uint64("seed", uint64(time.Now().UnixNano()), "what they are generated from")
)

const (
	differentialSecret = "a-cookie-secret-of-the-tests"
	batch              = 100
	differentialSite   = `http://localhost:8080 {
	panelauth {
		cookie_secret ` + differentialSecret + `
		session_store cookie
		basic_auth open-sesame
		oauth_guest_endpoints /app /tree/*
		identity_headers
	}
	reverse_proxy localhost:1 {
		transport test_wire
	}
}
`
)

func serveDifferential(t *testing.T) *testSite {
	t.Helper()
	t.Logf("-cases %d -seed %d", *cases, *seed)
	file := filepath.Join(t.TempDir(), "Caddyfile")
	if err := os.WriteFile(file, caddyfile.Format([]byte(differentialSite)), 0o600); err != nil {
		t.Fatal(err)
	}
	return serve(t, file)
}

// inBatches does the work of a test by several hands, each with connections and
// random numbers of its own.
func inBatches(t *testing.T, work func(t *testing.T, g *generator) (do func())) {
	t.Helper()
	var left atomic.Int64
	left.Store(int64(*cases))
	var hands sync.WaitGroup
	for hand := range uint64(4) {
		do := work(t, &generator{rand.New(rand.NewPCG(*seed, hand))})
		hands.Go(func() {
			for left.Add(-batch) >= 0 && !t.Failed() {
				do()
			}
		})
	}
	hands.Wait()
}

// TestDifferentialRequests: whoever reads a request that was let through finds
// in it the person that the module found, and a guest on a guest page.
func TestDifferentialRequests(t *testing.T) {
	site := serveDifferential(t)
	site.signInMaria(t)
	session := site.client.Jar.Cookies(site.origin)[0].String()
	readers := startReaders(t)
	var through, signedIn atomic.Int64
	refused := make([]atomic.Int64, len(readers))
	inBatches(t, func(t *testing.T, g *generator) func() {
		door := &pipeline{address: site.origin.Host}
		t.Cleanup(door.hangUp)
		connections := make([]*pipeline, len(readers))
		for i, r := range readers {
			connections[i] = &pipeline{address: r.address}
			t.Cleanup(connections[i].hangUp)
		}
		return func() {
			asked := g.requests(batch, session)
			var wires, origins [][]byte
			for i, a := range door.ask(t, asked) {
				if a.status == http.StatusOK && a.header.Get("Wire") != "" {
					wires, origins = append(wires, a.body), append(origins, asked[i])
				}
			}
			through.Add(int64(len(wires)))
			var reading sync.WaitGroup
			for i, r := range readers {
				reading.Go(func() {
					for n, a := range connections[i].ask(t, wires) {
						if a.status != http.StatusOK {
							refused[i].Add(1)
							continue
						}
						is, err := checkReading(a.body, origins[n], session)
						if err != nil {
							t.Errorf("%s: %v\nasked: %q\npassed on: %q\nread: %.1000s", r.name, err, origins[n], wires[n], a.body)
						}
						if is == "maria" {
							signedIn.Add(1)
						}
					}
				})
			}
			reading.Wait()
		}
	})
	for i, r := range readers {
		t.Logf("%s refused %d of %d", r.name, refused[i].Load(), through.Load())
		if refused[i].Load() > through.Load()/10 {
			t.Errorf("%s refuses too much for a comparison", r.name)
		}
	}
	t.Logf("%d of %d were let through; %d readings were of somebody signed in", through.Load(), *cases, signedIn.Load())
	if through.Load() < int64(*cases/10) || signedIn.Load() == 0 {
		t.Error("most were refused: nothing was compared")
	}
}

// reading is what a server read in a request.
type reading struct {
	Paths            []string
	Cookies          map[string]string
	Headers, Environ [][2]string
	User             *string // as Tornado verified it
	Failed           string
}

// checkReading returns whom a server takes for the sender of a request, and an
// error if that is somebody else than it should be.
func checkReading(body, asked []byte, session string) (who string, err error) {
	var r reading
	if err := json.Unmarshal(body, &r); err != nil {
		return "", err
	}
	if r.Failed != "" {
		return "", errors.New(r.Failed)
	}
	if who, err = r.remoteUser(); err != nil {
		return who, err
	}
	switch {
	case who == "maria" && strings.Contains(string(asked), session):
		return who, r.checkMaria()
	case who == "guest":
		return who, r.checkGuest()
	}
	return who, fmt.Errorf("it is %q who asks", who)
}

// remoteUser is the one value of Remote-User in whatever spelling.
func (r *reading) remoteUser() (who string, err error) {
	for _, headers := range [][][2]string{r.Headers, r.Environ} {
		said := 0
		for _, header := range headers {
			switch asCGI(strings.TrimPrefix(header[0], "HTTP_")) {
			case "REMOTE_NAME", "REMOTE_EMAIL", "REMOTE_GROUPS":
				return "", fmt.Errorf("there is %s: %s", header[0], header[1])
			case "REMOTE_USER":
				if said++; said > 1 || who != "" && who != header[1] {
					return "", fmt.Errorf("it is both %q and %q who asks", who, header[1])
				}
				who = header[1]
			}
		}
	}
	return who, nil
}

// asCGI folds the name of a header as strictly as any server does.
func asCGI(name string) string {
	return strings.Map(func(c rune) rune {
		if 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' {
			return c
		}
		return '_'
	}, strings.ToUpper(name))
}

func (r *reading) checkMaria() error {
	if r.User != nil && *r.User != "maria" {
		return fmt.Errorf("Tornado verifies the user %q", *r.User)
	}
	for name, value := range r.Cookies {
		switch {
		case !isManaged(name):
		case name != "user" && name != "id_token":
			return fmt.Errorf("there is a cookie %s", name)
		default:
			said, err := tornado.Verify([]byte(differentialSecret), name, value, time.Now(), time.Hour)
			if err != nil || name == "user" && said != "maria" {
				return fmt.Errorf("the cookie %s says %q, %w", name, said, err)
			}
		}
	}
	if r.Cookies["user"] == "" || r.Cookies["id_token"] == "" {
		return errors.New("a cookie is lost")
	}
	return nil
}

func (r *reading) checkGuest() error {
	for name := range r.Cookies {
		if isManaged(name) && name != "is_guest" {
			return fmt.Errorf("a guest has the cookie %s", name)
		}
	}
	if r.Cookies["is_guest"] != "1" {
		return fmt.Errorf("the cookie is_guest is %q", r.Cookies["is_guest"])
	}
	for _, p := range r.Paths {
		if !isGuestPage(p) {
			return fmt.Errorf("a guest is on %q", p)
		}
	}
	return nil
}

// isManaged knows the cookies that are the module's to set, by the names that
// an application looks for.
func isManaged(name string) bool {
	switch name {
	case "user", "id_token", "access_token", "refresh_token", "oauth_expiry", "is_guest", "next_url":
		return true
	}
	own := strings.TrimPrefix(strings.TrimPrefix(name, "__Host-"), "__Secure-")
	return strings.HasPrefix(name, "panel-oauth-") || own == "panelauth" || own == "panelauth_1"
}

// isGuestPage knows the paths that differentialSite opens.
func isGuestPage(p string) bool {
	switch p {
	case "/app", "/app/", "/app/ws", "/app/autoload.js", "/app/metadata", "/favicon.ico", "/tree":
		return true
	}
	cleaned := path.Clean(p)
	if strings.HasSuffix(p, "/") {
		cleaned += "/"
	}
	for _, tree := range []string{"/tree/", "/app/static/", "/static/"} {
		if strings.HasPrefix(p, tree) && strings.HasPrefix(cleaned, tree) {
			return true
		}
	}
	return false
}

// TestDifferentialSigned: a signed value is good for Tornado exactly when it is
// good here, and both sign so that the other reads the same.
func TestDifferentialSigned(t *testing.T) {
	t.Logf("-cases %d -seed %d", *cases, *seed)
	reader := startTornado(t)
	secret := []byte(differentialSecret)
	var good atomic.Int64
	inBatches(t, func(t *testing.T, g *generator) func() {
		connection := &pipeline{address: reader.address}
		t.Cleanup(connection.hangUp)
		return func() {
			var values, signed []string
			var asked [][]byte
			for i := range batch {
				values = append(values, g.mutated(g.one([]string{"", "maria", "zo\u00eb", "\x00\xff", strings.Repeat("x", 3000)})))
				signed = append(signed, tornado.Sign(secret, "user", values[i], time.Now()))
				if g.chance(2) {
					signed[i] = g.respelledSigned(signed[i])
				}
				asked = append(asked, fmt.Appendf(nil, "GET /differential/signed HTTP/1.1\r\nHost: x\r\nSigned: %s\r\nValue: %s\r\n\r\n",
					signed[i], base64.StdEncoding.EncodeToString([]byte(values[i]))))
			}
			for i, a := range connection.ask(t, asked) {
				is, err := checkSigned(a.body, values[i], signed[i])
				if err != nil {
					t.Errorf("%q as %q: %v\nTornado says %d %s", values[i], signed[i], err, a.status, a.body)
				}
				if is {
					good.Add(1)
				}
			}
		}
	})
	t.Logf("%d of %d were good", good.Load(), *cases)
}

// checkSigned reports whether a signed value is good, and an error if the two
// disagree about it.
func checkSigned(body []byte, value, signed string) (good bool, err error) {
	var says struct {
		Read   *[]byte
		Signed string
	}
	if err := json.Unmarshal(body, &says); err != nil {
		return false, err
	}
	secret, now := []byte(differentialSecret), time.Now()
	read, err := tornado.Verify(secret, "user", signed, now, 31*24*time.Hour)
	if good = err == nil; good != (says.Read != nil) || good && read != string(*says.Read) {
		return good, fmt.Errorf("read as %q, %w", read, err)
	}
	if again, err := tornado.Verify(secret, "user", says.Signed, now, time.Hour); err != nil || again != value {
		return good, fmt.Errorf("Tornado's own is read as %q, %w", again, err)
	}
	return good, nil
}

// TestDifferentialNext: wherever sign-in leads, browsers stay on the site.
func TestDifferentialNext(t *testing.T) {
	site := serveDifferential(t)
	node := startNode(t)
	chromium := &browserJudge{}
	var elsewhere atomic.Int64
	inBatches(t, func(t *testing.T, g *generator) func() {
		door, judge := &pipeline{address: site.origin.Host}, &pipeline{address: node.address}
		t.Cleanup(door.hangUp)
		t.Cleanup(judge.hangUp)
		return func() {
			var nexts []string
			var posts, judged [][]byte
			for range batch {
				next := g.next()
				nexts, posts = append(nexts, next), append(posts, signInTo(next))
			}
			var locations []string
			for i, a := range door.ask(t, posts) {
				location := a.header.Get("Location")
				if a.status != http.StatusSeeOther || location == "" {
					t.Errorf("signing in with next %q: got %d", nexts[i], a.status)
					return
				}
				if location != "/" {
					elsewhere.Add(1)
				}
				locations = append(locations, location)
				judged = append(judged, []byte("GET / HTTP/1.1\r\nHost: x\r\nJudge: "+location+"\r\n\r\n"))
			}
			for i, a := range judge.ask(t, judged) {
				if string(a.body) != `{"stays":true}` {
					t.Errorf("next %q leads to %q: Node says %s", nexts[i], locations[i], a.body)
				}
			}
			chromium.add(t, locations)
		}
	})
	chromium.finish(t)
	t.Logf("%d of %d led elsewhere than to /; Chromium judged %d", elsewhere.Load(), *cases, chromium.judged)
	if elsewhere.Load() < int64(*cases/10) {
		t.Error("most were refused: nothing was compared")
	}
}

func signInTo(next string) []byte {
	form := url.Values{"username": {"maria"}, "password": {"open-sesame"}, "next": {next}}.Encode()
	return fmt.Appendf(nil, "POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", len(form), form)
}
