// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// One Keycloak does for all of this, since it takes its time to start.
func TestKeycloak(t *testing.T) {
	port := freePort(t)
	idp := keycloak(t, fmt.Sprintf("http://localhost:%d", port))
	lines := fmt.Sprintf("oauth_provider oidc keycloak {\n\t\tkey %s\n\t\tsecret {env.%s}\n\t\textra_params {\n\t\t\tISSUER %s\n\t\t}\n\t}",
		clientBasic, secretVariable(clientBasic), idp.issuer())
	site := caddyOn(t, port, inFrontOf(congratsPanel(t), lines, "oauth_refresh_tokens", allCookies))
	visitor := browser(t)

	visitor.open(site.url + "/congrats?year=2026")
	visitor.signsInAtKeycloak(idp)
	visitor.arrives(site.url + "/congrats?year=2026")
	before := visitor.knownFromKeycloak()
	signedIn := time.Now()
	visitor.hasLiveWidget()

	t.Run("changes its keys", func(t *testing.T) {
		visitor := browser(t)
		idp.changeKeys()
		visitor.open(site.url + "/congrats")
		visitor.signsInAtKeycloak(idp)
		visitor.arrives(site.url + "/congrats")
		if after := visitor.knownFromKeycloak(); keyOf(t, after.AccessToken) == keyOf(t, before.AccessToken) {
			t.Error("the keys have not changed")
		}
	})

	t.Run("renews tokens", func(t *testing.T) {
		time.Sleep(time.Until(signedIn.Add(6 * time.Second))) // lifetime 65 s, renewed a minute ahead
		visitor.open(site.url + "/congrats")
		eventually(t, patience, "another access token", func() bool {
			visitor.open(site.url + "/congrats")
			return visitor.knownFromKeycloak().AccessToken != before.AccessToken
		})
	})

	t.Run("logs out", func(t *testing.T) {
		session := visitor.cookies()
		visitor.press("Log out")
		visitor.isSignedOut(site)
		isOver(t, site.url+"/congrats", session)
		visitor.open(site.url + "/congrats")
		visitor.signsInAtKeycloak(idp)
		visitor.knownFromKeycloak()
	})

	// What was granted offline access outlives the session at Keycloak, which
	// then has nothing to tell.
	online := strings.Replace(lines, "key ", "scope openid email profile\n\t\tkey ", 1)
	site.reload(t, inFrontOf(congratsPanel(t), online, "oauth_refresh_tokens", allCookies))
	t.Run("ends sessions", func(t *testing.T) { endsAtKeycloak(t, idp, site) })
}

// keycloakServer is a Keycloak with the realm of keycloak/realm.json.
type keycloakServer struct {
	*process
	url string
}

// The administrator, and what .ci/run has built: a database in memory.
const keycloakAdmin, keycloakPassword = "admin", "the-password-of-the-administrator"

// keycloak runs a Keycloak that knows the site.
func keycloak(t *testing.T, site string) *keycloakServer {
	t.Helper()
	importRealm(t, site)
	port := freePort(t)
	k := &keycloakServer{url: fmt.Sprintf("http://127.0.0.1:%d", port)}
	command := exec.Command("sh", filepath.Join(keycloakFolder, "bin", "kc.sh"), "start", "--optimized", "--import-realm",
		"--http-enabled=true", "--http-host=127.0.0.1", fmt.Sprintf("--http-port=%d", port), "--hostname="+k.url)
	command.Env = append(os.Environ(), "JAVA_OPTS_APPEND=-XX:TieredStopAtLevel=1",
		"KC_BOOTSTRAP_ADMIN_USERNAME="+keycloakAdmin, "KC_BOOTSTRAP_ADMIN_PASSWORD="+keycloakPassword)
	k.process = start(t, "keycloak", command)
	k.listens(fmt.Sprintf("127.0.0.1:%d", port))
	return k
}

