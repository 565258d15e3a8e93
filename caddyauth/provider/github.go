// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.uber.org/zap"
)

const (
	stepGitHubEmail = "asking for the user's e-mail addresses"

	gitHubPageSize = 100
	gitHubMaxPages = 20
)

// adjustGitHub finds the e-mail address of people who do not show it on their
// profile, if the scope asks to see it. GitHub may refuse all the same: the
// scopes of GitHub Apps, as opposed to OAuth apps, mean nothing.
func adjustGitHub(ctx context.Context, p *Provider, e *evidence, all claims) error {
	if _, ok := all.text("email"); ok || !p.asksFor("user:email", "user") {
		return nil
	}
	addresses, err := gitHubList[struct {
		Email    string `json:"email"`
		Primary  bool   `json:"primary"`
		Verified bool   `json:"verified"`
	}](ctx, p, e, KindMisbehaved, stepGitHubEmail, "/user/emails")
	if KindOf(err) == KindUnreachable {
		return err
	}
	if err != nil {
		p.logger.Warn("provider does not say the user's e-mail address", zap.Error(err))
	}
	for _, address := range addresses {
		if address.Primary {
			all["email"], all["email_verified"] = address.Email, address.Verified
		}
	}
	return nil
}

// gitHubGroups are the user's organisations, as org, and teams, as org/team.
// Seeing them takes the scope read:org, so nothing is known without it.
func gitHubGroups(ctx context.Context, p *Provider, e *evidence, _ claims) ([]string, bool, error) {
	if !p.asksFor("read:org", "write:org", "admin:org") {
		return nil, false, nil
	}
	type organisation struct {
		Login string `json:"login"`
	}
	orgs, err := gitHubList[organisation](ctx, p, e, KindGroups, stepGroups, "/user/orgs")
	if err != nil {
		return nil, false, err
	}
	teams, err := gitHubList[struct {
		Slug         string       `json:"slug"`
		Organisation organisation `json:"organization"`
	}](ctx, p, e, KindGroups, stepGroups, "/user/teams")
	if err != nil {
		return nil, false, err
	}
	groups := []string{}
	for _, org := range orgs {
		groups = append(groups, org.Login)
	}
	for _, team := range teams {
		groups = append(groups, team.Organisation.Login+"/"+team.Slug)
	}
	return groups, true, nil
}

func (p *Provider) asksFor(scopes ...string) bool {
	return slices.ContainsFunc(scopes, func(scope string) bool { return slices.Contains(p.scopes, scope) })
}

// gitHubList reads all pages of a list. Only whether there is another is taken
// from the answer, and never where it is: the access token goes to the API
// alone.
func gitHubList[T any](ctx context.Context, p *Provider, e *evidence, kind Kind, step, path string) ([]T, error) {
	var all []T
	for page := 1; page <= gitHubMaxPages; page++ {
		a, err := p.ask(ctx, step, fmt.Sprintf("%s%s?per_page=%d&page=%d", p.api, path, gitHubPageSize, page), e.accessToken)
		if err != nil {
			return nil, err
		}
		if err := a.mustBeOK(step); err != nil {
			return nil, withKind(kind, err)
		}
		var items []T
		if json.Unmarshal(a.body, &items) != nil {
			return nil, fail(kind, step, "it is not a list")
		}
		all = append(all, items...)
		if !strings.Contains(strings.Join(a.header.Values("Link"), ","), `rel="next"`) {
			return all, nil
		}
	}
	return nil, fail(kind, step, "there are too many")
}

// withKind says more exactly what an answer's refusal means, unless it means
// that the provider is out of order.
func withKind(kind Kind, err error) error {
	var e *Error
	if !errors.As(err, &e) || e.Kind != KindMisbehaved {
		return err
	}
	named := *e
	named.Kind = kind
	return &named
}
