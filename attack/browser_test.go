// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package attack

import (
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"
)

// destination is where a browser goes with the text of a link or of a Location,
// on a page of base: the origin, or the scheme alone where there is no host. An
// error means that it goes nowhere. It follows the URL standard of WHATWG as far
// as origins are concerned.
func destination(text, base string) (origin string) {
	here, err := url.Parse(base)
	if err != nil {
		panic(err)
	}
	text = strings.TrimFunc(text, func(c rune) bool { return c <= ' ' })
	text = strings.Map(func(c rune) rune {
		if c == '\t' || c == '\n' || c == '\r' {
			return -1
		}
		return c
	}, text)
	scheme, rest := cutScheme(text)
	switch scheme {
	case "":
		scheme = here.Scheme
	case "http", "https", "ws", "wss", "ftp":
		if scheme == here.Scheme && !startsWithSlashes(rest) {
			break // "https:x" is a path on a page of https
		}
		return scheme + "://" + authority(rest)
	default:
		return scheme + ":"
	}
	if startsWithSlashes(rest) {
		return scheme + "://" + authority(rest)
	}
	return scheme + "://" + here.Host
}

// cutScheme takes a scheme off, in lower case.
func cutScheme(text string) (scheme, rest string) {
	for i, c := range []byte(text) {
		switch {
		case c|0x20 >= 'a' && c|0x20 <= 'z':
		case i > 0 && (c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.'):
		case i > 0 && c == ':':
			return strings.ToLower(text[:i]), text[i+1:]
		default:
			return "", text
		}
	}
	return "", text
}

func isSlash(c byte) bool { return c == '/' || c == '\\' }

func startsWithSlashes(s string) bool { return len(s) > 1 && isSlash(s[0]) && isSlash(s[1]) }

// authority is the host, with its port, of what comes after a scheme. However
// many slashes there are, it comes after them.
func authority(rest string) string {
	for rest != "" && isSlash(rest[0]) {
		rest = rest[1:]
	}
	if end := strings.IndexAny(rest, `/\?#`); end >= 0 {
		rest = rest[:end]
	}
	return strings.ToLower(rest[strings.LastIndexByte(rest, '@')+1:])
}

// leaves reports whether a browser goes to another origin than that of base.
func leaves(text, base string) bool { return destination(text, base) != base }

// TestDestination compares with what a real browser's parser says of the
// corpus, and of the larger list in package caddyauth.
func TestDestination(t *testing.T) {
	text, err := os.ReadFile("../caddyauth/testdata/redirects.json")
	if err != nil {
		t.Fatal(err)
	}
	var facts []struct {
		String string `json:"string"`
		Leaves *bool  `json:"leaves"` // nil: no address
	}
	if err := json.Unmarshal(text, &facts); err != nil {
		t.Fatal(err)
	}
	for _, fact := range facts {
		if fact.Leaves != nil && leaves(fact.String, "https://"+siteName) != *fact.Leaves {
			t.Errorf("%q leads to %s", fact.String, destination(fact.String, "https://"+siteName))
		}
	}
	for _, a := range corpus(t) {
		for scheme, verdict := range a.Leaves {
			said := strings.ReplaceAll(a.String, "{HOST}", siteName)
			if verdict != "no address" && leaves(said, scheme+"://"+siteName) != (verdict == "yes") {
				t.Errorf("%s: %q leads to %s", a.ID, said, destination(said, scheme+"://"+siteName))
			}
		}
	}
}
