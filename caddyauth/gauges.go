// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import "github.com/prometheus/client_golang/prometheus"

// gauges are read when somebody looks at them, and cost nothing until then.
type gauges struct{}

var (
	sessionsGauge    = prometheus.NewDesc(metricName("sessions"), "Sessions in the memory of this process.", nil, nil)
	connectionsGauge = prometheus.NewDesc(metricName("connections"), "Requests of sessions under way: websockets, streams, downloads and pages.", nil, nil)
	hashesGauge      = prometheus.NewDesc(metricName("hashes"), "Passwords that are being hashed, and that wait for it.", []string{"state"}, nil)
)

// Describe implements prometheus.Collector.
func (gauges) Describe(descriptions chan<- *prometheus.Desc) {
	descriptions <- sessionsGauge
	descriptions <- connectionsGauge
	descriptions <- hashesGauge
}

// Collect implements prometheus.Collector.
func (gauges) Collect(values chan<- prometheus.Metric) {
	show := func(gauge *prometheus.Desc, value int, labels ...string) {
		values <- prometheus.MustNewConstMetric(gauge, prometheus.GaugeValue, float64(value), labels...)
	}
	sessions, connections := 0, 0
	for _, d := range openDoors() {
		sessions += d.sessions.Count()
		connections += d.live.total()
	}
	show(sessionsGauge, sessions)
	show(connectionsGauge, connections)
	running, waiting := hashes.load()
	show(hashesGauge, running, "running")
	show(hashesGauge, waiting, "waiting")
}

// Interface guard
var _ prometheus.Collector = gauges{}
