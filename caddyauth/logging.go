// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// lastingLogger returns a logger for what outlives a reload: it writes to the
// logs that are configured when it writes, not when it was made.
func lastingLogger(name string) *zap.Logger {
	return zap.New(lastingCore{}).Named(name)
}

type lastingCore struct {
	fields []zapcore.Field
}

// core writes to what is configured now: all logs that take this module's
// lines, or while Caddy starts its default log.
func (lastingCore) core() zapcore.Core {
	active := caddy.ActiveContext()
	if active.Context == nil {
		return caddy.Log().Core()
	}
	return active.Logger(Handler{}).Core()
}

func (c lastingCore) Enabled(level zapcore.Level) bool {
	return c.core().Enabled(level)
}

func (c lastingCore) With(fields []zapcore.Field) zapcore.Core {
	return lastingCore{fields: append(c.fields[:len(c.fields):len(c.fields)], fields...)}
}

func (c lastingCore) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	return c.core().With(c.fields).Check(entry, checked)
}

func (c lastingCore) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	return c.core().With(c.fields).Write(entry, fields)
}

func (c lastingCore) Sync() error { return c.core().Sync() }

// Interface guard
var _ zapcore.Core = lastingCore{}
