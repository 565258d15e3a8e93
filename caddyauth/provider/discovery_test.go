// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

func TestDiscoveryRefused(t *testing.T) {
	set := func(name string, v any) func(map[string]any) {
		return func(m map[string]any) { m[name] = v }
	}
	tests := map[string]struct {
		metadata func(map[string]any)
		reason   string
	}{
		"issuer with a slash":     {set("issuer", "https://id.example.com/"), "issuer"},
		"issuer missing":          {func(m map[string]any) { delete(m, "issuer") }, "issuer"},
		"issuer not text":         {set("issuer", 5), "JSON"},
		"token without TLS":       {set("token_endpoint", "http://id.example.com/token"), "token_endpoint must begin with https://"},
		"keys without TLS":        {set("jwks_uri", "http://id.example.com/keys"), "jwks_uri"},
		"userinfo without TLS":    {set("userinfo_endpoint", "http://id.example.com/userinfo"), "userinfo_endpoint"},
		"logout without TLS":      {set("end_session_endpoint", "http://id.example.com/logout"), "end_session_endpoint"},
		"revocation without TLS":  {set("revocation_endpoint", "http://id.example.com/revoke"), "revocation_endpoint"},
		"authorization not a URL": {set("authorization_endpoint", "javascript:alert(1)"), "authorization_endpoint"},
		"authorization relative":  {set("authorization_endpoint", "/authorize"), "authorization_endpoint"},
		"keys in a file":          {set("jwks_uri", "file:///etc/passwd"), "jwks_uri"},
		"token with a user name":  {set("token_endpoint", "https://a:b@id.example.com/token"), "user name"},
		"authorization missing":   {func(m map[string]any) { delete(m, "authorization_endpoint") }, "lacks"},
		"token missing":           {func(m map[string]any) { delete(m, "token_endpoint") }, "lacks"},
		"keys missing":            {func(m map[string]any) { delete(m, "jwks_uri") }, "lacks"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := providertest.Start(t)
			s.Turn(func(k *providertest.Knobs) { k.Metadata = test.metadata })
			p := newProvider(t, s, through(s, "https://id.example.com", map[string]string{"ISSUER": "https://id.example.com"}))
			_, err := p.Begin(t.Context(), callback)
			wantKind(t, err, provider.KindMisbehaved)
			if !strings.Contains(err.Error(), test.reason) {
				t.Errorf("reason is %q, want something of %q", err, test.reason)
			}
		})
	}
}

// TestDiscoveryOverruled: an address that is configured stands in place of the
// discovered one.
func TestDiscoveryOverruled(t *testing.T) {
	s := providertest.Start(t)
	s.Turn(func(k *providertest.Knobs) {
		k.Metadata = func(m map[string]any) { m["token_endpoint"] = "http://id.example.com/wrong" }
	})
	p := newProvider(t, s, through(s, "https://id.example.com", map[string]string{
		"ISSUER": "https://id.example.com", "TOKEN_URL": "https://id.example.com/token",
	}))
	mustSignIn(t, p, s)
}

func TestReady(t *testing.T) {
	s := providertest.Start(t)
	clock := newClock()
	s.Now = clock.Now
	p := newProvider(t, s)
	s.Fault(providertest.Discovery, providertest.Unavailable())
	for range 5 {
		wantKind(t, p.Ready(t.Context()), provider.KindUnreachable)
	}
	if got := len(s.Requests(providertest.Discovery)); got != 1 {
		t.Errorf("discovery was asked for %d times within a second, want 1", got)
	}
	s.Fault(providertest.Discovery, nil)
	clock.advance(time.Second)
	if err := p.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Fault(providertest.Discovery, providertest.HTML())
	mustSignIn(t, p, s)
	if got := len(s.Requests(providertest.Discovery)); got != 2 {
		t.Errorf("discovery was asked for %d times, want 2", got)
	}
	if err := newProvider(t, providertest.GitHub(t)).Ready(t.Context()); err != nil {
		t.Errorf("a provider without discovery is not ready: %v", err)
	}
}

