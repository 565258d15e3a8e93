// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// aCluster is two Caddys that share a store of sessions.
type aCluster struct {
	one, other *caddyServer
	soon       time.Duration // what is promised, and as much again for the machine
	users      map[string]string
	file       string
	changing   sync.Mutex
}

const machineIsBusy = 15 * time.Second

// clusters are the stores, with what docs/reference.md promises of each.
var clusters = map[string]struct {
	soon time.Duration
	open func(t *testing.T) (store, folder, another string)
}{
	"redis": {2 * time.Second, func(t *testing.T) (store, folder, another string) {
		return "redis " + redis(t).url(), t.TempDir(), t.TempDir()
	}},
	"storage": {10 * time.Second, func(t *testing.T) (store, folder, another string) {
		shared := t.TempDir()
		return "storage", shared, shared
	}},
}

// changeUsers writes the credentials file.
func (c *aCluster) changeUsers(t *testing.T, change func(map[string]string)) {
	t.Helper()
	c.changing.Lock()
	defer c.changing.Unlock()
	c.users = maps.Clone(c.users)
	change(c.users)
	replaceJSON(t, c.file, c.users)
}

// asks runs a subcommand of "caddy panelauth sessions" on the first instance.
func (c *aCluster) asks(t *testing.T, arguments ...string) string {
	t.Helper()
	arguments = append([]string{"panelauth", "sessions"}, append(arguments, "--address", c.one.admin)...)
	output, err := exec.Command(caddyProgram, arguments...).CombinedOutput()
	if err != nil {
		t.Fatalf("caddy %v: %v\n%s", arguments, err, output)
	}
	return string(output)
}

// kindsOfEnd are what ends a user's session, on the first instance.
var kindsOfEnd = map[string]func(t *testing.T, c *aCluster, user string, session *http.Cookie){
	"revoked-by-name": func(t *testing.T, c *aCluster, user string, _ *http.Cookie) {
		if list := c.asks(t, "list"); !regexp.MustCompile(user + ` +password .* 1\n`).MatchString(list) {
			t.Errorf("%s, who has a websocket here, is not in the list:\n%s", user, list)
		}
		c.asks(t, "revoke", "--user", user)
	},
	"revoked-by-id": func(t *testing.T, c *aCluster, user string, _ *http.Cookie) {
		line := regexp.MustCompile(`(?m)^([0-9a-f]{32}) +` + user + ` `).FindStringSubmatch(c.asks(t, "list"))
		if line == nil {
			t.Fatal("not in the list")
		}
		c.asks(t, "revoke", line[1])
	},
	"logged-out": func(t *testing.T, c *aCluster, _ string, session *http.Cookie) {
		if status := c.one.logsOut(t, session); status != http.StatusOK {
			t.Errorf("logging out answers %d", status)
		}
	},
	"logged-out-everywhere": func(t *testing.T, c *aCluster, user string, _ *http.Cookie) {
		elsewhere := c.one.signsIn(t, user) // on another device
		request := navigation(t, c.one.url+"/logout?everywhere=1")
		request.Method = http.MethodPost
		request.Header.Set("Sec-Fetch-Site", "same-origin")
		request.AddCookie(&http.Cookie{Name: elsewhere.Name, Value: elsewhere.Value})
		if status := answer(t, request).StatusCode; status != http.StatusOK {
			t.Errorf("logging out answers %d", status)
		}
	},
	"removed": func(t *testing.T, c *aCluster, user string, _ *http.Cookie) {
		c.changeUsers(t, func(users map[string]string) { delete(users, user) })
	},
	"password-changed": func(t *testing.T, c *aCluster, user string, _ *http.Cookie) {
		c.changeUsers(t, func(users map[string]string) { users[user] = "another_password" })
	},
}

// Whatever ends a session on one instance closes its websockets on both, and
// nobody else's.
func TestEndsCloseWebsocketsEverywhere(t *testing.T) {
	for store, cluster := range clusters {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			where, folder, another := cluster.open(t)
			c := &aCluster{soon: cluster.soon, users: map[string]string{"bystander": "my_password"}}
			for kind := range kindsOfEnd {
				c.users[kind] = "my_password"
			}
			c.file = writeJSON(t, "users.json", c.users)
			site := fmt.Sprintf("panelauth {\n\tbasic_auth %s\n\tcookie_secret %s\n\tsession_store %s\n}\nreverse_proxy %s",
				c.file, cookieSecret, where, silentApp(t))
			c.one, c.other = caddySharing(t, folder, site), caddySharing(t, another, site)
			bystander := c.one.signsIn(t, "bystander")
			bystanders := []*socket{
				c.one.opensSocket(t, "the bystander's here", bystander), c.other.opensSocket(t, "the bystander's there", bystander),
			}
			t.Run("by", func(t *testing.T) {
				for kind, end := range kindsOfEnd {
					t.Run(kind, func(t *testing.T) {
						t.Parallel()
						session := c.one.signsIn(t, kind)
						here, there := c.one.opensSocket(t, "here", session), c.other.opensSocket(t, "there", session)
						end(t, c, kind, session)
						ended := time.Now()
						here.endsAfter(t, ended, c.soon+machineIsBusy)
						there.endsAfter(t, ended, c.soon+machineIsBusy)
						c.one.wants(t, http.StatusFound, session)
						c.other.wants(t, http.StatusFound, session)
					})
				}
			})
			for _, s := range bystanders {
				s.isOpen(t)
			}
		})
	}
}

