// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
)

// statusPath is where Caddy's admin API says how things are.
const statusPath = "/panelauth/status"

// status is what an operator asks first when something does not work. None of
// it is a secret: errors are a word each, but for those of files, which name a
// line and never quote one.
type status struct {
	PasswordHashing hashingStatus `json:"password_hashing"`
	// Handlers that have the same secrets and the same store share sessions.
	Groups []groupStatus `json:"groups"`
}

type hashingStatus struct {
	Running    int `json:"running"`
	Waiting    int `json:"waiting"`
	MaxRunning int `json:"max_running"`
	MaxWaiting int `json:"max_waiting"`
}

type groupStatus struct {
	Store       storeStatus     `json:"store"`
	Sessions    int             `json:"sessions"`
	Connections int             `json:"connections"`
	Handlers    []handlerStatus `json:"handlers"`
}

type storeStatus struct {
	Kind         string    `json:"kind"`
	Working      bool      `json:"working"`
	LastError    string    `json:"last_error,omitempty"`
	FailingSince time.Time `json:"failing_since,omitzero"`
}

type handlerStatus struct {
	LoginEndpoint   string           `json:"login_endpoint"`
	CookieName      string           `json:"cookie_name"`
	Providers       []providerStatus `json:"providers,omitempty"`
	CredentialsFile *accountsStatus  `json:"credentials_file,omitempty"`
	Templates       []fileStatus     `json:"templates,omitempty"`
}

type providerStatus struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// What is needed to sign in with it is at hand.
	Ready bool `json:"ready"`
	// It answered when it was last asked; absent if it was not.
	Reachable    *bool     `json:"reachable,omitempty"`
	LastAnswer   time.Time `json:"last_answer,omitzero"`
	LastError    string    `json:"last_error,omitempty"`
	KeysFetched  time.Time `json:"keys_fetched,omitzero"`
	KeysAge      float64   `json:"keys_age_seconds,omitempty"`
	DiscoveredAt time.Time `json:"discovered,omitzero"`
}

type fileStatus struct {
	File   string    `json:"file"`
	Loaded time.Time `json:"loaded"`
	Error  string    `json:"error,omitempty"`
}

type accountsStatus struct {
	fileStatus
	Users int `json:"users"`
}

func (adminRoutes) serveStatus(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		return apiError(http.StatusMethodNotAllowed, "method not allowed")
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(currentStatus())
}

func currentStatus() status {
	s := status{PasswordHashing: hashes.status(), Groups: []groupStatus{}}
	for _, d := range openDoors() {
		s.Groups = append(s.Groups, d.status())
	}
	return s
}

func (g *hashGate) status() hashingStatus {
	running, waiting := g.load()
	return hashingStatus{running, waiting, cap(g.running), cap(g.places) - cap(g.running)}
}

func (d *door) status() groupStatus {
	group := groupStatus{
		Store:       d.storeStatus(),
		Sessions:    d.sessions.Count(),
		Connections: d.live.total(),
	}
	for _, h := range d.all() {
		group.Handlers = append(group.Handlers, h.status())
	}
	return group
}

func (d *door) storeStatus() storeStatus {
	s := storeStatus{Kind: d.storeKind, Working: true}
	if trouble := d.sessions.Trouble(); trouble != nil {
		s.Working, s.LastError, s.FailingSince = false, troubleOf(trouble.Err), trouble.Since.UTC()
	}
	return s
}

func (h *Handler) status() handlerStatus {
	s := handlerStatus{LoginEndpoint: h.settings.login, CookieName: h.settings.cookieName}
	for _, w := range h.ways {
		s.Providers = append(s.Providers, w.status(h.now()))
	}
	if h.credentialsFile != nil {
		s.CredentialsFile = &accountsStatus{h.credentialsFile.status(), h.credentialsFile.get().count()}
	}
	for _, file := range h.pages.custom {
		s.Templates = append(s.Templates, file.status())
	}
	slices.SortFunc(s.Templates, func(a, b fileStatus) int { return strings.Compare(a.File, b.File) })
	s.Templates = slices.CompactFunc(s.Templates, func(a, b fileStatus) bool { return a.File == b.File }) // one may have two uses
	return s
}

func (w *way) status(now time.Time) providerStatus {
	documents := w.State()
	s := providerStatus{
		ID:           w.ID(),
		Name:         w.Name(),
		Ready:        documents.Ready,
		DiscoveredAt: documents.Discovered.UTC(),
		KeysFetched:  documents.Keys.UTC(),
	}
	if !documents.Keys.IsZero() {
		s.KeysAge = now.Sub(documents.Keys).Round(time.Millisecond).Seconds()
	}
	if documents.Err != nil {
		s.LastError = string(provider.KindOf(documents.Err))
	}
	w.calls.describe(&s)
	return s
}

// describe adds how the network is between here and the provider.
func (c *providerCalls) describe(s *providerStatus) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answered.IsZero() && c.failed.IsZero() {
		return
	}
	reachable := !c.failed.After(c.answered)
	s.Reachable = &reachable
	s.LastAnswer = c.answered.UTC()
	if !reachable {
		s.LastError = c.trouble
	}
}

// status says which file it is, and whether what is in force is what it says.
func (f *watchedFile[T]) status() fileStatus {
	f.mu.Lock()
	defer f.mu.Unlock()
	return fileStatus{File: f.path, Loaded: f.loaded.UTC(), Error: f.failed}
}
