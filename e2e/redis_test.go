// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// twoInstances are two machines, as it were: all that they share is a Redis
// and a secret.
func twoInstances(t *testing.T, url string) (one, other *caddyServer) {
	t.Helper()
	site := storedIn(notPanel(t), url)
	return caddy(t, site), caddy(t, site)
}

func storedIn(app *recorder, url string) string {
	return fmt.Sprintf("panelauth {\n\tbasic_auth my_password\n\tcookie_secret %s\n\tsession_store redis %s\n}\nreverse_proxy %s",
		cookieSecret, url, app.address)
}

// signsIn signs somebody in without a browser.
func (c *caddyServer) signsIn(t *testing.T, user string) *http.Cookie {
	t.Helper()
	response := post(t, c.url+"/login", user, "my_password")
	for _, cookie := range response.Cookies() {
		if cookie.Name == "panelauth" && response.StatusCode == http.StatusSeeOther {
			return cookie
		}
	}
	t.Fatalf("signing in answers %d", response.StatusCode)
	return nil
}

// visit is what a page answers, and how long that takes.
func (c *caddyServer) visit(t *testing.T, session *http.Cookie) (response *http.Response, took time.Duration) {
	t.Helper()
	request := navigation(t, c.url+"/page")
	if session != nil {
		request.AddCookie(&http.Cookie{Name: session.Name, Value: session.Value})
	}
	start := time.Now()
	response = answer(t, request)
	return response, time.Since(start)
}

func (c *caddyServer) wants(t *testing.T, status int, session *http.Cookie) {
	t.Helper()
	if response, _ := c.visit(t, session); response.StatusCode != status {
		t.Errorf("got %d, want %d", response.StatusCode, status)
	}
}

// logsOut answers what logging out does.
func (c *caddyServer) logsOut(t *testing.T, session *http.Cookie) int {
	t.Helper()
	request := navigation(t, c.url+"/logout")
	request.AddCookie(&http.Cookie{Name: session.Name, Value: session.Value})
	return answer(t, request).StatusCode
}

// cut is how long a request waits for a store at most, with some time for the
// machine that the tests run on.
const cut = 500*time.Millisecond + 400*time.Millisecond

// asksToWait checks that somebody whose session cannot be looked up is neither
// let in nor signed out.
func (c *caddyServer) asksToWait(t *testing.T, session *http.Cookie) {
	t.Helper()
	response, took := c.visit(t, session)
	if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" || len(response.Cookies()) > 0 {
		t.Errorf("got %d with Retry-After %q and cookies %v, want 503", response.StatusCode, response.Header.Get("Retry-After"), response.Cookies())
	}
	if took > cut {
		t.Errorf("waiting for the store took %v", took)
	}
}

// load is people who keep asking for pages. They are never signed out, nor do
// they wait long.
type load struct {
	stop func()
	mu   sync.Mutex
	seen map[int]int
	slow []time.Duration
}

// visitors all use all instances.
func visitors(t *testing.T, sessions []*http.Cookie, instances ...*caddyServer) *load {
	t.Helper()
	l := &load{seen: map[int]int{}}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	l.stop = func() { cancel(); wg.Wait() }
	client := &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 100},
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	for i, session := range sessions {
		for _, instance := range instances {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * 5 * time.Millisecond)
				for ctx.Err() == nil {
					l.visit(client, instance, session)
					time.Sleep(100 * time.Millisecond)
				}
			})
		}
	}
	t.Cleanup(l.stop)
	return l
}

func (l *load) visit(client *http.Client, instance *caddyServer, session *http.Cookie) {
	request, _ := http.NewRequest(http.MethodGet, instance.url+"/page", nil)
	request.Header.Set("Accept", "text/html")
	request.AddCookie(&http.Cookie{Name: session.Name, Value: session.Value})
	start := time.Now()
	status := 0
	if response, err := client.Do(request); err == nil {
		status = response.StatusCode
		_ = response.Body.Close()
	}
	took := time.Since(start)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen[status]++
	if took > 100*time.Millisecond {
		l.slow = append(l.slow, took)
	}
}

// wentOn checks that all were served all the time, and starts counting anew.
func (l *load) wentOn(t *testing.T, when string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.Sort(l.slow)
	t.Logf("%s: answers %v, of which more than 100 ms took %d, at most %v", when, l.seen, len(l.slow), append([]time.Duration{0}, l.slow...)[len(l.slow)])
	if len(l.seen) != 1 || l.seen[http.StatusOK] == 0 {
		t.Errorf("%s: answers %v, want 200 alone", when, l.seen)
	}
	if n := len(l.slow); n > 0 && l.slow[n-1] > cut {
		t.Errorf("%s: an answer took %v", when, l.slow[n-1])
	}
	l.seen, l.slow = map[int]int{}, nil
}

