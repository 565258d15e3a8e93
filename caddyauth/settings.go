// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"golang.org/x/net/http/httpguts"

	"github.com/panelauth/caddy-panelauth/caddyauth/tornado"
	"github.com/panelauth/caddy-panelauth/templates"
)

// settings are a Handler's options with placeholders resolved, defaults set and
// everything checked. They stay out of the exported fields because Caddy logs
// those.
type settings struct {
	providers []providerSettings

	credentialsFile string
	inline          map[string]account

	lifetime time.Duration
	remember time.Duration
	idle     time.Duration
	attempts limit

	login, logout  string
	guestEndpoints []string
	templates      map[templates.Kind]string // paths

	secrets          [][]byte
	stateless        bool
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

// A Mistake is something in a Handler's options that keeps it from starting.
type Mistake struct {
	// Subdirective is the option it stands in, empty for the whole block.
	Subdirective string
	// Entry tells which one, where there are several: the index of an
	// oauth_provider.
	Entry int
	// Err says what is wrong and what to do.
	Err error
	// Local says that it lies in this machine's files or environment, and so
	// may be right where the configuration will run.
	Local bool
}

// Mistakes checks the options as Provision does, without starting anything.
func (h *Handler) Mistakes() []Mistake {
	_, mistakes := h.resolve(caddy.NewReplacer())
	return mistakes
}

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
	c.pages(h, &s)
	c.cookies(h, &s)
	c.panelCookies(h, &s)
	c.identityHeaders(h, &s)
	c.websocketOrigins(h, &s)
	return s, c.mistakes
}

// checker collects the mistakes of one Handler.
type checker struct {
	repl     *caddy.Replacer
	mistakes []Mistake
}

func (c *checker) wrong(subdirective, format string, args ...any) {
	c.mistakes = append(c.mistakes, Mistake{Subdirective: subdirective, Err: fmt.Errorf(format, args...)})
}

func (c *checker) wrongHere(subdirective string, err error) {
	c.mistakes = append(c.mistakes, Mistake{Subdirective: subdirective, Err: err, Local: true})
}

// text resolves the placeholders of a value. A value that is there but comes to
// nothing is a mistake that names the placeholder.
func (c *checker) text(subdirective, value string) string {
	if value == "" {
		return ""
	}
	if name := c.unknownPlaceholder(value); name != "" {
		c.wrong(subdirective, "%s is not a placeholder that is known when the configuration is loaded: is it misspelt?", name)
		return ""
	}
	resolved := c.repl.ReplaceKnown(value, "")
	if missing := c.missingPlaceholder(value); missing != "" {
		c.wrongHere(subdirective, fmt.Errorf("%s resolves to nothing: set it, or write the value itself", missing))
		return ""
	}
	return resolved
}

// onlyPlaceholder is a value that is nothing but what looks like a placeholder.
var onlyPlaceholder = regexp.MustCompile(`^\{([A-Za-z_][A-Za-z0-9_-]*\.[^{}\s]+)\}$`)

// unknownPlaceholder is the value itself if it is meant to be a placeholder and
// is none: it would become a password that anybody can read in the file.
func (c *checker) unknownPlaceholder(value string) string {
	name := onlyPlaceholder.FindStringSubmatch(value)
	if name == nil {
		return ""
	}
	if _, known := c.repl.Get(name[1]); known {
		return ""
	}
	return value
}

// missingPlaceholder is the first placeholder of a value that is known and
// empty, or "". Unknown ones are text: passwords may have braces.
func (c *checker) missingPlaceholder(value string) string {
	missing := ""
	_, _ = c.repl.ReplaceFunc(value, func(variable string, resolved any) (any, error) {
		if _, known := c.repl.Get(variable); known && missing == "" && caddy.ToString(resolved) == "" {
			missing = "{" + variable + "}"
		}
		return resolved, nil
	})
	return missing
}

func (c *checker) texts(subdirective string, values []string) []string {
	resolved := make([]string, 0, len(values))
	for _, value := range values {
		if value == "" {
			c.wrong(subdirective, "a value is empty")
			continue
		}
		if text := c.text(subdirective, value); text != "" {
			resolved = append(resolved, text)
		}
	}
	return resolved
}

