// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"strconv"
	"testing"
)

// TestOweWhenFull: an end takes the place of a renewal of the same session also
// where there is no room for more, or nobody would delete its tokens.
func TestOweWhenFull(t *testing.T) {
	m, err := NewManager(Config{Secrets: [][]byte{[]byte("some secret of a test")}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxOwed {
		m.owe(strconv.Itoa(i), debt{tokens: new(Session)})
	}
	m.owe("one more", debt{})
	if len(m.owed) != maxOwed {
		t.Errorf("%d are owed, more than the bound", len(m.owed))
	}
	m.owe("7", debt{})
	if m.owed["7"].tokens != nil {
		t.Error("the renewal of an ended session is still owed")
	}
	m.owe("7", debt{tokens: new(Session)})
	if m.owed["7"].tokens != nil {
		t.Error("a renewal takes the place of an end")
	}
}
