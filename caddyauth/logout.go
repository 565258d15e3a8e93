// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
	"github.com/panelauth/caddy-panelauth/templates"
)

// serveLogout is the logout endpoint. Panel's buttons lead here with a GET.
func (h *Handler) serveLogout(w http.ResponseWriter, r *http.Request, cookies cookies) error {
	hurry(w, r)
	switch r.Method {
	case http.MethodGet, http.MethodPost:
	case http.MethodHead:
		return h.askToSignOut(w, r)
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		return h.refuse(w, r, http.StatusMethodNotAllowed, "method_not_allowed")
	}
	if r.URL.Query().Has(everywhere) {
		return h.serveEverywhere(w, r, cookies)
	}
	if !isMeant(r) && (isForeignForm(r) || h.mayHaveSession(r, cookies)) {
		return h.askToSignOut(w, r)
	}
	return h.signOut(w, r, cookies)
}

// askToSignOut has the visitor decide.
func (h *Handler) askToSignOut(w http.ResponseWriter, r *http.Request) error {
	page := h.page(r, templates.SignOut)
	page.Next = h.pageLeft(r, nil)
	return h.confirm(w, r, page)
}

// signOut ends the sessions of a browser, for every copy of its cookies.
func (h *Handler) signOut(w http.ResponseWriter, r *http.Request, cookies cookies) error {
	ended, err := h.endSessions(r, cookies, endedByLogout)
	if err != nil {
		return h.unavailable(w, r, err)
	}
	h.clearCookies(w, r, cookies)
	page := h.page(r, templates.SignedOut)
	if left := h.pageLeft(r, cookies); left != h.afterSignIn(r, "") { // which is where signing in leads anyway
		page.Next = left
	}
	if address, ok := h.logoutAtProvider(r, ended); ok {
		h.rememberLeft(w, r, page.Next)
		return h.goOnToProvider(w, r, address, page)
	}
	h.forgetLeft(w, r, cookies)
	page.StillKnown = h.isKnownElsewhere(ended)
	return h.writePage(w, r, http.StatusOK, page)
}

// mayHaveSession reports whether there is something to sign out of. A provider
// sends people back here after theirs has ended.
func (h *Handler) mayHaveSession(r *http.Request, cookies cookies) bool {
	for _, value := range h.sessionCookies(nil, r, cookies) {
		if found, err := h.door.sessions.Find(r.Context(), value, h.settings.idle); found != nil || err != nil {
			return true
		}
	}
	return false
}

// isMeant reports whether the person in front of the browser asked to be
// signed out, and not another site, a browser that loads pages ahead, or an
// image that somebody else has put into a page of this site.
func isMeant(r *http.Request) bool {
	if r.Header.Get("Sec-Fetch-Site") == "cross-site" {
		return false
	}
	return !isAhead(r) && !isPartOfPage(r) && !isForeignForm(r)
}

// confirm shows a button instead of doing what the request asks for. A form of
// another site is told that it was refused, besides.
func (h *Handler) confirm(w http.ResponseWriter, r *http.Request, page templates.Page) error {
	if isForeignForm(r) {
		return h.writePage(w, r, http.StatusForbidden, page)
	}
	return h.writePage(w, r, http.StatusOK, page)
}

// goOnToProvider leads on to where the provider's session ends. A form may not
// be redirected to another site by the rules of the page it stands on, so its
// answer is a page that goes on by itself.
func (h *Handler) goOnToProvider(w http.ResponseWriter, r *http.Request, address string, page templates.Page) error {
	if r.Method != http.MethodPost {
		redirect(w, address, http.StatusSeeOther)
		return nil
	}
	w.Header().Set("Refresh", "0; url="+address)
	page.LogoutLink = address
	return h.writePage(w, r, http.StatusOK, page)
}

// logoutAtProvider makes the tokens of ended sessions useless, and returns
// where the visitor goes on to end the provider's session too. The provider
// sends them back to the logout endpoint.
func (h *Handler) logoutAtProvider(r *http.Request, ended []*session.Session) (address string, ok bool) {
	for _, s := range ended {
		through, tokens := h.wayFor(&s.Record), s.Tokens()
		if through == nil || tokens == nil {
			continue
		}
		go h.revoke(context.WithoutCancel(r.Context()), through, *tokens)
		if ok || h.LogoutProvider == "off" {
			continue
		}
		ctx, cancel := context.WithTimeout(r.Context(), logoutPatience)
		address, ok = through.LogoutURL(ctx, tokens.ID, origin(r)+h.logoutURL(r), "")
		cancel()
	}
	return address, ok
}

// isKnownElsewhere reports whether one of these sessions began at a provider,
// which goes on to know whose it was.
func (h *Handler) isKnownElsewhere(ended []*session.Session) bool {
	return slices.ContainsFunc(ended, func(s *session.Session) bool {
		through := h.wayFor(&s.Record)
		return through != nil && !through.UsesPassword()
	})
}

// logoutPatience is how long a logout waits to learn where the provider has
// its own.
const logoutPatience = 2 * time.Second

// endSessions ends the sessions whose cookies the request carries, for every
// copy of those cookies. The error says that it is not known which they are:
// nobody may be told to be signed out then.
func (h *Handler) endSessions(r *http.Request, cookies cookies, why reason) (ended []*session.Session, unknown error) {
	ended, unknown = h.sessionsOf(r, cookies)
	for _, s := range ended {
		h.end(r.Context(), s, h.endedIn(r, why))
	}
	return ended, unknown
}

// sessionsOf are the sessions whose cookies the request carries, good here or
// not.
func (h *Handler) sessionsOf(r *http.Request, cookies cookies) (found []*session.Session, unknown error) {
	for _, value := range h.sessionCookies(nil, r, cookies) {
		s, err := h.door.sessions.Find(r.Context(), value, h.settings.idle)
		if err != nil {
			unknown = err
		}
		if s != nil && !slices.Contains(found, s) {
			found = append(found, s)
		}
	}
	return found, unknown
}
