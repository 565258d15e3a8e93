// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

// Package tornado speaks the two formats that Panel reads its users from:
// Tornado's signed cookie values (version 2 alone: version 1 is SHA-1 over
// undelimited fields) and Fernet tokens, both in both directions.
package tornado

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A signed value is "2|1:0|10:<time>|<n>:<name>|<n>:<base64 value>|<hex MAC>":
// format version, then key version, time, name and value each with its length
// in bytes, then the MAC of everything before it.
const (
	versionField    = "2|"
	keyVersionField = "1:0|"
)

// maxSigned bounds what Verify looks at. It is as much as Go's server takes in
// all headers of a request together.
const maxSigned = 1 << 20

// maxFieldDigits bounds the digits of a number in a signed value, so that
// neither a length nor a time can overflow.
const maxFieldDigits = 12

// ErrInvalid is the answer to a value that this secret did not sign under
// this name, whatever the reason.
var ErrInvalid = errors.New("invalid signed value")

// ErrExpired is the answer to a value that was signed too long ago.
var ErrExpired = errors.New("expired signed value")

// Signer signs values with one secret. It keeps the keyed hash states, which
// are half of the work of a short value. Safe for concurrent use.
type Signer struct {
	pool sync.Pool
}

// mac is a keyed hash with room for its result, pooled together so that
// signing does not allocate.
type mac struct {
	hash.Hash
	sum [sha256.Size]byte
}

// NewSigner returns a Signer for the secret that Panel has as cookie_secret.
func NewSigner(secret []byte) *Signer {
	secret = append([]byte(nil), secret...)
	s := &Signer{}
	s.pool.New = func() any { return &mac{Hash: hmac.New(sha256.New, secret)} }
	return s
}

// Append appends the signed value to dst and returns the extended buffer.
func (s *Signer) Append(dst []byte, name, value string, now time.Time) []byte {
	start := len(dst)
	var number [20]byte
	unix := strconv.AppendInt(number[:0], now.Unix(), 10)

	dst = append(dst, versionField+keyVersionField...)
	dst = appendLength(dst, len(unix))
	dst = append(dst, unix...)
	dst = append(dst, '|')
	dst = appendLength(dst, len(name))
	dst = append(dst, name...)
	dst = append(dst, '|')
	dst = appendLength(dst, base64.StdEncoding.EncodedLen(len(value)))
	dst = appendBase64(dst, value)
	dst = append(dst, '|')

	m := s.pool.Get().(*mac)
	m.Reset()
	m.Write(dst[start:])
	m.Sum(m.sum[:0])
	dst = hex.AppendEncode(dst, m.sum[:])
	s.pool.Put(m)
	return dst
}

// Sign returns the signed value as a string.
func (s *Signer) Sign(name, value string, now time.Time) string {
	return string(s.Append(make([]byte, 0, signedLen(name, value)), name, value, now))
}

// Verify returns the value of a signed one; see the function Verify.
func (s *Signer) Verify(name, signed string, now time.Time, maxAge time.Duration) (string, error) {
	if len(signed) > maxSigned {
		return "", ErrInvalid
	}
	f, ok := split(signed)
	if !ok || !s.signs(f) || f.name != name {
		return "", ErrInvalid
	}
	unix, err := strconv.ParseInt(f.time, 10, 64)
	if err != nil {
		return "", ErrInvalid
	}
	if time.Unix(unix, 0).Before(now.Add(-maxAge)) {
		return "", ErrExpired
	}
	value, err := base64.StdEncoding.DecodeString(f.value)
	if err != nil {
		return "", ErrInvalid
	}
	return string(value), nil
}

// signs reports whether the MAC of the fields is this signer's.
func (s *Signer) signs(f fields) bool {
	m := s.pool.Get().(*mac)
	defer s.pool.Put(m)
	m.Reset()
	m.Write([]byte(f.signed))
	m.Sum(m.sum[:0])
	var want [2 * sha256.Size]byte
	hex.Encode(want[:], m.sum[:])
	return hmac.Equal(want[:], []byte(f.mac))
}

// Sign returns value signed under name with secret. Where one secret signs
// often, a Signer is quicker.
func Sign(secret []byte, name, value string, now time.Time) string {
	return NewSigner(secret).Sign(name, value, now)
}

// Verify returns what was signed under name with secret, not longer than
// maxAge ago. As in Tornado, a time in the future is no fault. The error is
// ErrInvalid or ErrExpired.
func Verify(secret []byte, name, signed string, now time.Time, maxAge time.Duration) (string, error) {
	return NewSigner(secret).Verify(name, signed, now, maxAge)
}

// fields are the parts of a signed value, not yet decoded.
type fields struct {
	signed            string // what the MAC is over
	time, name, value string
	mac               string
}

// split takes a signed value apart.
func split(signed string) (f fields, ok bool) {
	rest, ok := strings.CutPrefix(signed, versionField)
	if !ok {
		return f, false
	}
	var keyVersion string
	for _, field := range []*string{&keyVersion, &f.time, &f.name, &f.value} {
		if *field, rest, ok = cutField(rest); !ok {
			return f, false
		}
	}
	f.mac = rest
	f.signed = signed[:len(signed)-len(rest)]
	return f, isNumber(keyVersion) && isNumber(f.time)
}

// cutField takes one "<length>:<field>|" from the front of s.
func cutField(s string) (field, rest string, ok bool) {
	length, rest, ok := strings.Cut(s, ":")
	if !ok || !isNumber(length) {
		return "", "", false
	}
	n, err := strconv.Atoi(length)
	if err != nil || n >= len(rest) || rest[n] != '|' {
		return "", "", false
	}
	return rest[:n], rest[n+1:], true
}

// isNumber reports whether s is a short decimal number without a sign, which
// is stricter than Python's int and all that Tornado writes.
func isNumber(s string) bool {
	if s == "" || len(s) > maxFieldDigits {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func appendLength(dst []byte, n int) []byte {
	dst = strconv.AppendInt(dst, int64(n), 10)
	return append(dst, ':')
}

// appendBase64 is base64.StdEncoding.AppendEncode for a string, which would
// otherwise have to be copied first.
func appendBase64(dst []byte, value string) []byte {
	var chunk [48]byte
	for len(value) > 0 {
		n := copy(chunk[:], value)
		dst = base64.StdEncoding.AppendEncode(dst, chunk[:n])
		value = value[n:]
	}
	return dst
}

// signedLen is a little more than a signed value takes.
func signedLen(name, value string) int {
	const around = len(versionField) + len(keyVersionField) + 5*maxFieldDigits + 2*sha256.Size
	return around + len(name) + base64.StdEncoding.EncodedLen(len(value))
}
