// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package providertest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Tenant is the ID of the one organisation that the Azure servers have.
const Tenant = "7d2e5a3c-1f0b-4c7e-9a61-0b8f3f6f2c11"

// maxAzureGroups is how many groups Azure puts into a token.
const maxAzureGroups = 200

// Azure runs a server in the shape of Azure AD's first endpoints, for a tenant
// as it is written in addresses: an ID, a domain, common or organizations.
//
// Its quirks: the discovery document names the tenant by its ID, or not at
// all; keys say for which tenant they sign; tokens name an issuer on another
// host; expires_in is text; error messages are invalid JSON; somebody in more
// than 200 groups has a reference to them in the token, and Microsoft Graph
// tells them to whoever may read users.
func Azure(t testing.TB, tenant string) *Server {
	t.Helper()
	s := start(t, azureShape(tenant, ""))
	s.Name = "azure"
	return s.azure(tenant)
}

// AzureV2 is Azure with the endpoints of the Microsoft identity platform.
func AzureV2(t testing.TB, tenant string) *Server {
	t.Helper()
	s := start(t, azureShape(tenant, "/v2.0"))
	s.Name = "azurev2"
	return s.azure(tenant)
}

func (s *Server) azure(tenant string) *Server {
	s.Params = map[string]string{"url": s.URL, "tenant": tenant}
	s.users[0].Groups = []string{"6a1f38f2-0c3e-4f55-9a55-0a9a3f1f7d01"}
	return s
}

func azureShape(tenant, version string) shape {
	root, v1 := "/"+tenant, version == ""
	return shape{
		paths: paths{
			issuer:    root + version,
			authorize: root + "/oauth2" + version + "/authorize", exchange: root + "/oauth2" + version + "/token",
			keys: root + "/discovery" + version + "/keys", endSession: root + "/oauth2" + version + "/logout",
		},
		idToken: func(_ *Server, u User) map[string]any { return azureClaims(u, v1) },
		issuer:  func(s *Server) string { return azureIssuer(s, Tenant, v1) },
		named:   func(s *Server) string { return azureIssuer(s, tenantOf(tenant), v1) },
		metadata: func(_ *Server, document map[string]any) {
			delete(document, "scopes_supported")
			document["id_token_signing_alg_values_supported"] = []string{"RS256"}
			document["token_endpoint_auth_methods_supported"] = []string{"client_secret_post", "private_key_jwt"}
			document["userinfo_endpoint"] = "https://graph.microsoft.com/oidc/userinfo"
		},
		key: func(s *Server, key map[string]any) {
			key["issuer"] = azureIssuer(s, tenantOf(tenant), false)
		},
		tokens: func(_ *Server, _ *grant, answer map[string]any) {
			answer["ext_expires_in"] = 3600
			if v1 {
				answer["expires_in"], answer["ext_expires_in"] = "3600", "3600"
			}
		},
		refuse: azureRefusal,
		apis: map[string]func(*Server, http.ResponseWriter, *http.Request){
			"/v1.0/me/getMemberGroups": graphGroups,
		},
	}
}

// tenantOf is how Azure itself names a tenant.
func tenantOf(tenant string) string {
	switch tenant {
	case "common", "organizations":
		return "{tenantid}"
	default:
		return Tenant
	}
}

func azureIssuer(s *Server, tenant string, v1 bool) string {
	if v1 {
		return "https://sts.windows.net/" + tenant + "/"
	}
	return s.base + "/" + tenant + "/v2.0"
}

func azureClaims(u User, v1 bool) map[string]any {
	claims := map[string]any{
		"sub": "AAAAAAAAAAAAAAAAAAAAA" + u.ID, "oid": "00000000-0000-0000-66f3-3332eca7" + u.ID, "tid": Tenant,
		"name": u.Name,
	}
	if v1 {
		claims["ver"], claims["unique_name"], claims["upn"] = "1.0", u.Email, u.Email
	} else {
		claims["ver"], claims["preferred_username"], claims["email"] = "2.0", u.Email, u.Email
		if u.Unverified {
			claims["xms_edov"] = false
		}
	}
	if len(u.Groups) <= maxAzureGroups {
		claims["groups"] = u.Groups
		return claims
	}
	claims["_claim_names"] = map[string]any{"groups": "src1"}
	claims["_claim_sources"] = map[string]any{"src1": map[string]any{
		"endpoint": "https://graph.windows.net/" + Tenant + "/users/x/getMemberObjects",
	}}
	return claims
}

// azureRefusal writes JSON with an escape that JSON does not have.
func azureRefusal(w http.ResponseWriter, status int, code, _ string) {
	description := `AADSTS7000215: Invalid client secret provided for a secret added to app \'some-value\'. Trace ID: 0b2e`
	if code == "invalid_grant" {
		description = `AADSTS54005: OAuth2 Authorization code was already redeemed for \'some-value\'. Trace ID: 0b2e`
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"error":%q,"error_description":"%s","error_codes":[7000215],"timestamp":"2026-01-05 10:00:00Z"}`,
		code, description)
}

func graphGroups(s *Server, w http.ResponseWriter, r *http.Request) {
	g := s.bearer(r)
	if g == nil || r.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		writeJSON(w, http.StatusUnauthorized, map[string]any{"error": map[string]any{"code": "InvalidAuthenticationToken"}})
		return
	}
	if !g.has("User.Read") {
		writeJSON(w, http.StatusForbidden, map[string]any{"error": map[string]any{
			"code": "Authorization_RequestDenied", "message": "Insufficient privileges to complete the operation.",
		}})
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#Collection(Edm.String)", "value": g.user.Groups,
	})
}