func severalSignIn(t *testing.T, site *caddyServer, n int) (sessions []*http.Cookie) {
	t.Helper()
	for i := range n {
		sessions = append(sessions, site.signsIn(t, fmt.Sprintf("user%d", i)))
	}
	return sessions
}

// A Redis that goes away in the middle of load, and comes back with its data,
// signs nobody out and lets nobody in.
func TestRedisFaults(t *testing.T) {
	for title, fault := range map[string]struct{ begin, end func(*redisServer) }{
		"killed and restarted": {(*redisServer).kill, (*redisServer).run},
		"paused and resumed":   {(*redisServer).pause, (*redisServer).resume},
	} {
		t.Run(title, func(t *testing.T) {
			store := redis(t, lasting...)
			one, other := twoInstances(t, store.url())
			load := visitors(t, severalSignIn(t, one, 20), one, other)
			cold, colder, out, left := one.signsIn(t, "cold"), one.signsIn(t, "colder"), one.signsIn(t, "out"), one.signsIn(t, "left")
			other.wants(t, http.StatusOK, out)
			other.wants(t, http.StatusOK, left)
			one.logsOut(t, left)
			time.Sleep(time.Second)
			load.wentOn(t, "before")

			fault.begin(store)
			time.Sleep(time.Second)
			other.asksToWait(t, cold)
			other.asksToWait(t, colder)
			one.wants(t, http.StatusOK, cold)
			for _, site := range []*caddyServer{one, other} {
				site.wants(t, http.StatusFound, left)
				site.wants(t, http.StatusFound, nil)
			}
			if response := post(t, one.url+"/login", "alice", "my_password"); response.StatusCode != http.StatusServiceUnavailable || len(response.Cookies()) > 0 {
				t.Errorf("signing in answers %d with %v", response.StatusCode, response.Cookies())
			}
			if status := one.logsOut(t, out); status != http.StatusOK {
				t.Errorf("logging out answers %d", status)
			}
			one.wants(t, http.StatusFound, out)
			if status := other.logsOut(t, colder); status != http.StatusServiceUnavailable {
				t.Errorf("logging out of an unknown session answers %d", status)
			}
			time.Sleep(12 * time.Second) // longer than sessions in memory go unchecked
			other.asksToWait(t, cold)
			load.wentOn(t, "meanwhile")

			fault.end(store)
			eventually(t, 5*time.Second, "who had to wait is served", func() bool {
				response, _ := other.visit(t, cold)
				return response.StatusCode == http.StatusOK
			})
			other.wants(t, http.StatusOK, colder)
			eventually(t, 5*time.Second, "somebody signs in", func() bool { // each instance looks once a second
				return post(t, one.url+"/login", "alice", "my_password").StatusCode == http.StatusSeeOther
			})
			eventually(t, 40*time.Second, "the logout in between is known everywhere", func() bool {
				response, _ := other.visit(t, out)
				return response.StatusCode == http.StatusFound
			})
			other.wants(t, http.StatusFound, left)
			time.Sleep(time.Second)
			load.wentOn(t, "afterwards")
			logoutIsKnownSoon(t, one, other)
		})
	}
}

// A Redis that lost its data has no sessions: people sign in again, at once.
func TestRedisForgetsEverything(t *testing.T) {
	store := redis(t, forgetful...)
	one, other := twoInstances(t, store.url())
	warm, left := one.signsIn(t, "warm"), one.signsIn(t, "left")
	other.wants(t, http.StatusOK, warm)
	other.wants(t, http.StatusOK, left)
	one.logsOut(t, left)
	store.kill()
	time.Sleep(time.Second)
	one.wants(t, http.StatusOK, warm)
	other.wants(t, http.StatusOK, warm)
	store.run()
	for _, site := range []*caddyServer{one, other} {
		eventually(t, 5*time.Second, "the session is over", func() bool {
			response, _ := site.visit(t, warm)
			return response.StatusCode == http.StatusFound
		})
		site.wants(t, http.StatusFound, left)
	}
	again := one.signsIn(t, "warm")
	other.wants(t, http.StatusOK, again)
	logoutIsKnownSoon(t, one, other)
}

// logoutIsKnownSoon logs somebody out on one instance.
func logoutIsKnownSoon(t *testing.T, one, other *caddyServer) {
	t.Helper()
	session := one.signsIn(t, "somebody")
	other.wants(t, http.StatusOK, session)
	if status := one.logsOut(t, session); status != http.StatusOK {
		t.Fatalf("logging out answers %d", status)
	}
	start := time.Now()
	eventually(t, 2*time.Second, "the logout is known on the other instance", func() bool {
		response, _ := other.visit(t, session)
		return response.StatusCode == http.StatusFound
	})
	t.Logf("known after %v", time.Since(start))
	one.wants(t, http.StatusFound, session)
}

