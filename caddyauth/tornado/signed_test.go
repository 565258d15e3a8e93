// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package tornado

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// vectors were made by Tornado 6.6.1; the first four on a running Panel.
var vectors = []struct {
	title, secret, name, value string
	unix                       int64
	signed                     string
}{
	{
		"user", "secret", "user", "bob", 1795295794,
		"2|1:0|10:1795295794|4:user|4:Ym9i|99e9c28dcc8060c297a913336efbadbde678cd59ff4dd0679dcc8c7ecd8dad17",
	},
	{
		"id token", "secret", "id_token", "eyJ1c2VyIjogImJvYiJ9", 1795295794,
		"2|1:0|10:1795295794|8:id_token|28:ZXlKMWMyVnlJam9nSW1KdllpSjk=|3d60183779e256f3ab877661bf8de48ffc4dc70779b52c3c307e2379fbb32d4c",
	},
	{
		"unicode", "secret", "user", "zoë ü", 1795295794,
		"2|1:0|10:1795295794|4:user|12:em/DqyDDvA==|a6e46b55a896853c171e3a3cc474da65259287e57629c361eeeb9c3a6d2b744e",
	},
	{
		"e-mail", "secret", "user", "alice@x.org", 1795295999,
		"2|1:0|10:1795295999|4:user|16:YWxpY2VAeC5vcmc=|bcd26b899bd465ba120c1e3954a62417fab4da826b1e21f7bb413dc3712abf49",
	},
	{
		"empty value, year 1970", "a longer secret with spaces, and ünïcode", "access_token", "", 0,
		"2|1:0|1:0|12:access_token|0:|f7861d51802c1c1916d19beaa2ffc03783698ba7460f23f42394606a993e4adf",
	},
	{
		"secret beyond a block, delimiters", strings.Repeat("k", 100), "refresh_token", "a|b:c,d;e\"=\\\n\x00", 9999999999,
		"2|1:0|10:9999999999|13:refresh_token|20:YXxiOmMsZDtlIj1cCgA=|ea3093b1f1a2508327a87485eb600e16b11c3d3590a8b05aa7b98cb28ecdd641",
	},
	{
		"value beyond a chunk, delimiter in name", "s", "na|me:1", strings.Repeat("x", 49), 1,
		"2|1:0|1:1|7:na|me:1|68:" + strings.Repeat("eHh4", 16) + "eA==|1e791048bd78b720b513e7a959a13f8a0d6bb5e769bcf312f1700de94892c58c",
	},
}

func TestSign(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.title, func(t *testing.T) {
			now := time.Unix(v.unix, 999)
			got := Sign([]byte(v.secret), v.name, v.value, now)
			if got != v.signed {
				t.Errorf("got  %s\nwant %s", got, v.signed)
			}
			value, err := Verify([]byte(v.secret), v.name, v.signed, now, time.Hour)
			if err != nil || value != v.value {
				t.Errorf("verified as %q, %v", value, err)
			}
		})
	}
}

func TestSignerAppend(t *testing.T) {
	v := vectors[0]
	s := NewSigner([]byte(v.secret))
	for range 3 {
		got := string(s.Append([]byte("user="), v.name, v.value, time.Unix(v.unix, 0)))
		if got != "user="+v.signed {
			t.Fatalf("got %s", got)
		}
	}
}

func TestSignerKeepsItsSecret(t *testing.T) {
	secret := []byte("secret")
	s := NewSigner(secret)
	clear(secret)
	if got := s.Sign("user", "bob", time.Unix(1795295794, 0)); got != vectors[0].signed {
		t.Errorf("got %s", got)
	}
}

