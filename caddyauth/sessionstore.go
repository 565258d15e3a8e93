// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"errors"
	"io/fs"
	"net/url"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
	"github.com/panelauth/caddy-panelauth/caddyauth/session/redisstore"
)

// sessionStore reads session_store: a word, or the URL of a Redis.
func (c *checker) sessionStore(h *Handler, s *settings) {
	const subdirective = "session_store"
	earlier := len(c.mistakes)
	text := c.storeURL(subdirective, h.SessionStore)
	switch {
	case len(c.mistakes) > earlier: // a placeholder's
	case text == "" || text == "storage":
	case text == "cookie":
		s.stateless = true
	case strings.Contains(text, ":"):
		address, err := redisstore.Parse(text)
		var file *fs.PathError
		if errors.As(err, &file) {
			c.wrongHere(subdirective, err)
			return
		}
		c.check(subdirective, h.SessionStore, text, err)
		s.redis, s.redisURL = address, text
	default:
		c.wrong(subdirective, "must be storage, cookie, or redis and a URL")
	}
}

// storeURL resolves the placeholders of a URL. A password that comes in the
// place of one may have any character, so that it is percent-encoded.
func (c *checker) storeURL(subdirective, written string) string {
	address, query, hasQuery := strings.Cut(written, "?")
	start := strings.Index(address, "://")
	end := strings.LastIndexByte(address, '@')
	if start < 0 {
		return c.text(subdirective, written)
	}
	start += len("://")
	end = max(start, end)
	text := address[:start] + c.escaped(subdirective, address[start:end], url.PathEscape) + c.text(subdirective, address[end:])
	if hasQuery {
		text += "?" + c.escaped(subdirective, query, url.QueryEscape)
	}
	return text
}

// escaped resolves the placeholders of a part of a URL.
func (c *checker) escaped(subdirective, written string, escape func(string) string) string {
	if c.text(subdirective, written) == "" {
		return ""
	}
	resolved, err := c.repl.ReplaceFunc(written, func(variable string, value any) (any, error) {
		if _, known := c.repl.Get(variable); !known {
			return "{" + variable + "}", nil
		}
		return escape(caddy.ToString(value)), nil
	})
	if err != nil {
		c.wrong(subdirective, "a placeholder cannot be resolved")
	}
	return resolved
}

// openStore readies where the records of a door are, and returns it; nil if
// they are in cookies.
func (d *door) openStore(s settings, logger *zap.Logger) session.Store {
	switch {
	case s.stateless:
		d.storeKind = "cookie"
		return nil
	case s.redis != nil:
		store := redisstore.New(s.redis, logger)
		d.store, d.storeKind = store, "redis"
		return watchStore(store, d.storeKind)
	}
	d.storeKind = "storage"
	return watchStore(d.storage, d.storeKind)
}
