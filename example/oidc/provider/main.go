// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

// Command provider is an OpenID provider to try the example with: it asks
// nobody for a password, and whoever comes says who to be. Keep it to yourself.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"html/template"
	"log"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// The client that the Caddyfile of the example is.
const (
	clientID     = "example"
	clientSecret = "example-client-secret"
)

// people are those who can sign in, with what the provider says of them.
var people = map[string]map[string]any{
	"ada": {
		"sub": "1815", "name": "Ada Lovelace", "preferred_username": "ada",
		"email": "ada@example.com", "email_verified": true, "groups": []string{"engineers", "mathematicians"},
	},
	"grace": {
		"sub": "1906", "name": "Grace Hopper", "preferred_username": "grace",
		"email": "grace@example.com", "email_verified": true, "groups": []string{"engineers"},
	},
}

func main() {
	listen := flag.String("listen", "localhost:9000", "address to listen at")
	flag.Parse()
	p, err := newProvider()
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	server := &http.Server{Handler: p.handler(), ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.Serve(listener))
}

// provider signs people in and remembers those who have yet to be fetched.
type provider struct {
	key    jose.JSONWebKey
	signer jose.Signer

	mu    sync.Mutex
	begun map[string]signIn // by code
}

// signIn is what a code stands for.
type signIn struct {
	person, redirectURI, challenge, nonce string
}

func newProvider() (*provider, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	key := jose.JSONWebKey{Key: private, KeyID: "1", Algorithm: string(jose.ES256), Use: "sig"}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	return &provider{key: key.Public(), signer: signer, begun: make(map[string]signIn)}, err
}

func (p *provider) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", discovery)
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{p.key}})
	})
	mux.HandleFunc("GET /authorize", ask)
	mux.HandleFunc("POST /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /logout", logout)
	return mux
}

// issuer is the provider's name: the address at which it was reached.
func issuer(r *http.Request) string { return "http://" + r.Host }

func discovery(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer":                                issuer(r),
		"authorization_endpoint":                issuer(r) + "/authorize",
		"token_endpoint":                        issuer(r) + "/token",
		"end_session_endpoint":                  issuer(r) + "/logout",
		"jwks_uri":                              issuer(r) + "/keys",
		"response_types_supported":              []string{"code"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"ES256"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic"},
		"code_challenge_methods_supported":      []string{"S256"},
	})
}

var page = template.Must(template.New("").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Who are you?</title>
<style>body { max-width: 24rem; margin: 4rem auto; padding: 0 1rem; font: 1.1rem/1.6 system-ui, sans-serif } button { font: inherit; display: block; width: 100%; margin: .75rem 0; padding: .6rem }</style>
<h1>Who are you?</h1>
<form method="post">
{{range $login, $claims := .}}<button name="person" value="{{$login}}">{{index $claims "name"}}</button>
{{end}}</form>
`))

func ask(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = page.Execute(w, people)
}

// authorize sends somebody back to the client with a code.
func (p *provider) authorize(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	back, err := url.Parse(query.Get("redirect_uri"))
	_, known := people[r.PostFormValue("person")]
	switch {
	case err != nil || !isLocal(back) || query.Get("client_id") != clientID:
		http.Error(w, "unknown client or redirect URI", http.StatusBadRequest)
		return
	case !known || query.Get("response_type") != "code" || query.Get("code_challenge_method") != "S256":
		http.Error(w, "unknown person, or a request that is not understood", http.StatusBadRequest)
		return
	}
	code := rand.Text()
	p.mu.Lock()
	p.begun[code] = signIn{r.PostFormValue("person"), query.Get("redirect_uri"), query.Get("code_challenge"), query.Get("nonce")}
	p.mu.Unlock()
	back.RawQuery = url.Values{"state": {query.Get("state")}, "code": {code}}.Encode()
	http.Redirect(w, r, back.String(), http.StatusSeeOther) //nolint:gosec // isLocal has looked at it
}

// isLocal keeps codes on this machine, whoever asks for them.
func isLocal(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// redeem finds the sign-in of a code, which is good once.
func (p *provider) redeem(code string) (signIn, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	begun, ok := p.begun[code]
	delete(p.begun, code)
	return begun, ok
}

func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	if id, secret, ok := r.BasicAuth(); !ok || id != clientID || secret != clientSecret {
		writeJSON(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	begun, ok := p.redeem(r.PostFormValue("code"))
	hash := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !ok || begun.redirectURI != r.PostFormValue("redirect_uri") || begun.challenge != base64.RawURLEncoding.EncodeToString(hash[:]) {
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant"})
		return
	}
	idToken, err := jwt.Signed(p.signer).Claims(people[begun.person]).Claims(map[string]any{
		"iss": issuer(r), "aud": clientID, "nonce": begun.nonce,
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}).Serialize()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"access_token": rand.Text(), "token_type": "Bearer", "expires_in": 3600, "id_token": idToken,
	})
}

// logout sends people back: there is no session here that could end.
func logout(w http.ResponseWriter, r *http.Request) {
	back, err := url.Parse(r.URL.Query().Get("post_logout_redirect_uri"))
	if err != nil || !isLocal(back) {
		_, _ = fmt.Fprintln(w, "You are signed out.")
		return
	}
	http.Redirect(w, r, back.String(), http.StatusSeeOther) //nolint:gosec // isLocal has looked at it
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
