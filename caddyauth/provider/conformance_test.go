// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

// TestConformance does what the relying-party tests of the OpenID conformance
// suite do, under their names: code flow, and logout begun here.
func TestConformance(t *testing.T) {
	tests := map[string]func(*testing.T, *providertest.Server, *provider.Provider){
		"oidcc-client-test": func(t *testing.T, s *providertest.Server, p *provider.Provider) {
			id := mustSignIn(t, p, s)
			if id.User != "alice@example.org" || id.Subject != "1001" || id.Issuer != s.URL || id.SID != "session-of-1001" {
				t.Errorf("identity is %q, %q, %q, %q", id.User, id.Subject, id.Issuer, id.SID)
			}
			if id.Tokens.Access == "" || id.Tokens.Refresh == "" || id.Tokens.ID == "" || id.Tokens.Expiry.IsZero() {
				t.Error("a token or its expiry is missing")
			}
		},
		"oidcc-client-test-client-secret-basic": func(t *testing.T, s *providertest.Server, p *provider.Provider) {
			mustSignIn(t, p, s)
			request := s.Requests(providertest.Token)[0]
			if _, _, ok := request.BasicAuth(); !ok || request.Form.Has("client_secret") {
				t.Error("the secret is not in the Authorization header alone")
			}
		},
		"oidcc-client-test-nonce-unless-code-flow": func(t *testing.T, s *providertest.Server, p *provider.Provider) {
			mustSignIn(t, p, s)
			if nonce := s.Requests(providertest.Authorization)[0].Query.Get("nonce"); len(nonce) < 43 {
				t.Errorf("nonce has %d characters", len(nonce))
			}
		},
		"oidcc-client-test-nonce-invalid": refusedToken(func(c map[string]any) { c["nonce"] = "another" }),
		"oidcc-client-test-scope-userinfo-claims": func(t *testing.T, s *providertest.Server, p *provider.Provider) {
			s.Turn(func(k *providertest.Knobs) {
				k.IDToken = func(c map[string]any) { delete(c, "email"); delete(c, "name") }
			})
			id := mustSignIn(t, p, s)
			if id.User != "alice@example.org" || id.Claims["name"] != "Alice Example" {
				t.Errorf("claims are %v", id.Claims)
			}
		},
		"oidcc-client-test-userinfo-bearer-header": func(t *testing.T, s *providertest.Server, p *provider.Provider) {
			id := mustSignIn(t, p, s)
			if got := s.Requests(providertest.UserInfo)[0].Header.Get("Authorization"); got != "Bearer "+id.Tokens.Access {
				t.Error("the access token is not in the header")
			}
		},
		// A client may choose; the header is the way that RFC 6750 recommends.
		"oidcc-client-test-userinfo-bearer-body": func(t *testing.T, s *providertest.Server, p *provider.Provider) {
			mustSignIn(t, p, s)
			request := s.Requests(providertest.UserInfo)[0]
			if request.Form.Has("access_token") || request.Query.Has("access_token") {
				t.Error("the access token is in the body or the URL too")
			}
		},
		"oidcc-client-test-userinfo-invalid-sub": func(t *testing.T, s *providertest.Server, p *provider.Provider) {
			s.Turn(func(k *providertest.Knobs) { k.UserInfo = func(c map[string]any) { c["sub"] = "1002" } })
			_, err := signIn(t, p, s)
			wantKind(t, err, provider.KindMisbehaved)
		},
		"oidcc-client-test-userinfo-signed": func(t *testing.T, s *providertest.Server, p *provider.Provider) {
			s.Turn(func(k *providertest.Knobs) { k.SignUserInfo = true })
			mustSignIn(t, p, s)
			for _, turn := range []func(*providertest.Knobs){
				func(k *providertest.Knobs) {
					k.UserInfo = func(c map[string]any) { c["iss"], c["aud"] = "https://evil.example.com", s.ClientID }
				},
				func(k *providertest.Knobs) {
					k.UserInfo = func(c map[string]any) { c["iss"], c["aud"] = s.URL, "another client" }
				},
				func(k *providertest.Knobs) { k.UserInfo, k.SpoilUserInfo = nil, true },
			} {
				s.Turn(turn)
				_, err := signIn(t, p, s)
				wantKind(t, err, provider.KindMisbehaved)
			}
		},
		"oidcc-client-test-idtoken-sig-rs256": func(t *testing.T, s *providertest.Server, p *provider.Provider) {
			s.Turn(func(k *providertest.Knobs) { k.Alg = "RS256" })
			mustSignIn(t, p, s)
		},
		"oidcc-client-test-idtoken-sig-none": func(t *testing.T, s *providertest.Server, p *provider.Provider) {
			s.Turn(func(k *providertest.Knobs) {
				k.Alg = "none"
				k.Metadata = func(m map[string]any) { m["id_token_signing_alg_values_supported"] = []string{"none", "RS256"} }
			})
			_, err := signIn(t, p, s)
			wantKind(t, err, provider.KindMisbehaved)
		},
		"oidcc-client-test-invalid-iss":       refusedToken(func(c map[string]any) { c["iss"] = c["iss"].(string) + "/other" }),
		"oidcc-client-test-invalid-aud":       refusedToken(func(c map[string]any) { c["aud"] = "another client" }),
		"oidcc-client-test-missing-aud":       refusedToken(func(c map[string]any) { delete(c, "aud") }),
		"oidcc-client-test-missing-iat":       refusedToken(func(c map[string]any) { delete(c, "iat") }),
		"oidcc-client-test-missing-sub":       refusedToken(func(c map[string]any) { delete(c, "sub") }),
		"oidcc-client-test-invalid-sig-rs256": spoiledSignature("RS256"),
		"oidcc-client-test-invalid-sig-es256": spoiledSignature("ES256"),
		"oidcc-client-test-invalid-sig-hs256": spoiledSignature("HS256"),
		"oidcc-client-test-invalid-athash":    refusedToken(func(c map[string]any) { c["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA" }),
		// In the code flow at_hash is optional; the flows in which it is not
		// are never asked for. The same goes for c_hash.
		"oidcc-client-test-missing-athash": acceptedToken(func(c map[string]any) { delete(c, "at_hash") }),
		"oidcc-client-test-invalid-chash":  refusedToken(func(c map[string]any) { c["c_hash"] = "AAAAAAAAAAAAAAAAAAAAAA" }),
		"oidcc-client-test-missing-chash":  acceptedToken(func(c map[string]any) { delete(c, "c_hash") }),
		"oidcc-client-test-kid-absent-single-jwks": func(t *testing.T, s *providertest.Server, p *provider.Provider) {
			s.Turn(func(k *providertest.Knobs) { k.NoKeyID = true })
			mustSignIn(t, p, s)
		},
		"oidcc-client-test-kid-absent-multiple-jwks": func(t *testing.T, s *providertest.Server, p *provider.Provider) {
			s.Turn(func(k *providertest.Knobs) { k.NoKeyID, k.MoreKeys = true, 2 })
			mustSignIn(t, p, s)
		},
		"oidcc-client-test-discovery-openid-config": func(t *testing.T, s *providertest.Server, p *provider.Provider) {
			a, err := p.Begin(t.Context(), callback)
			if err != nil || !strings.HasPrefix(a.URL, s.URL+"/authorize?") {
				t.Errorf("Begin gives %q, %v", a.URL, err)
			}
		},
		"oidcc-client-test-discovery-jwks-uri-keys": func(t *testing.T, s *providertest.Server, p *provider.Provider) {
			mustSignIn(t, p, s)
			if got := len(s.Requests(providertest.Keys)); got != 1 {
				t.Errorf("keys were fetched %d times", got)
			}
		},
		"oidcc-client-test-discovery-issuer-mismatch": func(t *testing.T, s *providertest.Server, p *provider.Provider) {
			s.Turn(func(k *providertest.Knobs) {
				k.Metadata = func(m map[string]any) { m["issuer"] = "https://issuer.example.com" }
			})
			_, err := p.Begin(t.Context(), callback)
			wantKind(t, err, provider.KindMisbehaved)
		},
		"oidcc-client-test-signing-key-rotation": func(t *testing.T, s *providertest.Server, p *provider.Provider) {
			mustSignIn(t, p, s)
			s.RotateKeys()
			mustSignIn(t, p, s)
		},
		"oidcc-client-test-signing-key-rotation-just-before-signing": func(t *testing.T, s *providertest.Server, p *provider.Provider) {
			if err := p.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.Turn(func(k *providertest.Knobs) { k.RotateBeforeSigning = true })
			mustSignIn(t, p, s)
		},
		"oidcc-client-test-refresh-token": func(t *testing.T, s *providertest.Server, p *provider.Provider) {
			id := mustSignIn(t, p, s)
			fresh, claims, err := p.Refresh(t.Context(), id.Tokens, id)
			if err != nil || fresh.Access == id.Tokens.Access || fresh.Refresh == id.Tokens.Refresh {
				t.Fatalf("Refresh: %v", err)
			}
			if claims["user"] != "alice@example.org" {
				t.Errorf("claims are %v", claims)
			}
		},
		"oidcc-client-test-refresh-token-invalid-issuer": endedByRenewal(func(c map[string]any) { c["iss"] = "https://issuer.example.com" }),
		"oidcc-client-test-refresh-token-invalid-sub":    endedByRenewal(func(c map[string]any) { c["sub"] = "1002" }),
		"oidcc-client-test-form-post-error": func(t *testing.T, s *providertest.Server, p *provider.Provider) {
			a, err := p.Begin(t.Context(), callback)
			if err != nil {
				t.Fatal(err)
			}
			form := url.Values{"state": {a.State}, "error": {"access_denied"}, "error_description": {"no"}}
			_, err = p.Finish(t.Context(), a, form)
			wantKind(t, err, provider.KindDenied)
		},
		// The request names an issuer; whoever gets it begins with the
		// provider that has it.
		"oidcc-client-test-3rd-party-init-login": func(t *testing.T, s *providertest.Server, p *provider.Provider) {
			if p.Issuer() != s.URL {
				t.Fatalf("issuer is %q", p.Issuer())
			}
			mustSignIn(t, p, s)
		},
		"oidcc-client-test-rp-init-logout": func(t *testing.T, s *providertest.Server, p *provider.Provider) {
			back := logOut(t, s, p, "state-1")
			if back != "https://app.example.com/logout?state=state-1" {
				t.Errorf("came back to %s", back)
			}
			q := s.Requests(providertest.EndSession)[0].Query
			if q.Get("id_token_hint") == "" || q.Get("client_id") != s.ClientID {
				t.Errorf("the provider got %v", q)
			}
		},
		// What comes back is for the caller to compare; it is what the
		// provider sent and not what was asked for.
		"oidcc-client-test-rp-init-logout-other-state": func(t *testing.T, s *providertest.Server, p *provider.Provider) {
			s.Fault(providertest.EndSession, func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, r.URL.Query().Get("post_logout_redirect_uri")+"?state=other", http.StatusFound)
			})
			if back := logOut(t, s, p, "state-1"); strings.Contains(back, "state-1") {
				t.Errorf("came back to %s", back)
			}
		},
		"oidcc-client-test-rp-init-logout-no-state": func(t *testing.T, s *providertest.Server, p *provider.Provider) {
			if back := logOut(t, s, p, ""); back != "https://app.example.com/logout" {
				t.Errorf("came back to %s", back)
			}
			if s.Requests(providertest.EndSession)[0].Query.Has("state") {
				t.Error("an empty state was sent")
			}
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := providertest.Start(t)
			test(t, s, newProvider(t, s))
		})
	}
}

