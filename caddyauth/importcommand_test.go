// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"bytes"
	"strings"
	"testing"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
)

// runImport runs `caddy panelauth import` and returns what it prints on each
// stream.
func runImport(t *testing.T, input string, args ...string) (out, notes string, err error) {
	t.Helper()
	command := new(cobra.Command)
	caddycmd.Commands()["panelauth"].CobraFunc(command)
	var stdout, stderr bytes.Buffer
	command.SilenceUsage, command.SilenceErrors = true, true
	command.SetIn(strings.NewReader(input))
	command.SetOut(&stdout)
	command.SetErr(&stderr)
	command.SetArgs(append([]string{"import"}, args...))
	err = command.Execute()
	return stdout.String(), stderr.String(), err
}

func TestImportCommand(t *testing.T) {
	t.Setenv("PANEL_BASIC_AUTH", "Password-of-this-environment")
	variables := newFile(t, "panel.env", "PANEL_BASIC_AUTH=./of-a-file.json\n")
	tests := map[string]struct {
		args  []string
		input string
		has   []string
		notes string
	}{
		"one argument": {
			args: []string{"panel serve app.py --basic-auth users.json --show"},
			has:  []string{"basic_auth users.json\n", "# ", "panel serve app.py --address localhost\n"}, notes: "note: --show",
		},
		"many arguments": {
			args: []string{"--domain", "example.com", "--", "panel", "serve", "my app.py", "--basic-auth=users.json"},
			has:  []string{"\nexample.com {\n", "panel serve 'my app.py' --address"},
		},
		"standard input": {
			args: []string{"-"}, input: "panel serve app.py \\\n\t--basic-auth users.json\n",
			has: []string{"basic_auth users.json\n"},
		},
		"environment": {
			args: []string{"--env"}, has: []string{"basic_auth {env.PANEL_BASIC_AUTH}\n", "env -u PANEL_BASIC_AUTH panel serve"}, notes: "lower-case",
		},
		"file of variables": {
			args: []string{"--envfile", variables}, has: []string{"basic_auth ./of-a-file.json\n"},
		},
		"both": {
			args: []string{"panel serve other.py", "--env", "--envfile", variables}, has: []string{"basic_auth ./of-a-file.json\n", "other.py"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			out, notes, err := runImport(t, test.input, test.args...)
			if err != nil {
				t.Fatal(err)
			}
			for _, part := range test.has {
				if !strings.Contains(out, part) {
					t.Errorf("%q is not in\n%s", part, out)
				}
			}
			if !strings.Contains(notes, test.notes) {
				t.Errorf("the notes are %q", notes)
			}
			if strings.Contains(out+notes, "Password-of") {
				t.Error("a secret is printed")
			}
		})
	}
}

func TestImportCommandFails(t *testing.T) {
	tests := map[string]struct {
		args  []string
		input string
		says  string
	}{
		"nothing":               {args: nil, says: "in quotes"},
		"no sign-in":            {args: []string{"panel serve app.py"}, says: "no sign-in"},
		"a file that is not":    {args: []string{"--envfile", "missing.env"}, says: "missing.env"},
		"a broken file":         {args: []string{"--envfile", newFile(t, "broken.env", "PANEL SECRET\n")}, says: "line 1"},
		"too much":              {args: []string{"-"}, input: strings.Repeat("x", maxImport+1), says: "longer"},
		"a provider half":       {args: []string{"panel serve app.py --oauth-provider generic --oauth-key a"}, says: "AUTHORIZE_URL is missing"},
		"a parameter of ours":   {args: []string{`panel serve app.py --oauth-provider github --oauth-key a --oauth-secret b --oauth-extra-params "{'state': 'x'}"`}, says: "state"},
		"an endpoint that isnt": {args: []string{"panel serve app.py --basic-auth x --login-endpoint /a?b"}, says: "login_endpoint"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := runImport(t, test.input, test.args...)
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want something of %q", err, test.says)
			}
		})
	}
}

// TestImportSaysEveryOption: the stand-ins look right to the handler, so that
// it is asked about everything else.
func TestImportSaysEveryOption(t *testing.T) {
	out, _, err := runImport(t, "", `panel serve app.py --oauth-provider azurev2 --oauth-key a --oauth-secret b --cookie-secret c
		--oauth-encryption-key d --oauth-expiry-days 2 --oauth-refresh-tokens --oauth-guest-endpoints /a --oauth-redirect-uri https://example.com/login
		--oauth-jwt-user upn --cookie-path /a --oauth-extra-params "{'tenant': 'x'}"`)
	if err != nil || !strings.Contains(out, "oauth_jwt_user upn\n") {
		t.Errorf("%v\n%s", err, out)
	}
}
