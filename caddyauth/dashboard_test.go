// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
)

var described = regexp.MustCompile(`fqName: "([^"]+)".*variableLabels: \{([^}]*)\}`)

// exported are the metrics that there are, with their labels. A histogram is
// there by the names that it has in queries.
func exported(t *testing.T) map[string][]string {
	t.Helper()
	names := make(map[string][]string)
	for _, collector := range metrics.collectors() {
		descriptions := make(chan *prometheus.Desc, 10)
		collector.Describe(descriptions)
		close(descriptions)
		for description := range descriptions {
			match := described.FindStringSubmatch(description.String())
			if match == nil {
				t.Fatalf("%s cannot be read", description)
			}
			name, labels := match[1], strings.FieldsFunc(match[2], func(r rune) bool { return r == ',' })
			if !strings.HasSuffix(name, "_seconds") {
				names[name] = labels
				continue
			}
			names[name+"_bucket"] = append(labels, "le")
			names[name+"_count"] = labels
		}
	}
	return names
}

var (
	metricInQuery = regexp.MustCompile(`caddy_panelauth_[a-z_]+`)
	groupInQuery  = regexp.MustCompile(`by \(([^)]*)\)`)
	labelInQuery  = regexp.MustCompile(`[{,]([a-z]+)[=!]`)
)

func TestDashboard(t *testing.T) {
	source, err := os.ReadFile("../docs/grafana/panelauth.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(source, &dashboard); err != nil {
		t.Fatal(err)
	}
	metrics := exported(t)
	shown := make(map[string]bool)
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			name := metricInQuery.FindString(target.Expr)
			labels, ok := metrics[name]
			if !ok {
				t.Errorf("%s: there is no metric %q", panel.Title, name)
			}
			shown[name] = true
			labels = append([]string{"job", "instance"}, labels...)
			for _, label := range labelsIn(target.Expr) {
				if !slices.Contains(labels, label) {
					t.Errorf("%s: %s has no label %q", panel.Title, name, label)
				}
			}
		}
	}
	for name := range metrics {
		if !shown[name] {
			t.Errorf("%s is not on the dashboard", name)
		}
	}
}

func labelsIn(query string) (labels []string) {
	for _, match := range groupInQuery.FindAllStringSubmatch(query, -1) {
		labels = append(labels, strings.Split(match[1], ", ")...)
	}
	for _, match := range labelInQuery.FindAllStringSubmatch(query, -1) {
		labels = append(labels, match[1])
	}
	return labels
}

// TestOperationsAreDocumented: everything that an operator may see has a place
// in the documentation.
func TestOperationsAreDocumented(t *testing.T) {
	source, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	words := []string{
		string(endedByLogout), string(endedBySignIn), string(endedEverywhere), string(endedByBackChannel),
		string(endedByFrontChannel), string(endedByProvider), string(endedByAdmin),
	}
	for name, labels := range exported(t) {
		words = append(words, strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_count"))
		words = append(words, slices.DeleteFunc(labels, func(label string) bool { return label == "le" })...)
	}
	for event := range auditLines {
		words = append(words, event, eventPrefix+event)
	}
	for _, call := range provider.Calls() {
		words = append(words, string(call))
	}
	for kind := range failureMessages {
		if kind != provider.KindBadCredentials { // which is wrong_credentials
			words = append(words, string(kind))
		}
	}
	for _, word := range words {
		if !strings.Contains(string(source), "`"+word+"`") {
			t.Errorf("docs/operations.md does not say what %s is", word)
		}
	}
}
