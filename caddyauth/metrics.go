// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
)

// succeeded is the outcome of what went well. Any other outcome of a sign-in or
// a renewal is the reason that the log gives.
const succeeded = "success"

// metrics are one set for the process: every configuration has a registry of
// its own, and counts should survive a reload. Label values are of few kinds,
// and never what a visitor chooses.
var metrics = newMetricSet()

type metricSet struct {
	signIns        *prometheus.CounterVec
	ended          *prometheus.CounterVec
	refreshes      *prometheus.CounterVec
	refusals       *prometheus.CounterVec
	hashesRejected prometheus.Counter
	providerCalls  *prometheus.HistogramVec
	storeCalls     *prometheus.HistogramVec

	// Resolved once, since it is counted for every visitor who is not signed in.
	unauthenticated prometheus.Counter
}

// callBuckets reach from a store in memory to a provider that times out.
var callBuckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

func newMetricSet() *metricSet {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: metricName(name), Help: help}, labels)
	}
	durations := func(name, help, target string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: metricName(name), Help: help, Buckets: callBuckets},
			[]string{target, "call", "outcome"})
	}
	m := &metricSet{
		signIns:   counter("sign_ins_total", "Sign-ins, and attempts that failed by their reason.", "provider", "outcome"),
		ended:     counter("sessions_ended_total", "Sessions that were ended before their time.", "reason"),
		refreshes: counter("refreshes_total", "Renewals of access tokens.", "provider", "outcome"),
		refusals:  counter("refusals_total", "Requests that were not passed on.", "reason"),
		hashesRejected: prometheus.NewCounter(prometheus.CounterOpts{
			Name: metricName("hashes_rejected_total"), Help: "Passwords that were not hashed because too many others waited.",
		}),
		providerCalls: durations("provider_call_duration_seconds", "How long providers take to answer.", "provider"),
		storeCalls:    durations("store_call_duration_seconds", "How long the session store takes to answer.", "store"),
	}
	m.unauthenticated = m.refusals.WithLabelValues("unauthenticated")
	return m
}

func metricName(name string) string { return prometheus.BuildFQName("caddy", "panelauth", name) }

func (m *metricSet) collectors() []prometheus.Collector {
	return []prometheus.Collector{
		m.signIns, m.ended, m.refreshes, m.refusals, m.hashesRejected, m.providerCalls, m.storeCalls, gauges{},
	}
}

// register makes a registry show the metrics. A second handler of the same
// configuration finds them there.
func (m *metricSet) register(registry *prometheus.Registry) error {
	for _, collector := range m.collectors() {
		var there prometheus.AlreadyRegisteredError
		if err := registry.Register(collector); err != nil && !errors.As(err, &there) {
			return fmt.Errorf("registering metrics: %w", err)
		}
	}
	return nil
}

// expect shows the sign-ins of a handler's ways in before there are any, so
// that the first does not go unnoticed by what looks at increases.
func (m *metricSet) expect(h *Handler) {
	if h.accounts() != nil {
		m.signIns.WithLabelValues(passwordProvider, succeeded)
	}
	for _, w := range h.ways {
		m.signIns.WithLabelValues(w.ID(), succeeded)
		if h.OAuthRefreshTokens {
			m.refreshes.WithLabelValues(w.ID(), succeeded)
		}
	}
}

func (m *metricSet) countRefresh(through *way, err error) {
	outcome := succeeded
	if err != nil {
		outcome = string(provider.KindOf(err))
	}
	m.refreshes.WithLabelValues(through.ID(), outcome).Inc()
}
