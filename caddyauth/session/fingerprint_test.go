// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session_test

import (
	"bytes"
	"testing"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

func TestFingerprint(t *testing.T) {
	fp := session.Fingerprint("user", "alice", "hash")
	for _, c := range []struct {
		title string
		fp    []byte
		parts []string
		want  bool
	}{
		{"the same", fp, []string{"user", "alice", "hash"}, true},
		{"another value", fp, []string{"user", "alice", "hasj"}, false},
		{"fewer parts", fp, []string{"user", "alice"}, false},
		{"more parts", fp, []string{"user", "alice", "hash", ""}, false},
		{"shifted parts", fp, []string{"user", "alic", "ehash"}, false},
		{"other order", fp, []string{"alice", "user", "hash"}, false},
		{"no parts", session.Fingerprint(), nil, true},
		{"empty parts", session.Fingerprint("", ""), []string{"", ""}, true},
		{"one empty part for none", session.Fingerprint(""), nil, false},
		{"no fingerprint", nil, []string{"user", "alice", "hash"}, false},
		{"cut", fp[:len(fp)-1], []string{"user", "alice", "hash"}, false},
		{"another salt", append([]byte{fp[0] ^ 1}, fp[1:]...), []string{"user", "alice", "hash"}, false},
	} {
		t.Run(c.title, func(t *testing.T) {
			before := bytes.Clone(c.fp)
			if got := session.MatchesFingerprint(c.fp, c.parts...); got != c.want {
				t.Errorf("got %v", got)
			}
			if !bytes.Equal(before, c.fp) {
				t.Error("the fingerprint was changed")
			}
		})
	}
	if bytes.Equal(fp, session.Fingerprint("user", "alice", "hash")) {
		t.Error("two fingerprints are the same")
	}
}
