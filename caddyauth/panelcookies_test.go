// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/tornado"
)

// panelSees opens Panel's cookies as Panel does, at a time.
func (s *site) panelSees(secret string, now time.Time) (values map[string]string) {
	s.t.Helper()
	values = make(map[string]string)
	for name, signed := range tornadoCookies(s.app.got.Header.Get("Cookie")) {
		value, err := tornado.Verify([]byte(secret), name, signed, now, 24*time.Hour)
		if err != nil {
			value = "? " + signed
		}
		values[name] = value
	}
	return values
}

// userInfo is what an id_token says, as pn.state.user_info.
func userInfo(t *testing.T, token string) map[string]any {
	t.Helper()
	plain, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatalf("the token is %q: %v", token, err)
	}
	var info map[string]any
	if err := json.Unmarshal(plain, &info); err != nil {
		t.Fatal(err)
	}
	return info
}

func TestPanelCookies(t *testing.T) {
	s := newSite(t, accountsFile(newFile(t, "users.json", bobsFile)), optional)
	c := s.withClock()
	cookie := s.signIn("bob", "pw")
	for name, options := range map[string]func(*http.Request){"page": browser, "websocket": websocket, "form": func(r *http.Request) { r.Method = http.MethodPost }} {
		t.Run(name, func(t *testing.T) {
			s := s.in(t)
			s.serve(get("/app", cookieLine("user=evil; a=b; "+cookie), options)).wantReached()
			got := s.panelSees(testSecret, c.Now())
			if got["user"] != "bob" || got["a"] != "? b" || len(got) != 3 {
				t.Errorf("Panel sees %v", got)
			}
			want := map[string]any{"user": "bob", "username": "bob", "name": "Bob Ü. O'Brien", "email": "bob@x.org", "groups": []any{"a", "b, c", "d%"}}
			if info := userInfo(t, got["id_token"]); !reflect.DeepEqual(info, want) {
				t.Errorf("user_info is %v", info)
			}
		})
	}
	t.Run("guest", func(t *testing.T) {
		s := s.in(t)
		s.serve(get("/app", cookieLine("user=evil; is_guest=0; a=b"))).wantReached()
		if got := s.app.got.Header["Cookie"]; !reflect.DeepEqual(got, []string{"a=b; is_guest=1"}) {
			t.Errorf("the guest has %q", got)
		}
	})
}

// TestPanelCookiesNames: names that cookies cannot hold as they are.
func TestPanelCookiesNames(t *testing.T) {
	s := newSite(t, masterPassword)
	for _, user := range []string{"zoë ü", "alice;admin=1", `a"b\c`, "a=b|c:d", strings.Repeat("n", 256), "日本語"} {
		s.serve(get("/app", cookieLine(s.signIn(user, testPassword)))).wantReached()
		got := s.panelSees(testSecret, time.Now())
		if got["user"] != user || userInfo(t, got["id_token"])["user"] != user {
			t.Errorf("%q: Panel sees %v", user, got)
		}
	}
}

// TestPanelCookiesAreFresh: a day-old session has cookies of this second,
// because Panel lets no older ones in than a day.
func TestPanelCookiesAreFresh(t *testing.T) {
	s := newSite(t, func(h *Handler) { h.OAuthExpiryDays = "30" })
	c := s.withClock()
	cookie := s.signInAlice()
	line := func() string {
		s.serve(get("/app", cookieLine(cookie))).wantReached()
		return s.app.got.Header.Get("Cookie")
	}
	first := line()
	if again := line(); again != first {
		t.Error("cookies differ within a second")
	}
	for _, later := range []time.Duration{time.Second, time.Minute, 25 * time.Hour, 20 * 24 * time.Hour} {
		c.pass(later)
		if again := line(); again == first {
			t.Errorf("after %s they are still the same", later)
		}
		if got := s.panelSees(testSecret, c.Now()); got["user"] != testUser {
			t.Errorf("after %s Panel sees %v", later, got)
		}
		signed := tornadoCookies(s.app.got.Header.Get("Cookie"))["user"]
		if _, err := tornado.Verify([]byte(testSecret), "user", signed, c.Now(), time.Second-1); err != nil {
			t.Errorf("after %s they are not of this second: %v", later, err)
		}
	}
	c.pass(-time.Hour) // a clock that is set back
	line()
	if got := s.panelSees(testSecret, c.Now()); got["user"] != testUser {
		t.Errorf("Panel sees %v", got)
	}
}

