// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
)

// titleUser is an application that has its user in its page before any websocket.
const titleUser = "import panel as pn; pn.panel('x').servable(title='Hello ' + pn.state.user)\n"

// TestProgramsAndPanel: a script opens pages and websockets of Panel, as who it
// shows that it is, and the page's own script knows who its visitor is.
func TestProgramsAndPanel(t *testing.T) {
	made, err := exec.Command(caddyProgram, "panelauth", "api-key", "robot").Output()
	if err != nil {
		t.Fatal(err)
	}
	key, line, _ := strings.Cut(strings.TrimSpace(string(made)), "\n")
	users := write(t, "users.json", `{"alice": "my_password", "robot": {`+line+`}}`)
	site := caddy(t, inFrontOf(panel(t, write(t, "app.py", titleUser)), "basic_auth "+users, "basic_auth_header"))

	password := func(r *http.Request) { r.SetBasicAuth("alice", "my_password") }
	token := func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+key) }
	wrong := func(r *http.Request) { r.SetBasicAuth("alice", "another_password") }
	for name, test := range map[string]struct {
		show func(*http.Request)
		user string
	}{"password": {password, "alice"}, "API key": {token, "robot"}, "wrong password": {wrong, ""}} {
		t.Run(name, func(t *testing.T) {
			socket := websocket(t, site.url+"/app/ws")
			socket.Header.Del("Origin")
			test.show(socket)
			me, page := shows(t, site.url+"/login/me", test.show), shows(t, site.url+"/app", test.show)
			if test.user == "" {
				opens(t, socket, http.StatusUnauthorized)
				if want := `{"error":"invalid_credentials"}`; me != want || page != want {
					t.Errorf("it is told %s and %.500s", me, page)
				}
				return
			}
			opens(t, socket, http.StatusSwitchingProtocols)
			if !strings.Contains(me, `"user":"`+test.user+`"`) {
				t.Errorf("it is told %s", me)
			}
			if !strings.Contains(page, "<title>Hello "+test.user+"</title>") {
				t.Errorf("the page is %.500s", page)
			}
		})
	}
}

// shows is what a program gets that shows who it is.
func shows(t *testing.T, url string, show func(*http.Request)) string {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	show(request)
	response, err := (&http.Client{Timeout: patience}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
