// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"os"
	"testing"
	"time"
)

func TestOpenCredentials(t *testing.T) {
	path := newFile(t, "users.json", `{"a":"1"}`)
	// Written long enough ago to be known by its time.
	age := func(hours int) {
		then := time.Now().Add(-time.Duration(hours) * time.Hour)
		if err := os.Chtimes(path, then, then); err != nil {
			t.Fatal(err)
		}
	}
	open := func(mayBeEmpty bool) *accounts {
		t.Helper()
		file, err := openCredentials(path, mayBeEmpty)
		if err != nil {
			t.Fatal(err)
		}
		return file.get()
	}
	age(3)
	first := open(false)
	if open(false) != first {
		t.Error("a file that is the same was read again")
	}
	age(2)
	if open(false) != first {
		t.Error("a file that says the same means something else")
	}
	if open(true) == first {
		t.Error("other rules go by what these found")
	}

	writeFile(t, path, `{"b":"2"}`)
	age(1)
	second := open(false)
	if second == first || second.count() != 1 || second.entry("b").Password != "2" {
		t.Errorf("a file that has changed was not read: %v", second.all)
	}
	writeFile(t, path, `{"b":`)
	if _, err := openCredentials(path, false); err == nil {
		t.Error("a broken file is no error, because it was good before")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := openCredentials(path, false); err == nil {
		t.Error("a missing file is no error, because it was there before")
	}
}
