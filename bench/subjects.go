// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

// subject is something that is measured.
type subject struct {
	name     string
	baseline string // what it is compared to
	note     string
	load     load
	beside   *load // what goes on at the same time
	servers  []*process
}

// hashCost is that of the passwords: what a sign-in costs, and what basic_auth
// keeps the outcome of.
const hashCost = 10

// manySignIns is how many people sign in at the same time.
const manySignIns = 8

// cast makes subjects. The first error ends it.
type cast struct {
	*stage
	only     *regexp.Regexp
	hash     string
	upstream *server
	subjects []*subject
	err      error
}

// subjects starts all servers and returns what is measured of them.
func (s *stage) subjects(only *regexp.Regexp) ([]*subject, error) {
	hash, err := bcrypt.GenerateFromPassword([]byte(password), hashCost)
	if err != nil {
		return nil, err
	}
	upstream, err := s.addUpstream()
	if err != nil {
		return nil, err
	}
	c := &cast{stage: s, only: only, hash: string(hash), upstream: upstream}
	c.doors()
	c.strangers()
	c.stores()
	c.delegated()
	c.data()
	c.panels()
	return c.wanted(), c.err
}

// wanted are the subjects that match, and what they are compared to.
func (c *cast) wanted() []*subject {
	wanted := make(map[string]bool)
	for _, s := range c.subjects {
		if c.only.MatchString(s.name) {
			wanted[s.name], wanted[s.baseline] = true, true
		}
	}
	return slices.DeleteFunc(c.subjects, func(s *subject) bool { return !wanted[s.name] })
}

// caddy starts a Caddy in front of the application.
func (c *cast) caddy(lines ...string) *server {
	return c.started(func() (*server, error) {
		return c.addCaddy(strings.Join(append(lines, "reverse_proxy "+c.upstream.address), "\n"))
	})
}

// started starts a server, unless something has failed before.
func (c *cast) started(start func() (*server, error)) *server {
	if c.err != nil {
		return &server{}
	}
	var s *server
	if s, c.err = start(); c.err != nil {
		return &server{}
	}
	return s
}

// panelauth is the directive, with accounts whose passwords are hashed.
func (c *cast) panelauth(lines ...string) string {
	directive := "panelauth {\n\tcookie_secret " + cookieSecret + "\n\tlogin_attempts 1000 1m\n\tbasic_auth {\n"
	for i := range manySignIns {
		directive += fmt.Sprintf("\t\t%s %s\n", user(i), c.hash)
	}
	return directive + "\t}\n" + indented(strings.Join(lines, "\n")) + "}"
}

// session is the Cookie header of somebody who is signed in.
func (c *cast) session(at *server) string {
	if c.err != nil {
		return ""
	}
	var header string
	header, c.err = signedIn(at.address)
	return header
}

// page adds a subject that asks a server for the page.
func (c *cast) page(name, baseline string, at *server, status int, headers ...string) *subject {
	return c.add(&subject{
		name: name, baseline: baseline, servers: []*process{at.process},
		load: load{Counts: requests, Address: at.address, Status: status, Requests: [][]byte{get(at.address, "/", headers...)}},
	})
}

func (c *cast) add(s *subject) *subject {
	c.subjects = append(c.subjects, s)
	return s
}

const (
	bare       = "bare Caddy"
	withCookie = "Cookie: " + foreignCookies
)

// doors are what stands in front of the application, for who may pass.
func (c *cast) doors() {
	c.page(bare, "", c.caddy(), 200, withCookie)
	c.page("another bare Caddy (noise)", bare, c.caddy(), 200, withCookie)
	c.page("basic_auth with its hash cache", bare, c.caddy("basic_auth {\n\t"+user(0)+" "+c.hash+"\n}"), 200, withCookie, basicAuthorization())
	door := c.caddy(c.panelauth())
	session := c.session(door)
	c.page(signedInName, bare, door, 200, session)
	off := c.caddy(c.panelauth("panel_cookies off"))
	c.page("panelauth, panel_cookies off", bare, off, 200, c.session(off))
	c.page("panelauth, a guest", bare, c.caddy(c.panelauth("oauth_guest_endpoints /")), 200, withCookie)

	busy := c.page("panelauth, while 8 people sign in", signedInName, door, 200, session)
	busy.beside = &load{Counts: requests, Address: door.address, Status: 303, Requests: signIns(door.address, manySignIns)}
	busy.note = "Passwords are hashed with bcrypt at cost 10."
	c.page("panelauth, 8 people sign in and nothing else", "", door, 303).load.Requests = signIns(door.address, manySignIns)
}

