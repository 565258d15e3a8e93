// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// openIDProvider is oidc/provider.js: a certified provider on loopback, on
// another site than Caddy's, which is localhost. Its users are whoever types a
// name; alice has the address alice@example.com.
type openIDProvider struct {
	*process
	url      string
	settings openIDSettings
}

// openIDSettings are the argument of oidc/provider.js.
type openIDSettings struct {
	Port                int            `json:"port"`
	Clients             []openIDClient `json:"clients"`
	AccessTokenLifetime int            `json:"accessTokenLifetime"`
	StateFirst          bool           `json:"stateFirst"`
}

// openIDClient is an application, as the provider has it registered.
type openIDClient struct {
	ID            string   `json:"client_id"`
	Secret        string   `json:"client_secret"`
	Method        string   `json:"token_endpoint_auth_method"`
	GrantTypes    []string `json:"grant_types"`
	RedirectURIs  []string `json:"redirect_uris"`
	LogoutAddress []string `json:"post_logout_redirect_uris"`
	// Where the provider says that a session is over, with its sid.
	BackChannel        string `json:"backchannel_logout_uri,omitempty"`
	BackChannelSession bool   `json:"backchannel_logout_session_required,omitempty"`
}

// The applications of these tests. They prove themselves in different ways.
const (
	clientBasic = "client-basic"
	clientPost  = "client-post"
)

// clientSecret is what an application proves itself with.
func clientSecret(client string) string { return "the-secret-of-" + client }

// openID runs a provider for sites on these ports.
func openID(t *testing.T, ports ...int) *openIDProvider {
	t.Helper()
	p := newOpenID(t, ports...)
	p.run(t)
	return p
}

// newOpenID prepares a provider for sites on these ports, to be run later.
func newOpenID(t *testing.T, ports ...int) *openIDProvider {
	t.Helper()
	port := freePort(t)
	p := &openIDProvider{url: fmt.Sprintf("http://127.0.0.1:%d", port)}
	p.settings = openIDSettings{Port: port, AccessTokenLifetime: 3600}
	for client, method := range map[string]string{clientBasic: "client_secret_basic", clientPost: "client_secret_post"} {
		registered := openIDClient{ID: client, Secret: clientSecret(client), Method: method}
		registered.GrantTypes = []string{"authorization_code", "refresh_token"}
		for _, site := range ports {
			for _, scheme := range []string{"http", "https"} {
				registered.RedirectURIs = append(registered.RedirectURIs, fmt.Sprintf("%s://localhost:%d/login", scheme, site))
				registered.LogoutAddress = append(registered.LogoutAddress, fmt.Sprintf("%s://localhost:%d/logout", scheme, site))
			}
		}
		p.settings.Clients = append(p.settings.Clients, registered)
	}
	return p
}

// run starts the provider.
func (p *openIDProvider) run(t *testing.T) {
	t.Helper()
	settings, err := json.Marshal(p.settings)
	if err != nil {
		t.Fatal(err)
	}
	p.process = start(t, "openid", exec.Command(nodeProgram, filepath.Join("oidc", "provider.js"), string(settings)))
	p.listens(strings.TrimPrefix(p.url, "http://"))
}

// secretVariable names the environment variable that holds a client's secret
// for Caddy: what stands in a Caddyfile, Caddy itself prints at debug level.
func secretVariable(client string) string {
	return strings.ToUpper(strings.ReplaceAll(client, "-", "_")) + "_SECRET"
}

// clientSecrets are the variables for all of them.
func clientSecrets() []string {
	return []string{
		secretVariable(clientBasic) + "=" + clientSecret(clientBasic),
		secretVariable(clientPost) + "=" + clientSecret(clientPost),
	}
}

// lines configure the provider in the way that Panel's users know, with more
// oauth_extra_params if there are any.
func (p *openIDProvider) lines(params ...string) string {
	return fmt.Sprintf("oauth_provider oidc\n\toauth_key %s\n\toauth_secret {env.%s}\n\toauth_extra_params {\n\t\tISSUER %s\n\t\t%s\n\t}",
		clientBasic, secretVariable(clientBasic), p.url, strings.Join(params, "\n\t\t"))
}

// block configures the provider as one of several.
func (p *openIDProvider) block(id string, more ...string) string {
	return fmt.Sprintf("oauth_provider oidc %s {\n\t\tkey %s\n\t\tsecret {env.%s}\n\t\textra_params {\n\t\t\tISSUER %s\n\t\t}\n\t\t%s\n\t}",
		id, clientBasic, secretVariable(clientBasic), p.url, strings.Join(more, "\n\t\t"))
}

// report is what went through the provider.
type report struct {
	Secrets map[string]string `json:"secrets"` // by value: what it is
	Grants  []grant           `json:"grants"`
	Logouts []int64           `json:"logouts"`
}

// grant is an answer of the token endpoint.
type grant struct {
	Type  string `json:"type"`
	Error string `json:"error"`
	At    int64  `json:"at"`
}

