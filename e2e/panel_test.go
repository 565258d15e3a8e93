// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// These tests ask what Panel's own browser tests of its sign-in ask, with
// panelauth in the place of `panel serve --basic-auth`. Where those look for
// the cookies user and id_token in the browser, these look at the session.

// markdownUser is the application of Panel's tests.
const markdownUser = "import panel as pn; pn.pane.Markdown(pn.state.user).servable(title='A')\n"

// prefixes are the values of `panel serve --prefix`, with the lines that put
// the endpoints where Panel has its own.
var prefixes = []struct{ name, path, lines string }{
	{name: "without prefix", path: "/app"},
	{name: "with prefix", path: "/prefix/app", lines: "login_endpoint /prefix/login\n\tlogout_endpoint /prefix/logout"},
}

// prefixed are the arguments for a prefix.
func prefixed(path string) []string {
	if !strings.HasPrefix(path, "/prefix/") {
		return nil
	}
	return []string{"--prefix", "prefix"}
}

func TestPanelBasicAuth(t *testing.T) {
	for _, prefix := range prefixes {
		t.Run(prefix.name, func(t *testing.T) {
			app := panel(t, append(prefixed(prefix.path), write(t, "app.py", markdownUser))...)
			site := caddy(t, inFrontOf(app, "basic_auth my_password", prefix.lines))
			visitor := browser(t)
			visitor.open(site.url + prefix.path)
			visitor.signIn("test_user", "my_password")
			visitor.sees("test_user")
			visitor.arrives(site.url + prefix.path)
		})
	}
}

func TestPanelBasicAuthWithPrefixAndDefaultEndpoints(t *testing.T) {
	app := panel(t, "--prefix", "prefix", write(t, "app.py", markdownUser))
	site := caddy(t, inFrontOf(app, "basic_auth my_password"))
	visitor := browser(t)
	visitor.open(site.url + "/prefix/app")
	visitor.arrives(site.url + "/login?next=%2Fprefix%2Fapp")
	visitor.signIn("test_user", "my_password")
	visitor.sees("test_user")
	visitor.arrives(site.url + "/prefix/app")
}

func TestPanelBasicAuthViaProxy(t *testing.T) {
	for _, prefix := range prefixes {
		t.Run(prefix.name, func(t *testing.T) {
			app := proxied(t, prefixed(prefix.path)...)
			site := caddy(t, stripping(app, prefix.lines))
			visitor := browser(t)
			visitor.open(site.url + "/proxy" + prefix.path)
			visitor.signIn("test_user", "my_password")
			visitor.sees("test_user")
			visitor.arrives(site.url + "/proxy" + prefix.path)
		})
	}
}

func TestPanelBasicAuthLogout(t *testing.T) {
	for title, template := range logoutTemplates(t) {
		t.Run(title, func(t *testing.T) {
			app := panel(t, write(t, "app.py", markdownUser))
			site := caddy(t, inFrontOf(app, "basic_auth my_password", "logout_template "+template))
			signInAndOut(t, site.url, title)
		})
	}
}

func TestPanelBasicAuthLogoutViaProxy(t *testing.T) {
	for title, template := range logoutTemplates(t) {
		t.Run(title, func(t *testing.T) {
			site := caddy(t, stripping(proxied(t), "logout_template "+template))
			signInAndOut(t, site.url+"/proxy", title)
		})
	}
}

func TestPanelAuthorizeCallbackRedirect(t *testing.T) {
	app := panelFrom(t, exec.Command(pythonProgram, "testdata/two_users.py"))
	site := caddy(t, inFrontOf(app, "basic_auth my_password"))
	visitor := browser(t)
	visitor.open(site.url + "/")
	visitor.signIn("A", "my_password")
	visitor.sees("This is page A.")
	visitor.arrives(site.url + "/a")

	visitor.open(site.url + "/logout")
	visitor.open(site.url + "/login")
	visitor.signIn("B", "my_password")
	visitor.sees("This is page B.")
	visitor.arrives(site.url + "/b")
}

func TestPanelGlobalAuthorizeCallback(t *testing.T) {
	app := panelFrom(t, exec.Command(pythonProgram, "testdata/refuse_all.py"))
	site := caddy(t, inFrontOf(app, "basic_auth my_password"))
	visitor := browser(t)
	visitor.open(site.url + "/")
	visitor.signIn("A", "my_password")
	visitor.sees("User is not authorized.")
	printed := app.output()
	if asked := strings.Count(printed, "authorize was asked about"); asked != 1 {
		t.Errorf("the callback was called %d times, want once", asked)
	}
	if !strings.Contains(printed, "authorize was asked about A\n") {
		t.Error("the callback was not asked about A")
	}
	if strings.Contains(printed, "the page was executed") {
		t.Error("the page was executed although nobody may see it")
	}
}

func TestPanelPagesAreNotStored(t *testing.T) {
	site := caddy(t, inFrontOf(panel(t, write(t, "app.py", markdownUser)), "basic_auth my_password"))
	visitor := browser(t)
	visitor.open(site.url + "/app")
	visitor.signIn("test_user", "my_password")
	visitor.sees("test_user")
	for _, path := range []string{"/app", "/login", "/logout"} {
		response := visitor.request(site.url + path)
		if response.StatusCode != http.StatusOK || response.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d, Cache-Control %q, want 200, no-store", path, response.StatusCode, response.Header.Get("Cache-Control"))
		}
	}
	response := answer(t, navigation(t, site.url+"/app"))
	if response.StatusCode != http.StatusFound || response.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("the way to the login page: %d, Cache-Control %q, want 302, no-store", response.StatusCode, response.Header.Get("Cache-Control"))
	}
}

// proxied serves the application of Panel's tests for a proxy that strips
// /proxy. Panel itself is told to accept websockets from its pages.
func proxied(t *testing.T, arguments ...string) *panelServer {
	t.Helper()
	arguments = append(arguments, "--root-path", "/proxy/", "--allow-websocket-origin", "*")
	return panel(t, append(arguments, write(t, "app.py", markdownUser))...)
}

// stripping is a site whose application lives under /proxy.
func stripping(app *panelServer, lines ...string) string {
	return fmt.Sprintf("handle_path /proxy/* {\n\tpanelauth {\n\tcookie_secret %s\n\tbasic_auth my_password\n\t%s\n\t}\n\treverse_proxy %s\n}\n",
		cookieSecret, strings.Join(lines, "\n\t"), app.address)
}

// logoutTemplates are Panel's own file and a custom one, by their titles.
func logoutTemplates(t *testing.T) map[string]string {
	t.Helper()
	custom, err := filepath.Abs("testdata/logout.html")
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{"Panel App | Logout": panelTemplate(t, "logout.html"), "Test Logout Page": custom}
}

func signInAndOut(t *testing.T, url, title string) {
	t.Helper()
	visitor := browser(t)
	visitor.open(url + "/app")
	visitor.signIn("test_user", "my_password")
	visitor.sees("test_user")
	stolen := visitor.cookies()
	visitor.open(url + "/logout")
	if got := visitor.title(); got != title {
		t.Errorf("the title is %q, want %q", got, title)
	}
	if left := visitor.cookies(); len(left) != 0 {
		t.Errorf("the browser still has a cookie %s", left[0].Name)
	}
	isOver(t, url+"/app", stolen)
	visitor.open(url + "/app")
	visitor.seesForm()
}
