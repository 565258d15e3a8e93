// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import "slices"

// entry is the account that a user's claims are from.
func (a *accounts) entry(user string) account {
	entry, known := a.find(user)
	if !known && a.anyUser != nil {
		entry = *a.anyUser
	}
	return entry
}

// claims is what the application learns about a user who signed in with a
// password, as it stands in the file now.
func (a *accounts) claims(user string) map[string]any {
	claims := make(map[string]any)
	for _, name := range []string{"user", "username", "name", "email", "groups"} {
		if value, ok := a.claim(user, name); ok {
			claims[name] = value
		}
	}
	return claims
}

// claim is one of claims. Sessions look it up instead of keeping them all.
func (a *accounts) claim(user, name string) (value any, ok bool) {
	entry := a.entry(user)
	switch name {
	case "user", "username":
		return user, true
	case "name":
		return entry.Name, entry.Name != ""
	case "email":
		return entry.Email, entry.Email != ""
	case "groups":
		return claimList(entry.Groups), len(entry.Groups) > 0
	}
	return nil, false
}

// hasClaim is identity.hasClaim for who has an account. It spares boxing what
// rules ask for with each request.
func (a *accounts) hasClaim(user, name string, wanted func(string) bool) bool {
	filled := func(text string) bool { return text != "" && wanted(text) }
	switch name {
	case "username":
		return filled(user)
	case "name":
		return filled(a.entry(user).Name)
	case "email":
		return filled(a.entry(user).Email)
	case "groups":
		return slices.ContainsFunc(a.entry(user).Groups, filled)
	}
	return false
}

// claimList is a list as claims from JSON have it.
func claimList(texts []string) []any {
	list := make([]any, len(texts))
	for i, text := range texts {
		list[i] = text
	}
	return list
}
