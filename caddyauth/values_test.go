// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/json"
	"testing"
	"time"
)

func TestValuesInJSON(t *testing.T) {
	for name, test := range map[string]struct{ in, out string }{
		"numbers":      {`{"oauth_expiry_days":0.5,"remember_me":30,"login_attempts":{"max":3}}`, ""},
		"nanoseconds":  {`{"session_idle":1800000000000}`, ""},
		"text":         {`{"oauth_expiry_days":"0.5","session_idle":"1d"}`, `{"oauth_expiry_days":0.5,"session_idle":86400000000000}`},
		"placeholders": {`{"oauth_expiry_days":"{env.DAYS}","session_idle":"{env.IDLE}"}`, ""},
		"a text":       {`{"cookie_secret":"one","panel_cookies":"off"}`, `{"cookie_secret":["one"],"panel_cookies":["off"]}`},
		"texts":        {`{"cookie_secret":["one","two"]}`, ""},
		"number":       {`{"cookie_secret":1}`, "error"},
		"null":         {`{"oauth_expiry_days":null}`, `{}`},
		"truth":        {`{"oauth_expiry_days":true}`, "error"},
		"list":         {`{"session_idle":[]}`, "error"},
	} {
		t.Run(name, func(t *testing.T) {
			var h Handler
			if err := json.Unmarshal([]byte(test.in), &h); err != nil {
				if test.out != "error" {
					t.Error(err)
				}
				return
			}
			got, err := json.Marshal(&h)
			want := test.out
			if want == "" {
				want = test.in
			}
			if string(got) != want || err != nil {
				t.Errorf("got %s and error %v, want %s", got, err, want)
			}
		})
	}
}

func TestNumbersFromTheEnvironment(t *testing.T) {
	t.Setenv("PANELAUTH_TEST_DAYS", "2.5")
	t.Setenv("PANELAUTH_TEST_IDLE", "1d")
	t.Setenv("PANELAUTH_TEST_ATTEMPTS", "7")
	s := mustResolve(t, good(func(h *Handler) {
		h.OAuthExpiryDays, h.RememberMe = "{env.PANELAUTH_TEST_DAYS}", "{env.PANELAUTH_TEST_DAYS}"
		h.SessionIdle = "{env.PANELAUTH_TEST_IDLE}"
		h.LoginAttempts = &LoginAttempts{Max: "{env.PANELAUTH_TEST_ATTEMPTS}", Window: "{env.PANELAUTH_TEST_IDLE}"}
	}))
	if s.lifetime != 60*time.Hour || s.remember != 60*time.Hour || s.idle != day {
		t.Errorf("got %s, %s and %s", s.lifetime, s.remember, s.idle)
	}
	if s.attempts != (limit{max: 7, window: day}) {
		t.Errorf("got %+v", s.attempts)
	}
}