// importRealm leaves the realm where Keycloak looks for it when it starts.
func importRealm(t *testing.T, site string) {
	t.Helper()
	realm, err := os.ReadFile(filepath.Join("keycloak", "realm.json"))
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(keycloakFolder, "data", "import")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(realm), "SITE", site)
	if err := os.WriteFile(filepath.Join(folder, "realm.json"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (k *keycloakServer) issuer() string { return k.url + "/realms/tests" }

// changeKeys replaces the key that the realm signs with.
func (k *keycloakServer) changeKeys() {
	k.t.Helper()
	var old []struct{ ID, ParentID, ProviderID string }
	k.administrate(http.MethodGet, "components?type=org.keycloak.keys.KeyProvider", nil, &old)
	index := slices.IndexFunc(old, func(c struct{ ID, ParentID, ProviderID string }) bool { return c.ProviderID == "rsa-generated" })
	if index < 0 {
		k.t.Fatal("the realm has no key")
	}
	k.administrate(http.MethodPost, "components", map[string]any{
		"name": "another key", "parentId": old[index].ParentID,
		"providerId": "rsa-generated", "providerType": "org.keycloak.keys.KeyProvider",
		"config": map[string][]string{"priority": {"200"}},
	}, nil)
	k.administrate(http.MethodDelete, "components/"+old[index].ID, nil, nil)
}

// administrate asks Keycloak's own interface about the realm.
func (k *keycloakServer) administrate(method, path string, send, receive any) {
	k.t.Helper()
	var body bytes.Buffer
	if send != nil {
		if err := json.NewEncoder(&body).Encode(send); err != nil {
			k.t.Fatal(err)
		}
	}
	request, err := http.NewRequest(method, k.url+"/admin/realms/tests/"+path, &body)
	if err != nil {
		k.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+k.administrator())
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		k.t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusMultipleChoices {
		k.t.Fatalf("Keycloak answers %s %s with %d", method, path, response.StatusCode)
	}
	if receive == nil {
		return
	}
	if err := json.NewDecoder(response.Body).Decode(receive); err != nil {
		k.t.Fatal(err)
	}
}

// administrator is a token for administrate.
func (k *keycloakServer) administrator() string {
	k.t.Helper()
	response, err := http.PostForm(k.url+"/realms/master/protocol/openid-connect/token", url.Values{
		"grant_type": {"password"}, "client_id": {"admin-cli"}, "username": {keycloakAdmin}, "password": {keycloakPassword},
	})
	if err != nil {
		k.t.Fatal(err)
	}
	defer response.Body.Close()
	var token struct {
		Access string `json:"access_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&token); err != nil {
		k.t.Fatal(err)
	}
	return token.Access
}

// signsInAtKeycloak fills in Keycloak's form as alice.
func (v *visitor) signsInAtKeycloak(k *keycloakServer) {
	v.t.Helper()
	v.isAt(k.issuer())
	v.seesForm()
	v.do("filling in Keycloak's form", chromedp.SendKeys(chromedp.CSS(`#username`), "alice"),
		chromedp.SendKeys(chromedp.CSS(`#password`), "alices-password"))
	v.leavingThePage(func() { v.do("sending it", chromedp.Click(chromedp.CSS(`#kc-login`))) })
}

// knownFromKeycloak is what Panel knows of alice, checked.
func (v *visitor) knownFromKeycloak() knowledge {
	v.t.Helper()
	v.sees("Congrats alice@example.com. You got access!")
	known := v.known()
	groups, _ := known.UserInfo["groups"].([]any)
	if known.UserInfo["username"] != "alice@example.com" || known.UserInfo["name"] != "Alice Liddell" || !slices.Contains(groups, any("operators")) {
		v.t.Errorf("Panel knows of alice: %v", known.UserInfo)
	}
	if known.AccessToken == "" {
		v.t.Error("Panel has no access token")
	}
	return known
}

// keyOf names the key that a token was signed with.
func keyOf(t *testing.T, token string) string {
	t.Helper()
	header, _, _ := strings.Cut(token, ".")
	if header == "" {
		t.Fatalf("%q is no signed token", token)
	}
	return header
}