// refusedToken is a test in which an ID token with such claims is refused.
func refusedToken(edit func(map[string]any)) func(*testing.T, *providertest.Server, *provider.Provider) {
	return func(t *testing.T, s *providertest.Server, p *provider.Provider) {
		s.Turn(func(k *providertest.Knobs) { k.IDToken = edit })
		_, err := signIn(t, p, s)
		wantKind(t, err, provider.KindMisbehaved)
		if len(s.Requests(providertest.UserInfo)) > 0 {
			t.Error("the access token was used although the ID token is bad")
		}
	}
}

func acceptedToken(edit func(map[string]any)) func(*testing.T, *providertest.Server, *provider.Provider) {
	return func(t *testing.T, s *providertest.Server, p *provider.Provider) {
		s.Turn(func(k *providertest.Knobs) { k.IDToken = edit })
		mustSignIn(t, p, s)
	}
}

// spoiledSignature signs with an algorithm and spoils it; a good signature
// with a shared secret is as bad as a spoiled one.
func spoiledSignature(alg string) func(*testing.T, *providertest.Server, *provider.Provider) {
	return func(t *testing.T, s *providertest.Server, p *provider.Provider) {
		s.Turn(func(k *providertest.Knobs) { k.Alg, k.SpoilSignature = alg, true })
		_, err := signIn(t, p, s)
		wantKind(t, err, provider.KindMisbehaved)
		s.Turn(func(k *providertest.Knobs) { k.SpoilSignature = false })
		_, err = signIn(t, p, s)
		if alg == "HS256" {
			wantKind(t, err, provider.KindMisbehaved)
		} else if err != nil {
			t.Errorf("the unspoiled signature is refused: %v", err)
		}
	}
}

func endedByRenewal(edit func(map[string]any)) func(*testing.T, *providertest.Server, *provider.Provider) {
	return func(t *testing.T, s *providertest.Server, p *provider.Provider) {
		id := mustSignIn(t, p, s)
		s.Turn(func(k *providertest.Knobs) { k.IDToken = edit })
		_, _, err := p.Refresh(t.Context(), id.Tokens, id)
		wantKind(t, err, provider.KindIdentityChanged)
		if !provider.EndsSession(err) {
			t.Error("the session goes on")
		}
	}
}

// logOut signs in, goes to the provider's logout, and returns where that leads
// back to.
func logOut(t *testing.T, s *providertest.Server, p *provider.Provider, state string) string {
	t.Helper()
	id := mustSignIn(t, p, s)
	address, ok := p.LogoutURL(t.Context(), id.Tokens.ID, "https://app.example.com/logout", state)
	if !ok {
		t.Fatal("there is no logout")
	}
	client := s.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.Header.Get("Location")
}
