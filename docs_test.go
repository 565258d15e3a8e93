// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package panelauth

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// TestDocumentedCaddyfiles adapts everything that the documentation shows as a
// Caddyfile, or as a part of one.
func TestDocumentedCaddyfiles(t *testing.T) {
	documents, err := filepath.Glob("docs/*.md")
	if err != nil || len(documents) == 0 {
		t.Fatalf("finding documents: %v, %d found", err, len(documents))
	}
	guides, err := filepath.Glob("docs/how-to/*.md")
	if err != nil {
		t.Fatal(err)
	}
	documents = append(documents, guides...)
	shown := make(map[string]string)
	for _, document := range append(documents, "README.md") {
		for name, text := range documentedCaddyfiles(t, document) {
			shown[name] = text
		}
	}
	if len(shown) < 10 {
		t.Errorf("found only %d Caddyfiles", len(shown))
	}
	inFolderWith(t, map[string]string{"users.json": read(t, "example/credentials/users.json")})
	for name, text := range shown {
		t.Run(name, func(t *testing.T) {
			setEnvironment(t, []byte(text))
			whole := caddyfile.Format([]byte(wholeCaddyfile(text)))
			_, warnings, err := caddyconfig.GetAdapter("caddyfile").Adapt(whole, nil)
			if err != nil || len(warnings) > 0 {
				t.Errorf("%v %v\n%s", err, warnings, whole)
			}
		})
	}
}

var caddyfileBlock = regexp.MustCompile("(?ms)^```caddyfile\n(.*?)^```$")

// documentedCaddyfiles finds the blocks of a document, by file and line.
func documentedCaddyfiles(t *testing.T, document string) map[string]string {
	t.Helper()
	text := read(t, document)
	blocks := make(map[string]string)
	for _, match := range caddyfileBlock.FindAllStringSubmatchIndex(text, -1) {
		line := 1 + strings.Count(text[:match[2]], "\n")
		blocks[fmt.Sprintf("%s:%d", document, line)] = text[match[2]:match[3]]
	}
	return blocks
}

// wholeCaddyfile puts around a part what it is shown without.
func wholeCaddyfile(text string) string {
	first := ""
	for first = range strings.Lines(text) {
		if first = strings.TrimSpace(first); first != "" && !strings.HasPrefix(first, "#") {
			break
		}
	}
	address, _, _ := strings.Cut(first, " ")
	if address == "{" || strings.ContainsAny(address, ".:(") {
		return text
	}
	if address == "panelauth" {
		return "example.com {\n" + text + "}\n"
	}
	if !strings.Contains(text, "oauth_provider") {
		text += "oauth_provider gitlab\noauth_key {env.PANEL_OAUTH_KEY}\n"
	}
	return "example.com {\npanelauth {\n" + text + "}\n}\n"
}

// inFolderWith runs the rest of the test where the files are that documents
// speak of.
func inFolderWith(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
