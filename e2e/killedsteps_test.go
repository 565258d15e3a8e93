// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"net/http"
	"testing"
)

// dies ends Caddy as a power cut does, and starts it again.
func (c *caddyServer) dies(t *testing.T) {
	t.Helper()
	if err := c.command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-c.ended
	c.run(t)
}

// TestKilledAtEachStep: whenever Caddy dies in the course of a sign-in, the
// visitor goes on where they were.
func TestKilledAtEachStep(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	idp := openID(t, port)
	app := notPanel(t)
	site := caddyOn(t, port, "panelauth {\n\tcookie_secret "+cookieSecret+"\n\tbasic_auth my_password\n\t"+idp.block("corp")+"\n}\nreverse_proxy "+app.address)
	visitor := browser(t)

	visitor.open(site.url + "/page")
	site.dies(t) // the sign-in page is shown
	visitor.click("Continue with corp")
	visitor.isAskedBy(idp)
	site.dies(t) // the sign-in at the provider has begun
	visitor.signInAt(idp, "alice")
	visitor.sees("not Panel")
	site.dies(t) // the session is saved
	visitor.open(site.url + "/page")
	visitor.sees("not Panel")
	before := visitor.cookies()
	visitor.open(site.url + "/logout")
	site.dies(t) // the session is over, the provider's not yet
	if got := status(t, site.url+"/page", before); got != http.StatusFound {
		t.Errorf("a session that was over before is answered %d", got)
	}
	visitor.logsOutAt(idp)
	visitor.isSignedOut(site)

	for range 5 {
		post(t, site.url+"/login", "bob", "wrong")
	}
	site.dies(t) // attempts are used up
	if got := post(t, site.url+"/login", "bob", "my_password").StatusCode; got != http.StatusTooManyRequests {
		t.Errorf("a restart gives new attempts: %d", got)
	}
	visitor.open(site.url + "/page")
	visitor.signIn("carol", "my_password")
	visitor.sees("not Panel")
}
