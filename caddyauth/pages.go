// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"go.uber.org/zap"

	"github.com/panelauth/caddy-panelauth/templates"
)

// pages are the operator's own pages; built-in ones stand in for the others.
type pages struct {
	custom map[templates.Kind]*watchedFile[*templates.Template]
	theme  func() *templates.Theme
	logger *zap.Logger
}

func openPages(ctx context.Context, logger *zap.Logger, s settings) (pages, error) {
	p := pages{custom: make(map[templates.Kind]*watchedFile[*templates.Template]), logger: logger}
	var err error
	if p.theme, err = openTheme(ctx, logger, s.branding, s.logo); err != nil {
		return pages{}, err
	}
	for kind, path := range s.templates {
		file, err := watchFile(ctx, logger, path, maxTemplateFile, func(source string) (*templates.Template, error) {
			return templates.Parse(path, []byte(source))
		})
		if err != nil {
			return pages{}, err
		}
		p.custom[kind] = file
	}
	return p, nil
}

func (p pages) isCustom(kind templates.Kind) bool { return p.custom[kind] != nil }

// render returns a page, with its policy if it is one of our own making. An
// operator's page that cannot be rendered gives way to the built-in one.
func (p pages) render(page templates.Page, mayBeCustom bool) (body []byte, policy string, err error) {
	if file := p.custom[page.Kind]; file != nil && mayBeCustom {
		body, err = file.get().Render(page)
		if err == nil {
			return body, "", nil
		}
		p.logger.Error("template cannot be rendered; showing the built-in page", zap.String("file", file.path), zap.Error(err))
	}
	theme := p.theme()
	body, err = theme.Render(page)
	return body, theme.Policy, err
}

// formsFindLogin reports whether "./login", as pages for Panel name the login
// endpoint, leads there from the address in the browser.
func (h *Handler) formsFindLogin(r *http.Request, kind templates.Kind) bool {
	if kind != templates.SignIn && kind != templates.SignedOut {
		return true
	}
	folder := func(path string) string { return path[:strings.LastIndexByte(path, '/')+1] }
	return folder(r.URL.Path) == folder(h.settings.login)
}

func (h *Handler) page(r *http.Request, kind templates.Kind) templates.Page {
	return templates.Page{
		Kind: kind, LoginURL: h.loginURL(r), LogoutURL: h.logoutURL(r),
		Languages: acceptLanguage(r),
	}
}

func acceptLanguage(r *http.Request) string { return strings.Join(r.Header["Accept-Language"], ",") }

// writePage answers with a page. Nothing of it may be kept by a cache, framed
// by another site or loaded from elsewhere.
func (h *Handler) writePage(w http.ResponseWriter, r *http.Request, status int, page templates.Page) error {
	page.Status = status
	body, policy, err := h.pages.render(page, h.formsFindLogin(r, page.Kind))
	if err != nil {
		return err
	}
	header := w.Header()
	noStore(w)
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("X-Content-Type-Options", "nosniff")
	// Not "no-referrer": browsers would then send forms with "Origin: null",
	// which cannot be told from another site's.
	header.Set("Referrer-Policy", "same-origin")
	if page.Kind == templates.Failed {
		header.Set("Referrer-Policy", "no-referrer") // the address holds a provider's answer
	}
	if policy != "" {
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Frame-Options", "SAMEORIGIN")
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // a visitor who left needs no page
	return nil
}

// writeJSON answers a program.
func writeJSON(w http.ResponseWriter, status int, body map[string]any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	noStore(w)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(encoded)
	return nil
}
