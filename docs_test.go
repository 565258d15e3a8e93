// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package panelauth

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/panelauth/caddy-panelauth/caddyauth"
	"github.com/panelauth/caddy-panelauth/caddyauth/tornado"
)

// documents are all that is written for people, from the module's folder.
func documents(t *testing.T) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != "." && (strings.HasPrefix(entry.Name(), ".") || path == "e2e"):
			return fs.SkipDir
		case strings.HasSuffix(path, ".md"):
			found = append(found, filepath.ToSlash(path))
		}
		return nil
	})
	if err != nil || len(found) < 30 {
		t.Fatalf("finding documents: %v, %d found", err, len(found))
	}
	return found
}

// block is something between fences.
type block struct {
	place string // file and line
	file  string
	kind  string // the word after the fence
	text  string
}

var fencedBlock = regexp.MustCompile("(?ms)^```([^\\n]*)\n(.*?)^```$")

// blocksOf finds the blocks of a document.
func blocksOf(t *testing.T, document string) []block {
	t.Helper()
	text := read(t, document)
	var blocks []block
	for _, match := range fencedBlock.FindAllStringSubmatchIndex(text, -1) {
		blocks = append(blocks, block{
			place: fmt.Sprintf("%s:%d", document, 1+strings.Count(text[:match[0]], "\n")),
			file:  document,
			kind:  text[match[2]:match[3]],
			text:  text[match[4]:match[5]],
		})
	}
	if 2*len(blocks) != strings.Count("\n"+text, "\n```") {
		t.Errorf("%s: a fence is not closed, or is indented", document)
	}
	return blocks
}

// TestDocumentedCaddyfiles adapts everything that the documentation shows as a
// Caddyfile, or as a part of one.
func TestDocumentedCaddyfiles(t *testing.T) {
	shown := make(map[string]string)
	for _, document := range documents(t) {
		for name, text := range documentedCaddyfiles(t, document) {
			shown[name] = text
		}
	}
	if len(shown) < 80 {
		t.Errorf("found only %d Caddyfiles", len(shown))
	}
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS("internal/reference/examples")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(folder)
	for name, text := range shown {
		t.Run(name, func(t *testing.T) {
			whole := caddyfile.Format([]byte(wholeCaddyfile(text)))
			for _, match := range environmentPlaceholder.FindAllStringSubmatch(string(whole), -1) {
				t.Setenv(match[1], "made-up-for-this-test")
			}
			t.Setenv("PANEL_OAUTH_ENCRYPTION", tornado.NewFernetKey())
			config, warnings, err := caddyconfig.GetAdapter("caddyfile").Adapt(whole, nil)
			if err != nil || len(warnings) > 0 {
				t.Fatalf("%v %v\n%s", err, warnings, whole)
			}
			for _, mistake := range mistakes(t, config) {
				t.Errorf("%s: %v", mistake.Subdirective, mistake.Err)
			}
		})
	}
}

// mistakes are those of all handlers in a configuration, or a part of one. Some
// are warnings when a Caddyfile is adapted, as they may be none elsewhere.
func mistakes(t *testing.T, config json.RawMessage) []caddyauth.Mistake {
	t.Helper()
	var found []caddyauth.Mistake
	var object map[string]json.RawMessage
	if json.Unmarshal(config, &object) == nil {
		if string(object["handler"]) == `"panelauth"` {
			var handler caddyauth.Handler
			if err := json.Unmarshal(config, &handler); err != nil {
				t.Fatal(err)
			}
			return handler.Mistakes()
		}
		for _, inner := range object {
			found = append(found, mistakes(t, inner)...)
		}
	}
	var list []json.RawMessage
	if json.Unmarshal(config, &list) == nil {
		for _, inner := range list {
			found = append(found, mistakes(t, inner)...)
		}
	}
	return found
}

// documentedCaddyfiles finds those blocks of a document, by file and line.
func documentedCaddyfiles(t *testing.T, document string) map[string]string {
	t.Helper()
	found := make(map[string]string)
	for _, b := range blocksOf(t, document) {
		if b.kind == "caddyfile" {
			found[b.place] = b.text
		}
	}
	return found
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
