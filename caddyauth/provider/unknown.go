// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"fmt"
	"strings"
)

// otherNames are what people call providers, in lower case, and the names that
// they have here.
var otherNames = map[string]string{
	"microsoft": "azurev2", "entra": "azurev2", "entraid": "azurev2", "entra-id": "azurev2", "azuread": "azurev2",
	"aad": "azurev2", "azure_v2": "azurev2", "azure-v2": "azurev2",
	"openid": "oidc", "openidconnect": "oidc", "openid-connect": "oidc", "keycloak": "oidc", "keycloak-oidc": "oidc",
	"authentik": "oidc", "authelia": "oidc", "zitadel": "oidc", "dex": "oidc", "ory": "oidc", "hydra": "oidc",
	"ping": "oidc", "cognito": "oidc", "adfs": "oidc",
	"oauth": "generic", "oauth2": "generic",
}

// unknownProvider says what there is, and what was probably meant.
func unknownProvider(name string) error {
	list := strings.Join(Names(), ", ")
	meant := otherNames[name]
	if meant == "" {
		return fmt.Errorf("unknown provider: it must be one of %s; whatever else speaks OpenID Connect, such as Keycloak, is oidc", list)
	}
	return fmt.Errorf("unknown provider, did you mean '%s'? It must be one of %s", meant, list)
}
