// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp/caddyauth"
)

// Bounds on stored hashes, so that a file cannot ask for minutes or gigabytes
// for each attempt.
const (
	maxBcryptCost   = 16
	maxArgonMemory  = 1 << 20 // KiB
	maxArgonTime    = 32
	minArgonKey     = 16
	maxArgonKey     = 128
	bcryptMaxLength = 72 // bcrypt ignores what follows
	maxPassword     = 1 << 10
)

// hashKind says how a stored password is verified and what that costs. nil is
// for one that is stored plain.
type hashKind struct {
	bcryptCost int    // not 0: bcrypt
	argon      string // not "": the parameters of an argon2id hash, "m=…,t=…,p=…"
	argonDummy string // a hash of the same cost that no password has
}

// bcryptKinds are those of bcrypt, by cost.
var bcryptKinds = func() (kinds [maxBcryptCost + 1]hashKind) {
	for cost := range kinds {
		kinds[cost].bcryptCost = cost
	}
	return kinds
}()

// kindOf recognises what `caddy hash-password` prints; anything else is a
// plain password. What begins like a hash but is none is an error, since it is
// more likely to be damaged than to be somebody's password.
func kindOf(stored string) (*hashKind, error) {
	switch {
	case isBcrypt(stored):
		return bcryptKind(stored)
	case strings.HasPrefix(stored, "$argon2"):
		return argonKind(stored)
	case strings.HasPrefix(stored, apiKeyPrefix):
		return nil, errors.New("this is an API key or the hash of one, and no password: put the hash into api_keys")
	case stored != "" && stored[0] == '$' && otherHash.MatchString(stored):
		return nil, errors.New("this kind of hash is not supported: make one with `caddy hash-password`")
	}
	if len(stored) > maxPassword {
		return nil, fmt.Errorf("the password is longer than %d bytes", maxPassword)
	}
	return nil, nil
}

// otherHash knows hashes that other programs make. Taken for a plain password,
// the hash itself would open the account.
var otherHash = regexp.MustCompile(`^\$(1|2|2x|5|6|7|y|gy|apr1|scrypt|s0|pbkdf2[a-z0-9-]*)\$.+`)

func bcryptKind(stored string) (*hashKind, error) {
	cost, ok := bcryptCost(stored)
	if !ok {
		return nil, errors.New("the bcrypt hash is damaged: copy all that `caddy hash-password` prints, without spaces")
	}
	if cost > maxBcryptCost {
		return nil, fmt.Errorf("the bcrypt cost is %d, more than %d", cost, maxBcryptCost)
	}
	return &bcryptKinds[cost], nil
}

func argonKind(stored string) (*hashKind, error) {
	parts := strings.Split(stored, "$")
	if _, key, err := caddyauth.DecodeHash([]byte(stored)); err != nil || len(key) < minArgonKey || len(key) > maxArgonKey {
		return nil, errors.New("the hash is damaged, or of a kind other than argon2id")
	}
	var memory, time, threads int
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &time, &threads); err != nil {
		return nil, errors.New("the parameters of the argon2id hash are damaged")
	}
	if memory < 1 || memory > maxArgonMemory || time < 1 || time > maxArgonTime || threads < 1 || threads > 255 {
		return nil, fmt.Errorf("the argon2id hash asks for more than m=%d,t=%d", maxArgonMemory, maxArgonTime)
	}
	parts[5] = strings.Repeat("A", len(parts[5]))
	return &hashKind{argon: parts[3], argonDummy: strings.Join(parts, "$")}, nil
}

// effort is the work that every attempt at a set of accounts takes: bcrypt at
// the highest cost that occurs, and argon2id with each set of parameters that
// occurs. The time of an answer then says nothing about whose account it was.
type effort struct {
	bcryptCost int
	argon      []*hashKind
}

func (e *effort) include(kind *hashKind) {
	if kind == nil {
		return
	}
	e.bcryptCost = max(e.bcryptCost, kind.bcryptCost)
	if kind.argon == "" {
		return
	}
	for _, known := range e.argon {
		if known.argon == kind.argon {
			return
		}
	}
	e.argon = append(e.argon, kind)
}

// isFree reports whether attempts involve no hashing at all.
func (e *effort) isFree() bool { return e.bcryptCost == 0 && len(e.argon) == 0 }

// compare verifies a password with the full effort. An entry that is not known
// is compared with hashes that nothing matches.
func (e *effort) compare(entry account, known bool, password string) bool {
	plain := equalText(entry.Password, password)
	bcrypted := e.compareBcrypt(entry, password)
	argoned := e.compareArgon(entry, password)
	if !known || password == "" {
		return false
	}
	switch {
	case entry.kind == nil:
		return plain
	case entry.kind.bcryptCost > 0:
		return bcrypted
	}
	return argoned
}

// compareBcrypt takes 2^bcryptCost steps whatever the cost of the entry is: an
// entry of cost c is made up with dummies of c, c+1, … below the highest.
func (e *effort) compareBcrypt(entry account, password string) bool {
	if e.bcryptCost == 0 {
		return false
	}
	bounded := []byte(password[:min(len(password), bcryptMaxLength)])
	work := giveWay()
	defer work.done()
	if entry.kind == nil || entry.kind.bcryptCost == 0 {
		matchesBcrypt(bcryptDummy(e.bcryptCost), bounded, work.pause)
		return false
	}
	matches := matchesBcrypt(entry.Password, bounded, work.pause)
	for cost := entry.kind.bcryptCost; cost < e.bcryptCost; cost++ {
		matchesBcrypt(bcryptDummy(cost), bounded, work.pause)
	}
	// bcrypt would ignore what is too long, and repeats the password from a
	// NUL on as if it were shorter.
	return matches && len(password) <= bcryptMaxLength && !strings.Contains(password, "\x00")
}

// bcryptDummy is a well-formed hash that no known password has.
func bcryptDummy(cost int) string {
	return fmt.Sprintf("$2a$%02d$%s", cost, "dummydummydummydummydu...............................")
}

func (e *effort) compareArgon(entry account, password string) (matches bool) {
	for _, kind := range e.argon {
		stored, mine := kind.argonDummy, entry.kind != nil && kind.argon == entry.kind.argon
		if mine {
			stored = entry.Password
		}
		equal, err := caddyauth.Argon2idHash{}.Compare([]byte(stored), []byte(password))
		matches = matches || (mine && equal && err == nil)
	}
	return matches
}

// equalText compares in a time that depends on neither content nor length.
func equalText(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
