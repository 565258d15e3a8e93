// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	_ "embed"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// colour has red, green and blue from 0 to 255.
type colour [3]float64

var (
	white     = colour{255, 255, 255}
	black     = colour{}
	lightCard = white
	darkCard  = colour{0x17, 0x1e, 0x27}
)

// What WCAG 2.2 AA wants between text and what is behind it, and between a
// button or an edge and what is around it.
const (
	contrastOfText = 4.5
	contrastOfEdge = 3
)

// colourNames are those of CSS: a name and six digits a line.
//
//go:embed colours.txt
var colourNames string

var errColour = errors.New(`the accent is no colour: write "#" and 3 or 6 hexadecimal digits, in quotes because # begins a comment, or a name that CSS knows`)

// parseColour reads "#0b6bcb", "#06c", either without its "#", or a CSS name.
func parseColour(written string) (colour, error) {
	digits := strings.TrimPrefix(written, "#")
	if named, ok := namedColour(written); ok {
		digits = named
	}
	if len(digits) == 3 {
		digits = string([]byte{digits[0], digits[0], digits[1], digits[1], digits[2], digits[2]})
	}
	value, err := strconv.ParseUint(digits, 16, 32)
	if err != nil || len(digits) != 6 {
		return colour{}, errColour
	}
	return colour{float64(value >> 16), float64(value >> 8 & 255), float64(value & 255)}, nil
}

func namedColour(name string) (digits string, ok bool) {
	for line := range strings.Lines(colourNames) {
		if known, digits, _ := strings.Cut(strings.TrimSpace(line), " "); known == strings.ToLower(name) {
			return digits, digits != ""
		}
	}
	return "", false
}

func (c colour) String() string {
	return fmt.Sprintf("#%02x%02x%02x", int(c[0]), int(c[1]), int(c[2]))
}

// luminance is that of WCAG, from 0 to 1.
func (c colour) luminance() (sum float64) {
	for i, weight := range []float64{.2126, .7152, .0722} {
		part := c[i] / 255
		if part <= .04045 {
			sum += weight * part / 12.92
		} else {
			sum += weight * math.Pow((part+.055)/1.055, 2.4)
		}
	}
	return sum
}

func contrast(a, b colour) float64 {
	one, two := a.luminance(), b.luminance()
	return (max(one, two) + .05) / (min(one, two) + .05)
}

// mixed is a colour with so much of another in it.
func (c colour) mixed(with colour, share float64) (m colour) {
	for i := range m {
		m[i] = math.Round(c[i]*(1-share) + with[i]*share)
	}
	return m
}

// standingOut is the colour nearest to this one that has enough contrast to
// what is behind it.
func (c colour) standingOut(behind colour, least float64) colour {
	away := white
	if contrast(behind, black) > contrast(behind, white) {
		away = black
	}
	for share := 0.0; share < 1; share += .02 {
		if m := c.mixed(away, share); contrast(m, behind) >= least {
			return m
		}
	}
	return away
}

// textOn is what can be read on a colour: one of the two always can.
func textOn(c colour) colour {
	if contrast(c, white) >= contrastOfText {
		return white
	}
	return black
}

// accentStyle sets the colours of a style that come from the accent.
func accentStyle(written string) (string, error) {
	if written == "" {
		return "", nil
	}
	accent, err := parseColour(written)
	if err != nil {
		return "", err
	}
	return ":root{" + accent.rules(lightCard) + "}@media screen and (prefers-color-scheme: dark){:root{" + accent.rules(darkCard) + "}}", nil
}

func (c colour) rules(card colour) string {
	button := c.standingOut(card, contrastOfEdge)
	strong := button.mixed(textOn(card), .15).standingOut(card, contrastOfText)
	return fmt.Sprintf("--accent:%s;--accent-strong:%s;--on-accent:%s;--on-strong:%s;",
		button, strong, textOn(button), textOn(strong))
}
