// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import "context"

// adjustGitLab understands GitLab's API, which has no email_verified but a
// time at which the address was confirmed, or null.
func adjustGitLab(_ context.Context, _ *Provider, e *evidence, all claims) error {
	at, asked := e.userInfo["confirmed_at"]
	if _, said := all.verified("email_verified"); asked && !said {
		all["email_verified"] = at != nil
	}
	return nil
}
