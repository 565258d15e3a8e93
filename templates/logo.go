// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"slices"
)

// MaxLogo bounds the picture of an application, which is part of every page.
const MaxLogo = 12 << 10

var errNoPicture = errors.New("the logo is none of the pictures that browsers show: SVG, PNG, JPEG, GIF, WebP or ICO")

// logoElement is a picture as an element of a page: within it, so that nothing
// is loaded, and as an image, so that no script in it runs.
func logoElement(picture []byte) (string, error) {
	if picture == nil {
		return "", nil
	}
	if len(picture) > MaxLogo {
		return "", fmt.Errorf("the logo has %d bytes, more than the %d that fit into a page", len(picture), MaxLogo)
	}
	kind := pictureType(picture)
	if kind == "" {
		return "", errNoPicture
	}
	return `<img alt="" src="data:` + kind + `;base64,` + base64.StdEncoding.EncodeToString(picture) + `">`, nil
}

// pictureType goes by what a file has in it, not by its name.
func pictureType(picture []byte) string {
	kind := http.DetectContentType(picture)
	if slices.Contains([]string{"image/png", "image/jpeg", "image/gif", "image/webp", "image/x-icon"}, kind) {
		return kind
	}
	if isSVG(picture) {
		return "image/svg+xml"
	}
	return ""
}

func isSVG(document []byte) bool {
	decoder := xml.NewDecoder(bytes.NewReader(document))
	for {
		token, err := decoder.Token()
		if err != nil {
			return false
		}
		if root, ok := token.(xml.StartElement); ok {
			return root.Name.Local == "svg" && root.Name.Space == "http://www.w3.org/2000/svg"
		}
	}
}
