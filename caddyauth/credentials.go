// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// Bounds on what a credentials file may say.
const (
	maxCredentialsFile = 64 << 20
	maxUserName        = 256
)

// account is one entry of a credentials file or block. Password is as it
// stands there: plain, or a hash. It may be empty where there are API keys:
// nobody signs in to such an account.
type account struct {
	Password string       `json:"password"`
	Name     string       `json:"name"`
	Email    string       `json:"email"`
	Groups   []string     `json:"groups"`
	APIKeys  apiKeyHashes `json:"api_keys"`

	kind *hashKind
}

// record is an account as it is kept: most have a password and nothing else.
type record struct {
	password string
	kind     *hashKind
	whole    *account // of those that have more
}

func recordOf(a *account) record {
	if a.Name == "" && a.Email == "" && a.Groups == nil && a.APIKeys == nil {
		return record{password: a.Password, kind: a.kind}
	}
	whole := *a
	return record{whole: &whole}
}

func (r record) account() account {
	if r.whole != nil {
		return *r.whole
	}
	return account{Password: r.password, kind: r.kind}
}

// accounts is an unchanging set of accounts; a changed file makes a new one.
type accounts struct {
	all     []record
	places  map[string]int32  // of users, in all
	anyUser *account          // the master password
	keys    map[string]apiKey // by the ids in them
	effort  effort            // what every attempt costs, whoever it is for
}

var errUserTwice = errors.New("the user is there twice")

// noAccounts has room for so many.
func noAccounts(room int) *accounts {
	return &accounts{all: make([]record, 0, room), places: make(map[string]int32, room), keys: make(map[string]apiKey)}
}

// newAccounts prepares accounts for sign-in. The error names the user, never
// the password.
func newAccounts(entries map[string]account) (*accounts, error) {
	a := noAccounts(len(entries))
	for name, entry := range entries {
		if err := a.add(name, &entry); err != nil {
			return nil, fmt.Errorf("user %q: %w", name, err)
		}
	}
	return a, nil
}

func (a *accounts) add(name string, entry *account) error {
	if name != anyUser {
		if err := checkUserName(name); err != nil {
			return err
		}
	}
	if entry.Password == "" && len(entry.APIKeys) == 0 {
		return errors.New("the password is empty")
	}
	if err := a.addKeys(name, entry.APIKeys); err != nil {
		return err
	}
	kind, err := kindOf(entry.Password)
	if err != nil {
		return err
	}
	entry.kind = kind
	a.effort.include(kind)
	if name == anyUser {
		return a.setAnyUser(entry)
	}
	a.places[name] = int32(len(a.all)) // a file is bounded, at far fewer
	a.all = append(a.all, recordOf(entry))
	if len(a.places) != len(a.all) {
		return errUserTwice
	}
	return nil
}

func (a *accounts) setAnyUser(entry *account) error {
	if a.anyUser != nil {
		return errUserTwice
	}
	master := *entry
	a.anyUser = &master
	return nil
}

// find is the account of a user, but for the master password's.
func (a *accounts) find(user string) (entry account, known bool) {
	place, known := a.places[user]
	if !known {
		return account{}, false
	}
	return a.all[place].account(), true
}

func (a *accounts) isEmpty() bool { return a.count() == 0 }

// count counts the master password as one.
func (a *accounts) count() int {
	n := len(a.all)
	if a.anyUser != nil {
		n++
	}
	return n
}

// checkUserName refuses names that an application, a log or a header could
// misread, and the one name that stands for people who have not signed in.
func checkUserName(name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return errors.New("the user name is empty")
	case strings.TrimSpace(name) != name:
		return errors.New("the user name begins or ends with a space")
	case len(name) > maxUserName:
		return fmt.Errorf("the user name is longer than %d bytes", maxUserName)
	case name == guestUser:
		return errors.New(`the name "guest" is reserved for visitors who have not signed in`)
	case !isVisible(name):
		return errors.New("the user name contains characters that cannot be seen, or is not UTF-8")
	}
	return nil
}

// isVisible reports whether a name is UTF-8 and can be seen.
func isVisible(name string) bool {
	ascii := true
	for i := range len(name) {
		ascii = ascii && ' ' <= name[i] && name[i] <= '~'
	}
	return ascii || utf8.ValidString(name) && !strings.ContainsFunc(name, func(c rune) bool { return !unicode.IsPrint(c) })
}

// signIn checks a password. It takes the same time for every user of the set
// and for names that are not in it.
func (a *accounts) signIn(user, password string) (proof []byte, ok bool) {
	entry, known := a.find(user)
	isAny := false
	if !known && a.anyUser != nil {
		entry, known, isAny = *a.anyUser, true, true
	}
	matches := a.effort.compare(entry, known, password)
	if !matches || checkUserName(user) != nil {
		return nil, false
	}
	return session.Fingerprint(proofParts(user, entry, isAny)...), true
}

// vouchFor reports whether a session could still be made as it was: with the
// same master password, or for the same account with the same password.
func (a *accounts) vouchFor(r *session.Record) bool {
	parts := a.proofParts(r.User)
	return parts != nil && session.MatchesFingerprint(r.Proof, parts...)
}

// proofParts are what a user's sessions are made with, nil if there is no
// account for that name.
func (a *accounts) proofParts(user string) []string {
	if entry, ok := a.find(user); ok {
		return proofParts(user, entry, false)
	}
	if a.anyUser == nil {
		return nil
	}
	return proofParts(user, *a.anyUser, true)
}

func proofParts(user string, entry account, isAny bool) []string {
	if isAny {
		return []string{"master", entry.Password}
	}
	return []string{"account", user, entry.Password}
}
