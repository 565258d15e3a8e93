// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"errors"

	"github.com/gorilla/securecookie"
)

// Envelope seals short-lived values that travel through a browser, with keys of
// their own for each purpose. It judges no ages.
type Envelope struct {
	codecs []securecookie.Codec
}

// NewEnvelope derives keys from secrets: the first seals, all open.
func NewEnvelope(secrets [][]byte, purpose string) (*Envelope, error) {
	if len(secrets) == 0 {
		return nil, errors.New("no secret")
	}
	e := new(Envelope)
	for _, secret := range secrets {
		codec, err := newCodec(secret, "panelauth "+purpose)
		if err != nil {
			return nil, err
		}
		e.codecs = append(e.codecs, codec)
	}
	return e, nil
}

// Seal packs, encrypts and signs a value that is good under one name only.
func (e *Envelope) Seal(name string, plain []byte) (string, error) {
	return securecookie.EncodeMulti(name, deflate(plain), e.codecs...)
}

// Open returns what Seal was given, or false for anything else.
func (e *Envelope) Open(name, sealed string) (plain []byte, ok bool) {
	var packed []byte
	if securecookie.DecodeMulti(name, sealed, &packed, e.codecs...) != nil {
		return nil, false
	}
	plain, err := inflate(packed)
	return plain, err == nil
}
