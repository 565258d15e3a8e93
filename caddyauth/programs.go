// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// Programs show with each request who they are, in the Authorization header.
// They get no session and no cookie. What they showed is remembered for a
// moment, so that a script does not have its password hashed, or its token's
// signature checked, with every request.
const (
	programMemory = time.Minute
	maxPrograms   = 1 << 10
	// programPatience bounds the wait for a turn to hash, or for a provider.
	programPatience = 15 * time.Second
	// maxAuthorization bounds the header, far above what a token needs.
	maxAuthorization = 16 << 10
)

// programs knows those that were let in a moment ago.
type programs struct {
	secret  [sha256.Size]byte // of this process alone
	known   *lru.Cache[programKey, knownProgram]
	flights singleflight.Group
}

// programKey stands for an Authorization header. It is a keyed hash: whoever
// reads this memory cannot try passwords on it elsewhere.
type programKey [sha256.Size]byte

type knownProgram struct {
	session *session.Session
	until   time.Time
}

func newPrograms() *programs {
	known, err := lru.New[programKey, knownProgram](maxPrograms)
	if err != nil {
		panic(err) // only a size below 1 is an error
	}
	p := &programs{known: known}
	_, _ = rand.Read(p.secret[:]) // never fails
	return p
}

func (p *programs) key(header string) (key programKey) {
	mac := hmac.New(sha256.New, p.secret[:])
	mac.Write([]byte(header))
	mac.Sum(key[:0])
	return key
}

// scheme is how a program says who it is. The header of any other is the
// application's, and none of ours.
type scheme string

const (
	notOurs      scheme = ""
	basicScheme  scheme = "Basic"
	bearerScheme scheme = "Bearer"
)

// schemeOf is the scheme of a line of an Authorization header, if it is for this
// handler, and what follows it.
func (h *Handler) schemeOf(line string) (kind scheme, value string) {
	line = strings.Trim(line, " \t")
	name, value := line, ""
	if end := strings.IndexAny(line, " \t"); end >= 0 {
		name, value = line[:end], strings.Trim(line[end:], " \t")
	}
	switch {
	case h.BasicAuthHeader && strings.EqualFold(name, string(basicScheme)):
		return basicScheme, value
	case !strings.EqualFold(name, string(bearerScheme)):
		return notOurs, ""
	case len(h.bearers) > 0, h.credentialsFile != nil && strings.HasPrefix(value, apiKeyPrefix):
		return bearerScheme, value
	}
	return notOurs, ""
}

// isFromProgram reports whether a request shows something that is for this handler.
// It is a program's then, whatever it accepts.
func (h *Handler) isFromProgram(r *http.Request) bool {
	for _, line := range r.Header["Authorization"] {
		if kind, _ := h.schemeOf(line); kind != notOurs {
			return true
		}
	}
	return false
}

// program is the identity of a program by what it shows, or nil if it shows
// nothing that is for this handler. What it shows is never passed over: if that
// is wrong, neither a session nor being a guest helps.
func (h *Handler) program(r *http.Request) (*identity, error) {
	lines, ok := r.Header["Authorization"]
	if !ok || !h.isFromProgram(r) {
		return nil, nil
	}
	if len(lines) > 1 {
		return nil, errInvalidRequest
	}
	kind, value := h.schemeOf(lines[0])
	if kind == basicScheme && h.isAmbient(r) {
		return nil, &refusal{status: http.StatusForbidden, reason: "cross_origin"}
	}
	if len(value) > maxAuthorization {
		return nil, errInvalidRequest
	}
	key := h.programs.key(lines[0])
	if who := h.knownProgram(key); who != nil {
		return who, nil
	}
	// Many requests of one program at once are one attempt.
	flight := clientNetwork(r) + " " + string(key[:])
	who, err, _ := h.programs.flights.Do(flight, func() (any, error) {
		if who := h.knownProgram(key); who != nil {
			return who, nil
		}
		return h.meetProgram(r, key, kind, value)
	})
	if err != nil {
		return nil, err
	}
	return who.(*identity), nil
}

// knownProgram is a program that was here a moment ago, if it would be let in
// today.
func (h *Handler) knownProgram(key programKey) *identity {
	known, ok := h.programs.known.Get(key)
	now := h.now()
	if !ok || !now.Before(known.until) || known.session.Over(now) {
		return nil
	}
	return h.identityOf(known.session)
}

// meetProgram checks what a program shows. It goes on when the request ends,
// for others may wait for the answer.
func (h *Handler) meetProgram(r *http.Request, key programKey, kind scheme, value string) (*identity, error) {
	check := h.checkBearer
	if kind == basicScheme {
		check = h.checkBasic
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), programPatience)
	defer cancel()
	record, err := check(r.WithContext(ctx), value)
	if err != nil {
		return nil, err
	}
	now := h.now()
	record.Created, record.ClientIP = now, clientIP(r)
	if record.Expires.IsZero() {
		record.Expires = session.Never
	}
	s, err := session.Passing(*record)
	if err != nil {
		return nil, err
	}
	who := h.identityOf(s)
	if who == nil {
		return nil, h.refuseSecret(r, unknownSecret{provider: record.Provider, scheme: kind, reason: "changed"})
	}
	h.programs.known.Add(key, knownProgram{session: s, until: now.Add(programMemory)})
	return who, nil
}

// vouchesForProgram reports whether a program could still be let in by what it
// showed.
func (h *Handler) vouchesForProgram(s *session.Session, accounts *accounts) bool {
	if !s.IsPassing() {
		return false
	}
	if s.Provider == apiKeyProvider {
		return accounts != nil && accounts.vouchForKey(&s.Record)
	}
	return h.bearerFor(&s.Record) != nil
}
