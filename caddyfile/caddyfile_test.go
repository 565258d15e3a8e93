// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyfile

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/standard" // the directives beside ours

	"github.com/panelauth/caddy-panelauth/caddyauth"
)

// TestAdapt adapts every file in testdata: a Caddyfile, a line of ten dashes,
// and the JSON or a part of the error that it leads to.
func TestAdapt(t *testing.T) {
	files, err := filepath.Glob("testdata/*.caddyfiletest")
	if err != nil || len(files) == 0 {
		t.Fatalf("finding test files: %v, %d found", err, len(files))
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".caddyfiletest")
		t.Run(name, func(t *testing.T) {
			input, expected := readGolden(t, file)
			result, err := adapt(t, input)
			if strings.HasPrefix(name, "error_") {
				checkError(t, err, expected)
				return
			}
			if err != nil {
				t.Fatalf("adapting: %v", err)
			}
			checkJSON(t, result, expected)
		})
	}
}

func readGolden(t *testing.T, file string) (input, expected string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	input, expected, found := strings.Cut(string(data), "----------\n")
	if !found {
		t.Fatal("no line of ten dashes")
	}
	return input, strings.TrimSpace(expected)
}

// adapt fails the test if there are warnings, such as that the input is not
// formatted.
func adapt(t *testing.T, input string) ([]byte, error) {
	t.Helper()
	result, warnings, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(input), nil)
	for _, warning := range warnings {
		t.Errorf("warning: %s", warning)
	}
	return result, err
}

func checkError(t *testing.T, err error, expected string) {
	t.Helper()
	if err == nil {
		t.Fatal("adapted without an error")
	}
	if expected == "" || !strings.Contains(err.Error(), expected) {
		t.Errorf("got error:\n%s\nwanted it to contain:\n%s", err, expected)
	}
}

func checkJSON(t *testing.T, got []byte, expected string) {
	t.Helper()
	var gotValue, expectedValue any
	if err := json.Unmarshal(got, &gotValue); err != nil {
		t.Fatalf("decoding the result: %v", err)
	}
	if err := json.Unmarshal([]byte(expected), &expectedValue); err != nil {
		t.Fatalf("decoding what is expected: %v", err)
	}
	if !reflect.DeepEqual(gotValue, expectedValue) {
		pretty, _ := json.MarshalIndent(gotValue, "", "\t")
		t.Errorf("got:\n%s\nwanted:\n%s", pretty, expected)
	}
}

// TestAdaptCoversEverything makes sure that no subdirective goes without a
// file in testdata that is adapted to JSON.
func TestAdaptCoversEverything(t *testing.T) {
	for _, known := range subdirectives {
		t.Run(known.name, func(t *testing.T) {
			_, expected := readGolden(t, filepath.Join("testdata", known.name+".caddyfiletest"))
			if !strings.Contains(expected, `"`+known.name+`":`) {
				t.Errorf("the JSON has no field %q", known.name)
			}
		})
	}
}

// TestSyntaxBlock compares the documented syntax with what is parsed.
func TestSyntaxBlock(t *testing.T) {
	text := docComment(t, "caddyfile.go", "parseDirective")
	t.Run("directive", func(t *testing.T) {
		checkDocumented(t, documentedNames(text, "\t\t"), subdirectives)
	})
	t.Run(oauthProvider, func(t *testing.T) {
		_, block, _ := strings.Cut(text, oauthProvider+" <name> [<id>] {\n")
		block, _, _ = strings.Cut(block, "\n\t\t}\n")
		checkDocumented(t, documentedNames(block, "\t\t\t"), providerOptions)
	})
	t.Run("branding", func(t *testing.T) {
		_, block, _ := strings.Cut(text, "branding {\n")
		block, _, _ = strings.Cut(block, "\n\t\t}\n")
		checkDocumented(t, documentedNames(block, "\t\t\t"), brandingOptions)
	})
	t.Run(bearer, func(t *testing.T) {
		_, block, _ := strings.Cut(text, bearer+" <provider id> {\n")
		block, _, _ = strings.Cut(block, "\n\t\t}\n")
		checkDocumented(t, documentedNames(block, "\t\t\t"), bearerOptions)
	})
}

