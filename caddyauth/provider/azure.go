// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
)

// adjustAzure understands Azure's own word for an e-mail address in a domain
// that the account's organisation does not own. Whoever runs an organisation
// can write any address into it.
func adjustAzure(_ context.Context, _ *Provider, _ *evidence, all claims) error {
	if yes, said := all.verified("xms_edov"); said {
		all["email_verified"] = yes
	}
	return nil
}

// azureGroups are the IDs in the claim groups. Somebody in too many groups for
// a token has a reference in its place, which names an API that is no more;
// Microsoft Graph answers instead.
func azureGroups(ctx context.Context, p *Provider, e *evidence, all claims) ([]string, bool, error) {
	groups, known := all.list("groups")
	if known || !overage(e.idToken) {
		return groups, known, nil
	}
	groups, err := p.graphGroups(ctx, e.accessToken)
	return groups, err == nil, err
}

// overage reports a token that has a reference in the place of groups.
func overage(idToken claims) bool {
	names, _ := idToken["_claim_names"].(map[string]any)
	_, elsewhere := names["groups"]
	return elsewhere || idToken["hasgroups"] == true
}

// overageHelp is for the administrator, who alone can do something about it.
const overageHelp = "; the user is in too many groups for a token: add the scope User.Read, or let the application registration send only groups that are assigned to it"

func (p *Provider) graphGroups(ctx context.Context, accessToken string) ([]string, error) {
	// All groups and not only those for security: which of them the claim
	// would have had is for the application registration to say.
	body := strings.NewReader(`{"securityEnabledOnly":false}`)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.graph+"/v1.0/me/getMemberGroups", body)
	if err != nil {
		return nil, fail(KindMisconfigured, stepGroups, "the URL is not usable")
	}
	req.Header.Set("Authorization", "Bearer "+accessToken)
	req.Header.Set("Content-Type", "application/json")
	a, err := p.fetch(stepGroups, req)
	if err != nil {
		return nil, failNetwork(stepGroups, err, accessToken)
	}
	if outOfOrder(a.status) {
		return nil, a.mustBeOK(stepGroups)
	}
	var answer struct {
		Value []string `json:"value"`
	}
	if a.status != http.StatusOK || json.Unmarshal(a.body, &answer) != nil || answer.Value == nil {
		return nil, fail(KindGroups, stepGroups, statusDetail(a.status)+overageHelp)
	}
	return answer.Value, nil
}
