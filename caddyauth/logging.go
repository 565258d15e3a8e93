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

func (lastingCore) Enabled(level zapcore.Level) bool {
	return caddy.Log().Core().Enabled(level)
}

func (c lastingCore) With(fields []zapcore.Field) zapcore.Core {
	return lastingCore{fields: append(c.fields[:len(c.fields):len(c.fields)], fields...)}
}

func (c lastingCore) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	return caddy.Log().Core().With(c.fields).Check(entry, checked)
}

func (c lastingCore) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	return caddy.Log().Core().With(c.fields).Write(entry, fields)
}

func (lastingCore) Sync() error { return caddy.Log().Core().Sync() }

// Interface guard
var _ zapcore.Core = lastingCore{}
