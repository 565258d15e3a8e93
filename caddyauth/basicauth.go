// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
)

// BasicAuth says who may sign in with a password. In JSON it is a string or an
// object, as Panel's basic_auth is a string or a dictionary.
type BasicAuth struct {
	// A password for any user name, or the path of a credentials file.
	Source string
	// Passwords or hashes by user name. The user "*" stands for any name.
	Accounts map[string]string
}

// anyUser is the account that opens with its password for every user name.
const anyUser = "*"

// MarshalJSON writes a string for a source and an object for accounts.
func (b BasicAuth) MarshalJSON() ([]byte, error) {
	if b.Accounts != nil {
		return json.Marshal(b.Accounts)
	}
	return json.Marshal(b.Source)
}

// UnmarshalJSON reads a string as a source and an object as accounts.
func (b *BasicAuth) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		return json.Unmarshal(data, &b.Accounts)
	}
	if json.Unmarshal(data, &b.Source) != nil {
		return errors.New("basic_auth must be a password, the path of a credentials file, or an object of accounts")
	}
	return nil
}

// isCredentialsFile tells a path from a password by its spelling alone: a file
// that is missing must never turn its path into a password.
func isCredentialsFile(source string) bool {
	if strings.HasSuffix(source, ".json") {
		return true
	}
	for _, start := range []string{"/", "./", "../"} {
		if strings.HasPrefix(source, start) {
			return true
		}
	}
	return false
}

// Interface guards
var (
	_ json.Marshaler   = BasicAuth{}
	_ json.Unmarshaler = (*BasicAuth)(nil)
)