// report asks the provider what went through it.
func (p *openIDProvider) report() report {
	p.t.Helper()
	return p.test("report")
}

// changeKeys makes the provider sign with other keys, and forget the old.
func (p *openIDProvider) changeKeys() {
	p.t.Helper()
	p.test("keys")
}

func (p *openIDProvider) test(what string) report {
	p.t.Helper()
	response, err := http.Get(p.url + "/test/" + what)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	var seen report
	if err := json.NewDecoder(response.Body).Decode(&seen); err != nil {
		p.t.Fatal(err)
	}
	return seen
}

// renewals counts how often tokens were renewed, and fails the test where the
// provider refused to: it does so when a refresh token is used twice.
func (p *openIDProvider) renewals() int {
	p.t.Helper()
	count := 0
	for _, grant := range p.report().Grants {
		if grant.Error != "" {
			p.t.Errorf("the provider refuses a %s: %s", grant.Type, grant.Error)
		}
		if grant.Type == "refresh_token" {
			count++
		}
	}
	return count
}

// accepts reports whether an access token is good now.
func (p *openIDProvider) accepts(accessToken string) bool {
	p.t.Helper()
	request, err := http.NewRequest(http.MethodGet, p.url+"/me", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+accessToken)
	return answer(p.t, request).StatusCode == http.StatusOK
}

// renews reports whether a refresh token is good now. If it was, it is not any
// more.
func (p *openIDProvider) renews(refreshToken string) bool {
	p.t.Helper()
	values := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refreshToken}}
	request, err := http.NewRequest(http.MethodPost, p.url+"/token", strings.NewReader(values.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(clientBasic, clientSecret(clientBasic))
	return answer(p.t, request).StatusCode == http.StatusOK
}

// signInAt does what has to be done on the provider's pages.
func (v *visitor) signInAt(p *openIDProvider, user string) {
	v.t.Helper()
	v.isAskedBy(p)
	name, password := chromedp.CSS(`input[name="login"]`), chromedp.CSS(`input[name="password"]`)
	v.do("filling in the provider's form", chromedp.SendKeys(name, user), chromedp.SendKeys(password, "anything"))
	v.leavingThePage(func() { v.press("Sign-in") })
	v.agreesAt(p)
}

// agreesAt gives the provider's consent.
func (v *visitor) agreesAt(p *openIDProvider) {
	v.t.Helper()
	v.isAt(p.url + "/interaction/")
	v.leavingThePage(func() { v.press("Continue") })
}

// isAskedBy waits for the provider's sign-in form.
func (v *visitor) isAskedBy(p *openIDProvider) {
	v.t.Helper()
	v.isAt(p.url + "/interaction/")
	v.eventually("the provider's form", `!!document.querySelector('input[name="login"]')`)
}

// logsOutAt confirms the logout on the provider's page.
func (v *visitor) logsOutAt(p *openIDProvider) {
	v.t.Helper()
	v.isAt(p.url + "/session/end")
	v.leavingThePage(func() { v.press("Yes, sign me out") })
}

// isAt waits for an address that begins like this.
func (v *visitor) isAt(beginning string) {
	v.t.Helper()
	v.eventually("coming to "+beginning, fmt.Sprintf(`location.href.startsWith(%q) && document.readyState === "complete"`, beginning))
}

// knowledge is what Panel knows of a visitor, as testdata/congrats.py shows it.
type knowledge struct {
	User         string         `json:"user"`
	UserInfo     map[string]any `json:"user_info"`
	AccessToken  string         `json:"access_token"`
	RefreshToken string         `json:"refresh_token"`
}

// isWelcome waits for the page of testdata/congrats.py and compares what Panel
// knows of the user with what the provider says.
func (v *visitor) isWelcome(name string) knowledge {
	v.t.Helper()
	address := name + "@example.com"
	v.sees("Congrats " + address + ". You got access!")
	known := v.known()
	want := map[string]any{"user": address, "username": address, "email": address}
	for claim, value := range want {
		if known.UserInfo[claim] != value {
			v.t.Errorf("user_info says that %s is %v, want %v", claim, known.UserInfo[claim], value)
		}
	}
	groups, _ := known.UserInfo["groups"].([]any)
	if known.User != address || !slices.Contains(groups, any("staff")) {
		v.t.Errorf("Panel knows %q in groups %v, want %s in staff", known.User, groups, address)
	}
	return known
}

// known is what the page of testdata/congrats.py shows.
func (v *visitor) known() knowledge {
	v.t.Helper()
	v.sees(`{"user":`)
	_, shown, _ := strings.Cut(v.text(), `{"user":`)
	var known knowledge
	if err := json.NewDecoder(strings.NewReader(`{"user":` + shown)).Decode(&known); err != nil {
		v.t.Fatalf("reading what Panel knows: %v", err)
	}
	return known
}
