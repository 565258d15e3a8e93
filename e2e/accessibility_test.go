// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

const axeScript = "axe/node_modules/axe-core/axe.min.js"

// TestPagesAreAccessible: axe-core finds nothing on any page in any state, light
// and dark, narrow and wide, from the left and from the right. The pictures that
// this leaves in output/ are to be looked at.
func TestPagesAreAccessible(t *testing.T) {
	axe := readAxe(t)
	for _, language := range []string{"en", "ar", "de"} {
		t.Run(language, func(t *testing.T) {
			i := &inspection{visitor: browser(t), axe: axe, language: language}
			i.look = i.inspect
			i.sends(nil)
			i.walk(caddy(t, allPages(t)).url)
		})
	}
}

func readAxe(t *testing.T) string {
	t.Helper()
	axe, err := os.ReadFile(axeScript)
	if err != nil {
		t.Fatal(err)
	}
	return string(axe)
}

// allPages is a site with everything that pages can show.
func allPages(t *testing.T) string {
	t.Helper()
	logo := filepath.Join(t.TempDir(), "logo.svg")
	picture := `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><rect width="48" height="48" rx="12" fill="#0a7d5a"/><path d="M12 34V24m8 10V14m8 20V20m8 14V10" stroke="#fff" stroke-width="5" stroke-linecap="round"/></svg>`
	if err := os.WriteFile(logo, []byte(picture), 0o600); err != nil {
		t.Fatal(err)
	}
	site := "panelauth {\n\tbasic_auth {\n\t\talice my_password\n\t}\n\tremember_me 30\n"
	for _, name := range []string{"github", "gitlab", "google", "azure", "okta", "auth0", "bitbucket"} {
		params := map[string]string{
			"okta":  "extra_params {\n\t\t\turl example.okta.com\n\t\t}",
			"auth0": "extra_params {\n\t\t\tsubdomain example\n\t\t}",
		}[name]
		site += fmt.Sprintf("\toauth_provider %s {\n\t\tkey k\n\t\tsecret {env.%s}\n\t\t%s\n\t}\n", name, secretVariable(clientBasic), params)
	}
	site += fmt.Sprintf("\toauth_provider oidc company {\n\t\tkey k\n\t\tsecret {env.%s}\n\t\tlabel \"Sign in as staff\"\n\t\textra_params {\n\t\t\tISSUER http://127.0.0.1:1\n\t\t}\n\t}\n", secretVariable(clientBasic))
	site += fmt.Sprintf("\tbranding {\n\t\ttitle \"Sales figures\"\n\t\tlogo %s\n\t\taccent \"#0a7d5a\"\n\t\tnotice \"For employees only. Questions: it@example.com\"\n\t}\n", logo)
	return site + "\tauthorize {\n\t\tdeny /secret\n\t\tallow\n\t}\n}\nreverse_proxy " + notPanel(t).address
}

// inspection is a visitor who looks at pages closely.
type inspection struct {
	*visitor
	axe, language string
	// look is what is done on each page.
	look func(name string)
}

// sends has the browser say these headers, and its language.
func (i *inspection) sends(headers network.Headers) {
	i.t.Helper()
	all := network.Headers{"Accept-Language": i.language}
	for name, value := range headers {
		all[name] = value
	}
	if _, err := chromedp.Call(i.tab, network.Enable, network.EnableParams{}); err != nil {
		i.t.Fatal(err)
	}
	if _, err := chromedp.Call(i.tab, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: all}); err != nil {
		i.t.Fatal(err)
	}
}

// walk meets each page.
func (i *inspection) walk(url string) {
	i.t.Helper()
	i.opens(url+"/login", http.StatusOK, "sign-in")
	i.signIn("mallory", "wrong")
	i.look("sign-in-failed")
	for range 3 {
		i.signIn("mallory", "wrong")
	}
	i.look("sign-in-last-attempt")
	i.signIn("mallory", "wrong")
	i.look("sign-in-no-attempt")
	i.signIn("mallory", "wrong")
	i.look("too-many-attempts")
	i.opens(url+"/login?code=c&state=s", http.StatusUnauthorized, "provider-failed")
	i.opens(url+"/login?provider=company", http.StatusServiceUnavailable, "provider-away")
	i.open(url + "/login")
	i.signIn("alice", "my_password")
	i.opens(url+"/secret", http.StatusForbidden, "refused")
	i.opens(url+"/logout?everywhere=1", http.StatusOK, "sign-out-everywhere")
	i.sends(network.Headers{"X-Purpose": "preview"})
	i.opens(url+"/logout", http.StatusOK, "sign-out")
	i.sends(nil)
	i.opens(url+"/logout", http.StatusOK, "signed-out")
}

func (i *inspection) opens(url string, status int, name string) {
	i.t.Helper()
	if got := i.open(url); got != status {
		i.t.Errorf("%s answers %d, want %d", url, got, status)
	}
	i.look(name)
}

