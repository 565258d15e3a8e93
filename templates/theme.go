// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"path"
	"strings"
)

//go:embed page.html style.css script.js notice.js marks/*.svg
var parts embed.FS

// Branding is what an application says of itself on the built-in pages. What is
// empty is left out.
type Branding struct {
	// Title is the application's name.
	Title string
	// Logo is the content of a picture.
	Logo []byte
	// Accent is the colour of buttons and links.
	Accent string
	// Notice is a line below each page.
	Notice string
}

// Bounds on what an application says of itself, in bytes.
const (
	maxTitle  = 100
	maxNotice = 500
)

// Theme is the look of the built-in pages.
type Theme struct {
	// Policy is the Content-Security-Policy that goes with each page. It lets
	// the page's own style and script in, by their hashes, and forms back to
	// this site.
	Policy string

	title, notice string
	hasLogo       bool
	page          *template.Template
}

// NewTheme readies the pages of an application. Style, script and logo become
// part of the template's text, so that they are the same to the byte on every
// page.
func NewTheme(b Branding) (*Theme, error) {
	switch {
	case len(b.Title) > maxTitle:
		return nil, fmt.Errorf("the title is longer than %d bytes", maxTitle)
	case len(b.Notice) > maxNotice:
		return nil, fmt.Errorf("the notice is longer than %d bytes", maxNotice)
	}
	logo, err := logoElement(b.Logo)
	if err != nil {
		return nil, err
	}
	colours, err := accentStyle(b.Accent)
	if err != nil {
		return nil, err
	}
	t := &Theme{title: b.Title, notice: b.Notice, hasLogo: logo != "", page: template.New("")}
	for _, part := range []struct{ name, source string }{
		{"style", squeezed("style.css") + colours},
		{"script", squeezed("script.js")},
		{"logo", logo},
		{"mark", marks()},
		{"page", read("page.html")},
	} {
		if _, err := t.page.New(part.name).Parse(part.source); err != nil {
			return nil, fmt.Errorf("preparing the built-in pages: %w", err)
		}
	}
	t.page = t.page.Lookup("page")
	sample, err := t.Render(Page{Password: true})
	if err != nil {
		return nil, err
	}
	t.Policy = "default-src 'none'; style-src " + sourceOf(sample, "<style>", "</style>") +
		"; script-src " + sourceOf(sample, `<script type="module">`, "</script>") +
		"; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
	return t, nil
}

// Render renders a built-in page.
func (t *Theme) Render(p Page) ([]byte, error) {
	var page bytes.Buffer
	if err := t.page.Execute(&page, t.view(p)); err != nil {
		return nil, fmt.Errorf("rendering the built-in page: %w", err)
	}
	return page.Bytes(), nil
}

func read(part string) string {
	content, err := parts.ReadFile(part)
	if err != nil {
		panic("templates: " + err.Error())
	}
	return string(content)
}

// squeezed is a style or a script without the notice above it and without line
// breaks and indentation, which are a quarter of it.
func squeezed(part string) string {
	_, source, _ := strings.Cut(read(part), "*/\n")
	return strings.NewReplacer("\n", "", "\t", "").Replace(source)
}

// marks are the pictures on the buttons: the file of that name, or none.
func marks() string {
	files, err := parts.ReadDir("marks")
	if err != nil {
		panic("templates: " + err.Error())
	}
	var choice strings.Builder
	for i, file := range files {
		if i > 0 {
			choice.WriteString("{{else}}")
		}
		fmt.Fprintf(&choice, `{{if eq . %q}}<svg viewBox="0 0 20 20" aria-hidden="true">%s</svg>`,
			strings.TrimSuffix(file.Name(), ".svg"), strings.TrimSpace(read(path.Join("marks", file.Name()))))
	}
	return choice.String() + strings.Repeat("{{end}}", len(files))
}

// sourceOf lets in, by its hash, what stands on a page between two tags.
// Browsers hash it just so.
func sourceOf(page []byte, opening, closing string) string {
	_, rest, _ := bytes.Cut(page, []byte(opening))
	text, _, _ := bytes.Cut(rest, []byte(closing))
	hash := sha256.Sum256(text)
	return "'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'"
}
