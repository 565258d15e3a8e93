// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// nowhere is the place of a notice in a page that is to stay as it is.
const nowhere = -1

// placeForNotice finds where a script can stand in a page, of which this is the
// beginning: before anything that runs or is shown, but after what says how the
// page is written, which must come early. It is not known yet if the page has
// to go on for that. A page with a policy in it stays as it is.
func placeForNotice(page []byte) (place int, known bool) {
	if isUTF16(page) {
		return nowhere, true
	}
	tokens := html.NewTokenizer(bytes.NewReader(page))
	for inTitle := false; ; {
		kind := tokens.Next()
		if kind == html.ErrorToken {
			return nowhere, !errors.Is(tokens.Err(), io.EOF)
		}
		raw := tokens.Raw()
		if place+len(raw) == len(page) && !bytes.HasSuffix(raw, []byte(">")) {
			return nowhere, false // the token may go on
		}
		switch kind {
		case html.DoctypeToken, html.CommentToken:
		case html.TextToken:
			if !inTitle && len(bytes.Trim(raw, " \t\r\n\f\ufeff")) > 0 {
				return place, true
			}
		default:
			token := tokens.Token()
			if isPolicy(token) {
				return nowhere, true
			}
			switch token.DataAtom {
			case atom.Html, atom.Meta, atom.Base:
			case atom.Head:
				if kind == html.EndTagToken {
					return place, true
				}
			case atom.Title:
				inTitle = kind == html.StartTagToken
			default:
				return place, true
			}
		}
		place += len(raw)
	}
}

// isPolicy recognises a policy that a page has in itself, which may let in what
// its own scripts need and nothing else.
func isPolicy(token html.Token) bool {
	if token.DataAtom != atom.Meta {
		return false
	}
	for _, attribute := range token.Attr {
		if attribute.Key == "http-equiv" && strings.EqualFold(strings.TrimSpace(attribute.Val), "content-security-policy") {
			return true
		}
	}
	return false
}

// isUTF16 recognises the mark at the beginning of such a page.
func isUTF16(page []byte) bool {
	return bytes.HasPrefix(page, []byte{0xfe, 0xff}) || bytes.HasPrefix(page, []byte{0xff, 0xfe})
}
