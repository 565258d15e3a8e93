// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
)

// begunSignIn is what the browser keeps while its visitor is at the provider.
type begunSignIn struct {
	Attempt provider.Attempt `json:"a"`
	Next    string           `json:"n"`
	// Remember says that the visitor wants to stay signed in.
	Remember bool `json:"r,omitempty"`
}

// Sign-ins under way are kept in the browser, a cookie each, so that several
// tabs can sign in at once and strangers cost no memory here.
const maxBegun = 8

const begunInfix = "_state_"

// begunCookie is the name of the cookie that keeps the sign-in of a state.
func (h *Handler) begunCookie(r *http.Request, state string) string {
	hash := sha256.Sum256([]byte(state))
	return h.sessionCookieName(r) + begunInfix + hex.EncodeToString(hash[:8])
}

// keepBegun gives the browser a sign-in to keep, and makes room for it.
func (h *Handler) keepBegun(w http.ResponseWriter, r *http.Request, begun begunSignIn, cookies cookies) error {
	var plain bytes.Buffer
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false) // it would not fit into a cookie
	if err := encoder.Encode(begun); err != nil {
		return err
	}
	name := h.begunCookie(r, begun.Attempt.State)
	sealed, err := h.envelope.Seal(name, plain.Bytes())
	if err != nil {
		return err
	}
	h.dropOldBegun(w, r, cookies)
	cookie := h.newBegunCookie(r, name)
	cookie.Value, cookie.MaxAge = sealed, int(provider.AttemptLifetime.Seconds())
	http.SetCookie(w, cookie)
	return nil
}

// newBegunCookie is never Strict and for every path: it must come along when
// the provider sends the visitor back.
func (h *Handler) newBegunCookie(r *http.Request, name string) *http.Cookie {
	cookie := h.newCookie(r, name)
	cookie.SameSite = http.SameSiteLaxMode
	cookie.Path = "/"
	return cookie
}

// dropOldBegun deletes the oldest sign-ins of a browser beyond the allowed
// number, and those that cannot be read any more.
func (h *Handler) dropOldBegun(w http.ResponseWriter, r *http.Request, cookies cookies) {
	type kept struct {
		name  string
		begun time.Time
	}
	var known []kept
	cookies.each(func(text string) bool {
		name, value, _ := strings.Cut(text, "=")
		if strings.HasPrefix(name, h.sessionCookieName(r)+begunInfix) {
			begun, _ := h.openBegun(name, value)
			known = append(known, kept{name, begun.Attempt.Begun})
		}
		return len(known) < 4*maxBegun
	})
	slices.SortFunc(known, func(a, b kept) int { return b.begun.Compare(a.begun) })
	for i, old := range known {
		if i >= maxBegun-1 || old.begun.IsZero() {
			h.deleteBegun(w, r, old.name)
		}
	}
}

func (h *Handler) deleteBegun(w http.ResponseWriter, r *http.Request, name string) {
	cookie := h.newBegunCookie(r, name)
	cookie.MaxAge = -1
	http.SetCookie(w, cookie)
}

func (h *Handler) openBegun(name, value string) (begun begunSignIn, ok bool) {
	plain, ok := h.envelope.Open(name, value)
	if !ok || json.Unmarshal(plain, &begun) != nil {
		return begunSignIn{}, false
	}
	return begun, true
}

// hasBegun reports whether this browser has begun a sign-in of that state.
func (h *Handler) hasBegun(r *http.Request, state string, cookies cookies) bool {
	_, ok := h.findBegun(r, state, cookies)
	return ok
}

func (h *Handler) findBegun(r *http.Request, state string, cookies cookies) (begun begunSignIn, ok bool) {
	if state == "" || len(state) > 512 {
		return begun, false
	}
	want := h.begunCookie(r, state)
	cookies.each(func(text string) bool {
		if name, value, _ := strings.Cut(text, "="); name == want {
			begun, ok = h.openBegun(name, value)
			ok = ok && subtle.ConstantTimeCompare([]byte(begun.Attempt.State), []byte(state)) == 1
		}
		return !ok
	})
	return begun, ok
}

// takeBegun returns the sign-in of a state and forgets it: an answer may
// arrive twice, a sign-in is finished once.
func (h *Handler) takeBegun(w http.ResponseWriter, r *http.Request, state string, cookies cookies) (begunSignIn, *way) {
	begun, ok := h.findBegun(r, state, cookies)
	if !ok {
		return begun, nil
	}
	h.deleteBegun(w, r, h.begunCookie(r, state))
	if !h.door.answers.first(begun.Attempt.State, h.now()) {
		return begun, nil
	}
	return begun, h.way(begun.Attempt.Provider)
}
