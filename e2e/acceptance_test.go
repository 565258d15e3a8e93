// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// These are the demands of two pages about Panel's sign-in: the guide to guest
// users (A to E) and a tutorial on a password in front of an app (F to K). A
// user of either finds the same here.

func TestAcceptanceA_OptionalSignInServesEveryPageToGuests(t *testing.T) {
	site := caddy(t, inFrontOf(examplePanel(t), "basic_auth my_password", "oauth_optional"))
	visitor := browser(t)
	for path, says := range map[string]string{"/": "admin", "/app": "Hello guest", "/admin": "you are guest"} {
		if status := visitor.open(site.url + path); status != http.StatusOK {
			t.Errorf("%s answers %d, want 200", path, status)
		}
		visitor.sees(says)
		if at := visitor.at(); at != site.url+path {
			t.Errorf("%s led to %s", path, at)
		}
	}
}

func TestAcceptanceB_AppSeesGuest(t *testing.T) {
	site := caddy(t, inFrontOf(panel(t, "testdata/who.py"), "basic_auth my_password", "oauth_optional"))
	visitor := browser(t)
	visitor.open(site.url + "/who")
	visitor.isKnownAs("guest")
}

func TestAcceptanceC_LogInButtonSignsInAndReturns(t *testing.T) {
	site := caddy(t, inFrontOf(examplePanel(t), "basic_auth my_password", "oauth_optional"))
	visitor := browser(t)
	visitor.open(site.url + "/app?from=the-guide")
	visitor.sees("Hello guest")
	visitor.press("Log in")
	visitor.seesForm()
	visitor.signIn("alice", "my_password")
	visitor.arrives(site.url + "/app?from=the-guide")
	visitor.sees("Hello alice")
}

func TestAcceptanceD_CallbackSendsGuestToLogin(t *testing.T) {
	app := examplePanel(t, "--setup", "testdata/guests_log_in.py")
	site := caddy(t, inFrontOf(app, "basic_auth my_password", "oauth_optional"))
	visitor := browser(t)
	visitor.open(site.url + "/app")
	visitor.sees("Hello guest")
	visitor.open(site.url + "/admin")
	visitor.arrives(site.url + "/login")
	visitor.signIn("alice", "my_password")
	visitor.open(site.url + "/admin")
	visitor.sees("you are alice")
}

func TestAcceptanceE_GuestEndpointOpensOnePage(t *testing.T) {
	site := caddy(t, inFrontOf(examplePanel(t), "basic_auth my_password", "oauth_guest_endpoints /app"))
	visitor := browser(t)
	visitor.open(site.url + "/app")
	visitor.sees("Hello guest")
	visitor.open(site.url + "/admin")
	visitor.arrives(site.url + "/login?next=%2Fadmin")
	visitor.signIn("alice", "my_password")
	visitor.arrives(site.url + "/admin")
	visitor.sees("you are alice")
	visitor.open(site.url + "/app")
	visitor.sees("Hello alice")
}

func TestAcceptanceF_PasswordInFrontOfAnyFramework(t *testing.T) {
	app := notPanel(t)
	hash, err := exec.Command(caddyProgram, "hash-password", "--plaintext", "a password worth hiding").Output()
	if err != nil {
		t.Fatal(err)
	}
	credentials := writeJSON(t, "credentials.json", map[string]string{"alice": strings.TrimSpace(string(hash))})
	site := caddy(t, fmt.Sprintf("panelauth {\n\tbasic_auth %s\n}\nreverse_proxy %s", credentials, app.address))
	visitor := browser(t)

	visitor.open(site.url + "/report?year=2026")
	visitor.seesForm()
	visitor.signIn("alice", "wrong")
	visitor.sees("Invalid username or password!")
	if requests := app.requests(); len(requests) != 0 {
		t.Fatalf("the app was asked before anybody had signed in: %s %s", requests[0].Method, requests[0].URL)
	}
	visitor.signIn("alice", "a password worth hiding")
	visitor.arrives(site.url + "/report?year=2026")
	visitor.sees("not Panel")
}

func TestAcceptanceG_MasterPasswordLetsAnyNameIn(t *testing.T) {
	site := caddy(t, inFrontOf(panel(t, "testdata/who.py"), "basic_auth my_password"))
	for _, user := range []string{"alice", "somebody else", "zoë ü", "O'Brien", "山田"} {
		t.Run(user, func(t *testing.T) {
			visitor := browser(t)
			visitor.open(site.url + "/who")
			visitor.signIn(user, "my_password")
			visitor.isKnownAs(user)
		})
	}
}

