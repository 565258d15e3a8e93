// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// claim returns a claim by name; "user" is always the user.
func (id *identity) claim(name string) (any, bool) {
	if name == "user" {
		return id.userID, true
	}
	if id.claims == nil {
		return id.accounts.claim(id.user, name)
	}
	value, ok := id.claims[name]
	return value, ok
}

func (id *identity) allClaims() map[string]any {
	if id.claims == nil {
		return id.accounts.claims(id.user)
	}
	return id.claims
}

// hasClaim reports whether any value of a claim is wanted. Guests have none.
func (id *identity) hasClaim(name string, wanted func(string) bool) bool {
	if id.guest {
		return false
	}
	if name == "user" {
		return wanted(id.user)
	}
	if id.claims == nil {
		return id.accounts.hasClaim(id.user, name, wanted)
	}
	switch value := claimAt(id.claims, name).(type) {
	case []any:
		return slices.ContainsFunc(value, func(item any) bool { return isWanted(item, wanted) })
	case []string:
		return slices.ContainsFunc(value, func(item string) bool { return isWanted(item, wanted) })
	default:
		return isWanted(value, wanted)
	}
}

// claimAt finds a claim as oauth_jwt_user does: by its name, dots and all, else
// by a dotted path into objects.
func claimAt(claims map[string]any, name string) any {
	if value, ok := claims[name]; ok {
		return value
	}
	head, rest, dotted := strings.Cut(name, ".")
	if !dotted {
		return nil
	}
	inner, _ := claims[head].(map[string]any)
	return claimAt(inner, rest)
}

// isWanted asks about a single value. What is empty or holds others is none.
func isWanted(value any, wanted func(string) bool) bool {
	switch value.(type) {
	case string, bool, float64, json.Number:
		text := claimText(value)
		return text != "" && wanted(text)
	}
	return false
}

// claimText is a claim as text: lists joined with commas, objects as JSON.
func claimText(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case json.Number:
		return v.String()
	case []any:
		parts := make([]string, len(v))
		for i, part := range v {
			parts[i] = claimText(part)
		}
		return strings.Join(parts, ",")
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(encoded)
}
