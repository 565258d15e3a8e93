// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/panelauth/caddy-panelauth/caddyauth/tornado"
)

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
	c.sessionStore(h, s)
}

func checkSecret(secret string) error {
	if len(secret) < minSecret {
		return fmt.Errorf("is shorter than %d bytes: make one with `caddy panelauth secret`", minSecret)
	}
	return nil
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
