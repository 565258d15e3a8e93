// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"regexp"
	"testing"
	"time"
)

// FuzzRecordKey: a key that a store or another instance names is one that this
// one could have written, and leads nowhere else.
func FuzzRecordKey(f *testing.F) {
	now := time.Unix(1795295794, 0)
	good := recordKey(identityOf([]byte("x")), now.Add(time.Hour))
	for _, key := range []string{good, good + ".tokens", good + ".seen", good[1:], "sessions/../" + good, "sessions/+498693/" + good[len(good)-32:], "index/498693/f00/" + good[len(good)-32:], "sessions//", "sessions"} {
		f.Add(key)
	}
	record := regexp.MustCompile(`^sessions/(0|-?[1-9][0-9]*)/[0-9a-f]{32}$`)
	f.Fuzz(func(t *testing.T, key string) {
		if id, until, ok := parseRecordKey(key, now); ok {
			if !record.MatchString(key) || recordKey(id, until.Add(-time.Second)) != key || until.Before(now.Add(-skew)) {
				t.Errorf("%q is the key of %s until %s", key, id, until)
			}
		}
		if about, ok := recordOf(key); ok {
			if _, name := splitKey(about); len(name) != 32 {
				t.Errorf("%q is about %q", key, about)
			}
		}
		if id, ok := parseIdentity(key); ok && id.String() != key {
			t.Errorf("%q is %s", key, id)
		}
	})
}

// FuzzOpenEnvelope: an envelope opens under its own name only, to what was put
// into it.
func FuzzOpenEnvelope(f *testing.F) {
	e, err := NewEnvelope([][]byte{[]byte("a secret")}, "testing")
	if err != nil {
		f.Fatal(err)
	}
	other, err := NewEnvelope([][]byte{[]byte("a secret")}, "something else")
	if err != nil {
		f.Fatal(err)
	}
	for _, from := range []*Envelope{e, other} {
		sealed, err := from.Seal("name", []byte("content"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add("name", sealed)
		f.Add("another", sealed)
		f.Add("name", sealed[1:])
	}
	f.Fuzz(func(t *testing.T, name, sealed string) {
		plain, ok := e.Open(name, sealed)
		if ok && (name != "name" || string(plain) != "content") {
			t.Errorf("%q opens under %q to %q", sealed, name, plain)
		}
		if _, ok := other.Open(name, sealed); ok && name != "name" {
			t.Errorf("%q opens for another purpose under %q", sealed, name)
		}
	})
}
