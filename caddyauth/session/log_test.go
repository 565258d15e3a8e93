// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session_test

import (
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// log is what a Manager logged.
type log struct {
	core zapcore.Core
	*observer.ObservedLogs
}

func newLog() *log {
	core, logs := observer.New(zap.DebugLevel)
	return &log{core, logs}
}

func (l *log) use(c *session.Config) { c.Logger = zap.New(l.core) }

func (l *log) count(message string) int { return l.FilterMessage(message).Len() }
