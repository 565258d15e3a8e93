// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os/exec"
	"strings"
	"testing"
)

// A real Tornado accepts the cookies that the application gets, on pages and
// on websockets alike, whatever the client sends under their names.
func TestTornadoReadsTheCookies(t *testing.T) {
	app := notPanel(t)
	site := caddy(t, "panelauth {\n\tbasic_auth my_password\n\tcookie_secret "+cookieSecret+"\n}\nreverse_proxy "+app.address)
	for _, user := range []string{"alice", "zoë ü", `O'Brien; "x"=1, \`, "山田 太郎"} {
		t.Run(user, func(t *testing.T) {
			visitor := browser(t)
			visitor.open(site.url + "/page")
			visitor.signIn(user, "my_password")
			visitor.sees("not Panel")
			for name, request := range map[string]*http.Request{
				"page":      navigation(t, site.url+"/page"),
				"websocket": websocket(t, site.url+"/page/ws"),
			} {
				request.Header.Set("Cookie", `theme="dark mode"; user=forged; is_guest=1`)
				answer(t, with(request, visitor.cookies()))
				header := app.last(t).Header.Values("Cookie")
				if len(header) != 1 {
					t.Fatalf("%s: %d Cookie headers", name, len(header))
				}
				checkCookies(t, name, header[0], user)
			}
		})
	}
}

func checkCookies(t *testing.T, name, header, user string) {
	t.Helper()
	if !strings.Contains(header, `theme="dark mode"`) || strings.Contains(header, "forged") || strings.Contains(header, "is_guest") {
		t.Errorf("%s: the application gets the wrong cookies: %s", name, header)
	}
	signed := tornado(t, header, "user", "id_token")
	if signed["user"] == nil || *signed["user"] != user {
		t.Errorf("%s: Tornado does not read the user %s from %s", name, user, header)
	}
	if signed["id_token"] == nil {
		t.Fatalf("%s: Tornado does not read the ID token from %s", name, header)
	}
	text, err := base64.RawURLEncoding.DecodeString(*signed["id_token"])
	if err != nil {
		t.Fatalf("%s: the ID token is not base64url without padding: %v", name, err)
	}
	var claims map[string]any
	if err := json.Unmarshal(text, &claims); err != nil {
		t.Fatalf("%s: the ID token is not JSON: %v", name, err)
	}
	if claims["user"] != user || claims["username"] != user {
		t.Errorf("%s: the claims are %v, want user and username %s", name, claims, user)
	}
}

// tornado verifies signed cookies with Tornado itself. A cookie that is not
// there or not good is nil.
func tornado(t *testing.T, header string, names ...string) map[string]*string {
	t.Helper()
	asked, err := json.Marshal(map[string]any{"header": header, "secret": cookieSecret, "names": names})
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(pythonProgram, "testdata/read_cookies.py")
	command.Stdin = bytes.NewReader(asked)
	printed, err := command.Output()
	if err != nil {
		t.Fatalf("asking Tornado: %v", err)
	}
	var values map[string]*string
	if err := json.Unmarshal(printed, &values); err != nil {
		t.Fatal(err)
	}
	return values
}
