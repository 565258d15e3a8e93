// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider_test

import (
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

func TestState(t *testing.T) {
	s := providertest.Start(t)
	p := newProvider(t, s)
	if state := p.State(); state.Ready || state.Err != nil || !state.Keys.IsZero() {
		t.Errorf("before anything it is %+v", state)
	}
	if err := p.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if state := p.State(); !state.Ready || state.Err != nil || state.Keys.IsZero() || state.Discovered.IsZero() {
		t.Errorf("ready it is %+v", state)
	}
}

func TestStateOfBadDocument(t *testing.T) {
	s := providertest.Start(t)
	s.Turn(func(k *providertest.Knobs) { k.Metadata = func(m map[string]any) { delete(m, "jwks_uri") } })
	p := newProvider(t, s)
	_ = p.Ready(t.Context())
	if state := p.State(); state.Ready || provider.KindOf(state.Err) != provider.KindMisbehaved {
		t.Errorf("it is %+v", state)
	}
}

// calls remembers what the requests are for.
type calls struct {
	next http.RoundTripper
	mu   sync.Mutex
	seen []provider.Call
}

func (c *calls) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	c.seen = append(c.seen, provider.CallOf(r.Context()))
	c.mu.Unlock()
	return c.next.RoundTrip(r)
}

// TestEveryCallIsKnown signs in and out, and looks at what the transport sees.
func TestEveryCallIsKnown(t *testing.T) {
	c := new(calls)
	s := providertest.Start(t)
	p := newProvider(t, s, func(config *provider.Config) {
		config.RefreshTokens = true
		config.WrapTransport = func(next http.RoundTripper) http.RoundTripper { c.next = next; return c }
	})
	who := mustSignIn(t, p, s)
	if err := p.Revoke(t.Context(), who.Tokens); err != nil {
		t.Error(err)
	}
	for _, call := range []provider.Call{provider.CallDiscovery, provider.CallKeys, provider.CallToken, provider.CallRevocation} {
		if !slices.Contains(c.seen, call) {
			t.Errorf("%q was not seen in %q", call, c.seen)
		}
	}
	for _, call := range c.seen {
		if !slices.Contains(provider.Calls(), call) {
			t.Errorf("%q is no call", call)
		}
	}
}
