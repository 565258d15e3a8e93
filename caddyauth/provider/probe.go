// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import "context"

const stepProbe = "asking whether the provider is there"

// Probe asks the network for what a sign-in needs: the discovery document and
// the keys or, where there are none, whether the token endpoint answers at all.
func (p *Provider) Probe(ctx context.Context) error {
	if p.metadata != nil {
		return p.Ready(ctx)
	}
	a, err := p.ask(ctx, stepProbe, p.token, "")
	if err != nil {
		return err
	}
	if a.status >= 500 {
		return fail(KindUnreachable, stepProbe, statusDetail(a.status))
	}
	return nil
}
