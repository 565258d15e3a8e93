// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"bytes"
	"compress/flate"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/gorilla/securecookie"
)

const (
	secretIDSize = 32

	maxRecord = 1 << 20
	// Sealing encodes to base64 twice, which makes 16 bytes of 9.
	maxSealedRecord = 2 * maxRecord

	maxTicketCookie = 1 << 10
	maxRecordCookie = 12 << 10

	// skew is how far apart the clocks of two instances may be.
	skew = time.Minute
)

// What is sealed is bound to what it is for: a cookie of one kind is garbage
// where the other is expected, and a record is garbage under another's key.
const (
	ticketName       = "panelauth session ticket"
	recordCookieName = "panelauth session record"
)

// ErrTooLarge means that a record is more than the store or, with sessions in
// cookies, the browser will take.
var ErrTooLarge = errors.New("session too large")

var errTooLargeForCookies = fmt.Errorf("%w for cookies: use session_store storage", ErrTooLarge)

// identity is the public name of a session: half of the hash of its secret id.
type identity [16]byte

func identityOf(secretID []byte) (id identity) {
	h := sha256.New()
	h.Write([]byte("panelauth session id"))
	h.Write(secretID)
	copy(id[:], h.Sum(nil))
	return id
}

func (id identity) String() string { return hex.EncodeToString(id[:]) }

func newSecretID() []byte {
	secretID := make([]byte, secretIDSize)
	rand.Read(secretID) // never fails: the program ends if the system has no randomness
	return secretID
}

// ticket is what the cookie holds when the record is in a store: enough to find
// it there. The times are in Unix seconds.
type ticket struct {
	SecretID []byte
	Created  int64
	Expires  int64
}

const ticketSize = secretIDSize + 8 + 8

// encode is short, since every request carries it.
func (t ticket) encode() []byte {
	plain := make([]byte, 0, ticketSize)
	plain = append(plain, t.SecretID...)
	plain = binary.BigEndian.AppendUint64(plain, uint64(t.Created))
	return binary.BigEndian.AppendUint64(plain, uint64(t.Expires))
}

func decodeTicket(plain []byte) (t ticket, ok bool) {
	if len(plain) != ticketSize {
		return t, false
	}
	times := plain[secretIDSize:]
	return ticket{
		SecretID: plain[:secretIDSize:secretIDSize],
		Created:  int64(binary.BigEndian.Uint64(times)),
		Expires:  int64(binary.BigEndian.Uint64(times[8:])),
	}, true
}

// recordCookie is what the cookie holds when there is no store.
type recordCookie struct {
	SecretID []byte `json:"id"`
	Record   Record `json:"record"`
}

// sealer seals with the first secret and opens with all.
type sealer struct {
	cookies, records []securecookie.Codec
}

func newSealer(secrets [][]byte) (*sealer, error) {
	if len(secrets) == 0 {
		return nil, errors.New("no session secret")
	}
	s := &sealer{}
	for _, secret := range secrets {
		if len(secret) == 0 {
			return nil, errors.New("empty session secret")
		}
		cookies, err := newCodec(secret, "panelauth session cookie")
		if err != nil {
			return nil, err
		}
		records, err := newCodec(secret, "panelauth session store")
		if err != nil {
			return nil, err
		}
		s.cookies = append(s.cookies, cookies)
		s.records = append(s.records, records)
	}
	return s, nil
}

// newCodec returns what seals with AES-256 and HMAC-SHA-256, under keys for
// one purpose. It judges no ages: sessions know their own, by our clock.
func newCodec(secret []byte, purpose string) (securecookie.Codec, error) {
	keys, err := hkdf.Key(sha256.New, secret, nil, purpose, 64)
	if err != nil {
		return nil, errors.New("deriving session keys failed")
	}
	codec := securecookie.New(keys[:32], keys[32:])
	return codec.SetSerializer(securecookie.NopEncoder{}).MaxAge(0).MaxLength(0), nil
}

func (s *sealer) sealTicket(t ticket) (string, error) {
	return securecookie.EncodeMulti(ticketName, t.encode(), s.cookies...)
}

// openTicket says no to everything that is not a ticket of ours for a session
// that may still be going on.
func (s *sealer) openTicket(cookie string, now time.Time) (t ticket, ok bool) {
	var plain []byte
	if securecookie.DecodeMulti(ticketName, cookie, &plain, s.cookies...) != nil {
		return t, false
	}
	if t, ok = decodeTicket(plain); !ok {
		return t, false
	}
	return t, inForce(time.Unix(t.Created, 0), time.Unix(t.Expires, 0), now)
}

func (s *sealer) sealRecordCookie(c recordCookie) (string, error) {
	plain, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	if len(plain) > maxRecord {
		return "", errTooLargeForCookies
	}
	cookie, err := securecookie.EncodeMulti(recordCookieName, deflate(plain), s.cookies...)
	if err != nil {
		return "", err
	}
	if len(cookie) > maxRecordCookie {
		return "", errTooLargeForCookies
	}
	return cookie, nil
}

// openRecordCookie is openTicket for sessions in cookies.
func (s *sealer) openRecordCookie(cookie string, now time.Time) (c recordCookie, ok bool) {
	var packed []byte
	if securecookie.DecodeMulti(recordCookieName, cookie, &packed, s.cookies...) != nil {
		return c, false
	}
	plain, err := inflate(packed)
	if err != nil || decode(plain, &c) != nil || len(c.SecretID) != secretIDSize {
		return c, false
	}
	return c, inForce(c.Record.Created, c.Record.Expires, now)
}

// seal seals a record or its tokens for one place in the store.
func (s *sealer) seal(key string, v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	if len(plain) > maxRecord {
		return nil, ErrTooLarge
	}
	sealed, err := securecookie.EncodeMulti(key, plain, s.records...)
	return []byte(sealed), err
}

// open is the inverse of seal. If it says no, v is not to be used.
func (s *sealer) open(key string, sealed []byte, v any) bool {
	if len(sealed) > maxSealedRecord {
		return false
	}
	var plain []byte
	if securecookie.DecodeMulti(key, string(sealed), &plain, s.records...) != nil {
		return false
	}
	return decode(plain, v) == nil
}

func inForce(created, expires, now time.Time) bool {
	return now.Before(expires) && !created.After(now.Add(skew))
}

// decode keeps numbers as they are written.
func decode(plain []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(plain))
	d.UseNumber()
	return d.Decode(v)
}

func deflate(plain []byte) []byte {
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		panic(err) // the level is one that there is
	}
	// Writing to memory cannot fail.
	_, _ = w.Write(plain)
	_ = w.Close()
	return packed.Bytes()
}

func inflate(packed []byte) ([]byte, error) {
	r := flate.NewReader(bytes.NewReader(packed))
	plain, err := io.ReadAll(io.LimitReader(r, maxRecord+1))
	if err != nil {
		return nil, err
	}
	if len(plain) > maxRecord {
		return nil, ErrTooLarge
	}
	return plain, nil
}

// canonical returns a record as it will come back from where it is kept, so
// that a new session looks like the same session later: whole seconds in UTC,
// claims as JSON has them.
func canonical(r Record) (Record, error) {
	r.Created = r.Created.UTC().Truncate(time.Second)
	r.Expires = r.Expires.UTC().Truncate(time.Second)
	return asStored(r)
}

func asStored[T Record | Tokens](v T) (T, error) {
	var same T
	plain, err := json.Marshal(v)
	if err != nil {
		return same, err
	}
	err = decode(plain, &same)
	return same, err
}
