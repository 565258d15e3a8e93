// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"

	"go.uber.org/zap"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// ending is why a session ended, as the log says it.
type ending string

const (
	endedByLogout       ending = "logout"
	endedBySignIn       ending = "new_sign_in"
	endedEverywhere     ending = "logout_everywhere"
	endedByBackChannel  ending = "back_channel_logout"
	endedByFrontChannel ending = "front_channel_logout"
	endedByProvider     ending = "provider_refused_renewal"
	endedByAdmin        ending = "revoked"
)

// end ends a session. It is the one place where this package ends any. The
// error says that the store could not be told yet; here the session is over.
func (d *door) end(ctx context.Context, s *session.Session, _ ending) error {
	return d.sessions.End(ctx, s)
}

// endAll ends somebody's sessions, those of them that wanted picks, and returns
// them. The error says that there may be more, or that the store could not be
// told of all.
func (d *door) endAll(ctx context.Context, who session.Who, wanted func(*session.Session) bool, why ending) (ended []*session.Session, failed error) {
	for s, err := range d.sessions.Of(ctx, who) {
		if err != nil {
			return ended, err
		}
		if !wanted(s) {
			continue
		}
		if err := d.end(ctx, s, why); err != nil {
			failed = err
		}
		ended = append(ended, s)
	}
	return ended, failed
}

func everySession(*session.Session) bool { return true }

// connections is how many connections a session has open.
func (d *door) connections(s *session.Session) int { return d.live.Count(s.ID) }

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
func (h *Handler) end(ctx context.Context, s *session.Session, why ending) {
	if err := h.door.end(ctx, s, why); err != nil {
		h.logger.Error("session has ended here, but the store could not be told yet", zap.Error(err))
	}
}
