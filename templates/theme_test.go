// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	svgLogo = `<?xml version="1.0"?><!-- a logo --><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><script>alert(1)</script><path d="M0 0h8v8H0z"/></svg>`
	pngLogo = "\x89PNG\r\n\x1a\n and so on"
)

func TestBranding(t *testing.T) {
	theme, err := NewTheme(Branding{Title: "Sales & <Co>", Notice: `For "employees" only`, Accent: "#b00", Logo: []byte(svgLogo)})
	if err != nil {
		t.Fatal(err)
	}
	for kind := SignIn; kind <= Onward; kind++ {
		body, err := theme.Render(blank(kind))
		if err != nil {
			t.Fatal(err)
		}
		page := string(body)
		for _, want := range []string{
			" · Sales &amp; &lt;Co&gt;</title>", "<span>Sales &amp; &lt;Co&gt;</span>", "<footer>For &#34;employees&#34; only</footer>",
			`<img alt="" src="data:image/svg+xml;base64,`, "--accent:#bb0000;",
		} {
			if !strings.Contains(page, want) {
				t.Errorf("kind %d: no %s", kind, want)
			}
		}
		if strings.Contains(page, `class="mark"`) {
			t.Errorf("kind %d: our own mark beside the logo", kind)
		}
		if !strings.Contains(theme.Policy, sourceOf(body, "<style>", "</style>")) {
			t.Errorf("kind %d: the policy does not let the style in", kind)
		}
	}
	if theme.Policy == plainTheme.Policy {
		t.Error("two styles have one policy")
	}
}

// TestLargestPage: 30 kB are the limit, with all that can be on a page.
func TestLargestPage(t *testing.T) {
	logo := pngLogo + strings.Repeat("x", MaxLogo-len(pngLogo))
	theme, err := NewTheme(Branding{Title: strings.Repeat("T", maxTitle), Notice: strings.Repeat("N", maxNotice), Accent: "rebeccapurple", Logo: []byte(logo)})
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range pages() {
		for _, w := range languages {
			p.Languages = w.lang()
			page, err := theme.Render(p)
			if err != nil || len(page) > 30_000 {
				t.Errorf("%s, %s: %d bytes (%v)", name, w.lang(), len(page), err)
			}
		}
	}
}

func TestLogos(t *testing.T) {
	for name, test := range map[string]struct{ logo, kind string }{
		"SVG":                   {svgLogo, "image/svg+xml"},
		"bare SVG":              {`<svg xmlns="http://www.w3.org/2000/svg"/>`, "image/svg+xml"},
		"PNG":                   {pngLogo, "image/png"},
		"GIF":                   {"GIF89a", "image/gif"},
		"JPEG":                  {"\xff\xd8\xff", "image/jpeg"},
		"WebP":                  {"RIFF\x00\x00\x00\x00WEBPVP", "image/webp"},
		"ICO":                   {"\x00\x00\x01\x00", "image/x-icon"},
		"HTML":                  {"<html><svg xmlns='http://www.w3.org/2000/svg'/></html>", ""},
		"SVG without namespace": {"<svg/>", ""},
		"text":                  {"hello", ""},
		"broken XML":            {"<svg", ""},
		"PDF":                   {"%PDF-1.7", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := pictureType([]byte(test.logo)); got != test.kind {
				t.Errorf("is %q, want %q", got, test.kind)
			}
			if _, err := NewTheme(Branding{Logo: []byte(test.logo)}); (err == nil) != (test.kind != "") {
				t.Errorf("error %v", err)
			}
		})
	}
	if _, err := NewTheme(Branding{Logo: make([]byte, MaxLogo+1)}); err == nil {
		t.Error("a logo may be too large")
	}
}

func TestColours(t *testing.T) {
	for written, want := range map[string]string{
		"#0b6bcb": "#0b6bcb", "0B6BCB": "#0b6bcb", "#abc": "#aabbcc", "abc": "#aabbcc",
		"teal": "#008080", "RebeccaPurple": "#663399", "black": "#000000",
	} {
		if c, err := parseColour(written); err != nil || c.String() != want {
			t.Errorf("%q is %v (%v)", written, c, err)
		}
	}
	for _, written := range []string{"", "#", "#12", "#12345", "#12345g", "blueish", "url(x)", "#fff;}", "rgb(1,2,3)", "+12345", "0x1234"} {
		if c, err := parseColour(written); err == nil {
			t.Errorf("%q is %v", written, c)
		}
	}
	if names := strings.Count(colourNames, "\n"); names != 148 {
		t.Errorf("%d names of colours, CSS has 148", names)
	}
}

// TestEveryAccentCanBeRead: whatever colour is chosen, what is written on it and
// with it can be read.
func TestEveryAccentCanBeRead(t *testing.T) {
	accents := []string{"#000", "#fff", "#888", "#777777"}
	for line := range strings.Lines(colourNames) {
		name, _, _ := strings.Cut(line, " ")
		accents = append(accents, name)
	}
	for _, accent := range accents {
		style, err := accentStyle(accent)
		if err != nil {
			t.Fatal(err)
		}
		light, dark, _ := strings.Cut(style, "@media")
		for sheet, card := range map[string]colour{light: lightCard, dark: darkCard} {
			button, strong := colourIn(t, sheet, "accent"), colourIn(t, sheet, "accent-strong")
			for what, ratio := range map[string]float64{
				"the button beside the card":        contrast(button, card) / contrastOfEdge,
				"a link on the card":                contrast(strong, card) / contrastOfText,
				"the button's text":                 contrast(button, colourIn(t, sheet, "on-accent")) / contrastOfText,
				"the button's text under a pointer": contrast(strong, colourIn(t, sheet, "on-strong")) / contrastOfText,
			} {
				if ratio < 1 {
					t.Errorf("%s: %s has %.0f %% of its contrast", accent, what, 100*ratio)
				}
			}
		}
	}
}

func TestCardsAreThoseOfTheStyle(t *testing.T) {
	light, dark, _ := strings.Cut(squeezed("style.css"), "@media screen and (prefers-color-scheme: dark)")
	if colourIn(t, light, "card") != lightCard || colourIn(t, dark, "card") != darkCard {
		t.Error("the accent is fitted to other cards than those of the style")
	}
}

// TestMarks: each is a piece of SVG that stands alone.
func TestMarks(t *testing.T) {
	files, err := filepath.Glob("marks/*.svg")
	if err != nil || len(files) < 9 {
		t.Fatalf("%d marks (%v)", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".svg")
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		page := render(t, Page{Providers: []Provider{{Label: "It", URL: "/", Mark: name}}})
		want := fmt.Sprintf(`<svg viewBox="0 0 20 20" aria-hidden="true">%s</svg>`, strings.TrimSpace(string(content)))
		if !strings.Contains(page, want) || len(content) > 600 {
			t.Errorf("%s is not on the page, or too large", name)
		}
	}
	if page := render(t, Page{Providers: []Provider{{Label: "It", URL: "/", Mark: "nobody"}}}); strings.Contains(page, "0 0 20 20") {
		t.Error("a mark for nobody")
	}
}