func TestVerifyAge(t *testing.T) {
	v := vectors[0]
	signed := time.Unix(v.unix, 0)
	for _, c := range []struct {
		title string
		now   time.Time
		want  error
	}{
		{"at once", signed, nil},
		{"at the limit", signed.Add(time.Hour), nil},
		{"past the limit", signed.Add(time.Hour + time.Second), ErrExpired},
		{"from the future", signed.Add(-4000 * time.Second), nil},
	} {
		t.Run(c.title, func(t *testing.T) {
			if _, err := Verify([]byte(v.secret), v.name, v.signed, c.now, time.Hour); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestVerifyRefuses(t *testing.T) {
	const (
		secret = "secret"
		good   = "2|1:0|10:1795295794|4:user|4:Ym9i|99e9c28dcc8060c297a913336efbadbde678cd59ff4dd0679dcc8c7ecd8dad17"
		tag    = "99e9c28dcc8060c297a913336efbadbde678cd59ff4dd0679dcc8c7ecd8dad17"
	)
	// resigned gives a malformed value a signature that is right, so that it is
	// the form that is refused.
	resigned := func(s string) string {
		m := NewSigner([]byte(secret)).pool.Get().(*mac)
		m.Write([]byte(s))
		return s + fmt.Sprintf("%x", m.Sum(nil))
	}
	if resigned(strings.TrimSuffix(good, tag)) != good {
		t.Fatal("the test signs wrongly")
	}
	for _, c := range []struct{ title, name, signed string }{
		{"empty", "user", ""},
		{"plain", "user", "bob"},
		{"version 1", "user", "Ym9i|1795295794|b7e23ec29af22b0b4e41da31e868d57226121c84"},
		{"version 3", "user", resigned("3|1:0|10:1795295794|4:user|4:Ym9i|")},
		{"version 20", "user", resigned("20|1:0|10:1795295794|4:user|4:Ym9i|")},
		{"another name", "id_token", good},
		{"no signature", "user", strings.TrimSuffix(good, tag)},
		{"half a signature", "user", good[:len(good)-32]},
		{"longer signature", "user", good + "00"},
		{"upper case signature", "user", strings.TrimSuffix(good, tag) + strings.ToUpper(tag)},
		{"changed value", "user", strings.Replace(good, "Ym9i", "Ym9j", 1)},
		{"changed time", "user", strings.Replace(good, "1795295794", "1895295794", 1)},
		{"shifted length", "user", strings.Replace(good, "4:user|4:", "6:user|4:", 1)},
		{"negative length", "user", resigned("2|1:0|10:1795295794|4:user|-4:Ym9i|")},
		{"length with a sign", "user", resigned("2|1:0|10:1795295794|4:user|+4:Ym9i|")},
		{"huge length", "user", resigned("2|1:0|10:1795295794|4:user|99999999999999999999:Ym9i|")},
		{"no length", "user", resigned("2|1:0|10:1795295794|4:user|Ym9i|")},
		{"time not a number", "user", resigned("2|1:0|3:now|4:user|4:Ym9i|")},
		{"time huge", "user", resigned("2|1:0|20:99999999999999999999|4:user|4:Ym9i|")},
		{"time negative", "user", resigned("2|1:0|2:-1|4:user|4:Ym9i|")},
		{"key version not a number", "user", resigned("2|1:x|10:1795295794|4:user|4:Ym9i|")},
		{"value not base64", "user", resigned("2|1:0|10:1795295794|4:user|4:Y!9i|")},
		{"value not padded", "user", resigned("2|1:0|10:1795295794|4:user|2:Yg|")},
		{"too long", "user", good + strings.Repeat("0", maxSigned)},
	} {
		t.Run(c.title, func(t *testing.T) {
			value, err := Verify([]byte(secret), c.name, c.signed, time.Unix(1795295794, 0), time.Hour)
			if !errors.Is(err, ErrInvalid) || value != "" {
				t.Errorf("got %q, %v", value, err)
			}
		})
	}
	t.Run("another secret", func(t *testing.T) {
		if _, err := Verify([]byte("Secret"), "user", good, time.Unix(1795295794, 0), time.Hour); !errors.Is(err, ErrInvalid) {
			t.Errorf("got %v", err)
		}
	})
}

func FuzzVerify(f *testing.F) {
	for _, v := range vectors {
		f.Add(v.name, v.signed)
	}
	f.Add("user", "2|1:0|10:1795295794|9999:user|")
	now := time.Unix(1795295794, 0)
	s := NewSigner([]byte("secret"))
	f.Fuzz(func(t *testing.T, name, signed string) {
		value, err := s.Verify(name, signed, now, 1<<62)
		if err != nil {
			return
		}
		// What is accepted is what would be signed, but for its time and key version.
		_, got, _ := strings.Cut(strings.TrimPrefix(signed, "2|1:0|"), "|")
		_, want, _ := strings.Cut(strings.TrimPrefix(s.Sign(name, value, now), "2|1:0|"), "|")
		if i := len(want) - 64; got[:i] != want[:i] {
			t.Errorf("accepted %q as %q", signed, value)
		}
	})
}

func FuzzSign(f *testing.F) {
	for _, v := range vectors {
		f.Add(v.name, v.value, v.unix)
	}
	s := NewSigner([]byte("secret"))
	f.Fuzz(func(t *testing.T, name, value string, unix int64) {
		now := time.Unix(unix%1e11, 0)
		got, err := s.Verify(name, s.Sign(name, value, now), now, 0)
		if unix%1e11 < 0 {
			return // before 1970: cannot be written, need not be read
		}
		if err != nil || got != value {
			t.Errorf("got %q, %v", got, err)
		}
	})
}

func BenchmarkSignerAppend(b *testing.B) {
	s := NewSigner([]byte("0123456789abcdef0123456789abcdef"))
	now := time.Now()
	for _, size := range []int{3, 100, 4000} {
		value := strings.Repeat("v", size)
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			buf := make([]byte, 0, 8192)
			b.ReportAllocs()
			for b.Loop() {
				s.Append(buf, "user", value, now)
			}
		})
	}
}

func BenchmarkSign(b *testing.B) {
	secret, now := []byte("0123456789abcdef0123456789abcdef"), time.Now()
	b.ReportAllocs()
	for b.Loop() {
		Sign(secret, "user", "alice@example.org", now)
	}
}

func BenchmarkVerify(b *testing.B) {
	now := time.Now()
	s := NewSigner([]byte("0123456789abcdef0123456789abcdef"))
	signed := s.Sign("user", "alice@example.org", now)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Verify("user", signed, now, time.Hour); err != nil {
			b.Fatal(err)
		}
	}
}