func TestRedisCarriesLogouts(t *testing.T) {
	store := redis(t)
	one, other := twoInstances(t, store.url())
	t.Run("under load", func(t *testing.T) {
		load := visitors(t, severalSignIn(t, one, 20), one, other)
		for range 5 {
			logoutIsKnownSoon(t, one, other)
			logoutIsKnownSoon(t, other, one)
			time.Sleep(200 * time.Millisecond)
		}
		load.wentOn(t, "meanwhile")
	})
	t.Run("while nobody hears it", func(t *testing.T) {
		for range 3 {
			session := one.signsIn(t, "alice")
			other.wants(t, http.StatusOK, session)
			store.ask("client", "kill", "type", "pubsub")
			one.logsOut(t, session)
			eventually(t, 2*time.Second, "the logout is known", func() bool {
				response, _ := other.visit(t, session)
				return response.StatusCode == http.StatusFound
			})
		}
	})
	t.Run("to an instance that was asleep", func(t *testing.T) {
		session := one.signsIn(t, "alice")
		other.wants(t, http.StatusOK, session)
		signal(t, other, syscall.SIGSTOP)
		one.logsOut(t, session)
		time.Sleep(3 * time.Second)
		signal(t, other, syscall.SIGCONT)
		eventually(t, 2*time.Second, "the logout is known", func() bool {
			response, _ := other.visit(t, session)
			return response.StatusCode == http.StatusFound
		})
	})
	t.Run("after a reload", func(t *testing.T) {
		session := one.signsIn(t, "alice")
		other.wants(t, http.StatusOK, session)
		other.reload(t, storedIn(notPanel(t), store.url()))
		one.reload(t, storedIn(notPanel(t), store.url()))
		other.wants(t, http.StatusOK, session)
		logoutIsKnownSoon(t, one, other)
	})
}

func signal(t *testing.T, c *caddyServer, signal syscall.Signal) {
	t.Helper()
	if err := c.command.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

// A Redis that is slow costs a request half a second and no more; what it says
// later is not lost.
func TestRedisIsSlow(t *testing.T) {
	store := redis(t)
	slow := store.slowly()
	one, other := twoInstances(t, slow.url())
	load := visitors(t, severalSignIn(t, one, 5), one, other)
	cold := one.signsIn(t, "cold")
	time.Sleep(time.Second)
	load.wentOn(t, "before")
	slow.setDelay(800 * time.Millisecond)
	other.asksToWait(t, cold)
	eventually(t, 8*time.Second, "who had to wait is served", func() bool {
		response, took := other.visit(t, cold)
		if took > cut {
			t.Errorf("an answer took %v", took)
		}
		return response.StatusCode == http.StatusOK
	})
	start := time.Now()
	response := post(t, one.url+"/login", "alice", "my_password")
	if took := time.Since(start); took > 2*cut || response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("signing in answers %d after %v", response.StatusCode, took)
	}
	time.Sleep(12 * time.Second)
	load.wentOn(t, "meanwhile")
	slow.setDelay(0)
	time.Sleep(2 * time.Second)
	logoutIsKnownSoon(t, one, other)
	load.wentOn(t, "afterwards")
}

// A Redis that is full takes no new session, and has the ones that it has.
func TestRedisIsFull(t *testing.T) {
	store := redis(t)
	one, other := twoInstances(t, store.url())
	warm, cold := one.signsIn(t, "warm"), one.signsIn(t, "cold")
	store.ask("config", "set", "maxmemory", "1")
	response := post(t, one.url+"/login", "alice", "my_password")
	if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" || len(response.Cookies()) > 0 {
		t.Errorf("signing in answers %d", response.StatusCode)
	}
	one.wants(t, http.StatusOK, warm)
	other.wants(t, http.StatusOK, cold)
	if status := one.logsOut(t, warm); status != http.StatusOK {
		t.Errorf("logging out answers %d", status)
	}
	other.wants(t, http.StatusFound, warm)
	store.ask("config", "set", "maxmemory", "0")
	one.signsIn(t, "alice")
}

// A record that is damaged, or somebody else's, opens nothing.
func TestRedisRecordsAreDamaged(t *testing.T) {
	store := redis(t)
	one, other := twoInstances(t, store.url())
	for title, damage := range map[string]func(key, another string){
		"cut off":         func(key, _ string) { store.ask("setrange", key, "0", "x") },
		"emptied":         func(key, _ string) { store.ask("set", key, "") },
		"somebody else's": func(key, another string) { store.ask("copy", another, key, "replace") },
	} {
		t.Run(title, func(t *testing.T) {
			before := strings.Fields(store.ask("keys", "panelauth:sessions/*"))
			session := one.signsIn(t, "alice")
			var key string
			for _, k := range strings.Fields(store.ask("keys", "panelauth:sessions/*")) {
				if !slices.Contains(before, k) && !strings.Contains(k, ".") {
					key = k
				}
			}
			one.signsIn(t, "bob")
			var another string
			for _, k := range strings.Fields(store.ask("keys", "panelauth:sessions/*")) {
				if k != key && !slices.Contains(before, k) {
					another = k
				}
			}
			damage(key, another)
			other.wants(t, http.StatusFound, session)
		})
	}
	t.Run("of another kind", func(t *testing.T) {
		session := one.signsIn(t, "alice")
		for _, key := range strings.Fields(store.ask("keys", "panelauth:sessions/*")) {
			store.ask("del", key)
			store.ask("lpush", key, "x")
		}
		other.asksToWait(t, session)
	})
}