func TestPanelCookiesOptions(t *testing.T) {
	key := tornado.NewFernetKey()
	fernet, err := tornado.NewFernet(key)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		change func(*Handler)
		want   []string // names
	}{
		{"default", func(*Handler) {}, []string{"user", "id_token"}},
		{"user alone", func(h *Handler) { h.PanelCookies = []string{"user"} }, []string{"user"}},
		{"id_token alone", func(h *Handler) { h.PanelCookies = []string{"id_token"} }, []string{"id_token"}},
		{"off", func(h *Handler) { h.PanelCookies = []string{"off"} }, nil},
		{"no secret that Panel could have", generatedSecrets, nil},
		{"a key alone does not encrypt", func(h *Handler) { h.OAuthEncryptionKey = key }, []string{"user", "id_token"}},
		{"encrypted", func(h *Handler) { h.OAuthEncryptionKey, h.PanelCookies = key, []string{"encrypted"} }, []string{"user", "id_token"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t, test.change, optional)
			cookie := s.signInAlice()
			s.serve(get("/app", cookieLine(cookie))).wantReached()
			got := s.panelSees(testSecret, time.Now())
			if len(got) != len(test.want) {
				t.Errorf("there are %v, want %v", got, test.want)
			}
			for _, name := range test.want {
				value := got[name]
				if name == "id_token" && test.name == "encrypted" {
					if value, err = fernet.Decrypt(value); err != nil {
						t.Fatalf("the token is %q: %v", got[name], err)
					}
				}
				if name == "id_token" {
					value = userInfo(t, value)["user"].(string)
				}
				if value != testUser {
					t.Errorf("%s is %q", name, value)
				}
			}
			s.serve(get("/app")).wantReached()
			wantGuest := "is_guest=1"
			if test.want == nil {
				wantGuest = ""
			}
			if got := s.app.got.Header.Get("Cookie"); got != wantGuest {
				t.Errorf("a guest has %q", got)
			}
		})
	}
}

// TestPanelCookiesUseTheFirstSecret: Panel knows one.
func TestPanelCookiesUseTheFirstSecret(t *testing.T) {
	s := newSite(t, func(h *Handler) { h.CookieSecret = []string{"the-newest-cookie-secret", testSecret} })
	s.serve(get("/app", cookieLine(s.signInAlice()))).wantReached()
	if got := s.panelSees("the-newest-cookie-secret", time.Now()); got["user"] != testUser {
		t.Errorf("Panel sees %v", got)
	}
}

// TestPanelCookiesWithoutSecretAreSaid: once, in the log.
func TestPanelCookiesWithoutSecretAreSaid(t *testing.T) {
	for name, test := range map[string]struct {
		options []func(*Handler)
		want    int
	}{
		"no secret":      {[]func(*Handler){generatedSecrets}, 1},
		"no secret, off": {[]func(*Handler){generatedSecrets, func(h *Handler) { h.PanelCookies = []string{"off"} }}, 0},
		"secret":         {nil, 0},
	} {
		s := newSite(t, test.options...)
		for range 3 {
			s.serve(get("/app", cookieLine(s.signInAlice()))).wantReached()
		}
		if n := s.logs.FilterMessageSnippet("cookie_secret is not configured").Len(); n != test.want {
			t.Errorf("%s: said %d times", name, n)
		}
	}
}

// TestPanelVectors are values that a running Panel signed.
func TestPanelVectors(t *testing.T) {
	s := newSite(t, masterPassword)
	s.panel = tornado.NewSigner([]byte("secret"))
	bob := s.newIdentity("bob", passwordProvider, map[string]any{"user": "bob"})
	s.settings.panelCookies = []string{"user"}
	got := s.signPanelCookies(bob, time.Unix(1795295794, 0))
	if want := "user=" + signedBob; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
