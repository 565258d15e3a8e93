// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package panelauth

import (
	"fmt"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

var (
	link       = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading    = regexp.MustCompile(`(?m)^#+ (.*)$`)
	notInALink = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
	linkText   = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
)

// TestDocumentedLinks follows the links from document to document, and to the
// sections in them.
func TestDocumentedLinks(t *testing.T) {
	followed := 0
	for _, document := range documents(t) {
		for _, match := range link.FindAllStringSubmatch(fencedBlock.ReplaceAllString(read(t, document), ""), -1) {
			if strings.Contains(match[1], "://") || strings.HasPrefix(match[1], "mailto:") {
				continue
			}
			followed++
			file, section, toSection := strings.Cut(match[1], "#")
			if file = path.Join(path.Dir(document), file); match[1][0] == '#' {
				file = document
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s leads to %s, which is not there", document, match[1])
				continue
			}
			if toSection && !anchors(read(t, file))[section] {
				t.Errorf("%s leads to %s, and there is no such heading", document, match[1])
			}
		}
	}
	if followed < 150 {
		t.Errorf("only %d links were followed", followed)
	}
}

// anchors are what GitHub makes of headings.
func anchors(text string) map[string]bool {
	found := make(map[string]bool)
	for _, match := range heading.FindAllStringSubmatch(fencedBlock.ReplaceAllString(text, ""), -1) {
		words := linkText.ReplaceAllString(match[1], "$1")
		name := strings.ReplaceAll(notInALink.ReplaceAllString(strings.ToLower(words), ""), " ", "-")
		for i, first := 1, name; found[name]; i++ {
			name = fmt.Sprintf("%s-%d", first, i)
		}
		found[name] = true
	}
	return found
}

func TestAnchors(t *testing.T) {
	text := "# The `directive`\n\n## Who am I?\n\n```\n# a comment\n```\n\n## What's [more](x.md#y)\n\n### A, b_c\n\n## Who am I?\n"
	got := anchors(text)
	for _, wanted := range []string{"the-directive", "who-am-i", "whats-more", "a-b_c", "who-am-i-1"} {
		if !got[wanted] {
			t.Errorf("no %s", wanted)
		}
	}
	if len(got) != 5 {
		t.Errorf("got %v", got)
	}
}
