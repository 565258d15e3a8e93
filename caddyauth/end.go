// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"net/http"

	"go.uber.org/zap"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// ending is how a session came to end.
type ending struct {
	reason   reason
	handler  *Handler // through which it ended; nil: through none
	clientIP string   // of who ended it; "" for nobody's
}

// reason is why a session ended, as logs and metrics say it.
type reason string

const (
	endedByLogout       reason = "logout"
	endedBySignIn       reason = "new_sign_in"
	endedEverywhere     reason = "logout_everywhere"
	endedByBackChannel  reason = "back_channel_logout"
	endedByFrontChannel reason = "front_channel_logout"
	endedByProvider     reason = "provider_refused_renewal"
	endedByAdmin        reason = "administrator"
)

// endedIn is an ending that a request asked for.
func (h *Handler) endedIn(r *http.Request, why reason) ending {
	return ending{why, h, clientIP(r)}
}

// event tells what people do here from what is done to their sessions from
// elsewhere.
func (e ending) event() string {
	switch e.reason {
	case endedByLogout, endedBySignIn, endedEverywhere:
		return eventLogout
	}
	return eventRevoked
}

// end ends a session and tells of it. The error says that the store could not
// be told yet; here the session is over.
func (d *door) end(ctx context.Context, s *session.Session, how ending) error {
	err := d.sessions.End(ctx, s)
	d.reportEnd(s, how)
	return err
}

// endAll ends somebody's sessions, those of them that wanted picks, and returns
// them. The error says that there may be more, or that the store could not be
// told of all. Nobody is told before all have ended, for that may take time.
func (d *door) endAll(ctx context.Context, who session.Who, wanted func(*session.Session) bool, how ending) (ended []*session.Session, failed error) {
	defer func() {
		for _, s := range ended {
			d.reportEnd(s, how)
		}
	}()
	for s, err := range d.sessions.Of(ctx, who) {
		if err != nil {
			return ended, err
		}
		if !wanted(s) {
			continue
		}
		if err := d.sessions.End(ctx, s); err != nil {
			failed = err
		}
		ended = append(ended, s)
	}
	return ended, failed
}

func everySession(*session.Session) bool { return true }

// connections is how many connections a session has open.
func (d *door) connections(s *session.Session) int { return d.live.count(s.ID) }

// openDoors are the doors of this process. What is done with them takes too
// long to keep others from opening one meanwhile.
func openDoors() (open []*door) {
	doors.Range(func(_, value any) bool {
		if d, ok := value.(*door); ok {
			open = append(open, d)
		}
		return true
	})
	return open
}

// end ends a session and logs it if the store could not be told.
func (h *Handler) end(ctx context.Context, s *session.Session, how ending) {
	if err := h.door.end(ctx, s, how); err != nil {
		h.logger.Error("session has ended here, but the store could not be told yet", zap.Error(err))
	}
}
