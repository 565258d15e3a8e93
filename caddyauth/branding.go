// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"fmt"

	"go.uber.org/zap"

	"github.com/panelauth/caddy-panelauth/templates"
)

// Branding is what an application says of itself on the built-in pages.
type Branding struct {
	// The application's name. Default: none is shown.
	Title string `json:"title,omitempty"`
	// The file of a picture, at most 12 KiB: SVG, PNG, JPEG, GIF, WebP or ICO.
	// It is read again when it changes. Default: a keyhole.
	Logo string `json:"logo,omitempty"`
	// The colour of buttons and links: `#` with 3 or 6 hexadecimal digits, in
	// quotes in a Caddyfile, or a name that CSS knows. Where it could not be
	// read on a page it is made darker or lighter. Default: a blue.
	Accent string `json:"accent,omitempty"`
	// A line of text below each page. Default: none.
	Notice string `json:"notice,omitempty"`
}

func (c *checker) branding(b *Branding, s *settings) {
	const subdirective = "branding"
	if b == nil {
		return
	}
	if *b == (Branding{}) {
		c.wrong(subdirective, "has none of title, logo, accent and notice")
		return
	}
	s.branding = templates.Branding{
		Title:  c.text(subdirective, b.Title),
		Accent: c.text(subdirective, b.Accent),
		Notice: c.text(subdirective, b.Notice),
	}
	_, err := templates.NewTheme(s.branding)
	c.check(subdirective, b.Title+b.Accent+b.Notice, s.branding.Title+s.branding.Accent+s.branding.Notice, err)
	if s.logo = c.text(subdirective, b.Logo); s.logo == "" {
		return
	}
	logo, err := readBounded(s.logo, templates.MaxLogo)
	if err == nil {
		_, err = templates.NewTheme(templates.Branding{Logo: []byte(logo)})
	}
	if err != nil {
		c.wrongHere(subdirective, fmt.Errorf("reading the logo: %w", err))
	}
}

// openTheme readies the look of the built-in pages, which follows the file of
// the logo.
func openTheme(ctx context.Context, logger *zap.Logger, branding templates.Branding, logo string) (func() *templates.Theme, error) {
	if logo == "" {
		theme, err := templates.NewTheme(branding)
		return func() *templates.Theme { return theme }, err
	}
	file, err := watchFile(ctx, logger, logo, templates.MaxLogo, func(picture string) (*templates.Theme, error) {
		branding := branding
		branding.Logo = []byte(picture)
		return templates.NewTheme(branding)
	})
	if err != nil {
		return nil, err
	}
	return file.get, nil
}
