// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package providertest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/go-jose/go-jose/v4"
)

// signers are a server's keys, made when they are first needed.
type signers struct {
	generation int
	keys       map[string]any // private keys by kind: RSA, P-256, P-384, Ed25519
	more       []any          // public ones that sign nothing
}

// RSA keys take long to make, so all servers share two of them.
var rsaKeys = [2]func() *rsa.PrivateKey{sync.OnceValue(newRSAKey), sync.OnceValue(newRSAKey)}

func newRSAKey() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var keyKinds = map[jose.SignatureAlgorithm]string{
	jose.RS256: "RSA", jose.PS256: "RSA", jose.ES256: "P-256", jose.ES384: "P-384", jose.EdDSA: "Ed25519",
}

// RotateKeys replaces all keys by new ones.
func (s *Server) RotateKeys() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signers = signers{generation: s.signers.generation + 1}
}

func (s *Server) signer(kind string) (key any, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id = fmt.Sprintf("key-%s-%d", kind, s.signers.generation)
	if key, ok := s.signers.keys[kind]; ok {
		return key, id
	}
	switch kind {
	case "P-256":
		key = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	case "P-384":
		key = must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	case "Ed25519":
		_, private, err := ed25519.GenerateKey(rand.Reader)
		key = must(private, err)
	default:
		key = rsaKeys[s.signers.generation%2]()
	}
	if s.signers.keys == nil {
		s.signers.keys = map[string]any{}
	}
	s.signers.keys[kind] = key
	return key, id
}

// sign makes a token as the knobs want it.
func (s *Server) sign(k Knobs, claims map[string]any) string {
	payload := must(json.Marshal(claims))
	if k.Payload != nil {
		payload = k.Payload(payload)
	}
	alg := k.Alg
	if alg == "" {
		alg = "RS256"
	}
	header := map[string]any{"typ": "JWT"}
	var key any = []byte(s.ClientSecret)
	if kind := keyKinds[jose.SignatureAlgorithm(alg)]; kind != "" {
		var id string
		if key, id = s.signer(kind); !k.NoKeyID {
			header["kid"] = id
		}
	}
	if k.Header != nil {
		k.Header(header)
	}
	token := compact(alg, key, header, payload)
	if k.SpoilSignature {
		return spoil(token)
	}
	return token
}

func compact(alg string, key any, header map[string]any, payload []byte) string {
	if alg == "none" {
		header["alg"] = "none"
		return encode(must(json.Marshal(header))) + "." + encode(payload) + "."
	}
	if len(payload) > 0 && alg == "HS256" {
		key = padded(key)
	}
	options := &jose.SignerOptions{}
	for _, name := range slices.Sorted(maps.Keys(header)) {
		options = options.WithHeader(jose.HeaderKey(name), header[name])
	}
	signer := must(jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(alg), Key: key}, options))
	return must(must(signer.Sign(payload)).CompactSerialize())
}

// padded makes a secret as long as HS256 wants it.
func padded(key any) any {
	secret, ok := key.([]byte)
	if !ok || len(secret) >= 32 {
		return key
	}
	return append(slices.Clone(secret), make([]byte, 32-len(secret))...)
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// spoil changes the first character of the signature, whose bits all count.
func spoil(token string) string {
	i := strings.LastIndexByte(token, '.') + 1
	c := byte('A')
	if token[i] == c {
		c = 'B'
	}
	return token[:i] + string(c) + token[i+1:]
}

// publicKeys is the key set as JSON objects.
func (s *Server) publicKeys(k Knobs) []map[string]any {
	alg := jose.SignatureAlgorithm(k.Alg)
	kind := keyKinds[alg]
	if kind == "" {
		kind = "RSA"
	}
	s.signer(kind) // so that there is one
	s.mu.Lock()
	defer s.mu.Unlock()
	set := s.moreKeys(k.MoreKeys)
	for _, kind := range slices.Sorted(maps.Keys(s.signers.keys)) {
		private, ok := s.signers.keys[kind].(crypto.Signer)
		if !ok {
			continue
		}
		id := fmt.Sprintf("key-%s-%d", kind, s.signers.generation)
		if k.NoKeyID {
			id = ""
		}
		set = append(set, publicKey(private.Public(), id))
	}
	return set
}

// moreKeys are keys of the same kind as the usual one, without a matching
// signature. The caller holds the lock.
func (s *Server) moreKeys(n int) []map[string]any {
	var set []map[string]any
	for i := range n {
		if i == len(s.signers.more) {
			other := rsaKeys[(s.signers.generation+1)%2]()
			s.signers.more = append(s.signers.more, other.Public())
		}
		set = append(set, publicKey(s.signers.more[i], fmt.Sprintf("more-%d", i)))
	}
	return set
}

func publicKey(key any, id string) map[string]any {
	var object map[string]any
	raw := must(jose.JSONWebKey{Key: key, KeyID: id, Use: "sig"}.MarshalJSON())
	if err := json.Unmarshal(raw, &object); err != nil {
		panic(err)
	}
	return object
}
