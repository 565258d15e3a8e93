// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

// Package e2e tests panelauth with real parts: a browser, Caddy, Panel, and the
// OpenID providers oidc-provider and Keycloak. The tests have the build tag e2e,
// and a module of their own so that their tools stay out of the requirements of
// panelauth.
package e2e