func TestAcceptanceH_CredentialsFile(t *testing.T) {
	accounts := map[string]string{"user1": "my_password", "admin": "my_super_safe_password"}
	credentials := writeJSON(t, "credentials.json", accounts)
	site := caddy(t, inFrontOf(panel(t, "testdata/who.py"), "basic_auth "+credentials))
	visitors := map[string]*visitor{}
	for user, password := range accounts {
		visitors[user] = browser(t)
		visitors[user].open(site.url + "/who")
		visitors[user].signIn(user, "my_passwor")
		visitors[user].sees("Invalid username or password!")
		visitors[user].signIn(user, password)
		visitors[user].isKnownAs(user)
	}

	without := maps.Clone(accounts)
	delete(without, "user1")
	replaceJSON(t, credentials, without)
	eventually(t, patience, "user1, who was removed, is signed out", func() bool {
		return visitors["user1"].request(site.url+"/who").StatusCode == http.StatusFound
	})
	if status := visitors["admin"].request(site.url + "/who").StatusCode; status != http.StatusOK {
		t.Errorf("admin, who stayed, gets %d", status)
	}
}

func TestAcceptanceI_CustomLoginTemplate(t *testing.T) {
	template, err := filepath.Abs("testdata/login.html")
	if err != nil {
		t.Fatal(err)
	}
	site := caddy(t, inFrontOf(examplePanel(t), "basic_auth my_password", "basic_login_template "+template))
	visitor := browser(t)
	visitor.open(site.url + "/app")
	visitor.sees("Welcome to the operator's own page")
	icon, err := ask[string](visitor, `document.querySelector("link[rel=icon]").href`)
	if err != nil || !strings.HasPrefix(icon, "https://cdn.holoviz.org/panel/") || !strings.HasSuffix(icon, "/dist/images/favicon.ico") {
		t.Errorf("the icon is at %q (%v)", icon, err)
	}
	if strings.Contains(visitor.text(), "Invalid") {
		t.Error("the page complains before anything was tried")
	}
	visitor.signIn("alice", "wrong")
	visitor.sees("Welcome to the operator's own page")
	visitor.sees("Invalid username or password!")
	visitor.signIn("alice", "my_password")
	visitor.arrives(site.url + "/app")
	visitor.sees("Hello alice")
}

func TestAcceptanceJ_LogOutButton(t *testing.T) {
	site := caddy(t, inFrontOf(examplePanel(t), "basic_auth my_password"))
	visitor := browser(t)
	visitor.open(site.url + "/app")
	visitor.signIn("alice", "my_password")
	visitor.sees("Hello alice")
	stolen := visitor.cookies()
	visitor.press("Log out")
	visitor.arrives(site.url + "/logout")
	isOver(t, site.url+"/app", stolen)
	visitor.open(site.url + "/app")
	visitor.seesForm()
}

func TestAcceptanceK_WelcomeTextShowsUser(t *testing.T) {
	site := caddy(t, inFrontOf(examplePanel(t), "basic_auth my_password"))
	visitor := browser(t)
	visitor.open(site.url + "/app")
	visitor.signIn("alice", "my_password")
	visitor.arrives(site.url + "/app")
	visitor.sees("Hello alice")
}

// isKnownAs waits for the page of testdata/who.py and compares what Panel
// knows with what it should.
func (v *visitor) isKnownAs(user string) {
	v.t.Helper()
	v.sees(`"user_info"`)
	var known struct {
		User        string         `json:"user"`
		UserInfo    map[string]any `json:"user_info"`
		AccessToken any            `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(v.text()), &known); err != nil {
		v.t.Fatalf("reading %q: %v", v.text(), err)
	}
	if known.User != user || known.UserInfo["user"] != user || known.UserInfo["username"] != user || known.AccessToken != nil {
		v.t.Errorf("Panel knows %+v, want %s everywhere and no access token", known, user)
	}
}

// writeJSON puts a value into a new file and returns its path.
func writeJSON(t *testing.T, name string, value any) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	replaceJSON(t, path, value)
	return path
}

func replaceJSON(t *testing.T, path string, value any) {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
