// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"net/http"
	"slices"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
	"github.com/panelauth/caddy-panelauth/templates"
)

// everywhere is the parameter of the logout endpoint that means all of a
// visitor's sessions, in all browsers.
const everywhere = "everywhere"

// serveEverywhere asks first, whoever sent the visitor here: a link must not
// end what takes a sign-in on every device to begin again.
func (h *Handler) serveEverywhere(w http.ResponseWriter, r *http.Request, cookies cookies) error {
	own, err := h.sessionsOf(r, cookies)
	if err != nil {
		return h.unavailable(w, r, err)
	}
	if !slices.ContainsFunc(own, h.isGoodHere) {
		if !isMeant(r) {
			return h.askToSignOut(w, r)
		}
		return h.signOut(w, r, cookies) // of what there is
	}
	if r.Method != http.MethodPost || !isMeant(r) {
		page := h.page(r, templates.SignOutEverywhere)
		page.Next = h.pageLeft(r, nil)
		return h.confirm(w, r, page)
	}
	for _, s := range own {
		if !h.isGoodHere(s) {
			continue
		}
		if err := h.endOthers(r, s, own); err != nil {
			return h.unavailable(w, r, err) // and the session stays, to try it again with
		}
	}
	return h.signOut(w, r, cookies)
}

func (h *Handler) isGoodHere(s *session.Session) bool { return h.identityOf(s) != nil }

// endOthers ends all sessions of a session's user that were made by the same
// way in, but for those of this browser: who has the same name at another
// provider may be somebody else.
func (h *Handler) endOthers(r *http.Request, of *session.Session, own []*session.Session) error {
	ways := h.waysLike(&of.Record)
	if ways == nil {
		return nil // an account that is gone since: so are its sessions
	}
	who := session.Who{User: of.User, Provider: of.Provider, Issuer: of.Issuer, Subject: of.Subject, Ways: ways}
	h.door.sessions.Bar(who)
	ctx := context.WithoutCancel(r.Context())
	ended, err := h.door.endAll(ctx, who, func(s *session.Session) bool {
		if slices.ContainsFunc(own, func(o *session.Session) bool { return o.ID == s.ID }) {
			return false
		}
		h.door.sessions.LoadTokens(s) // while there are any, to revoke them
		return true
	}, h.endedIn(r, endedEverywhere))
	go h.revokeAll(ctx, ended)
	return err
}

// waysLike are what the sessions were made with that were made as one that is
// good here: with a client of a provider, or an account. They are nil if it is
// not good here.
func (h *Handler) waysLike(r *session.Record) [][]string {
	if through := h.wayFor(r); through != nil {
		return h.waysOfClient(through)
	}
	accounts := h.accounts()
	if r.Provider != passwordProvider || accounts == nil || !accounts.vouchFor(r) {
		return nil
	}
	return [][]string{accounts.proofParts(r.User)}
}
