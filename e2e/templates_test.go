// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestPanelLoginTemplate(t *testing.T) {
	for _, path := range []string{"/app", "/proxy/app"} {
		t.Run(path, func(t *testing.T) {
			app := notPanel(t)
			lines := "panelauth {\n\tbasic_auth my_password\n\tbasic_login_template " + panelTemplate(t, "basic_login.html") +
				"\n}\nreverse_proxy " + app.address
			site := caddy(t, "handle_path /proxy/* {\n"+lines+"\n}\nhandle {\n"+lines+"\n}")
			visitor := browser(t)
			visitor.open(site.url + path)
			if title := visitor.title(); title != "Panel App | Login" {
				t.Errorf("the title is %q", title)
			}
			visitor.signIn(`<b>"alice"</b>`, "wrong")
			visitor.sees("Invalid username or password!")
			visitor.sees("Login to access your application")
			visitor.signIn("alice", "my_password")
			visitor.arrives(site.url + path)
			visitor.sees("not Panel")
		})
	}
}

func TestPanelLogoutTemplateLeadsBackToLogin(t *testing.T) {
	app := notPanel(t)
	site := caddy(t, "panelauth {\n\tbasic_auth my_password\n\tlogout_template "+panelTemplate(t, "logout.html")+
		"\n}\nreverse_proxy "+app.address)
	visitor := browser(t)
	visitor.open(site.url + "/logout")
	visitor.sees("Successfully logged out.")
	visitor.leavingThePage(func() { visitor.press("Login") })
	visitor.seesForm()
	if at := visitor.at(); !strings.HasPrefix(at, site.url+"/login") {
		t.Errorf("the button leads to %s", at)
	}
}

// Panel's page for errors is accepted for both uses that Panel has for it, and
// renders, here in a place where anybody gets to see it.
func TestPanelErrorTemplate(t *testing.T) {
	template := panelTemplate(t, "error.html")
	site := caddy(t, fmt.Sprintf("panelauth {\n\tbasic_auth my_password\n\tauth_template %[1]s\n\toauth_error_template %[1]s\n\tbasic_login_template %[1]s\n}\nrespond hello", template))
	visitor := browser(t)
	visitor.open(site.url + "/login")
	if title := visitor.title(); title != "Panel Error" {
		t.Errorf("the title is %q", title)
	}
	if says := visitor.text(); says != "Error" {
		t.Errorf("the page says %q", says)
	}
}

// panelTemplate is the path of one of the template files that Panel ships.
func panelTemplate(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.Command(pythonProgram, "-c", "import importlib.util; print(importlib.util.find_spec('panel').origin)").Output()
	if err != nil {
		t.Fatalf("finding the files of Panel: %v", err)
	}
	return filepath.Join(filepath.Dir(strings.TrimSpace(string(path))), "_templates", name)
}
