// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyfile

import (
	"errors"
	"io/fs"
	"regexp"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	"github.com/panelauth/caddy-panelauth/caddyauth"
)

// refuseMistakes reports what the handler would refuse anyway, because only
// here is the line known. What may look different where the configuration is
// loaded is left to that place.
func refuseMistakes(mistakes []caddyauth.Mistake, written segments) error {
	for _, mistake := range mistakes {
		line := caddyfile.NewDispenser(written.of(mistake))
		line.Next()
		if mistake.Local && mayDiffer(written.behind(mistake), mistake.Err) {
			caddy.Log().Named(directive).Warn("Caddy will refuse this, unless its environment or files differ from those of this command",
				zap.String("file", line.File()),
				zap.Int("line", line.Line()),
				zap.String("subdirective", mistake.Subdirective),
				zap.Error(mistake.Err))
			continue
		}
		if mistake.Subdirective == "" {
			return line.WrapErr(mistake.Err)
		}
		return line.Errf("%s: %w", mistake.Subdirective, mistake.Err)
	}
	return nil
}

// of finds what a mistake is about: the subdirective, or the whole directive if
// that was not written.
func (s segments) of(mistake caddyauth.Mistake) caddyfile.Segment {
	given := s[mistake.Subdirective]
	if mistake.Entry < len(given) {
		return given[mistake.Entry]
	}
	return s[""][0]
}

// behind is all that a mistake may come from: what it is about, and for a
// provider the options beside it.
func (s segments) behind(mistake caddyauth.Mistake) caddyfile.Segment {
	all := slices.Clone(s.of(mistake))
	if mistake.Subdirective != oauthProvider {
		return all
	}
	for _, option := range []string{"oauth_key", "oauth_secret", "oauth_redirect_uri", "oauth_jwt_user", "oauth_extra_params"} {
		for _, segment := range s[option] {
			all = append(all, segment...)
		}
	}
	return all
}

var placeholder = regexp.MustCompile(`\{[^{}\s]+\}`)

// mayDiffer reports whether a mistake found on this machine may be none for
// the server, which need not run here: "caddy reload" is started with another
// environment, and often by a user who may not read the server's secrets.
func mayDiffer(segment caddyfile.Segment, err error) bool {
	if errors.Is(err, fs.ErrPermission) {
		return true
	}
	for _, token := range segment {
		if placeholder.MatchString(token.Text) {
			return true
		}
	}
	return false
}