// inspect looks at the page in both colours on both screens.
func (i *inspection) inspect(name string) {
	i.t.Helper()
	if got, err := ask[string](i.visitor, `document.documentElement.lang`); err != nil || got != i.language {
		i.t.Errorf("%s is written in %q (%v)", name, got, err)
	}
	for _, screen := range []struct {
		name  string
		width int64
	}{{"narrow", 320}, {"wide", 1000}} {
		for _, scheme := range []string{"light", "dark"} {
			i.wide(screen.width)
			i.prefers(scheme)
			i.photograph(fmt.Sprintf("pages-%s-%s-%s-%s", i.language, name, screen.name, scheme))
			i.passesAxe(name + " " + screen.name + " " + scheme)
		}
		over, err := ask[int](i.visitor, `document.documentElement.scrollWidth - document.documentElement.clientWidth`)
		if err != nil || over > 0 {
			i.t.Errorf("%s is %d pixels too wide for %d (%v)", name, over, screen.width, err)
		}
	}
	i.prefers("light")
}

// passesAxe fails the test for each rule that the page breaks, and for what axe
// could not decide where nobody looked.
func (i *inspection) passesAxe(name string) {
	i.t.Helper()
	i.do("loading axe", chromedp.Evaluate[chromedp.Void](`window.axe || (`+jsFunction(i.axe)+`)(); void 0`))
	i.do("running axe", chromedp.Evaluate[chromedp.Void](`window.axeFound = null; axe.run({resultTypes: ["violations"]}).then(
		found => { window.axeFound = found.passes.length < 10 ? JSON.stringify([{id: "axe itself", help: "hardly a rule was tried"}]) :
			JSON.stringify(found.violations.map(v => ({id: v.id, help: v.help, at: v.nodes.map(n => n.html)}))); },
		failed => { window.axeFound = JSON.stringify([{id: "axe itself", help: String(failed)}]); }); void 0`))
	i.eventually("axe's findings", `window.axeFound !== null`)
	said, err := ask[string](i.visitor, `window.axeFound`)
	var found []struct {
		ID, Help string
		At       []string
	}
	if err == nil {
		err = json.Unmarshal([]byte(said), &found)
	}
	if err != nil {
		i.t.Fatalf("reading axe's findings: %v", err)
	}
	for _, f := range found {
		i.t.Errorf("%s: %s: %s %q", name, f.ID, f.Help, f.At)
	}
}

func jsFunction(body string) string { return "function() {" + body + "\n}" }

// TestKeyboardAlone: signing in with nothing but keys, in the order in which the
// page shows things, with a visible focus on each.
func TestKeyboardAlone(t *testing.T) {
	site := caddy(t, allPages(t))
	visitor := browser(t)
	visitor.open(site.url + "/login?next=/page")
	visitor.startsIn("username")
	visitor.do("typing", chromedp.KeyEvent("alice\t"))
	visitor.startsIn("password")
	visitor.do("typing", chromedp.KeyEvent("my_password\t"))
	visitor.focusIs("reveal")
	visitor.do("showing the password", chromedp.KeyEvent(" "))
	visitor.eventually("the password in sight", `document.getElementById("password").type === "text"`)
	visitor.photograph("keyboard-password-shown")
	visitor.do("hiding the password", chromedp.KeyEvent(" "))
	visitor.eventually("the password hidden", `document.getElementById("password").type === "password"`)
	visitor.do("tab", chromedp.KeyEvent("\t"))
	visitor.focusIs("remember")
	visitor.do("ticking", chromedp.KeyEvent(" "))
	visitor.eventually("providers that remember, too", `getComputedStyle(document.querySelector(".keep")).display !== "none" &&
		getComputedStyle(document.querySelector(".way .button:not(.keep)")).display === "none"`)
	visitor.do("tab", chromedp.KeyEvent("\t"))
	visitor.eventually("the focus on the button", `document.activeElement.type === "submit"`)
	visitor.hasVisibleFocus()
	for range 8 {
		visitor.do("tab", chromedp.KeyEvent("\t"))
		visitor.eventually("the focus on a provider", `document.activeElement.matches("a[href*='stay=']")`)
		visitor.hasVisibleFocus()
	}
	visitor.do("back to the password", chromedp.Focus(chromedp.CSS("#password")))
	visitor.leavingThePage(func() { visitor.do("sending", chromedp.KeyEvent("\r")) })
	visitor.arrives(site.url + "/page")
}

func (v *visitor) focusIs(id string) {
	v.t.Helper()
	v.eventually("the focus on "+id, fmt.Sprintf(`document.activeElement.id === %q`, id))
	v.hasVisibleFocus()
}

// hasVisibleFocus looks for an outline around what has the focus.
func (v *visitor) hasVisibleFocus() {
	v.t.Helper()
	v.eventually("a visible focus", `[document.activeElement, document.activeElement.parentElement].some(element => {
		const style = getComputedStyle(element);
		return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
	})`)
}
