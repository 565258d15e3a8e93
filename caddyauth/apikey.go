// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// apiKeyProvider names the way in of programs that show an API key.
const apiKeyProvider = "api_key"

// An API key is panelauth_<id>_<secret>: a prefix by which scanners for leaked
// secrets find it, an id by which it is found here, and 200 random bits. What
// cannot be guessed needs no slow hash: SHA-256 makes no request wait.
const (
	apiKeyPrefix  = "panelauth_"
	apiKeyID      = 12 // characters of 5 bits each
	apiKeySecret  = 40
	maxAPIKeys    = 100 // of one user
	maxAPIKeyName = 64
)

var (
	apiKeyText = regexp.MustCompile(fmt.Sprintf(`^%s([A-Z2-7]{%d})_[A-Z2-7]{%d}$`, apiKeyPrefix, apiKeyID, apiKeySecret))
	apiKeyHash = regexp.MustCompile(fmt.Sprintf(`^%s([A-Z2-7]{%d}):sha256:([0-9a-f]{%d})$`, apiKeyPrefix, apiKeyID, 2*sha256.Size))
)

// newAPIKey makes a key, and what of it is written into the credentials file.
func newAPIKey() (key, hash string) {
	id := rand.Text()[:apiKeyID]
	key = apiKeyPrefix + id + "_" + (rand.Text() + rand.Text())[:apiKeySecret]
	sum := sha256.Sum256([]byte(key))
	return key, apiKeyPrefix + id + ":sha256:" + hex.EncodeToString(sum[:])
}

// isAPIKey reports whether a text is made like an API key.
func isAPIKey(text string) bool { return apiKeyText.MatchString(text) }

// apiKey is a key as far as it is known here.
type apiKey struct {
	user   string
	stored string // as it is written in the file
	sum    [sha256.Size]byte
}

// apiKeyHashes are the hashes of a user's keys, by the names of these.
type apiKeyHashes map[string]string

// UnmarshalJSON refuses a name that is there twice, of which encoding/json
// would drop the first.
func (k *apiKeyHashes) UnmarshalJSON(data []byte) error {
	hashes := make(map[string]string)
	if json.Unmarshal(data, &hashes) != nil {
		return errors.New(`"api_keys" must be an object, {"name of the key": "hash", …}`)
	}
	if name := repeatedKey(data); name != "" {
		return fmt.Errorf("the API key %q is there twice", name)
	}
	*k = hashes
	return nil
}

// addKeys takes in the keys of a user. Errors name the key, and quote nothing
// of what should be its hash: it may be the key itself.
func (a *accounts) addKeys(user string, hashes apiKeyHashes) error {
	if len(hashes) == 0 {
		return nil
	}
	if user == anyUser {
		return errors.New("an API key belongs to one user: it cannot stand here")
	}
	if len(hashes) > maxAPIKeys {
		return fmt.Errorf("there are more than %d API keys", maxAPIKeys)
	}
	for name, stored := range hashes {
		if err := a.addKey(user, name, stored); err != nil {
			return fmt.Errorf("API key %q: %w", name, err)
		}
	}
	return nil
}

func (a *accounts) addKey(user, name, stored string) error {
	if checkKeyName(name) != nil {
		return checkKeyName(name)
	}
	if isAPIKey(stored) {
		return errors.New("this is the key itself: put its hash here, and make a new key, for this one has been seen")
	}
	parts := apiKeyHash.FindStringSubmatch(stored)
	if parts == nil {
		return errors.New("this is not the hash of an API key: make one with `caddy panelauth api-key`")
	}
	if _, twice := a.keys[parts[1]]; twice {
		return errors.New("the same hash is there twice")
	}
	key := apiKey{user: user, stored: stored}
	_, err := hex.Decode(key.sum[:], []byte(parts[2]))
	a.keys[parts[1]] = key
	return err
}

func checkKeyName(name string) error {
	if checkUserName(name) != nil || len(name) > maxAPIKeyName {
		return fmt.Errorf("a key's name is a word or a few, of at most %d bytes", maxAPIKeyName)
	}
	return nil
}

// findKey returns what is known of a key, if it is one of these accounts'.
func (a *accounts) findKey(key string) (apiKey, bool) {
	parts := apiKeyText.FindStringSubmatch(key)
	if a == nil || parts == nil {
		return apiKey{}, false
	}
	known, ok := a.keys[parts[1]]
	sum := sha256.Sum256([]byte(key))
	same := subtle.ConstantTimeCompare(sum[:], known.sum[:]) == 1
	return known, ok && same
}

func (k apiKey) proofParts() []string { return []string{"api key", k.user, k.stored} }

// vouchForKey reports whether a program could still show the key that it
// showed.
func (a *accounts) vouchForKey(r *session.Record) bool {
	entry, _ := a.find(r.User)
	for _, stored := range entry.APIKeys {
		if session.MatchesFingerprint(r.Proof, apiKey{user: r.User, stored: stored}.proofParts()...) {
			return true
		}
	}
	return false
}

// checkKey checks an API key. Of whom it is, is in the credentials file; a user
// name beside it must be that one.
func (h *Handler) checkKey(r *http.Request, by scheme, user, key string) (*session.Record, error) {
	known, ok := h.accounts().findKey(key)
	if !ok && h.credentialsFile != nil {
		h.credentialsFile.refresh() // it may be new
		known, ok = h.accounts().findKey(key)
	}
	if !ok || by == basicScheme && user != known.user {
		return nil, h.refuseSecret(r, unknownSecret{provider: apiKeyProvider, user: user, scheme: by, reason: "wrong_credentials"})
	}
	return &session.Record{User: known.user, Provider: apiKeyProvider, Proof: session.Fingerprint(known.proofParts()...)}, nil
}

// Interface guard
var _ json.Unmarshaler = (*apiKeyHashes)(nil)
