// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"errors"
	"net/http"

	"go.uber.org/zap"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
	"github.com/panelauth/caddy-panelauth/templates"
)

var errNotBegun = errors.New("the answer belongs to no sign-in that this browser has begun")

// signInFailed shows our own words and a number; the provider's words are in
// the log under the same number.
func (h *Handler) signInFailed(w http.ResponseWriter, r *http.Request, through *way, err error, next string) error {
	kind := provider.KindState
	id := ""
	if through != nil {
		kind, id = provider.KindOf(err), through.ID()
	}
	reference := newReference()
	h.reportFailure(r, id, "", string(kind), zap.String("reference", reference), zap.Error(err))
	status := failureStatus(kind)
	if status == http.StatusServiceUnavailable {
		setRetryAfter(w, unavailableFor)
	}
	if h.isFromProgram(r) || !wantsPage(r) {
		return writeJSON(w, status, map[string]any{"error": string(kind), "reference": reference})
	}
	page := h.page(r, templates.Failed)
	page.Message = string(kind) // the words for it are those of the page's language
	page.Reference = reference
	page.Next = next
	if isAboutAccount(kind) {
		page.AsOtherURL = h.asOtherURL(r, next)
	}
	if isAboutAccount(kind) || h.pages.isCustom(templates.Failed) { // Panel's pages always have it
		page.LogoutLink = h.logoutLink(r, through, kind)
	}
	return h.writePage(w, r, status, page)
}

// logoutLink is where somebody whose sign-in failed can leave the provider, to
// come back as somebody else.
func (h *Handler) logoutLink(r *http.Request, through *way, kind provider.Kind) string {
	if through == nil || kind == provider.KindUnreachable || h.LogoutProvider == "off" {
		return ""
	}
	ctx, cancel := context.WithTimeout(r.Context(), logoutPatience)
	defer cancel()
	address, _ := through.LogoutURL(ctx, "", origin(r)+h.logoutURL(r), "")
	return address
}

func failureStatus(kind provider.Kind) int {
	switch kind {
	case provider.KindUnreachable:
		return http.StatusServiceUnavailable
	case provider.KindNotAllowed:
		return http.StatusForbidden
	}
	return http.StatusUnauthorized
}

// isAboutAccount reports failures that the same account would meet again.
func isAboutAccount(kind provider.Kind) bool {
	switch kind {
	case provider.KindNotAllowed, provider.KindUnverifiedEmail, provider.KindMissingUser, provider.KindGroups:
		return true
	}
	return false
}
