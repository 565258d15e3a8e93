// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// claims are what a token or a userinfo answer says of somebody. Names are
// exact, numbers are json.Number.
type claims map[string]any

// userClaims are the claims that people take for a user name.
var userClaims = []string{"email", "preferred_username", "username", "login", "nickname", "unique_name", "upn", "name", "sub", "id", "oid"}

// candidates lists for the log which of userClaims are there. It has no other
// names, since they are the provider's own words.
func (c claims) candidates() string {
	var found []string
	for _, name := range userClaims {
		if _, ok := c.at(name); ok {
			found = append(found, name)
		}
	}
	return strings.Join(found, ", ")
}

// at finds a claim by its name, or by a dotted path into others. A name that
// has dots itself, such as https://example.com/groups, is found first.
func (c claims) at(name string) (any, bool) {
	if v, ok := c[name]; ok {
		return v, v != nil
	}
	head, rest, dotted := strings.Cut(name, ".")
	if !dotted {
		return nil, false
	}
	inner, ok := c[head].(map[string]any)
	if !ok {
		return nil, false
	}
	return claims(inner).at(rest)
}

// text is a claim as text: a string, or a whole number with all its digits.
func (c claims) text(name string) (string, bool) {
	v, _ := c.at(name)
	return textOf(v)
}

func textOf(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, v != ""
	case json.Number:
		_, err := strconv.ParseInt(v.String(), 10, 64)
		return v.String(), err == nil
	default:
		return "", false
	}
}

// list is a claim as a list of texts. A single text is a list of one, as some
// providers write it; what is no text is left out.
func (c claims) list(name string) ([]string, bool) {
	v, ok := c.at(name)
	if !ok {
		return nil, false
	}
	if one, ok := textOf(v); ok {
		return []string{one}, true
	}
	many, ok := v.([]any)
	if !ok {
		return nil, false
	}
	texts := []string{}
	for _, item := range many {
		if text, ok := textOf(item); ok {
			texts = append(texts, text)
		}
	}
	return texts, true
}

// has reports whether a claim is a text, or a list of texts with it among them.
func (c claims) has(name, text string) bool {
	switch v := c[name].(type) {
	case string:
		return v == text
	case []any:
		return slices.Contains(v, any(text))
	default:
		return false
	}
}

// date is a claim that holds seconds since 1970.
func (c claims) date(name string) (time.Time, bool) {
	n, ok := c[name].(json.Number)
	if !ok {
		return time.Time{}, false
	}
	seconds, err := n.Float64()
	if err != nil || seconds <= 0 || seconds > math.MaxInt32*1000 {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}

// verified reads what a claim such as email_verified says, which some
// providers write as text or as a number. Nothing, or null, says nothing;
// anything that is not a clear yes is a no.
func (c claims) verified(name string) (yes, said bool) {
	v, ok := c.at(name)
	if !ok {
		return false, false
	}
	switch v := v.(type) {
	case bool:
		return v, true
	case string:
		return strings.EqualFold(v, "true") || v == "1", true
	case json.Number:
		return v.String() == "1", true
	default:
		return false, true
	}
}

// guest is what applications call visitors who have not signed in.
const guest = "guest"

// usableName checks what a claim offers as a user name. It goes into headers,
// cookies and rules, and people compare it by eye: what cannot be seen, or
// reads like another name, is refused.
func usableName(name string) bool {
	if name == "" || name == guest || len(name) > maxUserName || !utf8.ValidString(name) || strings.TrimSpace(name) != name {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool {
		return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) || r == utf8.RuneError
	})
}

// isMisleading reports whether an e-mail address is not one plain address, so
// that of whoever looks for its domain one may find another than the next: after
// the first "@" or the last, outside quotes or within them, past a space or a
// bracket. A text without "@" misleads nobody.
func isMisleading(address string) bool {
	plain := norm.NFKC.String(address) // there are wide "@" and "<"
	local, domain, found := strings.Cut(plain, "@")
	if !found {
		return false
	}
	return local == "" || domain == "" || strings.Contains(domain, "@") ||
		strings.ContainsAny(plain, `"(),:;<>[\]`) ||
		strings.ContainsFunc(plain, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) })
}

// What a session may hold of somebody's claims, in bytes of JSON.
const (
	maxUserName = 256
	maxSubject  = 512
	maxGroup    = 256
	maxGroups   = 4096
	maxClaim    = 8 << 10
	maxClaims   = 64 << 10
)

// protocolClaims are about a token and not about a person. _claim_sources may
// even hold somebody's access token.
var protocolClaims = []string{"nonce", "at_hash", "c_hash", "s_hash", "_claim_names", "_claim_sources"}

// tokenClaims belong to the ID token alone; the userinfo answer has no say.
var tokenClaims = []string{"iss", "aud", "azp", "exp", "iat", "nbf", "auth_time", "acr", "amr", "sid", "jti"}

// merge puts the ID token's claims before those of the userinfo answer and
// leaves out what is empty or about the token.
func merge(idToken, userInfo claims) claims {
	all := claims{}
	for name, v := range userInfo {
		if v != nil && !slices.Contains(tokenClaims, name) {
			all[name] = v
		}
	}
	for name, v := range idToken {
		if v != nil {
			all[name] = v
		}
	}
	for _, name := range protocolClaims {
		delete(all, name)
	}
	return all
}

// bound drops claims that are too large, and the largest of the others until
// the rest fits. It returns their names.
func (c claims) bound(limit int) (dropped []string) {
	sizes, total := map[string]int{}, 0
	for name, v := range c {
		encoded, err := json.Marshal(v)
		if err != nil || len(encoded)+len(name) > maxClaim {
			delete(c, name)
			dropped = append(dropped, name)
			continue
		}
		sizes[name] = len(encoded) + len(name)
		total += sizes[name]
	}
	names := slices.SortedFunc(maps.Keys(sizes), func(a, b string) int {
		if sizes[a] != sizes[b] {
			return sizes[b] - sizes[a]
		}
		return strings.Compare(a, b)
	})
	for _, name := range names {
		if total <= limit {
			break
		}
		total -= sizes[name]
		delete(c, name)
		dropped = append(dropped, name)
	}
	return dropped
}
