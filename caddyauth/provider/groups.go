// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"
)

const stepGroups = "asking for the user's groups"

// groups are the user's groups, whatever the provider calls them. They are not
// known where nothing says anything of groups, which is no error.
func (p *Provider) groups(ctx context.Context, e *evidence, all claims) ([]string, bool, error) {
	find := claimedGroups
	switch {
	case p.groupsClaim != "":
		find = namedGroups
	case p.row.groups != nil:
		find = p.row.groups
	}
	groups, known, err := find(ctx, p, e, all)
	if err != nil || !known {
		return nil, false, err
	}
	groups, err = tidyGroups(groups)
	return groups, err == nil, err
}

// tidyGroups refuses to leave out a group: whoever asks whether somebody is in
// it would be told no.
func tidyGroups(groups []string) ([]string, error) {
	groups = slices.Compact(slices.Sorted(slices.Values(groups)))
	if len(groups) > maxGroups {
		return nil, fail(KindGroups, stepGroups, fmt.Sprintf("there are more than %d; let the provider send fewer", maxGroups))
	}
	for _, group := range groups {
		if len(group) > maxGroup || !utf8.ValidString(group) {
			return nil, fail(KindGroups, stepGroups, "the name of one is too long or not UTF-8")
		}
	}
	return slices.DeleteFunc(groups, func(group string) bool { return group == "" }), nil
}

// namedGroups reads the configured claim, also from an access token that the
// provider's keys verify.
func namedGroups(_ context.Context, p *Provider, e *evidence, all claims) ([]string, bool, error) {
	if groups, ok := all.list(p.groupsClaim); ok {
		return groups, true, nil
	}
	groups, ok := e.access().list(p.groupsClaim)
	return groups, ok, nil
}

// claimedGroups reads the claim groups, and the roles that Keycloak keeps
// beside it: those of the realm by their names, those of a client as
// client/role. Keycloak puts roles into the access token unless told
// otherwise.
func claimedGroups(_ context.Context, _ *Provider, e *evidence, all claims) ([]string, bool, error) {
	groups, known := all.list("groups")
	source := all
	if !hasRoles(source) {
		source = e.access()
	}
	if hasRoles(source) {
		groups, known = append(groups, roles(source)...), true
	}
	return groups, known, nil
}

func hasRoles(c claims) bool {
	_, realm := c.at("realm_access.roles")
	_, client := c["resource_access"].(map[string]any)
	return realm || client
}

func roles(c claims) []string {
	all, _ := c.list("realm_access.roles")
	clients, _ := c["resource_access"].(map[string]any)
	for _, client := range slices.Sorted(maps.Keys(clients)) {
		access, _ := clients[client].(map[string]any)
		own, _ := claims(access).list("roles")
		for _, role := range own {
			all = append(all, client+"/"+role)
		}
	}
	return all
}
