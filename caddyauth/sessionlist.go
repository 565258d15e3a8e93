// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// listedSession is a session as the admin API shows it: nothing of it is a
// secret, and nothing gets anybody in.
type listedSession struct {
	ID          string    `json:"id"`
	User        string    `json:"user"`
	Provider    string    `json:"provider"`
	Created     time.Time `json:"created"`
	LastSeen    time.Time `json:"last_seen"`
	Expires     time.Time `json:"expires"`
	ClientIP    string    `json:"client_ip"`
	Connections int       `json:"connections"`
}

func (d *door) listed(s *session.Session) listedSession {
	return listedSession{
		ID:          s.ID,
		User:        s.User,
		Provider:    s.Provider,
		Created:     s.Created.UTC(),
		LastSeen:    s.LastSeen().UTC().Truncate(time.Second),
		Expires:     s.Expires.UTC(),
		ClientIP:    s.ClientIP,
		Connections: d.connections(s),
	}
}

// What the header says of a list that lacks some sessions.
const (
	lacksCookies = "session_store cookie"
	lacksStore   = "session store out of reach"
)

// sessionList is a JSON list that is written as it grows.
type sessionList struct {
	w       http.ResponseWriter
	begun   bool
	several bool            // doors, which may share a store
	ids     map[string]bool // what was written, if it may come again
	failed  bool            // sessions are missing that should be there
	torn    bool            // and that was too late for the header
}

// mayAdd reports whether the sessions behind a door can be listed, and says so
// in the header if not, or if these cannot be all.
func (l *sessionList) mayAdd(ctx context.Context, d *door) bool {
	if d.stateless {
		l.w.Header().Add(incompleteHeader, lacksCookies)
	}
	for _, err := range d.sessions.All(ctx) {
		if err != nil {
			l.lack(ctx, d, err)
		}
		return err == nil
	}
	return true
}

// lack notes that sessions are missing.
func (l *sessionList) lack(ctx context.Context, d *door, err error) {
	if ctx.Err() != nil {
		return // who asked has gone, which says nothing about the store
	}
	d.logger.Error("sessions cannot be listed", zap.Error(err))
	if l.torn = l.torn || l.begun; !l.torn {
		l.w.Header().Add(incompleteHeader, lacksStore)
	}
	l.failed = true
}

func (l *sessionList) add(s listedSession) error {
	if l.several {
		if l.ids[s.ID] {
			return nil
		}
		l.ids[s.ID] = true
	}
	line, err := json.Marshal(s)
	if err != nil {
		return err
	}
	separator := ",\n"
	if !l.begun {
		separator = l.opening()
	}
	_, err = l.w.Write(append([]byte(separator), line...))
	return err
}

func (l *sessionList) opening() string {
	l.begun = true
	l.w.Header().Set("Content-Type", "application/json")
	return "["
}

// end ends the list. One that lacks sessions and does not say so in its header
// is broken off, so that nobody takes the part for the whole; one that has none
// at all is an error.
func (l *sessionList) end() error {
	switch {
	case l.torn:
		panic(http.ErrAbortHandler)
	case l.failed && !l.begun:
		return sessionsAway("the sessions cannot be listed")
	}
	closing := "]\n"
	if !l.begun {
		closing = l.opening() + closing
	}
	_, _ = l.w.Write([]byte(closing)) // if nobody reads it any more, that is no error of ours
	return nil
}
