// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package tornado

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"time"
)

// A Fernet token is, in URL-safe base64, one version byte, the time, the
// initialisation vector, the AES-128-CBC text and the MAC of all of these.
const (
	fernetVersion = 0x80
	fernetHeader  = 1 + 8 + aes.BlockSize
	fernetShort   = fernetHeader + aes.BlockSize + sha256.Size
	fernetKeySize = 32
)

// maxFernet bounds what Decrypt looks at.
const maxFernet = 1 << 20

// The faults of a key, in Panel's words; none of them repeats the key.
var (
	ErrKeyNotBase64 = errors.New("OAuth encryption key was not a valid base64 string")
	ErrKeyLength    = errors.New("OAuth encryption key must be 32 url-safe base64-encoded bytes")
)

// ErrInvalidToken is the answer to a token that this key did not make.
var ErrInvalidToken = errors.New("invalid Fernet token")

// Fernet encrypts for a Panel server that has the same encryption key. Safe
// for concurrent use.
type Fernet struct {
	signing []byte
	block   cipher.Block
}

// NewFernet returns the Fernet of a key as NewFernetKey makes it. The error is
// ErrKeyNotBase64 or ErrKeyLength.
func NewFernet(key string) (*Fernet, error) {
	raw, err := base64.URLEncoding.DecodeString(strings.TrimSpace(key))
	if err != nil {
		return nil, ErrKeyNotBase64 // not err, which tells about the key
	}
	if len(raw) != fernetKeySize {
		return nil, ErrKeyLength
	}
	block, err := aes.NewCipher(raw[fernetKeySize/2:])
	if err != nil {
		return nil, ErrKeyLength
	}
	return &Fernet{signing: raw[:fernetKeySize/2], block: block}, nil
}

// Encrypt returns the token of a value.
func (f *Fernet) Encrypt(value string, now time.Time) string {
	var iv [aes.BlockSize]byte
	rand.Read(iv[:]) // never fails: the program ends if the system has no randomness
	return f.encrypt(value, now, iv)
}

func (f *Fernet) encrypt(value string, now time.Time, iv [aes.BlockSize]byte) string {
	padding := aes.BlockSize - len(value)%aes.BlockSize
	token := make([]byte, 0, fernetHeader+len(value)+padding+sha256.Size)
	token = append(token, fernetVersion)
	token = binary.BigEndian.AppendUint64(token, uint64(now.Unix()))
	token = append(token, iv[:]...)
	token = append(token, value...)
	token = append(token, bytes.Repeat([]byte{byte(padding)}, padding)...)

	text := token[fernetHeader:]
	cipher.NewCBCEncrypter(f.block, iv[:]).CryptBlocks(text, text)
	return base64.URLEncoding.EncodeToString(f.appendMAC(token, token))
}

// Decrypt returns the value of a token, however old it is, as Panel does. The
// error is ErrInvalidToken.
func (f *Fernet) Decrypt(token string) (string, error) {
	if len(token) > maxFernet {
		return "", ErrInvalidToken
	}
	raw, err := base64.URLEncoding.DecodeString(token)
	if err != nil || len(raw) < fernetShort || raw[0] != fernetVersion {
		return "", ErrInvalidToken
	}
	signed, mac := raw[:len(raw)-sha256.Size], raw[len(raw)-sha256.Size:]
	// Before anything is decrypted, so that the padding tells nothing.
	if !hmac.Equal(mac, f.appendMAC(nil, signed)) {
		return "", ErrInvalidToken
	}
	text := signed[fernetHeader:]
	if len(text)%aes.BlockSize != 0 {
		return "", ErrInvalidToken
	}
	iv := signed[fernetHeader-aes.BlockSize : fernetHeader]
	cipher.NewCBCDecrypter(f.block, iv).CryptBlocks(text, text)
	return unpad(text)
}

func (f *Fernet) appendMAC(dst, text []byte) []byte {
	m := hmac.New(sha256.New, f.signing)
	m.Write(text)
	return m.Sum(dst)
}

// unpad removes the PKCS #7 padding of a text of at least one block.
func unpad(text []byte) (string, error) {
	n := int(text[len(text)-1])
	if n == 0 || n > aes.BlockSize {
		return "", ErrInvalidToken
	}
	value, padding := text[:len(text)-n], text[len(text)-n:]
	if !bytes.Equal(padding, bytes.Repeat([]byte{byte(n)}, n)) {
		return "", ErrInvalidToken
	}
	return string(value), nil
}
