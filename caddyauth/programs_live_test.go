// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"bufio"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

// openAs opens a websocket as a program does.
func openAs(t testing.TB, s *liveSite, show func(*http.Request)) *liveClient {
	t.Helper()
	server := httptest.NewServer(s.handler())
	t.Cleanup(server.CloseClientConnections)
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	r := get("/ws", websocket, show)
	if err := r.Write(conn); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, r)
	if err != nil {
		t.Fatal(err)
	}
	return &liveClient{conn, reader, response.StatusCode, func() { conn.Close() }}
}

// TestLivePrograms: what a program has open ends with what it showed.
func TestLivePrograms(t *testing.T) {
	key, hash := newAPIKey()
	const withPassword = `"password": "` + testPassword + `"`
	withKey := `"api_keys": {"ci": "` + hash + `"}`
	const other = `, "bob": "a password"}`
	for name, test := range map[string]struct {
		show func(*http.Request)
		then string
	}{
		"the password changes":         {basic(testUser, testPassword), `{"alice": {"password": "another", ` + withKey + `}` + other},
		"the user goes":                {basic(testUser, testPassword), `{"carol": "x"` + other},
		"the key goes":                 {bearerOf(key), `{"alice": {` + withPassword + `}` + other},
		"the key's user goes":          {bearerOf(key), `{"carol": "x"` + other},
		"the key goes to somebody":     {bearerOf(key), `{"carol": {` + withKey + `}, "alice": {` + withPassword + `}` + other},
		"the key as a password, goes":  {basic(testUser, key), `{"alice": {` + withPassword + `}` + other},
		"the key goes, not the others": {bearerOf(key), `{"alice": {` + withPassword + `, "api_keys": {"ci": "` + second(newAPIKey()) + `"}}` + other},
	} {
		t.Run(name, func(t *testing.T) {
			path := newFile(t, "users.json", `{"alice": {`+withPassword+`, `+withKey+`}`+other)
			// An idle limit is for sessions: no store is asked for a program.
			s := newLiveSite(t, accountsFile(path), basicHeader, func(h *Handler) { h.SessionIdle = lasting(time.Second) })
			c := openAs(t, s, test.show)
			s.echoes(t, c)
			writeFile(t, path, `{"alice": {`+withPassword+`, `+withKey+`}, "bob": "another password"}`)
			eventually(t, "the file is read", func() bool { return s.accounts().entry("bob").Password == "another password" })
			s.echoes(t, c)
			writeFile(t, path, test.then)
			s.wantFarewell(t, c, true)
		})
	}
}

// TestLiveBearer: a token's end is that of what was opened with it.
func TestLiveBearer(t *testing.T) {
	p := newOpenID(t)
	s := newLiveSite(t, signInWith(p), takesBearer(providertest.Audience))
	clock := s.withClock()
	c := openAs(t, s, bearerOf(p.JWTAccessToken(claimIs("exp", clock.Now().Add(time.Minute).Unix()))))
	s.echoes(t, c)
	clock.pass(time.Minute)
	s.echoes(t, c) // clocks may differ by a minute
	clock.pass(time.Minute)
	s.wantFarewell(t, c, true)
}
