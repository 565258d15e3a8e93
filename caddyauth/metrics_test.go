// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// scrape returns what a registry shows, by name and labels. Of a histogram it
// is the count.
func scrape(t testing.TB) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := metrics.register(registry); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[string]float64)
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			name := strings.TrimPrefix(family.GetName(), "caddy_panelauth_")
			for _, label := range metric.GetLabel() {
				name += " " + label.GetValue()
			}
			values[name] = metric.GetCounter().GetValue() + metric.GetGauge().GetValue() + float64(metric.GetHistogram().GetSampleCount())
		}
	}
	return values
}

// since is what has been added to a scrape.
func since(t testing.TB, before map[string]float64) map[string]float64 {
	t.Helper()
	added := scrape(t)
	for name, value := range before {
		if added[name] -= value; added[name] == 0 {
			delete(added, name)
		}
	}
	maps.DeleteFunc(added, func(_ string, value float64) bool { return value == 0 })
	return added
}

func wantMetrics(t testing.TB, got, want map[string]float64) {
	t.Helper()
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s is %v, want %v", name, got[name], value)
		}
	}
	if t.Failed() {
		t.Logf("there are %v", got)
	}
}

func TestMetricsOfSignIns(t *testing.T) {
	before := scrape(t)
	s := newSite(t, attemptsLimit(2, 60e9))
	one := s.signInAlice()
	s.signInAlice()
	for range 3 {
		s.serve(post("/login", credentialsForm(testUser, "wrong")))
	}
	s.serve(get("/app", browser))
	s.serve(get("/app/ws", websocket, cookieLine(one), header("Origin", "https://evil.example")))
	s.serve(get("/logout", cookieLine(one)))
	wantMetrics(t, since(t, before), map[string]float64{
		"sign_ins_total success password":           2,
		"sign_ins_total wrong_credentials password": 2,
		"sign_ins_total too_many_attempts password": 1,
		"refusals_total too_many_attempts":          1,
		"refusals_total unauthenticated":            1,
		"refusals_total cross_origin":               1,
		"sessions_ended_total logout":               1,
		"sessions":                                  1,
	})
}

func TestMetricsOfProvider(t *testing.T) {
	before := scrape(t)
	p := newOpenID(t)
	s := newSite(t, signInWith(p, called("corp")))
	s.newVisitor("").mustSignIn("/app")
	got := since(t, before)
	wantMetrics(t, got, map[string]float64{
		"sign_ins_total success corp":                       1,
		"provider_call_duration_seconds token success corp": 1,
	})
	for _, name := range []string{
		"provider_call_duration_seconds discovery success corp",
		"provider_call_duration_seconds keys success corp",
		"store_call_duration_seconds save success storage",
	} {
		if got[name] == 0 {
			t.Errorf("%s is 0", name)
		}
	}

	before = scrape(t)
	away(p)
	begun := s.newVisitor("")
	address := begun.begin("/login")
	back(p)
	answer := begun.answerOf(address)
	away(p)
	begun.comeBack(answer).want(http.StatusServiceUnavailable)
	s.serve(get("/login?code=x&state=y", browser)).want(http.StatusUnauthorized)
	wantMetrics(t, since(t, before), map[string]float64{
		"sign_ins_total provider_unreachable corp": 1,
		"sign_ins_total state_mismatch unknown":    1,
	})
}

// TestMetricsOfTwoHandlers: both are counted, a reload included.
func TestMetricsOfTwoHandlers(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	for range 2 {
		if err := metrics.register(registry); err != nil {
			t.Fatal(err)
		}
	}
	before := scrape(t)
	newSite(t).signInAlice()
	newSite(t).signInAlice()
	wantMetrics(t, since(t, before), map[string]float64{"sign_ins_total success password": 2, "sessions": 2})
}

// TestMetricsNameNobody: what visitors choose is no label.
func TestMetricsNameNobody(t *testing.T) {
	s := newSite(t, signInWith(newOpenID(t)), withPassword)
	s.serve(post("/login", credentialsForm("somebody-else", "wrong")))
	s.serve(get("/some-path", browser))
	s.serve(get("/login?provider=somebody-else&code=some-code&state=some-state", browser))
	for name := range scrape(t) {
		if strings.Contains(name, "some") {
			t.Errorf("there is %s", name)
		}
	}
}

func TestMetricsOfHashing(t *testing.T) {
	before := scrape(t)
	defer withHashes(newHashGate(0, 0))()
	if err := hashes.do(t.Context(), func() {}); err == nil {
		t.Error("there was room")
	}
	wantMetrics(t, since(t, before), map[string]float64{"hashes_rejected_total": 1})
}
