// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/panelauth/caddy-panelauth/caddyauth/session/redisstore"
	"github.com/panelauth/caddy-panelauth/caddyauth/tornado"
	"github.com/panelauth/caddy-panelauth/templates"
)

// settings are a Handler's options with placeholders resolved, defaults set and
// everything checked. They stay out of the exported fields because Caddy logs
// those.
type settings struct {
	providers []providerSettings

	credentialsFile *watchedFile[*accounts]
	inline          map[string]account

	lifetime time.Duration
	remember time.Duration
	idle     time.Duration
	attempts limit

	login, logout  string
	me             string
	guestEndpoints []string
	rulesFile      string
	templates      map[templates.Kind]string // paths
	branding       templates.Branding
	logo           string // the path of its logo

	secrets          [][]byte
	stateless        bool
	redis            *redisstore.Address // nil: sessions are elsewhere
	redisURL         string
	cookieName       string
	hostCookieName   string
	secureCookieName string
	cookiePath       string
	cookieDomain     string
	cookieSameSite   http.SameSite

	panelCookies   []string
	panelEncrypted bool
	fernet         *tornado.Fernet

	identityHeaders  map[string]string // canonical header name: claim
	managedHeaders   map[string]bool   // folded names
	managedLengths   [64]bool          // their lengths, to pass over others quickly
	websocketOrigin  string
	websocketOrigins map[string]bool

	bearers          []Bearer
	preflightOrigins map[string]bool // in lower case
}

// Bounds and defaults of options.
const (
	minSecret        = 16
	maxLifetimeDays  = 400 // browsers keep no cookie longer
	day              = 24 * time.Hour
	defaultCookie    = "panelauth"
	maxAttemptsLimit = 1000

	// DefaultLoginEndpoint is where people sign in, unless login_endpoint says
	// otherwise.
	DefaultLoginEndpoint = "/login"
	// DefaultLogoutEndpoint is where people sign out, unless logout_endpoint
	// says otherwise.
	DefaultLogoutEndpoint = "/logout"
)

// resolve turns options into settings. Settings are only good without mistakes.
func (h *Handler) resolve(repl *caddy.Replacer) (settings, []Mistake) {
	c := checker{repl: repl}
	s := settings{managedHeaders: make(map[string]bool)}
	c.basicAuth(h, &s)
	c.providers(h, &s)
	c.oauthOptions(h, &s)
	c.times(h, &s)
	c.endpoints(h, &s)
	c.guests(h, &s)
	c.authorize(h, &s)
	c.pages(h, &s)
	c.branding(h.Branding, &s)
	c.cookies(h, &s)
	c.panelCookies(h, &s)
	c.identityHeaders(h, &s)
	c.websocketOrigins(h, &s)
	c.basicAuthHeader(h, &s)
	c.bearers(h, &s)
	c.preflights(h, &s)
	return s, c.mistakes
}

func (c *checker) basicAuth(h *Handler, s *settings) {
	switch {
	case h.BasicAuth == nil:
		if len(h.OAuthProvider) == 0 {
			c.wrong("", "nobody could sign in: add basic_auth with a password or a credentials file, or an oauth_provider")
		}
	case h.BasicAuth.Accounts != nil:
		c.inlineAccounts(h.BasicAuth.Accounts, s)
	default:
		c.basicAuthSource(h, s)
	}
}

func (c *checker) basicAuthSource(h *Handler, s *settings) {
	const subdirective = "basic_auth"
	written := h.BasicAuth.Source
	if written == "" {
		c.wrong(subdirective, "the password is empty")
		return
	}
	source := c.text(subdirective, written)
	switch {
	case source == "":
	case isCredentialsFile(source):
		file, err := openCredentials(source, len(h.OAuthProvider) > 0)
		if err != nil {
			c.wrongHere(subdirective, err)
		}
		s.credentialsFile = file
	default:
		s.inline = map[string]account{anyUser: {Password: source}}
		_, err := newAccounts(s.inline)
		c.check(subdirective, written, source, errors.Unwrap(err))
	}
}

func (c *checker) inlineAccounts(written map[string]string, s *settings) {
	const subdirective = "basic_auth"
	if len(written) == 0 {
		c.wrong(subdirective, "the block is empty: write one line \"<user> <password-or-hash>\" for each account")
	}
	s.inline = make(map[string]account, len(written))
	for _, name := range slices.Sorted(maps.Keys(written)) {
		if name == "" {
			c.wrong(subdirective, "the user name is empty")
			continue
		}
		if written[name] == "" {
			c.wrong(subdirective, "user %q: the password is empty", name)
			continue
		}
		if strings.HasSuffix(name, ":") {
			c.wrong(subdirective, "user %q: write the name without a colon, and a space before the password", name)
			continue
		}
		user, password := c.text(subdirective, name), c.text(subdirective, written[name])
		if user == "" || password == "" {
			continue
		}
		s.inline[user] = account{Password: password}
		_, err := newAccounts(map[string]account{user: {Password: password}})
		c.check(subdirective, name+written[name], user+password, err)
	}
}

