// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package tornado

import (
	"crypto/aes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"
)

// testKey is the bytes 0 to 31.
const testKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

// tokens were made by Python's cryptography 50.0.2 with testKey.
var tokens = []struct {
	title, value string
	unix         int64
	iv           string
	token        string
}{
	{
		"empty", "", 0, "00000000000000000000000000000000",
		"gAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAM1N-Y9qS0VXYKUjr6BoffxjlZWM-uG_cNpzTcpDsEZqljYihWZyn1rAa1-h3Na1FA==",
	},
	{
		"short", "hello", 499162800, "000102030405060708090a0b0c0d0e0f",
		"gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0OD4_9EBVfNSDZ7XtRxaHNdkW99QsUAt9pmRctkSzQxwX8ezo1JYkB0XAhlhuGaD6Beg==",
	},
	{
		"unicode", "zoë — 0123456789", 1795295794, "ffffffffffffffffffffffffffffffff",
		"gAAAAABrAgoy_____________________33PmPiFlJtQ_jsv-MGEBjpzihMgxTASAj2-dJvFMRxHA8QP6fDStoo_1d2L2QH0lUS7jVSVRgq9NIXJ9xd6oG8=",
	},
	{
		"one block", strings.Repeat("x", aes.BlockSize), 1795295794, "101112131415161718191a1b1c1d1e1f",
		"gAAAAABrAgoyEBESExQVFhcYGRobHB0eHyp69MPp2HF4c82b8eCOElncfV2e52INJx3IUjLXeTE3ENRhFcf8RSz4FuoSN99DyfcPXFhbz_bAlb0ulwscNzc=",
	},
}

func newTestFernet(t testing.TB) *Fernet {
	t.Helper()
	f, err := NewFernet(testKey)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFernet(t *testing.T) {
	f := newTestFernet(t)
	for _, v := range tokens {
		t.Run(v.title, func(t *testing.T) {
			var iv [aes.BlockSize]byte
			if _, err := hex.Decode(iv[:], []byte(v.iv)); err != nil {
				t.Fatal(err)
			}
			now := time.Unix(v.unix, 0)
			if got := f.encrypt(v.value, now, iv); got != v.token {
				t.Errorf("got  %s\nwant %s", got, v.token)
			}
			if got, err := f.Decrypt(v.token); err != nil || got != v.value {
				t.Errorf("decrypted to %q, %v", got, err)
			}
		})
	}
}

func TestFernetNeverRepeats(t *testing.T) {
	f, now := newTestFernet(t), time.Unix(1795295794, 0)
	first := f.Encrypt("x", now)
	if second := f.Encrypt("x", now); first == second {
		t.Error("two tokens are the same")
	}
}

func TestDecryptRefuses(t *testing.T) {
	f, good := newTestFernet(t), tokens[1].token
	flip := func(i int) string {
		raw, err := base64.URLEncoding.DecodeString(good)
		if err != nil {
			t.Fatal(err)
		}
		raw[(i+len(raw))%len(raw)] ^= 1
		return base64.URLEncoding.EncodeToString(raw)
	}
	// remade puts the right MAC on a token that is malformed.
	remade := func(signed []byte) string {
		return base64.URLEncoding.EncodeToString(f.appendMAC(signed, signed))
	}
	header := append([]byte{fernetVersion}, make([]byte, fernetHeader-1)...)
	for _, c := range []struct{ title, token string }{
		{"empty", ""},
		{"plain", "hello"},
		{"not base64", "!" + good[1:]},
		{"standard base64", strings.ReplaceAll(good, "_", "/")},
		{"no padding", strings.TrimRight(good, "=")},
		{"cut", good[:len(good)-4]},
		{"another version", flip(0)},
		{"another time", flip(8)},
		{"another vector", flip(9)},
		{"another text", flip(fernetHeader)},
		{"another MAC", flip(-1)},
		{"no text", remade(header)},
		{"text not of whole blocks", remade(append(header, make([]byte, aes.BlockSize+1)...))},
		{"bad padding", remade(append(header, make([]byte, aes.BlockSize)...))},
		{"too long", strings.Repeat("A", maxFernet+4)},
	} {
		t.Run(c.title, func(t *testing.T) {
			if got, err := f.Decrypt(c.token); !errors.Is(err, ErrInvalidToken) || got != "" {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	t.Run("another key", func(t *testing.T) {
		other, err := NewFernet(NewFernetKey())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := other.Decrypt(good); !errors.Is(err, ErrInvalidToken) {
			t.Errorf("got %v", err)
		}
	})
}

func TestNewFernetRefuses(t *testing.T) {
	for _, c := range []struct {
		title, key string
		want       error
	}{
		{"empty", "", ErrKeyLength},
		{"not base64", "not a key at all, sorry!", ErrKeyNotBase64},
		{"standard base64", "//" + testKey[2:], ErrKeyNotBase64},
		{"cut", testKey[:40], ErrKeyLength},
		{"no padding", strings.TrimRight(testKey, "="), ErrKeyNotBase64},
		{"too long", testKey[:40] + testKey, ErrKeyLength},
	} {
		t.Run(c.title, func(t *testing.T) {
			f, err := NewFernet(c.key)
			if !errors.Is(err, c.want) || f != nil {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if c.key != "" && strings.Contains(err.Error(), c.key) {
				t.Error("the error shows the key")
			}
		})
	}
}

func TestNewFernetTrims(t *testing.T) {
	// A key from a file ends in a line break.
	f, err := NewFernet(" " + testKey + "\n")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Decrypt(tokens[0].token); err != nil {
		t.Error(err)
	}
}

func TestNewSecrets(t *testing.T) {
	if s := NewSecret(); len(s) < 44 || s == NewSecret() {
		t.Errorf("%d characters, or not random", len(s))
	}
	if k := NewFernetKey(); len(k) != 44 || k == NewFernetKey() {
		t.Errorf("%d characters, or not random", len(k))
	}
}

func FuzzDecrypt(f *testing.F) {
	known := make(map[string]bool)
	for _, v := range tokens {
		f.Add(v.token)
		known[v.value] = true
	}
	fernet := newTestFernet(f)
	f.Fuzz(func(t *testing.T, token string) {
		value, err := fernet.Decrypt(token)
		if err != nil && value != "" {
			t.Errorf("got %q with an error", value)
		}
		if err == nil && !known[value] {
			t.Errorf("%q decrypts to %q", token, value)
		}
	})
}

func FuzzEncrypt(f *testing.F) {
	for _, v := range tokens {
		f.Add(v.value)
	}
	fernet := newTestFernet(f)
	f.Fuzz(func(t *testing.T, value string) {
		got, err := fernet.Decrypt(fernet.Encrypt(value, time.Unix(1795295794, 0)))
		if err != nil || got != value {
			t.Errorf("got %q, %v", got, err)
		}
	})
}

func FuzzNewFernet(f *testing.F) {
	f.Add(testKey)
	f.Fuzz(func(t *testing.T, key string) {
		fernet, err := NewFernet(key)
		if (fernet == nil) != (err != nil) {
			t.Errorf("got %v, %v", fernet, err)
		}
	})
}

func BenchmarkEncrypt(b *testing.B) {
	f, value, now := newTestFernet(b), strings.Repeat("v", 1000), time.Now()
	b.ReportAllocs()
	for b.Loop() {
		f.Encrypt(value, now)
	}
}
