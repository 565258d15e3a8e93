// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"slices"
	"strings"

	"github.com/panelauth/caddy-panelauth/templates"
)

// letNoticeIn has the application's own policies let the session notice's
// script in, by its hash and so nothing else. It reports whether they can.
func letNoticeIn(header http.Header) bool {
	changed := make(map[string][]string)
	for _, name := range []string{"Content-Security-Policy", "Content-Security-Policy-Report-Only"} {
		for _, line := range header[name] {
			policies := strings.Split(line, ",")
			for i, policy := range policies {
				var ok bool
				if policies[i], ok = withNotice(policy); !ok {
					return false
				}
			}
			changed[name] = append(changed[name], strings.Join(policies, ","))
		}
	}
	for name, lines := range changed {
		header[name] = lines
	}
	return true
}

// withNotice adds the script's hash to what one policy says of scripts on the
// page. Where it allows every one it stays as it is, for a hash would end that.
func withNotice(policy string) (string, bool) {
	directives := strings.Split(policy, ";")
	i := scriptDirective(directives)
	for _, directive := range directives {
		if fields := strings.Fields(strings.ToLower(directive)); len(fields) > 0 && fields[0] == "sandbox" && !slices.Contains(fields, "allow-scripts") {
			return policy, false
		}
	}
	if i < 0 {
		return policy, true
	}
	fields := strings.Fields(directives[i])
	sources := fields[1:]
	if allowsInline(sources) || slices.Contains(sources, templates.NoticeSource) {
		return policy, true
	}
	sources = slices.DeleteFunc(slices.Clone(sources), func(s string) bool { return strings.EqualFold(s, "'none'") })
	indent := directives[i][:len(directives[i])-len(strings.TrimLeft(directives[i], " "))]
	directives[i] = indent + strings.Join(slices.Concat(fields[:1], sources, []string{templates.NoticeSource}), " ")
	return strings.Join(directives, ";"), true
}

// scriptDirective finds the directive that decides about scripts on the page.
// The first of a name counts.
func scriptDirective(directives []string) int {
	for _, name := range []string{"script-src-elem", "script-src", "default-src"} {
		for i, directive := range directives {
			if fields := strings.Fields(directive); len(fields) > 0 && strings.EqualFold(fields[0], name) {
				return i
			}
		}
	}
	return -1
}

// allowsInline reports whether every script on the page may run: a nonce, a
// hash or 'strict-dynamic' ends that.
func allowsInline(sources []string) bool {
	all := false
	for _, source := range sources {
		source = strings.ToLower(source)
		switch {
		case source == "'unsafe-inline'":
			all = true
		case source == "'strict-dynamic'", strings.HasPrefix(source, "'nonce-"), strings.HasPrefix(source, "'sha"):
			return false
		}
	}
	return all
}
