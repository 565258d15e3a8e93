// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"crypto/subtle"
	"encoding/base64"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/blowfish" //nolint:staticcheck // what bcrypt is made of
)

// A bcrypt hash is "$2a$", two digits of cost, "$", and in a base 64 of its own
// 16 bytes of salt and 23 of the hash.
const (
	bcryptSaltAt = 7
	bcryptHashAt = 29
	bcryptLength = 60
)

var bcryptBase64 = base64.NewEncoding("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789").WithPadding(base64.NoPadding)

// matchesBcrypt is bcrypt.CompareHashAndPassword for a hash that bcryptKind
// takes for whole, and calls pause between its rounds: that one keeps a
// processor to itself from beginning to end.
func matchesBcrypt(stored, password []byte, pause func()) bool {
	cost, err := bcrypt.Cost(stored)
	if err != nil || len(stored) != bcryptLength {
		return false
	}
	salt, err := bcryptBase64.DecodeString(string(stored[bcryptSaltAt:bcryptHashAt]))
	if err != nil {
		return false
	}
	hash := bcryptSum(password, salt, cost, pause)
	encoded := bcryptBase64.EncodeToString(hash)
	return subtle.ConstantTimeCompare([]byte(encoded), stored[bcryptHashAt:]) == 1
}

// bcryptSum expands the key of a cipher from password and salt 2^cost times and
// encrypts a fixed text with it. (Provos and Mazières, "A Future-Adaptable
// Password Scheme", 1999.)
func bcryptSum(password, salt []byte, cost int, pause func()) []byte {
	key := append(password[:len(password):len(password)], 0)
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