// check adds a mistake about a value, local if the value came from this
// machine.
func (c *checker) check(subdirective, written, resolved string, err error) {
	if err == nil {
		return
	}
	c.mistakes = append(c.mistakes, Mistake{Subdirective: subdirective, Err: err, Local: written != resolved})
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
		s.credentialsFile = source
		if err := checkCredentialsFile(source, len(h.OAuthProvider) > 0); err != nil {
			c.wrongHere(subdirective, err)
		}
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
	for _, name := range sortedKeys(written) {
		if name == "" {
			c.wrong(subdirective, "the user name is empty")
			continue
		}
		if written[name] == "" {
			c.wrong(subdirective, "user %q: the password is empty", name)
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

func checkCredentialsFile(path string, mayBeEmpty bool) error {
	data, err := readBounded(path, maxCredentialsFile)
	if err != nil {
		return fmt.Errorf("reading the credentials file: %w", err)
	}
	if _, err := credentialsParser(mayBeEmpty)(data); err != nil {
		return fmt.Errorf("reading the credentials file %s: %w", path, err)
	}
	return nil
}

func (c *checker) times(h *Handler, s *settings) {
	s.lifetime = c.days("oauth_expiry_days", h.OAuthExpiryDays, 1)
	s.remember = c.days("remember_me", h.RememberMe, 0)
	s.idle = time.Duration(h.SessionIdle)
	if s.idle != 0 && s.idle < time.Second {
		c.wrong("session_idle", "must be at least 1s")
	}
	s.attempts = limit{max: 5, window: 2 * time.Minute}
	if h.LoginAttempts == nil {
		return
	}
	if n := h.LoginAttempts.Max; n != 0 {
		s.attempts.max = n
	}
	if window := time.Duration(h.LoginAttempts.Window); window != 0 {
		s.attempts.window = window
	}
	if s.attempts.max < 1 || s.attempts.max > maxAttemptsLimit {
		c.wrong("login_attempts", "the number of failures must be between 1 and %d", maxAttemptsLimit)
	}
	if s.attempts.window < time.Second || s.attempts.window > day {
		c.wrong("login_attempts", "the window must be between 1s and 24h")
	}
}

func (c *checker) days(subdirective string, days, byDefault float64) time.Duration {
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
	if s.login != "" && s.login == s.logout {
		c.wrong("logout_endpoint", "is the same path as login_endpoint: %s", s.login)
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
		c.wrongHere(subdirective, fmt.Errorf("reading the template: %w", err))
		return
	}
	if _, err := templates.Parse(path, data); err != nil {
		c.wrongHere(subdirective, fmt.Errorf("parsing the template: %w", err))
	}
}

var cookieDomain = regexp.MustCompile(`^\.?([A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?\.)*[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?$`)

func (c *checker) cookies(h *Handler, s *settings) {
	for _, written := range h.CookieSecret {
		if written == "" {
			c.wrong("cookie_secret", "is empty: make one with `caddy panelauth secret`")
			continue
		}
		if secret := c.text("cookie_secret", written); secret != "" {
			c.check("cookie_secret", written, secret, checkSecret(secret))
			s.secrets = append(s.secrets, []byte(secret))
		}
	}
	c.cookieName(h, s)
	s.cookiePath = "/"
	if h.CookiePath != "" {
		s.cookiePath = c.text("cookie_path", h.CookiePath)
		if s.cookiePath != "" && (!isPlainPath(s.cookiePath) || percentEncode(s.cookiePath) != s.cookiePath) {
			c.wrong("cookie_path", "must be a plain path that begins with a slash")
		}
	}
	s.cookieDomain = c.text("cookie_domain", h.CookieDomain)
	if s.cookieDomain != "" && !cookieDomain.MatchString(s.cookieDomain) {
		c.wrong("cookie_domain", "must be a domain such as example.com, without scheme or port")
	}
	c.sameSite(h, s)
	switch c.text("session_store", h.SessionStore) {
	case "", "storage":
	case "cookie":
		s.stateless = true
	default:
		c.wrong("session_store", "must be storage or cookie")
	}
}

func (c *checker) sameSite(h *Handler, s *settings) {
	switch strings.ToLower(c.text("cookie_same_site", h.CookieSameSite)) {
	case "", "lax":
		s.cookieSameSite = http.SameSiteLaxMode
	case "strict":
		s.cookieSameSite = http.SameSiteStrictMode
	case "none":
		s.cookieSameSite = http.SameSiteNoneMode
	default:
		c.wrong("cookie_same_site", "must be lax, strict or none")
	}
}

func (c *checker) cookieName(h *Handler, s *settings) {
	s.cookieName = defaultCookie
	if h.CookieName != "" {
		s.cookieName = c.text("cookie_name", h.CookieName)
	}
	s.hostCookieName = hostPrefix + s.cookieName
	s.secureCookieName = securePrefix + s.cookieName
	lower := strings.ToLower(s.cookieName)
	switch {
	case s.cookieName == "":
	case !httpguts.ValidHeaderFieldName(s.cookieName):
		c.wrong("cookie_name", "must consist of letters, digits and the signs of an HTTP token")
	case strings.HasPrefix(lower, "__host-"), strings.HasPrefix(lower, "__secure-"):
		c.wrong("cookie_name", "must not have a prefix: __Host- or __Secure- is added on HTTPS")
	case isPanelCookie(s.cookieName):
		c.wrong("cookie_name", "%s is a name that Panel uses for another cookie", s.cookieName)
	}
}

func checkSecret(secret string) error {
	if len(secret) < minSecret {
		return fmt.Errorf("is shorter than %d bytes: make one with `caddy panelauth secret`", minSecret)
	}
	return nil
}

// panelCookieNames are the cookies that Panel can be given.
var panelCookieNames = []string{"user", "id_token", "access_token", "refresh_token", "oauth_expiry"}

func (c *checker) panelCookies(h *Handler, s *settings) {
	const subdirective = "panel_cookies"
	if h.OAuthEncryptionKey != "" {
		key := c.text("oauth_encryption_key", h.OAuthEncryptionKey)
		if key != "" {
			fernet, err := tornado.NewFernet(key)
			c.check("oauth_encryption_key", h.OAuthEncryptionKey, key, err)
			s.fernet = fernet
		}
	}
	names := c.texts(subdirective, h.PanelCookies)
	if len(names) == 0 {
		s.panelCookies = []string{"user", "id_token"}
		return
	}
	if slices.Contains(names, "off") {
		if len(names) > 1 {
			c.wrong(subdirective, "off stands alone")
		}
		return
	}
	if names[0] == "encrypted" {
		s.panelEncrypted, names = true, names[1:]
		if h.OAuthEncryptionKey == "" {
			c.wrong(subdirective, "encrypted needs oauth_encryption_key")
		}
	}
	for i, name := range names {
		if !slices.Contains(panelCookieNames, name) {
			c.wrong(subdirective, "unknown cookie %q: there are %s, \"encrypted\" before them, or off", name, strings.Join(panelCookieNames, ", "))
		}
		if slices.Contains(names[:i], name) {
			c.wrong(subdirective, "%s is there twice", name)
		}
	}
	if len(names) == 0 {
		names = []string{"user", "id_token"}
	}
	s.panelCookies = names
}

func (c *checker) identityHeaders(h *Handler, s *settings) {
	const subdirective = "identity_headers"
	headers := h.IdentityHeaders
	if headers != nil && len(headers) == 0 {
		headers = defaultIdentityHeaders
	}
	s.identityHeaders = make(map[string]string, len(headers))
	for _, written := range sortedKeys(headers) {
		name, claim := c.text(subdirective, written), c.text(subdirective, headers[written])
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case name == "":
		case headers[written] == "":
			c.wrong(subdirective, "%s needs a claim, for example: X-Forwarded-Email email", name)
		case !httpguts.ValidHeaderFieldName(name):
			c.wrong(subdirective, "%q is not the name of a header", name)
		case isReservedHeader(canonical):
			c.wrong(subdirective, "%s cannot carry an identity", canonical)
		case s.managedHeaders[foldHeader(canonical)]:
			c.wrong(subdirective, "%s is there twice", canonical)
		default:
			s.identityHeaders[canonical] = claim
			s.manage(canonical)
		}
	}
	for name := range defaultIdentityHeaders {
		s.manage(name)
	}
}

func (s *settings) manage(header string) {
	s.managedHeaders[foldHeader(header)] = true
	s.managedLengths[len(header)&63] = true
}

// isReservedHeader knows headers that mean something else to a proxy.
func isReservedHeader(canonical string) bool {
	switch canonical {
	case "Cookie", "Host", "Connection", "Content-Length", "Content-Type", "Transfer-Encoding", "Upgrade",
		"Te", "Trailer", "Keep-Alive", "Proxy-Connection", "Origin", "Referer":
		return true
	}
	return strings.HasPrefix(canonical, "Sec-")
}

func (c *checker) websocketOrigins(h *Handler, s *settings) {
	if written := h.WebsocketOrigin; written != "" {
		s.websocketOrigin = c.text("websocket_origin", written)
		c.check("websocket_origin", written, s.websocketOrigin, checkOrigin(s.websocketOrigin))
	}
	s.websocketOrigins = make(map[string]bool)
	for _, origin := range c.texts("websocket_allowed_origins", h.WebsocketAllowedOrigins) {
		if err := checkOrigin(origin); err != nil {
			c.wrong("websocket_allowed_origins", "%w", err)
		}
		s.websocketOrigins[strings.ToLower(origin)] = true
	}
}

func checkOrigin(origin string) error {
	if origin == "" {
		return nil // said already
	}
	u, err := url.Parse(origin)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.Scheme+"://"+u.Host != origin {
		return fmt.Errorf("%q must be an origin such as https://app.example.com, without a path", origin)
	}
	return nil
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