const signedInName = "panelauth, signed in"

// strangers are those who may not pass.
func (c *cast) strangers() {
	const refused = "basic_auth, 401"
	c.page(refused, "", c.caddy("basic_auth {\n\t"+user(0)+" "+c.hash+"\n}"), 401, withCookie)
	c.page("panelauth, sent to sign in", refused, c.caddy(c.panelauth()), 302, withCookie)
}

// stores are where sessions can be.
func (c *cast) stores() {
	inCookie := c.caddy(c.panelauth("session_store cookie"))
	c.page("panelauth, session_store cookie", bare, inCookie, 200, c.session(inCookie))
	if !installed("redis-server", "session_store redis") {
		return
	}
	redis := c.started(c.addRedis)
	inRedis := c.caddy(c.panelauth("session_store redis redis://" + redis.address + "/0"))
	c.page("panelauth, session_store redis", bare, inRedis, 200, c.session(inRedis))
}

// delegated is a Caddy that asks another one, with panelauth, about each
// request.
func (c *cast) delegated() {
	other := c.started(func() (*server, error) { return c.addCaddy(c.panelauth() + "\nrespond 200") })
	door := c.caddy("forward_auth " + other.address + " {\n\turi /\n}")
	s := c.page("forward_auth to a Caddy with panelauth", bare, door, 200, c.session(other))
	s.servers = append(s.servers, other.process)
}

// data is what a connection carries once it is open.
func (c *cast) data() {
	without, with := c.caddy(), c.caddy(c.panelauth())
	session := c.session(with)
	c.flow("websocket messages, bare", "", without, 101, openSocket(without.address, "/socket"))
	c.flow("websocket messages, panelauth", "websocket messages, bare", with, 101, openSocket(with.address, "/socket", session))
	c.flow("a download, bare", "", without, 200, get(without.address, "/download"))
	c.flow("a download, panelauth", "a download, bare", with, 200, get(with.address, "/download", session))
}

func (c *cast) flow(name, baseline string, at *server, status int, request []byte) {
	c.add(&subject{
		name: name, baseline: baseline, servers: []*process{at.process},
		load: load{Counts: volume, Address: at.address, Status: status, Requests: [][]byte{request}},
	})
}

// panels are a Panel with its own sign-in, and one behind panelauth.
func (c *cast) panels() {
	if !installed(c.panel, "Panel with its own --basic-auth and behind panelauth") {
		return
	}
	alone := c.started(func() (*server, error) { return c.addPanel("--basic-auth", password) })
	behind := c.started(func() (*server, error) { return c.addPanel() })
	door := c.started(func() (*server, error) {
		return c.addCaddy(c.panelauth("websocket_origin http://"+behind.address) + "\nreverse_proxy " + behind.address)
	})
	itsOwn, ours := c.session(alone), c.session(door)

	const its = "Panel --basic-auth, "
	c.page(its+"a page", "", alone, 200, itsOwn).load.Requests[0] = get(alone.address, "/app", itsOwn)
	both := c.page("panelauth and Panel, a page", its+"a page", door, 200)
	both.load.Requests[0] = get(door.address, "/app", ours)
	both.servers = append(both.servers, behind.process)

	c.page(its+"a stranger", "", alone, 302).load.Requests[0] = get(alone.address, "/app", withCookie)
	stranger := c.page("panelauth and Panel, a stranger", its+"a stranger", door, 302)
	stranger.load.Requests[0] = get(door.address, "/app", withCookie)
	stranger.servers = append(stranger.servers, behind.process)

	c.opening(its+"opening a websocket", "", alone, openSocket(alone.address, "/app/ws", itsOwn))
	socket := c.opening("panelauth and Panel, opening a websocket", its+"opening a websocket", door, openSocket(door.address, "/app/ws", ours))
	socket.servers = append(socket.servers, behind.process)
}

func (c *cast) opening(name, baseline string, at *server, request []byte) *subject {
	return c.add(&subject{
		name: name, baseline: baseline, servers: []*process{at.process},
		load: load{Counts: opens, Address: at.address, Status: 101, Requests: [][]byte{request}},
	})
}
