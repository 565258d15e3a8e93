// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package panelserve

import (
	"errors"
	commandline "flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = commandline.Bool("update", false, "write the Caddyfiles in testdata anew")

// secretInTests stands in the place of every secret, so that a test can look
// for it in what is printed.
const secretInTests = "S3CR3T-s3cr3t-S3CR3T"

// TestRead compares with the Caddyfiles in testdata, which another test serves.
func TestRead(t *testing.T) {
	sources := map[string]Source{
		"github": {Line: "panel serve app.py --oauth-provider=github --oauth-key=" + secretInTests +
			" --oauth-secret=" + secretInTests + " --cookie-secret=" + secretInTests + " --allow-websocket-origin=example.com --show"},
		"password": {Line: "panel serve app.py --basic-auth '" + secretInTests + " # \"x' --cookie-secret \"" + secretInTests + "\""},
		"everything": {Line: `panel serve app.py \
	--basic-login-template login.html --logout-template logout.html --auth-template "my pages/refused.html" \
	--oauth-error-template failed.html --login-endpoint sign-in --logout-endpoint /sign-out \
	--oauth-provider Generic --oauth-key "$CLIENT_ID" --oauth-secret ${CLIENT_SECRET} \
	--oauth-redirect-uri https://example.com/sign-in --oauth-jwt-user preferred_username \
	--oauth-extra-params "{'AUTHORIZE_URL': 'https://id.example.com/authorize', 'TOKEN_URL': 'https://id.example.com/token',
		'USER_URL': 'https://id.example.com/me', 'scope': ['openid', 'email'], 'max_age': 3600, 'client_assertion': '` + secretInTests + `', 'x': None,}" \
	--oauth-encryption-key ` + secretInTests + ` --oauth-expiry-days 0.5 --oauth-refresh-tokens \
	--oauth-guest-endpoints /app /app?x=1 welcome /tree/* --cookie-secret $COOKIES --cookie-path /app \
	--allow-websocket-origin example.com --allow-websocket-origin embed.example.org \
	--address 0.0.0.0 --port 443 --ssl-certfile cert.pem --ssl-keyfile key.pem --liveness --num-procs 4 \
	--index-titles a=b c=d --args --token x`},
		"behind a proxy": {Line: "panel serve app.py --basic-auth users.json --root-path /proxy/ --use-xheaders --allow-websocket-origin '*'",
			Domain: "https://apps.example.com:8443"},
		"prefix":            {Line: "/usr/bin/python3 -m panel serve app.py --prefix pre/fix --basic-auth ./users --oauth-optional --oauth-guest-endpoints /pre/fix/app"},
		"prefix and guests": {Line: "panel serve app.py --prefix=/pre/ --basic-auth ./users --oauth-guest-endpoints /pre/app /pre/welcome"},
		"file":              {Line: "panel serve app.py --basic-auth accounts", IsFile: func(path string) bool { return path == "accounts" }},
		"unix socket":       {Line: "panel serve app.py --unix-socket /run/panel.sock --basic-auth /etc/users.json", Domain: "example.com"},
		"same port":         {Line: "panel serve app.py --oauth-provider google --oauth-key a --oauth-secret b --oauth-redirect-uri http://localhost:5006"},
		"variable port":     {Line: `panel serve app.py --port $PORT --basic-auth users.json`},
		"assignments": {Line: "cd /app && env PANEL_BASIC_AUTH=" + secretInTests + " PANEL_COOKIE_SECRET=short DATABASE=" + secretInTests +
			" uv run panel serve app.py > log 2>&1 &"},
		"words": {Words: []string{"panel", "serve", "my app.py", "--basic-auth", secretInTests + " $HOME `x`", "--", "-x.py"}},
		"variables": {Variables: map[string]string{
			"PANEL_OAUTH_PROVIDER": "azure", "PANEL_OAUTH_KEY": secretInTests, "PANEL_OAUTH_SECRET": secretInTests,
			"PANEL_OAUTH_EXTRA_PARAMS": `{"tenant": "a", 'prompt': r'select_account'}`, "AAD_TENANT_ID": "b",
			"PANEL_OAUTH_SCOPE": "openid,email", "PANEL_USER_KEY": "upn", "PANEL_OAUTH_OPTIONAL": "0",
			"PANEL_OAUTH_GUEST_ENDPOINTS": "['/a', \"/b\"]", "PANEL_OAUTH_EXPIRY": "2", "PANEL_OAUTH_REFRESH_TOKENS": "True",
			"BOKEH_COOKIE_SECRET": secretInTests, "BOKEH_ALLOW_WS_ORIGIN": "localhost:5006,example.com:443", "HOME": "/root",
		}},
		"variable and flag": {Line: "panel serve app.py --oauth-prov github --oauth-key a --auth-module /a/b.py --from-the-future 1",
			Variables: map[string]string{"PANEL_OAUTH_PROVIDER": "gitlab", "PANEL_BASIC_AUTH": "Password"}},
	}
	for name, source := range sources {
		t.Run(name, func(t *testing.T) {
			imported, err := Read(source)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(imported.Caddyfile, secretInTests) || strings.Contains(strings.Join(imported.Notes, ""), secretInTests) {
				t.Errorf("a secret is printed:\n%s", imported.Caddyfile)
			}
			golden := filepath.Join("testdata", strings.ReplaceAll(name, " ", "_")+".Caddyfile")
			if *update {
				if err := os.WriteFile(golden, []byte(imported.Caddyfile), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if imported.Caddyfile != string(want) {
				t.Errorf("got\n%s\nwant\n%s", imported.Caddyfile, want)
			}
		})
	}
}

func TestReadMistakes(t *testing.T) {
	tests := map[string]struct{ line, says string }{
		"no sign-in":            {"panel serve app.py --cookie-secret abc", "no sign-in"},
		"something else":        {"bokeh serve app.py --auth-module x", "no `panel serve`"},
		"nothing":               {"   ", "no `panel serve`"},
		"panel alone":           {"panel secret", "no `panel serve`"},
		"an open quote":         {"panel serve --basic-auth 'S3CR3T", "quotation mark"},
		"a command inside":      {"panel serve app.py --basic-auth $(cat S3CR3T)", "another command"},
		"backticks":             {"panel serve app.py --basic-auth \"`cat S3CR3T`\"", "another command"},
		"a default":             {"panel serve app.py --basic-auth ${S3CR3T:-x}", "more than a name"},
		"no value":              {"panel serve app.py --basic-auth --show", "--basic-auth has no value"},
		"a value for a switch":  {"panel serve app.py --basic-auth x --oauth-optional=S3CR3T", "--oauth-optional takes no value"},
		"pam":                   {"panel serve app.py --oauth-provider pam", "pam has no counterpart"},
		"an extension":          {"panel serve app.py --oauth-provider S3CR3T", "extension"},
		"no dictionary":         {"panel serve app.py --oauth-provider github --oauth-extra-params \"['S3CR3T']\"", "not a dictionary"},
		"a broken dictionary":   {"panel serve app.py --oauth-provider github --oauth-extra-params \"{'S3CR3T': }\"", "at character"},
		"code in a dictionary":  {"panel serve app.py --oauth-provider github --oauth-extra-params \"{'a': open('S3CR3T')}\"", "at character 7"},
		"a key twice":           {"panel serve app.py --oauth-provider github --oauth-extra-params \"{'a': 1, 'a': 'S3CR3T'}\"", "a is there twice"},
		"a nested value":        {"panel serve app.py --oauth-provider github --oauth-extra-params \"{'a': {'S3CR3T': 1}}\"", "no text"},
		"a key of another kind": {"panel serve app.py --oauth-provider github --oauth-extra-params '{1: 2}'", "a key is not a text"},
		"days in words":         {"panel serve app.py --basic-auth x --oauth-expiry-days S3CR3T", "not a number"},
		"days in a variable":    {"panel serve app.py --basic-auth x --oauth-expiry-days $DAYS", "the number itself"},
		"a control character":   {"panel serve app.py --basic-auth x --cookie-path /\x07", "control character"},
		"Caddy's own variable":  {"panel serve app.py --basic-auth x --cookie-path '/{$S3CR3T}'", "{$"},
		"too long":              {"panel serve " + strings.Repeat("x", maxLine), "longer than"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			imported, err := Read(Source{Line: test.line})
			if err == nil {
				t.Fatalf("it is imported:\n%s", imported.Caddyfile)
			}
			if !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "S3CR3T") {
				t.Errorf("it says %q, want something of %q and no value", err, test.says)
			}
		})
	}
	if _, err := Read(Source{Line: "panel serve app.py --oauth-provder=github"}); !errors.Is(err, ErrOpen) || !strings.Contains(err.Error(), "misspelt") {
		t.Errorf("of a misspelt flag it says %v", err)
	}
	if _, err := Read(Source{}); !errors.Is(err, ErrOpen) {
		t.Errorf("nothing at all is %v", err)
	}
	if _, err := Read(Source{Line: "panel serve --basic-auth x", Domain: "a b {"}); err == nil {
		t.Error("a domain that is none is taken")
	}
}

func TestParseVariables(t *testing.T) {
	got, err := ParseVariables("# comment\n\nA=b\nexport C='d e' # why\r\nE=\"f'g\"\nH=\n")
	if err != nil || len(got) != 4 || got["A"] != "b" || got["C"] != "d e" || got["E"] != "f'g" || got["H"] != "" {
		t.Errorf("got %q, %v", got, err)
	}
	for name, text := range map[string]string{
		"a space": "A=b\nC=d S3CR3T\n", "no name": "A=b\n=S3CR3T", "a quote": "A=b\nC='S3CR3T", "a word": "A=b\nS3CR3T",
	} {
		_, err := ParseVariables(text)
		if err == nil || !strings.Contains(err.Error(), "line 2: ") || strings.Contains(err.Error(), "S3CR3T") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTableHasEveryFlag holds the table to the naming rule: a flag of who gets
// in is a subdirective of the same name.
func TestTableHasEveryFlag(t *testing.T) {
	table := Table()
	for _, f := range flags {
		if f.line == "" {
			continue
		}
		if !strings.Contains(table, "| `"+f.name+"` |") {
			t.Errorf("%s is not in the table", f.name)
		}
		isSignIn := strings.Contains(f.name, "oauth") || strings.Contains(f.name, "cookie") || strings.Contains(f.name, "template")
		if isSignIn && !strings.HasPrefix(f.line, "`"+subdirective(f.name)) {
			t.Errorf("%s is %s", f.name, f.line)
		}
	}
	for row := range strings.Lines(table) {
		if strings.Count(row, "|") != 5 {
			t.Errorf("not four columns: %s", row)
		}
	}
}