// Caddy starts while Redis is down, and needs no reload when it is up.
func TestCaddyStartsBeforeRedis(t *testing.T) {
	store := redisAtRest(t)
	one, other := twoInstances(t, store.url())
	one.wants(t, http.StatusFound, nil)
	if response := post(t, one.url+"/login", "alice", "my_password"); response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("signing in answers %d", response.StatusCode)
	}
	store.run()
	eventually(t, 5*time.Second, "people can sign in", func() bool {
		return post(t, one.url+"/login", "alice", "my_password").StatusCode == http.StatusSeeOther
	})
	time.Sleep(3 * time.Second)
	logoutIsKnownSoon(t, one, other)
}

// A browser does not notice which of the instances it comes to, nor that one is
// restarted.
func TestRedisBehindABrowser(t *testing.T) {
	store := redis(t, lasting...)
	app := examplePanel(t)
	one := caddy(t, inFrontOf(app, "basic_auth my_password", "session_store redis "+store.url()))
	other := caddy(t, inFrontOf(app, "basic_auth my_password", "session_store redis "+store.url()))
	visitor := browser(t)
	visitor.open(one.url + "/app")
	visitor.signIn("alice", "my_password")
	visitor.sees("Hello alice")
	visitor.open(other.url + "/app")
	visitor.sees("Hello alice")
	visitor.hasLiveWidget()
	store.kill()
	store.run()
	other.restart(t)
	visitor.open(other.url + "/app")
	visitor.sees("Hello alice")
	session := visitor.cookies()
	visitor.open(one.url + "/logout")
	eventually(t, 2*time.Second, "the other Caddy sees the logout", func() bool {
		return status(t, other.url+"/app", session) == http.StatusFound
	})
	isOver(t, one.url+"/app", session)
}

// What Redis holds tells nothing, and the logs do not tell how to sign in there.
func TestRedisTellsNothing(t *testing.T) {
	const password, user = "a-redis/pass@word:%41?#", "alice-in-redis"
	store := redis(t)
	store.ask("acl", "setuser", "panelauth", "on", ">"+password, "~panelauth:*", "&panelauth:*",
		"+get", "+set", "+del", "+zadd", "+zscore", "+zrem", "+zremrangebyscore", "+zscan", "+pttl", "+pexpire", "+eval", "+evalsha", "+publish", "+subscribe", "+ping")
	t.Setenv("TEST_REDIS_PASSWORD", password)
	url := strings.Replace(store.url(), "://", "://panelauth:{env.TEST_REDIS_PASSWORD}@", 1)
	one, other := twoInstances(t, url)
	session := one.signsIn(t, user)
	other.wants(t, http.StatusOK, session)
	logoutIsKnownSoon(t, other, one)
	keys := strings.Fields(store.ask("keys", "*"))
	if len(keys) == 0 {
		t.Error("there is nothing in Redis")
	}
	for _, key := range keys {
		if value := store.ask("get", key); strings.Contains(value, user) || strings.Contains(session.Value, key) {
			t.Errorf("%s tells who it is: %s", key, value)
		}
	}
	store.pause()
	time.Sleep(time.Second)
	one.signsInAgain(t, http.StatusServiceUnavailable)
	store.resume()
	store.kill()
	one.signsInAgain(t, http.StatusServiceUnavailable)
	store.run() // without the user, so that the password is wrong
	one.signsInAgain(t, http.StatusServiceUnavailable)
	eventually(t, 15*time.Second, "the log says that the password is wrong", func() bool {
		one.wants(t, http.StatusOK, session)
		return strings.Contains(one.output(), "WRONGPASS")
	})
	one.stop()
	other.stop()
	for _, log := range []string{one.output(), other.output()} {
		for _, secret := range []string{password, "a-redis", session.Value} {
			if strings.Contains(log, secret) {
				t.Errorf("the log holds %q", secret)
			}
		}
	}
}

func (c *caddyServer) signsInAgain(t *testing.T, want int) {
	t.Helper()
	if status := post(t, c.url+"/login", "alice", "my_password").StatusCode; status != want {
		t.Errorf("signing in answers %d, want %d", status, want)
	}
}