func (c *checker) times(h *Handler, s *settings) {
	s.lifetime = c.days("oauth_expiry_days", h.OAuthExpiryDays, 1)
	s.remember = c.days("remember_me", h.RememberMe, 0)
	s.idle = c.duration("session_idle", h.SessionIdle)
	if s.idle != 0 && s.idle < time.Second {
		c.wrong("session_idle", "must be at least 1s")
	}
	s.attempts = limit{max: 5, window: 2 * time.Minute}
	if h.LoginAttempts != nil {
		c.attempts(*h.LoginAttempts, &s.attempts)
	}
}

func (c *checker) attempts(written LoginAttempts, allowed *limit) {
	const subdirective = "login_attempts"
	if n := c.number(subdirective, written.Max); n != 0 {
		if n != math.Trunc(n) || n < 1 || n > maxAttemptsLimit {
			c.wrong(subdirective, "the number of failures must be a whole one between 1 and %d", maxAttemptsLimit)
			return
		}
		allowed.max = int(n)
	}
	if window := c.duration(subdirective, written.Window); window != 0 {
		if window < time.Second || window > day {
			c.wrong(subdirective, "the window must be between 1s and 24h")
			return
		}
		allowed.window = window
	}
}

func (c *checker) days(subdirective string, written Number, byDefault float64) time.Duration {
	days := c.number(subdirective, written)
	if days == 0 {
		days = byDefault
	}
	if days < 0 || days > maxLifetimeDays || (days > 0 && days*float64(day) < float64(time.Second)) {
		c.wrong(subdirective, "must be more than 0 and at most %d days", maxLifetimeDays)
		return 0
	}
	return time.Duration(days * float64(day))
}

func (c *checker) endpoints(h *Handler, s *settings) {
	s.login = c.endpoint("login_endpoint", h.LoginEndpoint, DefaultLoginEndpoint)
	s.logout = c.endpoint("logout_endpoint", h.LogoutEndpoint, DefaultLogoutEndpoint)
	switch {
	case s.login == "" || s.login != s.logout:
	case h.LogoutEndpoint == "":
		c.wrong("login_endpoint", "is the same path as logout_endpoint: %s", s.login)
	default:
		c.wrong("logout_endpoint", "is the same path as login_endpoint: %s", s.login)
	}
	s.me = s.login + mePath
	if s.logout == s.me {
		c.wrong("logout_endpoint", "is where pages ask who is signed in: %s", s.logout)
	}
	if h.TokenEndpoint && s.logout == s.login+tokenPath {
		c.wrong("logout_endpoint", "is the path of the token endpoint: %s", s.logout)
	}
}

func (c *checker) endpoint(subdirective, written, byDefault string) string {
	if written == "" {
		return byDefault
	}
	path := c.text(subdirective, written)
	switch {
	case path == "":
		return ""
	case !strings.HasPrefix(path, "/"):
		c.wrong(subdirective, "must begin with a slash: /%s", path)
	case path == "/" || !isPlainPath(path) || strings.ContainsAny(path, "* "):
		c.wrong(subdirective, "must be a plain path such as %s, without a query, wildcard or dot segment", byDefault)
	}
	return endpoint(path)
}

func (c *checker) guests(h *Handler, s *settings) {
	const subdirective = "oauth_guest_endpoints"
	s.guestEndpoints = c.texts(subdirective, h.OAuthGuestEndpoints)
	if h.OAuthOptional && len(h.OAuthGuestEndpoints) > 0 {
		c.wrong(subdirective, "oauth_optional already opens every page: keep one of the two")
	}
	for _, page := range s.guestEndpoints {
		path := strings.TrimSuffix(page, "*")
		switch {
		case strings.TrimSpace(page) == "" || !strings.HasPrefix(page, "/"):
			c.wrong(subdirective, "%q must begin with a slash", page)
		case strings.Contains(path, "*") || (path != page && !strings.HasSuffix(path, "/")):
			c.wrong(subdirective, "%q: a star may only follow the last slash, as in /public/*", page)
		case strings.HasSuffix(page, ","):
			c.wrong(subdirective, "%q ends with a comma: write spaces between paths", page)
		case !isPlainPath(path):
			c.wrong(subdirective, "%q is not a plain path", page)
		}
	}
}

func (c *checker) pages(h *Handler, s *settings) {
	failed, failedName := h.OAuthErrorTemplate, "oauth_error_template"
	if failed == "" {
		failed, failedName = h.AuthTemplate, "auth_template"
	}
	s.templates = make(map[templates.Kind]string)
	c.page(templates.SignIn, "basic_login_template", h.BasicLoginTemplate, s)
	c.page(templates.SignedOut, "logout_template", h.LogoutTemplate, s)
	c.page(templates.Refused, "auth_template", h.AuthTemplate, s)
	if failedName != "auth_template" {
		c.page(templates.Failed, failedName, failed, s)
	} else if path, ok := s.templates[templates.Refused]; ok {
		s.templates[templates.Failed] = path
	}
}

func (c *checker) page(kind templates.Kind, subdirective, written string, s *settings) {
	path := c.text(subdirective, written)
	if path == "" {
		return
	}
	s.templates[kind] = path
	data, err := readBounded(path, maxTemplateFile)
	if err != nil {
		c.wrongHere(subdirective, fmt.Errorf("reading the template: %w", saidFrom(path, err)))
		return
	}
	if _, err := templates.Parse(path, []byte(data)); err != nil {
		c.wrongHere(subdirective, fmt.Errorf("parsing the template: %w", err))
	}
}
