// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
	"github.com/panelauth/caddy-panelauth/caddyauth/tornado"
)

// provision is Provision with a logger and a storage that a test may choose.
func (h *Handler) provision(ctx caddy.Context, logger *zap.Logger, storage certmagic.Storage) error {
	h.logger, h.audit, h.lasts = logger, logger.Named("audit"), ctx
	h.storage = storage
	h.now = time.Now
	options, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("reading the options: %w", err)
	}
	h.options = sha256.Sum256(options)
	settings, mistakes := h.resolve(caddy.NewReplacer())
	if len(mistakes) > 0 {
		return joinMistakes(mistakes)
	}
	h.settings = settings
	h.warnOfLimits()
	if err := h.openAccounts(ctx); err != nil {
		return err
	}
	pages, err := openPages(ctx, h.logger, settings)
	if err != nil {
		return fmt.Errorf("opening the pages: %w", err)
	}
	h.pages = pages
	if err := h.provisionSecrets(ctx); err != nil {
		return err
	}
	if err := h.openWays(ctx); err != nil {
		return err
	}
	h.openBearers()
	h.programs = newPrograms()
	h.guests = newGuests(h.OAuthOptional, settings.guestEndpoints)
	h.guest = h.newGuest()
	if h.rules, err = openRules(ctx, h.logger, h.Authorize, settings.rulesFile); err != nil {
		return fmt.Errorf("opening the rules: %w", err)
	}
	h.markStorage(ctx)
	h.doorKey = newDoorKey(h.settings, h.storage)
	if h.door, err = openDoor(h); err != nil {
		return err
	}
	metrics.expect(h)
	go h.announce(ctx)
	return nil
}

// warnOfLimits says what the options make impossible.
func (h *Handler) warnOfLimits() {
	if h.settings.stateless {
		h.logger.Info("sessions are kept in cookies: a logout is known to this instance and the browser only")
	}
	if h.settings.stateless && h.OAuthRefreshTokens {
		h.logger.Info("sessions are kept in cookies: each instance renews tokens for itself, so with a provider that takes a refresh token once, a browser must come to the same instance each time")
	}
	if h.settings.redis != nil && len(h.settings.secrets) == 0 {
		h.logger.Warn("cookie_secret is not configured: instances share sessions only if they share Caddy's storage as well, where the generated secret is")
	}
}

// provisionSecrets readies the signer of Panel's cookies, which only a
// configured secret can serve: Panel could not verify any other.
func (h *Handler) provisionSecrets(ctx context.Context) error {
	if len(h.settings.secrets) > 0 {
		if len(h.settings.panelCookies) > 0 {
			h.panel = tornado.NewSigner(h.settings.secrets[0])
		}
		return nil
	}
	if len(h.settings.panelCookies) > 0 {
		h.logger.Info("cookie_secret is not configured, so a Panel application gets no cookies; sessions use a generated secret")
	}
	secret, err := generatedSecret(ctx, h.storage)
	if err != nil {
		return fmt.Errorf("preparing a cookie secret: %w", err)
	}
	h.settings.secrets = [][]byte{secret}
	return nil
}

// openWays readies the providers, which look for their discovery documents in
// the background: a provider that is down keeps nobody else from being served.
func (h *Handler) openWays(ctx context.Context) error {
	for _, s := range h.settings.providers {
		way, err := newWay(ctx, s, h.logger.Named("oauth"))
		if err != nil {
			return fmt.Errorf("preparing the provider %s: %w", s.config.ID, err)
		}
		h.ways = append(h.ways, way)
	}
	envelope, err := session.NewEnvelope(h.settings.secrets, "sign-in under way")
	h.envelope = envelope
	return err
}

// openAccounts readies the accounts that are written in the configuration or
// in a file.
func (h *Handler) openAccounts(ctx context.Context) error {
	if h.BasicAuth == nil {
		return nil
	}
	file := h.settings.credentialsFile
	if file == nil {
		accounts, err := newAccounts(h.settings.inline)
		h.inlineAccounts = accounts
		if err == nil {
			h.warnOfWeakPassword(accounts)
		}
		return err
	}
	if file.get().isEmpty() {
		h.logger.Warn("the credentials file has no accounts", zap.String("file", file.path))
	}
	file.logger = h.logger
	go file.follow(ctx)
	h.credentialsFile = file
	return nil
}

func (h *Handler) warnOfWeakPassword(accounts *accounts) {
	if any := accounts.anyUser; any != nil && any.kind == nil && len(any.Password) < 8 {
		h.logger.Warn("the password in basic_auth has fewer than 8 characters")
	}
}
