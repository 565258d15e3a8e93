// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package providertest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// GitHub runs a server in the shape of GitHub: of an Enterprise server at its
// own address, and of github.com after Pretend. Groups of its users are
// organisations, "org", and teams, "org/team". An unverified e-mail address is
// also a private one.
//
// Its quirks: tokens are answered as a form to whoever does not accept JSON,
// errors with status 200, IDs are numbers, lists come in pages, the API wants
// a User-Agent, scopes that there are not do not matter, and nothing of it is
// OpenID Connect.
func GitHub(t testing.TB) *Server {
	t.Helper()
	s := start(t, shape{
		paths: paths{
			authorize: "/login/oauth/authorize", exchange: "/login/oauth/access_token", userInfo: "/user",
		},
		apiPrefix: "/api/v3",
		userInfo:  gitHubUser,
		tokens:    gitHubTokens,
		refuse:    gitHubRefusal,
		reply:     gitHubReply,
		allows:    func(r *http.Request, _ *grant) bool { return r.UserAgent() != "" },
		apis: map[string]func(*Server, http.ResponseWriter, *http.Request){
			"/user/emails": gitHubEmails,
			"/user/orgs":   gitHubOrgs,
			"/user/teams":  gitHubTeams,
		},
	})
	s.Name = "github"
	s.Params = map[string]string{"url": s.URL}
	return s
}

func gitHubUser(_ *Server, u User) map[string]any {
	id, _ := strconv.Atoi(u.ID)
	claims := map[string]any{
		"login": u.Login, "id": id, "node_id": "MDQ6VXNlcjE=", "type": "User", "site_admin": false,
		"avatar_url": "https://avatars.githubusercontent.com/u/" + u.ID, "html_url": "https://github.com/" + u.Login,
		"name": u.Name, "company": nil, "blog": "", "location": nil, "email": u.Email,
		"public_repos": 2, "created_at": "2011-01-25T18:44:36Z",
	}
	if u.Unverified {
		claims["email"] = nil
	}
	return claims
}

// gitHubTokens leaves out what an OAuth application of GitHub's does not get.
func gitHubTokens(_ *Server, g *grant, answer map[string]any) {
	delete(answer, "refresh_token")
	delete(answer, "expires_in")
	answer["token_type"] = "bearer"
	answer["scope"] = strings.Join(g.scopes, ",")
}

// gitHubRefusal answers errors with success where OAuth is spoken, and in
// JSON of its own elsewhere.
func gitHubRefusal(w http.ResponseWriter, _ int, code, description string) {
	switch code {
	case "invalid_token":
		w.Header().Del("WWW-Authenticate")
		writeJSON(w, http.StatusUnauthorized, map[string]any{
			"message": "Bad credentials", "documentation_url": "https://docs.github.com/rest", "status": "401",
		})
		return
	case "invalid_grant":
		code, description = "bad_verification_code", "The code passed is incorrect or expired."
	case "invalid_client":
		code, description = "incorrect_client_credentials", "The client_id and/or client_secret passed are incorrect."
	}
	writeForm(w, url.Values{"error": {code}, "error_description": {description}})
}

func gitHubReply(w http.ResponseWriter, r *http.Request, answer map[string]any) {
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		writeJSON(w, http.StatusOK, answer)
		return
	}
	form := url.Values{}
	for name, v := range answer {
		form.Set(name, fmt.Sprint(v))
	}
	writeForm(w, form)
}

func writeForm(w http.ResponseWriter, form url.Values) {
	w.Header().Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	_, _ = w.Write([]byte(form.Encode()))
}

func gitHubEmails(s *Server, w http.ResponseWriter, r *http.Request) {
	g := s.bearer(r)
	if g == nil || !g.has("user:email") && !g.has("user") {
		writeJSON(w, http.StatusNotFound, map[string]any{"message": "Not Found", "status": "404"})
		return
	}
	writeJSON(w, http.StatusOK, []map[string]any{
		{"email": g.user.Login + "@users.noreply.github.com", "primary": false, "verified": true, "visibility": nil},
		{"email": g.user.Email, "primary": true, "verified": !g.user.Unverified, "visibility": "private"},
	})
}

func gitHubOrgs(s *Server, w http.ResponseWriter, r *http.Request) {
	s.gitHubPage(w, r, func(group string) map[string]any {
		if strings.Contains(group, "/") {
			return nil
		}
		return map[string]any{"login": group, "id": 7, "description": nil}
	})
}

func gitHubTeams(s *Server, w http.ResponseWriter, r *http.Request) {
	s.gitHubPage(w, r, func(group string) map[string]any {
		org, team, ok := strings.Cut(group, "/")
		if !ok {
			return nil
		}
		return map[string]any{"slug": team, "name": "Team " + team, "organization": map[string]any{"login": org}}
	})
}

// gitHubPage answers with one page of a list, and says whether there is
// another.
func (s *Server) gitHubPage(w http.ResponseWriter, r *http.Request, item func(string) map[string]any) {
	g := s.bearer(r)
	if g == nil || !g.has("read:org") {
		writeJSON(w, http.StatusForbidden, map[string]any{"message": "You need at least read:org scope.", "status": "403"})
		return
	}
	all := []map[string]any{}
	for _, group := range g.user.Groups {
		if one := item(group); one != nil {
			all = append(all, one)
		}
	}
	size := atoi(r.URL.Query().Get("per_page"), 30)
	page := atoi(r.URL.Query().Get("page"), 1)
	first := min((page-1)*size, len(all))
	last := min(first+size, len(all))
	if last < len(all) {
		// The address is not this server's: only whether there is one counts.
		w.Header().Set("Link", fmt.Sprintf(`<https://elsewhere.invalid%s?page=%d>; rel="next"`, r.URL.Path, page+1))
	}
	writeJSON(w, http.StatusOK, slices.Clone(all[first:last]))
}

func atoi(text string, fallback int) int {
	if n, err := strconv.Atoi(text); err == nil && n > 0 {
		return n
	}
	return fallback
}
