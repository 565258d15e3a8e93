// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"crypto/subtle"
	"encoding/base64"
	"slices"
	"strings"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/blowfish" //nolint:staticcheck // what bcrypt is made of
)

// A bcrypt hash is "$2a$", two digits of cost, "$", and in a base 64 of its own
// 16 bytes of salt and 23 of the hash.
const (
	bcryptCostAt = 4
	bcryptSaltAt = 7
	bcryptHashAt = 29
	bcryptLength = 60
)

const bcryptAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

var bcryptBase64 = base64.NewEncoding(bcryptAlphabet).WithPadding(base64.NoPadding)

// isBcrypt reports whether a text begins like a hash.
func isBcrypt(stored string) bool {
	return strings.HasPrefix(stored, "$2a$") || strings.HasPrefix(stored, "$2b$") || strings.HasPrefix(stored, "$2y$")
}

// bcryptCost is the cost of a whole hash that isBcrypt knows.
// It is asked about every account whenever a credentials file is read.
func bcryptCost(stored string) (cost int, ok bool) {
	if len(stored) != bcryptLength || stored[bcryptSaltAt-1] != '$' {
		return 0, false
	}
	for i := bcryptSaltAt; i < bcryptLength; i++ {
		if !isBcryptSign[stored[i]] {
			return 0, false
		}
	}
	tens, ones := stored[bcryptCostAt]-'0', stored[bcryptCostAt+1]-'0'
	cost = int(tens)*10 + int(ones)
	return cost, tens <= 9 && ones <= 9 && bcrypt.MinCost <= cost && cost <= bcrypt.MaxCost
}

// isBcryptSign is a table because hashes are random: a processor that guesses
// what comes next guesses wrong.
var isBcryptSign = func() (is [256]bool) {
	for _, c := range []byte(bcryptAlphabet) {
		is[c] = true
	}
	return is
}()

// matchesBcrypt is bcrypt.CompareHashAndPassword for a hash that is whole, and
// calls pause between its rounds: that one keeps a processor to itself from
// beginning to end.
func matchesBcrypt(stored string, password []byte, pause func()) bool {
	cost, ok := bcryptCost(stored)
	if !ok {
		return false
	}
	salt, err := bcryptBase64.DecodeString(stored[bcryptSaltAt:bcryptHashAt])
	if err != nil {
		return false
	}
	hash := bcryptBase64.EncodeToString(bcryptSum(password, salt, cost, pause))
	return subtle.ConstantTimeCompare([]byte(hash), []byte(stored[bcryptHashAt:])) == 1
}

// bcryptSum expands the key of a cipher from password and salt 2^cost times and
// encrypts a fixed text with it. (Provos and Mazières, "A Future-Adaptable
// Password Scheme", 1999.)
func bcryptSum(password, salt []byte, cost int, pause func()) []byte {
	key := slices.Concat(password, []byte{0})
	cipher, err := blowfish.NewSaltedCipher(key, salt)
	if err != nil {
		panic(err) // only an empty key is an error
	}
	for range uint64(1) << cost {
		blowfish.ExpandKey(key, cipher)
		blowfish.ExpandKey(salt, cipher)
		pause()
	}
	text := []byte("OrpheanBeholderScryDoubt")
	for block := 0; block < len(text); block += blowfish.BlockSize {
		for range 64 {
			cipher.Encrypt(text[block:], text[block:])
		}
	}
	return text[:len(text)-1] // the last byte was never part of it
}
