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

// The examples that take several processes.

// TestExampleSeveralApps: two Panels behind one door, one of them for guests.
func TestExampleSeveralApps(t *testing.T) {
	port := freePort(t)
	var servers []*panelServer
	for _, arguments := range documented(t, "several-apps", "panel serve ") {
		for i := range arguments {
			arguments[i] = strings.ReplaceAll(arguments[i], "localhost:8080", fmt.Sprintf("localhost:%d", port))
		}
		servers = append(servers, documentedServer(t, panelProgram, append([]string{"serve"}, arguments...)))
	}
	if len(servers) != 2 {
		t.Fatalf("the README starts %d servers", len(servers))
	}
	site := exampleOn(t, port, t.TempDir(), "several-apps", "localhost:5006", servers[0].address, "localhost:5007", servers[1].address)
	visitor := browser(t)
	visitor.open(site.url + "/public/app")
	visitor.sees("Hello guest")
	visitor.hasLiveWidget()
	visitor.open(site.url + "/sales/admin")
	visitor.signIn("alice", "open-sesame")
	visitor.arrives(site.url + "/sales/admin")
	visitor.sees("you are alice")
	visitor.photographAll("example-several-apps")
	visitor.open(site.url + "/")
	visitor.click("For everybody")
	visitor.sees("Hello alice")
	visitor.hasLiveWidget()
	visitor.open(site.url)
	visitor.click("Log out")
	visitor.arrives(site.url + "/logout")
	visitor.open(site.url + "/sales/admin")
	visitor.seesForm()
	visitor.open(site.url + "/public/app")
	visitor.sees("Hello guest")
}

// TestExampleCluster: signed in at one Caddy is signed in at the other, and so
// is signed out, with Caddy's storage and with Redis as the README says.
func TestExampleCluster(t *testing.T) {
	for name, store := range map[string]func() string{
		"storage": func() string { return "" },
		"redis":   func() string { return "session_store redis " + redis(t).url() },
	} {
		t.Run(name, func(t *testing.T) {
			storage, line := t.TempDir(), "identity_headers\n\t\t"+store()
			one := exampleOn(t, freePort(t), storage, "cluster", "identity_headers", line)
			if name == "redis" {
				storage = t.TempDir() // two machines share no folder
			}
			other := exampleOn(t, freePort(t), storage, "cluster", "identity_headers", line)
			visitor := browser(t) // whose cookies are for every port of a host
			visitor.open(one.url + "/report")
			visitor.signIn("alice", "open-sesame")
			visitor.arrives(one.url + "/report")
			visitor.open(other.url)
			visitor.sees("Hello, alice!")
			stolen := visitor.cookies()
			visitor.open(one.url)
			visitor.click("Log out")
			visitor.arrives(one.url + "/logout")
			eventually(t, patience, "signed out at the other", func() bool {
				return answer(t, with(navigation(t, other.url), stolen)).StatusCode == http.StatusFound
			})
			isOver(t, one.url, stolen)
			visitor.open(other.url)
			visitor.seesForm()
		})
	}
}

// TestExampleStreamlit: a real Streamlit reads who is there from the headers,
// on its websocket too, which draws the page.
func TestExampleStreamlit(t *testing.T) {
	arguments := documented(t, "streamlit", "streamlit run ")[0]
	port := freePort(t)
	command := exec.Command(filepath.Join(filepath.Dir(panelProgram), "streamlit"), append([]string{"run"}, arguments...)...)
	command.Args = append(command.Args, "--server.port", fmt.Sprint(port), "--server.headless", "true", "--browser.gatherUsageStats", "false")
	command.Dir = filepath.Join("..", "example", "streamlit")
	app := start(t, "streamlit", command)
	app.listens(fmt.Sprintf("localhost:%d", port))
	site := example(t, "streamlit", "localhost:8501", fmt.Sprintf("localhost:%d", port))
	visitor := browser(t)
	visitor.open(site.url)
	visitor.signIn("Zoë", "open-sesame")
	visitor.sees("Hello, Zoë!")
	visitor.keepsPicture("example-streamlit")
	stolen := visitor.cookies()
	visitor.click("Log out")
	visitor.arrives(site.url + "/logout")
	isOver(t, site.url, stolen)
}
