// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// ledger is what people were told: who has a session, and whose is over.
type ledger struct {
	mu          sync.Mutex
	good, ended []*http.Cookie
}

// comeAndGo signs people in and every other one out, until Caddy dies.
func (l *ledger) comeAndGo(site *caddyServer, next *atomic.Int64) {
	client := &http.Client{
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	for {
		n := next.Add(1)
		form := url.Values{"username": {fmt.Sprint("user", n)}, "password": {"my_password"}}
		response, err := client.PostForm(site.url+"/login", form)
		if err != nil {
			return
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusSeeOther || len(response.Cookies()) == 0 {
			return
		}
		session := response.Cookies()[0]
		if n%2 == 0 {
			l.note(&l.good, session)
			continue
		}
		request, _ := http.NewRequest(http.MethodGet, site.url+"/logout", nil)
		request.AddCookie(&http.Cookie{Name: session.Name, Value: session.Value})
		if response, err = client.Do(request); err != nil {
			return // may be over or not, and nobody was told
		}
		_ = response.Body.Close()
		if response.StatusCode == http.StatusOK {
			l.note(&l.ended, session)
		}
	}
}

func (l *ledger) note(list *[]*http.Cookie, session *http.Cookie) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*list = append(*list, session)
}

// A Caddy that is killed while people come and go has kept what it said: who
// was told to be signed in is, and who was told to be signed out is, too.
func TestKilledInTheMiddleOfWrites(t *testing.T) {
	for store, cluster := range clusters {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			where, folder, another := cluster.open(t)
			site := fmt.Sprintf("log_skip\npanelauth {\n\tbasic_auth my_password\n\tcookie_secret %s\n\tsession_store %s\n}\nreverse_proxy %s",
				cookieSecret, where, silentApp(t))
			one, other := caddySharing(t, folder, site), caddySharing(t, another, site)
			var next atomic.Int64
			for range 3 {
				var told ledger
				var people sync.WaitGroup
				for range 16 {
					people.Go(func() { told.comeAndGo(one, &next) })
				}
				time.Sleep(time.Second)
				_ = one.command.Process.Kill()
				people.Wait()
				<-one.ended
				one.run(t)
				t.Logf("%d sessions, and %d that were over", len(told.good), len(told.ended))
				if len(told.good) < 10 || len(told.ended) < 10 {
					t.Error("nothing was going on, so this test proves less than it says")
				}
				told.holds(t, one, other)
			}
		})
	}
}

// holds checks what was said last, on every instance.
func (l *ledger) holds(t *testing.T, instances ...*caddyServer) {
	t.Helper()
	for want, list := range map[int][]*http.Cookie{http.StatusOK: l.good, http.StatusFound: l.ended} {
		for _, session := range list[max(0, len(list)-300):] {
			for _, instance := range instances {
				eventually(t, patience, fmt.Sprintf("a session gets %d", want), func() bool {
					response, _ := instance.visit(t, session)
					if got := response.StatusCode; got != want && got != http.StatusServiceUnavailable { // the machine may be busy
						t.Fatalf("a session gets %d, want %d", got, want)
					}
					return response.StatusCode == want
				})
			}
		}
	}
}
