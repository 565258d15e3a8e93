// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import "strings"

// parsePlain reads a credentials file as nearly all are: {"user": "password"},
// without an escape, passwords in ASCII. That is ten times as quick as
// encoding/json. It returns nil for anything else, what is wrong included,
// which is for decodeEntries to read or to explain.
func parsePlain(text string) *accounts {
	p := plainFile{rest: text}
	if strings.Contains(text, `\`) || !p.take('{') {
		return nil
	}
	found := noAccounts(strings.Count(p.rest, `"`) / 4) // a name and a password in quotes
	if p.take('}') {
		return p.end(found)
	}
	for {
		name, ok := p.text()
		if !ok || !p.take(':') {
			return nil
		}
		password, ok := p.text()
		if !ok || !standsForItself(password) || found.add(name, &account{Password: password}) != nil {
			return nil
		}
		if p.take('}') {
			return p.end(found)
		}
		if !p.take(',') {
			return nil
		}
	}
}

// plainFile is what is left to read of a credentials file.
type plainFile struct{ rest string }

// skip skips what JSON takes for white space.
func (p *plainFile) skip() {
	for p.rest != "" {
		switch p.rest[0] {
		case ' ', '\t', '\r', '\n':
			p.rest = p.rest[1:]
		default:
			return
		}
	}
}

// take takes a sign that comes next.
func (p *plainFile) take(sign byte) bool {
	p.skip()
	if p.rest == "" || p.rest[0] != sign {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// text takes a string without escapes.
func (p *plainFile) text() (text string, ok bool) {
	if !p.take('"') {
		return "", false
	}
	end := strings.IndexByte(p.rest, '"')
	if end < 0 {
		return "", false
	}
	text, p.rest = p.rest[:end], p.rest[end+1:]
	return text, true
}

// standsForItself reports whether a password is of signs that stand for themselves in
// JSON. Names and hashes of bcrypt are looked at sign by sign anyway.
func standsForItself(password string) bool {
	if isBcrypt(password) {
		return true
	}
	for i := range len(password) {
		if c := password[i]; c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// end is what was found, if nothing follows.
func (p *plainFile) end(found *accounts) *accounts {
	if p.skip(); p.rest != "" {
		return nil
	}
	return found
}
