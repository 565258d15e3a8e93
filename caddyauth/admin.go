// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

func init() {
	caddy.RegisterModule(adminRoutes{})
}

// sessionsPath is where Caddy's admin API has the sessions.
const sessionsPath = "/panelauth/sessions"

// incompleteHeader says why a list of sessions may lack some.
const incompleteHeader = "Panelauth-Incomplete"

// adminRoutes is the part of Caddy's admin API that lists sessions, ends them
// and says how things are. Who may use it is the admin API's to say.
type adminRoutes struct{}

// CaddyModule returns the Caddy module information.
func (adminRoutes) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "admin.api.panelauth",
		New: func() caddy.Module { return new(adminRoutes) },
	}
}

// Routes returns the routes for all sessions, for one, and for how things are.
func (a adminRoutes) Routes() []caddy.AdminRoute {
	return []caddy.AdminRoute{
		{Pattern: sessionsPath, Handler: caddy.AdminHandlerFunc(a.serveSessions)},
		{Pattern: sessionsPath + "/", Handler: caddy.AdminHandlerFunc(a.serveSession)},
		{Pattern: statusPath, Handler: caddy.AdminHandlerFunc(a.serveStatus)},
	}
}

func (a adminRoutes) serveSessions(w http.ResponseWriter, r *http.Request) error {
	switch r.Method {
	case http.MethodGet:
		return a.list(w, r)
	case http.MethodDelete:
		return a.endUser(w, r)
	}
	w.Header().Set("Allow", "GET, DELETE")
	return apiError(http.StatusMethodNotAllowed, "method not allowed")
}

func (a adminRoutes) serveSession(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodDelete {
		w.Header().Set("Allow", "DELETE")
		return apiError(http.StatusMethodNotAllowed, "method not allowed")
	}
	id := strings.TrimPrefix(r.URL.Path, sessionsPath+"/")
	found, err := endID(context.WithoutCancel(r.Context()), openDoors(), id)
	switch {
	case err != nil && found:
		return sessionsAway("the session has ended here, but not every store could be asked or told")
	case err != nil:
		return sessionsAway("no session of that id was found, but not every store could be asked")
	case !found:
		return apiError(http.StatusNotFound, "there is no session of that id")
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// endID ends the session of an id behind all doors, some of which may share a
// store. One whose store is away keeps no other from being asked.
func endID(ctx context.Context, open []*door, id string) (found bool, failed error) {
	for _, d := range open {
		ended, err := d.endID(ctx, id)
		if err != nil {
			d.logger.Error("session store cannot be reached", zap.Error(err))
			failed = err
		}
		found = found || ended
	}
	return found, failed
}

// endID ends the session of an id and reports whether there was one.
func (d *door) endID(ctx context.Context, id string) (found bool, err error) {
	s, err := d.sessions.ByID(ctx, id)
	if s == nil || err != nil {
		return false, err
	}
	d.sessions.LoadTokens(s) // while there are any, to revoke them
	err = d.end(ctx, s, ending{reason: endedByAdmin})
	go d.revokeAll(ctx, []*session.Session{s})
	return true, err
}

// endUser ends the sessions of everybody who has a name, whatever their way in.
func (adminRoutes) endUser(w http.ResponseWriter, r *http.Request) error {
	users := r.URL.Query()["user"]
	if len(users) != 1 || users[0] == "" {
		return apiError(http.StatusBadRequest, "say whose sessions: "+sessionsPath+"?user=<name>, or "+sessionsPath+"/<id>")
	}
	ended, err := endUser(context.WithoutCancel(r.Context()), openDoors(), users[0])
	if err != nil {
		return sessionsAway(fmt.Sprintf("%d sessions have ended, but not all could be found or deleted", ended))
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(map[string]int{"ended": ended})
}

// endUser ends a user's sessions behind all doors. One whose store is away
// keeps no other from ending theirs.
func endUser(ctx context.Context, open []*door, user string) (n int, failed error) {
	who := session.Who{User: user}
	counted := make(map[string]bool) // doors may share a store
	for _, d := range open {
		d.sessions.Bar(who)
		ended, err := d.endAll(ctx, who, func(s *session.Session) bool {
			d.sessions.LoadTokens(s)
			return true
		}, ending{reason: endedByAdmin})
		for _, s := range ended {
			counted[s.ID] = true
		}
		go d.revokeAll(ctx, ended)
		if err != nil {
			d.logger.Error("session store cannot be reached", zap.Error(err))
			failed = err
		}
	}
	return len(counted), failed
}

// list writes the sessions one by one, since there may be very many. A door
// whose store is away hides none behind another.
func (adminRoutes) list(w http.ResponseWriter, r *http.Request) error {
	open := openDoors()
	out := &sessionList{w: w, several: len(open) > 1, ids: make(map[string]bool)}
	open = slices.DeleteFunc(open, func(d *door) bool { return !out.mayAdd(r.Context(), d) })
	for _, d := range open {
		for s, err := range d.sessions.All(r.Context()) {
			if err != nil {
				out.lack(r.Context(), d, err)
			} else if out.add(d.listed(s)) != nil {
				panic(http.ErrAbortHandler) // nobody reads it any more
			}
		}
	}
	if r.Context().Err() != nil {
		panic(http.ErrAbortHandler)
	}
	return out.end()
}

// errSessionsAway is why the admin API could not do all that it was asked.
var errSessionsAway = errors.New("the session store cannot be reached")

// sessionsAway is the answer that says what was done all the same.
func sessionsAway(done string) error {
	return caddy.APIError{
		HTTPStatus: http.StatusServiceUnavailable,
		Err:        errSessionsAway,
		Message:    done + ": " + errSessionsAway.Error(),
	}
}

func apiError(status int, text string) error {
	return caddy.APIError{HTTPStatus: status, Err: errors.New(text)}
}

// Interface guard
var _ caddy.AdminRouter = adminRoutes{}