// documentedNames are the first words of lines that are indented so far, but
// neither a comment nor the end of a block.
func documentedNames(text, indent string) []string {
	var names []string
	for line := range strings.Lines(text) {
		entry, indented := strings.CutPrefix(line, indent)
		if !indented || strings.IndexAny(entry, "\t#}") == 0 {
			continue
		}
		name := strings.Fields(entry)[0]
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func checkDocumented[T any](t *testing.T, documented []string, known []entry[T]) {
	t.Helper()
	var parsed []string
	for _, e := range known {
		parsed = append(parsed, e.name)
	}
	if !slices.Equal(documented, parsed) {
		t.Errorf("documented: %q\nparsed: %q", documented, parsed)
	}
}

func docComment(t *testing.T, file, function string) string {
	t.Helper()
	source, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	for _, declaration := range source.Decls {
		if found, ok := declaration.(*ast.FuncDecl); ok && found.Name.Name == function {
			return found.Doc.Text()
		}
	}
	t.Fatalf("no function %s in %s", function, file)
	return ""
}

// TestErrorsHoldNoSecret puts a secret wherever it may end up by mistake.
func TestErrorsHoldNoSecret(t *testing.T) {
	const secret = "hunter2-and-more"
	wrong := map[string]string{
		"password in two words":        `basic_auth ` + secret + ` ` + secret,
		"password and block":           `basic_auth ` + secret + " {\n a b\n}",
		"account in three words":       "basic_auth {\n alice " + secret + " " + secret + "\n}",
		"password with a block":        "basic_auth {\n alice " + secret + " {\n " + secret + "\n}\n}",
		"password given twice":         "basic_auth " + secret + "\nbasic_auth " + secret,
		"account given twice":          "basic_auth {\n alice " + secret + "\n alice " + secret + "\n}",
		"encryption key in two words":  `oauth_encryption_key ` + secret + ` ` + secret,
		"encryption key on a new line": "oauth_encryption_key {\n " + secret + "\n}",
		"cookie secret with a block":   `cookie_secret ` + secret + " {\n " + secret + "\n}",
		"cookie secret on a new line":  "cookie_secret {\n " + secret + "\n}",
		"cookie secret and nothing":    `cookie_secret ` + secret + ` ""`,
		"cookie secret given twice":    "cookie_secret " + secret + "\ncookie_secret " + secret,
		"client secret in two words":   `oauth_secret ` + secret + ` ` + secret,
		"client secret on a new line":  "oauth_secret {\n " + secret + "\n}",
		"client secret given twice":    "oauth_secret " + secret + "\noauth_secret " + secret,
		"client secret and no client":  "oauth_provider github\noauth_secret " + secret,
		"client secret and no way in":  "oauth_secret " + secret,
		"client secret beside blocks":  "oauth_provider gitlab {\n key a\n}\noauth_secret " + secret,
		"key, a bad one":               "oauth_provider generic\noauth_key a\noauth_secret \"-----BEGIN " + secret + "\"",
		"provider with three values":   `oauth_provider github ` + secret + ` ` + secret,
		"provider's secret twice":      "oauth_provider github {\n secret " + secret + "\n secret " + secret + "\n}",
		"provider's secret, two words": "oauth_provider github {\n secret " + secret + " " + secret + "\n}",
		"provider's secret in a block": "oauth_provider github {\n secret {\n " + secret + "\n}\n}",
		"provider's secret, no key":    "oauth_provider github {\n secret " + secret + "\n}",
		"parameter in two words":       "oauth_extra_params {\n audience " + secret + " " + secret + "\n}",
		"parameter given twice":        "oauth_extra_params {\n audience " + secret + "\n audience " + secret + "\n}",
		"parameter not taken":          "oauth_provider github\noauth_key a\noauth_secret " + secret + "\noauth_extra_params {\n state " + secret + "\n}",
		"parameter with a user":        "oauth_provider oidc\noauth_key a\noauth_extra_params {\n ISSUER https://a:" + secret + "@example.com\n}",
		"redirect URI with a query":    "oauth_provider gitlab\noauth_key a\noauth_redirect_uri https://example.com/?" + secret,
		"Redis password, no scheme":    "session_store redis :" + secret + "@localhost",
		"Redis password, no host":      "session_store redis redis://:" + secret + "@",
		"Redis password, a bad path":   "session_store redis redis://:" + secret + "@localhost/x",
		"Redis password, bad escape":   "session_store redis redis://:" + secret + "%@localhost",
		"Redis password, question":     "session_store redis redis://:" + secret + "?" + secret + "@localhost",
		"Redis password, bad port":     "session_store redis redis://localhost:" + secret,
		"Redis password, bad option":   "session_store redis redis://localhost?" + secret + "=" + secret,
		"Redis URL without redis":      "session_store redis://:" + secret + "@localhost",
		"Redis URL in two words":       "session_store redis redis://:" + secret + " " + secret + "@localhost",
		"Redis URL is no URL":          "session_store redis " + secret,
		"Redis URL is a word":          "session_store " + secret,
	}
	for name, block := range wrong {
		t.Run(name, func(t *testing.T) {
			_, err := adapt(t, ":8080 {\n panelauth {\n"+block+"\n}\n}\n")
			if err == nil {
				t.Fatal("adapted without an error")
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the secret is in the error: %v", err)
			}
		})
	}
	t.Run("password before the block", func(t *testing.T) {
		_, err := adapt(t, ":8080 {\n panelauth "+secret+"\n}\n")
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("got error: %v", err)
		}
	})
}

// FuzzParseHandler looks for input that makes the parser panic, and for
// handlers that cannot be written as JSON.
func FuzzParseHandler(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.caddyfiletest")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		input, _, _ := strings.Cut(string(data), "----------\n")
		_, directive, _ := strings.Cut(input, "\n")
		f.Add(directive)
	}
	f.Fuzz(func(t *testing.T, input string) {
		tokens, err := caddyfile.Tokenize([]byte(input), "Caddyfile")
		if err != nil || len(tokens) == 0 {
			return
		}
		handler, _, err := parseHandler(caddyfile.NewDispenser(tokens))
		if err != nil {
			return
		}
		encoded, err := json.Marshal(handler)
		if err != nil {
			t.Fatalf("encoding: %v", err)
		}
		// Whoever writes JSON gets the same handler.
		again := new(caddyauth.Handler)
		if err := json.Unmarshal(encoded, again); err != nil {
			t.Fatalf("decoding %s: %v", encoded, err)
		}
		if twice, err := json.Marshal(again); err != nil || !bytes.Equal(encoded, twice) {
			t.Errorf("%s becomes %s, %v", encoded, twice, err)
		}
	})
}
