// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// Whoever sits in front of a dashboard when its session is revoked is told so,
// signs in beside it, and goes on.
func TestSessionNotice(t *testing.T) {
	site := caddy(t, inFrontOf(examplePanel(t), "basic_auth my_password", "session_notice"))
	visitor := browser(t)
	visitor.open(site.url + "/app")
	visitor.signIn("alice", "my_password")
	visitor.hasLiveWidget()
	visitor.lacksNotice()
	site.revokes(t, "alice")
	visitor.sees("Your session has ended: sign in again")
	for _, scheme := range []string{"light", "dark"} {
		visitor.prefers(scheme)
		visitor.keepsPicture("session-notice-" + scheme)
	}
	visitor.wide(320)
	visitor.keepsPicture("session-notice-small")
	visitor.wide(1000)
	popup := visitor.opensWindow(func() { visitor.press("Sign in again") })
	popup.seesForm()
	popup.fillsInAndGoes("alice", "my_password")
	visitor.sees("You are signed in again")
	visitor.keepsPicture("session-notice-back")
	visitor.leavingThePage(func() { visitor.press("Reload this page") })
	visitor.arrives(site.url + "/app")
	visitor.hasLiveWidget()
	visitor.lacksNotice()
}

// Shortly before its end a session is said to end; signing in anew is enough.
func TestSessionNoticeAhead(t *testing.T) {
	site := caddy(t, inFrontOf(examplePanel(t), "basic_auth my_password", "session_notice", "oauth_expiry_days 0.0002"))
	visitor := browser(t)
	visitor.open(site.url + "/app")
	visitor.signIn("alice", "my_password")
	visitor.sees("Your session is about to end: sign in again")
	eventually(t, 60*time.Second, "the end of the session", func() bool {
		said, err := ask[bool](visitor, noticeSays("Your session has ended: sign in again"))
		return err == nil && said
	})
}

// A policy of the application's own lets the script in, and nothing else.
func TestSessionNoticeAndPolicy(t *testing.T) {
	app := notPanel(t)
	site := caddy(t, "panelauth {\n\tbasic_auth my_password\n\tsession_notice\n}\nroute {\n\theader Content-Type text/html\n\theader Content-Security-Policy \"default-src 'none'; connect-src 'self'; script-src 'self'\"\n\trespond `<!doctype html><title>An app</title><script>document.title = \"evil\"</script><p>Hello`\n}\n#"+app.address)
	visitor := browser(t)
	visitor.open(site.url + "/app")
	visitor.signIn("alice", "my_password")
	visitor.sees("Hello")
	if title := visitor.title(); title != "An app" {
		t.Errorf("the page's own inline script ran: %q", title)
	}
	visitor.eventually("the notice's script", `WebSocket.toString().includes("4401")`)
}

func noticeSays(text string) string {
	return `(() => {` + inAllShadows + `
		let says = false;
		visit(document.body, node => { if (node.nodeType === Node.TEXT_NODE && node.data === ` + "`" + text + "`" + `) says = true; });
		return says;
	})()`
}

func (v *visitor) lacksNotice() {
	v.t.Helper()
	shown, err := ask[bool](v, `(() => {`+inAllShadows+`
		let shown = false;
		visit(document.body, node => { if (node.getAttribute && node.getAttribute("role") === "alert") shown = true; });
		return shown;
	})()`)
	if err != nil || shown {
		v.t.Errorf("there is a notice already (%v)", err)
	}
}

// opensWindow returns the window that something opens.
func (v *visitor) opensWindow(do func()) *visitor {
	v.t.Helper()
	opened := chromedp.WaitNewTarget(v.tab, func(info *target.Info) bool { return info.URL != "" })
	do()
	select {
	case id := <-opened:
		tab, closeTab := chromedp.NewContext(v.tab, chromedp.WithTargetID(id))
		v.t.Cleanup(closeTab)
		return &visitor{t: v.t, tab: tab}
	case <-time.After(patience):
		v.t.Fatal("no window has opened")
		return nil
	}
}

// keepsPicture is photograph for pages that are never at rest.
func (v *visitor) keepsPicture(name string) {
	v.t.Helper()
	if err := v.picture(name); err != nil {
		v.t.Fatalf("photographing %s: %v", name, err)
	}
}

// fillsInAndGoes signs in, in a window that nobody sees. It closes before it can
// answer; whether it did its work, the page beside it says.
func (v *visitor) fillsInAndGoes(user, password string) {
	v.t.Helper()
	tab, cancel := context.WithTimeout(v.tab, time.Second)
	defer cancel()
	_ = chromedp.Do(tab, chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`(() => {
		const form = document.querySelector("form");
		form.username.value = %q;
		form.password.value = %q;
		form.requestSubmit();
	})()`, user, password)))
}

// revokes ends the sessions of a user, as an administrator.
func (c *caddyServer) revokes(t *testing.T, user string) {
	t.Helper()
	request, err := http.NewRequest(http.MethodDelete, "http://"+c.admin+"/panelauth/sessions?user="+user, nil)
	if err != nil {
		t.Fatal(err)
	}
	if response := answer(t, request); response.StatusCode >= 300 {
		t.Fatalf("revoking: %s", response.Status)
	}
}