// A lifetime is over on all instances at the same time, without anybody saying
// so.
func TestLifetimeClosesWebsocketsEverywhere(t *testing.T) {
	const lifetime = 6 * time.Second
	for store, cluster := range clusters {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			where, folder, another := cluster.open(t)
			site := fmt.Sprintf("panelauth {\n\tbasic_auth my_password\n\tcookie_secret %s\n\tsession_store %s\n\toauth_expiry_days %.6f\n}\nreverse_proxy %s",
				cookieSecret, where, lifetime.Hours()/24, silentApp(t))
			one, other := caddySharing(t, folder, site), caddySharing(t, another, site)
			over := time.Now().Add(lifetime)
			session := one.signsIn(t, "alice")
			here, there := one.opensSocket(t, "here", session), other.opensSocket(t, "there", session)
			here.endsAfter(t, over, lifetime+machineIsBusy)
			there.endsAfter(t, over, lifetime+machineIsBusy)
			one.wants(t, http.StatusFound, session)
			other.wants(t, http.StatusFound, session)
		})
	}
}

// The provider tells one instance of a logout, and the websockets are on both.
func TestBackChannelLogoutClosesWebsocketsEverywhere(t *testing.T) {
	for store, cluster := range clusters {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			where, folder, another := cluster.open(t)
			ports := []int{freePort(t), freePort(t)}
			idp := newOpenID(t, ports...)
			for i := range idp.settings.Clients {
				idp.settings.Clients[i].BackChannel = fmt.Sprintf("http://localhost:%d/logout/backchannel", ports[0])
			}
			idp.run(t)
			site := fmt.Sprintf("panelauth {\n\tcookie_secret %s\n\tsession_store %s\n\t%s\n}\nreverse_proxy %s",
				cookieSecret, where, idp.lines(), silentApp(t))
			one, other := serveOn(t, ports[0], "http", folder, site), serveOn(t, ports[1], "http", another, site)
			visitor := browser(t)
			visitor.open(other.url + "/page")
			visitor.signInAt(idp, "alice")
			visitor.sees("not Panel")
			session := forRequests(visitor.cookies())
			here, there := one.opensSocket(t, "where the token came", session...), other.opensSocket(t, "elsewhere", session...)
			visitor.open(idp.url + "/session/end")
			visitor.logsOutAt(idp)
			ended := time.Now()
			here.endsAfter(t, ended, cluster.soon+machineIsBusy)
			there.endsAfter(t, ended, cluster.soon+machineIsBusy)
			isOver(t, one.url+"/page", visitor.cookies())
			isOver(t, other.url+"/page", visitor.cookies())
			if !strings.Contains(one.output(), "back_channel_logout") {
				t.Error("no logout token came, so this test proves less than it says")
			}
		})
	}
}

// Sessions in cookies need nothing that is shared but the secret: a sign-in
// that began on one instance ends on another.
func TestSignInEndsOnAnotherInstance(t *testing.T) {
	t.Run("provider", func(t *testing.T) {
		t.Parallel()
		ports := []int{freePort(t), freePort(t)}
		idp := openID(t, ports...)
		// As behind a load balancer, which may choose another instance.
		comeBack := fmt.Sprintf("oauth_redirect_uri http://localhost:%d/login", ports[1])
		site := fmt.Sprintf("panelauth {\n\tcookie_secret %s\n\tsession_store cookie\n\t%s\n\t%s\n}\nreverse_proxy %s",
			cookieSecret, idp.lines(), comeBack, silentApp(t))
		one, other := serveOn(t, ports[0], "http", t.TempDir(), site), serveOn(t, ports[1], "http", t.TempDir(), site)
		visitor := browser(t)
		visitor.open(one.url + "/page?x=1")
		visitor.signInAt(idp, "alice")
		visitor.arrives(other.url + "/page?x=1")
		visitor.sees("not Panel")
		for _, instance := range []*caddyServer{one, other} {
			if got := status(t, instance.url+"/page", visitor.cookies()); got != http.StatusOK {
				t.Errorf("the session gets %d", got)
			}
			if !strings.Contains(instance.output(), "a logout is known to this instance and the browser only") {
				t.Error("the log does not say what cannot be promised")
			}
		}
	})
	t.Run("password", func(t *testing.T) {
		t.Parallel()
		site := fmt.Sprintf("panelauth {\n\tbasic_auth my_password\n\tcookie_secret %s\n\tsession_store cookie\n}\nreverse_proxy %s",
			cookieSecret, silentApp(t))
		instances := []*caddyServer{caddy(t, site), caddy(t, site)}
		for i, one := range instances {
			other := instances[1-i]
			sent := answer(t, navigation(t, one.url+"/page?x=1"))
			request, err := http.NewRequest(http.MethodPost, other.url+sent.Header.Get("Location"),
				strings.NewReader(url.Values{"username": {"alice"}, "password": {"my_password"}}.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			for _, cookie := range sent.Cookies() {
				request.AddCookie(cookie)
			}
			signedIn := answer(t, request)
			if signedIn.StatusCode != http.StatusSeeOther || signedIn.Header.Get("Location") != "/page?x=1" {
				t.Fatalf("got %d to %q", signedIn.StatusCode, signedIn.Header.Get("Location"))
			}
			for _, cookie := range signedIn.Cookies() {
				if cookie.Name == "panelauth" {
					one.wants(t, http.StatusOK, cookie)
					other.wants(t, http.StatusOK, cookie)
				}
			}
		}
	})
}