// TestReadyOnce: many who wait together cause one request.
func TestReadyOnce(t *testing.T) {
	s := providertest.Start(t)
	p := newProvider(t, s)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if err := p.Ready(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if d, k := len(s.Requests(providertest.Discovery)), len(s.Requests(providertest.Keys)); d != 1 || k != 1 {
		t.Errorf("discovery and keys were asked for %d and %d times", d, k)
	}
}

// TestFirstLeaves: whoever waits for a fetch that somebody else began is not
// let down when that one goes away.
func TestFirstLeaves(t *testing.T) {
	s := providertest.Start(t)
	p := newProvider(t, s)
	arrived, proceed := make(chan struct{}), make(chan struct{})
	var once atomic.Bool
	s.Fault(providertest.Discovery, func(w http.ResponseWriter, r *http.Request) {
		if once.CompareAndSwap(false, true) {
			close(arrived)
			<-proceed
		}
		s.Fault(providertest.Discovery, nil)
		s.ServeHTTP(w, r)
	})
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() { first <- p.Ready(ctx) }()
	<-arrived
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("the first got %v", err)
	}
	close(proceed)
	if err := p.Ready(t.Context()); err != nil {
		t.Errorf("the second got %v", err)
	}
}

// idp is a provider without a network, for tests in which time is not real.
type idp struct {
	down atomic.Bool
	born time.Time

	mu sync.Mutex
	at []time.Duration // when it was asked for its discovery document
}

// asked returns when the discovery document was asked for since the last call.
func (i *idp) asked() []time.Duration {
	i.mu.Lock()
	defer i.mu.Unlock()
	at := i.at
	i.at = nil
	return at
}

func (i *idp) RoundTrip(req *http.Request) (*http.Response, error) {
	body := `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`
	if strings.HasSuffix(req.URL.Path, "/openid-configuration") {
		i.mu.Lock()
		i.at = append(i.at, time.Since(i.born))
		i.mu.Unlock()
		body = `{"issuer":"https://id.example.com","authorization_endpoint":"https://id.example.com/authorize",` +
			`"token_endpoint":"https://id.example.com/token","jwks_uri":"https://id.example.com/keys"}`
	}
	if i.down.Load() {
		return nil, errors.New("connection refused")
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(body)), Request: req,
	}, nil
}

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &idp{born: time.Now()}
		i.down.Store(true)
		core, logs := observer.New(zap.InfoLevel)
		p, err := provider.New(provider.Config{
			Name: "oidc", ClientID: "client-1", ExtraParams: map[string]string{"ISSUER": "https://id.example.com"},
			HTTPClient: &http.Client{Transport: i}, Logger: zap.New(core),
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { p.Run(ctx); close(done) }()

		time.Sleep(100 * time.Second)
		want := []time.Duration{0, 1, 3, 7, 15, 31, 61, 91}
		checkTimes(t, i.asked(), want)
		if err := p.Ready(ctx); provider.KindOf(err) != provider.KindUnreachable {
			t.Errorf("while the provider is away: %v", err)
		}

		i.down.Store(false)
		time.Sleep(30 * time.Second) // the promise: within 30 s of its return
		if err := p.Ready(ctx); err != nil {
			t.Errorf("after the provider is back: %v", err)
		}

		i.asked()
		time.Sleep(2*time.Hour + time.Minute)
		if got := len(i.asked()); got != 2 {
			t.Errorf("discovery was renewed %d times in two hours", got)
		}
		i.down.Store(true)
		time.Sleep(time.Hour)
		if err := p.Ready(ctx); err != nil {
			t.Errorf("what was good is lost: %v", err)
		}
		cancel()
		<-done
		var messages []string
		for _, entry := range logs.All() {
			messages = append(messages, entry.Message)
		}
		wantMessages := []string{
			"provider cannot be read; nobody can sign in with it until it can",
			"provider can be read again",
			"provider cannot be read; going on with what is known of it",
		}
		if strings.Join(messages, "\n") != strings.Join(wantMessages, "\n") {
			t.Errorf("log says %q", messages)
		}
	})
}

// checkTimes compares with seconds. Ready asks on its own account too.
func checkTimes(t *testing.T, got, want []time.Duration) {
	t.Helper()
	for n, seconds := range want {
		if n >= len(got) || got[n] != seconds*time.Second {
			t.Fatalf("discovery was asked for at %v, want %v (s)", got, want)
		}
	}
}
