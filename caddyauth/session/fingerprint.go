// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
)

const saltSize = 16

// Fingerprint returns a salted hash of what a session was made with, for
// Record.Proof: the parts of a credential, such as a user name and a password
// hash. No two fingerprints are the same.
func Fingerprint(parts ...string) []byte {
	salt := make([]byte, saltSize, saltSize+sha256.Size)
	rand.Read(salt) // never fails: the program ends if the system has no randomness
	return appendFingerprint(salt, parts)
}

// MatchesFingerprint reports, in constant time, whether a fingerprint is of
// these parts.
func MatchesFingerprint(fp []byte, parts ...string) bool {
	if len(fp) != saltSize+sha256.Size {
		return false
	}
	want := appendFingerprint(append(make([]byte, 0, len(fp)), fp[:saltSize]...), parts)
	return subtle.ConstantTimeCompare(fp, want) == 1
}

// appendFingerprint appends the hash of a salt and parts to the salt. The
// lengths keep ("ab", "c") from being ("a", "bc").
func appendFingerprint(salt []byte, parts []string) []byte {
	h := sha256.New()
	h.Write(salt)
	for _, part := range parts {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		h.Write(length[:])
		h.Write([]byte(part))
	}
	return h.Sum(salt)
}
