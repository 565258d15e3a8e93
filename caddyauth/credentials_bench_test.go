// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
)

// manyUsers is a credentials file with hashes, which nobody knows a password of.
func manyUsers(n int) string {
	var file strings.Builder
	file.WriteString("{\n")
	for i := range n {
		if i > 0 {
			file.WriteString(",\n")
		}
		fmt.Fprintf(&file, "  %q: %q", fmt.Sprintf("user%06d@example.com", i), randomHash())
	}
	file.WriteString("\n}\n")
	return file.String()
}

// randomHash is as hard to guess, sign by sign, as a real one: what a processor
// guesses right takes a fraction of the time.
func randomHash() string {
	var hash [bcryptLength - bcryptSaltAt]byte
	for i := range hash {
		hash[i] = bcryptAlphabet[rand.IntN(len(bcryptAlphabet))]
	}
	return "$2a$10$" + string(hash[:])
}

// BenchmarkCredentialsFile is what a change of the file costs, and the start.
func BenchmarkCredentialsFile(b *testing.B) {
	for _, users := range []int{1, 1000, 100_000} {
		b.Run(fmt.Sprint("users=", users), func(b *testing.B) {
			file := manyUsers(users)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := parseCredentials(file); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkProvision is what a handler adds to the start of Caddy, and to a
// reload of its configuration.
func BenchmarkProvision(b *testing.B) {
	for _, users := range []int{1, 100_000} {
		path := newFile(b, "users.json", manyUsers(users))
		old := time.Now().Add(-time.Hour)
		if err := os.Chtimes(path, old, old); err != nil {
			b.Fatal(err)
		}
		storage := &certmagic.FileStorage{Path: newFolder(b)}
		provision := func() (clean func()) {
			ctx, cancel := context.WithCancel(b.Context())
			h := &Handler{BasicAuth: &BasicAuth{Source: path}, CookieSecret: []string{testSecret}}
			if err := h.provision(caddy.Context{Context: ctx}, zap.NewNop(), storage); err != nil {
				b.Fatal(err)
			}
			return func() {
				cancel()
				_ = h.Cleanup()
			}
		}
		b.Run(fmt.Sprintf("start/users=%d", users), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				recalled.known = nil
				clean := provision()
				b.StopTimer()
				clean()
				b.StartTimer()
			}
		})
		b.Run(fmt.Sprintf("reload/users=%d", users), func(b *testing.B) {
			defer provision()() // runs on
			b.ReportAllocs()
			for b.Loop() {
				provision()()
			}
		})
	}
}
