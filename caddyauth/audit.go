// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"cmp"
	"net/http"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// happening is what an operator may want to know of somebody's coming and
// going. It is told once and in three ways: as a line of the audit log, as an
// event of Caddy's, and as a count. None of it is ever a secret.
type happening struct {
	event     string
	user      string
	clientIP  string
	provider  string // the way in; "" if it is not known
	sessionID string
	reason    string
	path      string      // what was asked for, where that matters
	more      []zap.Field // for the log alone
}

// The events that there are. Caddy knows them by these names after
// eventPrefix.
const (
	eventLogin       = "login"
	eventLoginFailed = "login_failed"
	eventLogout      = "logout"
	eventRevoked     = "revoked"
	eventDenied      = "denied"
)

// auditLines are what programs such as fail2ban and people read.
var auditLines = map[string]struct {
	level   zapcore.Level
	message string
}{
	eventLogin:       {zapcore.InfoLevel, "signed in"},
	eventLoginFailed: {zapcore.WarnLevel, "sign-in failed"},
	eventLogout:      {zapcore.InfoLevel, "signed out"},
	eventRevoked:     {zapcore.InfoLevel, "session revoked"},
	eventDenied:      {zapcore.WarnLevel, "access denied"},
}

// report is the one way to tell of a happening. It waits for whoever handles
// the event, so nothing may be locked.
func (h *Handler) report(what happening) {
	what.count()
	line := auditLines[what.event]
	h.audit.Log(line.level, line.message, what.fields()...)
	h.emit(what)
}

func (h happening) fields() []zap.Field {
	fields := []zap.Field{
		zap.String("event", h.event),
		zap.String("user_id", h.user),
		zap.String("client_ip", h.clientIP),
		zap.String("provider", h.provider),
	}
	for _, f := range []struct{ name, value string }{
		{"session_id", h.sessionID},
		{"reason", h.reason},
		{"path", h.path},
	} {
		if f.value != "" {
			fields = append(fields, zap.String(f.name, f.value))
		}
	}
	return append(fields, h.more...)
}

func (h happening) count() {
	switch h.event {
	case eventLogin:
		metrics.signIns.WithLabelValues(h.provider, succeeded).Inc()
	case eventLoginFailed:
		metrics.signIns.WithLabelValues(cmp.Or(h.provider, "unknown"), h.reason).Inc()
	case eventLogout, eventRevoked:
		metrics.ended.WithLabelValues(h.reason).Inc()
	case eventDenied:
		metrics.refusals.WithLabelValues(h.event).Inc()
	}
}

func (h *Handler) reportLogin(r *http.Request, s *session.Session) {
	h.report(happening{
		event: eventLogin, user: s.User, clientIP: clientIP(r), provider: s.Provider, sessionID: s.ID,
	})
}

// reportFailure tells of a sign-in that came to nothing. The user is whatever
// somebody typed.
func (h *Handler) reportFailure(r *http.Request, provider, user, reason string, more ...zap.Field) {
	h.report(happening{
		event: eventLoginFailed, user: user[:min(len(user), maxUserName)], clientIP: clientIP(r), provider: provider,
		reason: reason, more: more,
	})
}

// reportDenied tells that somebody who is signed in may not go where they
// wanted to, of everybody at most once in a while: a dashboard may ask many
// times a second for what it may not have. Each time is counted.
func (h *Handler) reportDenied(r *http.Request, who *identity, reason string, more ...zap.Field) {
	path := originalURL(r).Path
	what := happening{
		event: eventDenied, user: who.user, clientIP: clientIP(r), provider: who.provider,
		reason: reason, path: path[:min(len(path), maxNext)], more: more,
	}
	if who.session != nil {
		what.sessionID = who.session.ID
	}
	if !who.isWorthALine(h.now()) {
		what.count()
		return
	}
	h.report(what)
}

// deniedInterval is how often one session's refusals are worth a line.
const deniedInterval = time.Second

// isWorthALine reports whether the last line about somebody is some time ago.
func (id *identity) isWorthALine(now time.Time) bool {
	last := id.lastDenied.Load()
	return now.UnixNano()-last >= int64(deniedInterval) && id.lastDenied.CompareAndSwap(last, now.UnixNano())
}

// reportEnd tells that a session has ended.
func (d *door) reportEnd(s *session.Session, how ending) {
	h := d.speaker(how.handler)
	if h == nil {
		return
	}
	what := happening{
		event: how.event(), user: s.User, clientIP: how.clientIP, provider: s.Provider, sessionID: s.ID,
		reason: string(how.reason),
		more:   []zap.Field{zap.Duration("duration", h.now().Sub(s.Created).Round(time.Millisecond))},
	}
	h.report(what)
}
