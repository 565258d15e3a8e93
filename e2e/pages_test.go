// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"testing"
)

// The pictures that this leaves in output/ are to be looked at.
func TestPagesForTheEye(t *testing.T) {
	site := caddy(t, inFrontOf(examplePanel(t), "basic_auth my_password", "remember_me 30"))
	visitor := browser(t)
	if status := visitor.open(site.url + "/app"); status != http.StatusOK {
		t.Errorf("the sign-in page answers %d", status)
	}
	visitor.seesForm()
	visitor.startsIn("username")
	visitor.photographAll("sign-in")
	visitor.signIn("alice", "wrong")
	visitor.sees("Invalid username or password!")
	visitor.startsIn("password")
	visitor.photographAll("sign-in-failed")
	if kept, err := ask[string](visitor, `document.querySelector("input[name=username]").value`); err != nil || kept != "alice" {
		t.Errorf("the user name is %q after a failure (%v)", kept, err)
	}
	visitor.signIn("alice", "my_password")
	visitor.hasLiveWidget()
	visitor.photograph("app")
	visitor.press("Log out")
	visitor.arrives(site.url + "/logout")
	visitor.photographAll("signed-out")
}

// The built-in pages load nothing from anywhere and break no rule of their own
// policy.
func TestPagesStandAlone(t *testing.T) {
	site := caddy(t, inFrontOf(examplePanel(t), "basic_auth my_password"))
	visitor := browser(t)
	for _, path := range []string{"/app", "/logout"} {
		visitor.open(site.url + path)
		loaded, err := ask[int](visitor, `performance.getEntriesByType("resource").filter(entry => !entry.name.endsWith("/favicon.ico")).length`)
		if err != nil || loaded != 0 {
			t.Errorf("%s loads %d more things (%v)", path, loaded, err)
		}
		if scripts, err := ask[int](visitor, `document.querySelectorAll("script[src], script:not([type=module])").length`); err != nil || scripts != 0 {
			t.Errorf("%s has %d scripts that are not the page's own (%v)", path, scripts, err)
		}
		styled, err := ask[bool](visitor, `[...document.styleSheets].some(sheet => sheet.cssRules.length > 0)`)
		if err != nil || !styled {
			t.Errorf("%s is not styled, so its policy forbids its style (%v)", path, err)
		}
		visitor.wide(320)
		wide, err := ask[int](visitor, `document.documentElement.scrollWidth`)
		if err != nil || wide > 320 {
			t.Errorf("%s is %d pixels wide on a screen of 320 (%v)", path, wide, err)
		}
	}
}

// startsIn checks which field of the form has the focus.
func (v *visitor) startsIn(field string) {
	v.t.Helper()
	v.eventually("the focus in "+field, fmt.Sprintf(`document.activeElement.name === %q`, field))
}

// photographAll keeps pictures in both colours and of a small screen.
func (v *visitor) photographAll(name string) {
	v.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		v.prefers(scheme)
		v.photograph(name + "-" + scheme)
	}
	v.prefers("light")
	v.wide(320)
	v.photograph(name + "-small")
	v.wide(1000)
}
