// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
)

func doctorCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "doctor [--config <path>] [--adapter <name>] [--envfile <path>] [--json]",
		Short: "Looks a configuration over for what goes wrong in practice",
		Long: `
Looks a configuration over before it runs, or while it does, and says of each
finding what to do about it: options, secrets, cookies and redirect URIs against
the site's address, files and who may read them, providers and their clocks, the
session store, the Panel application and whether it accepts websockets and
cookies, and ways around panelauth.

It starts nothing and changes nothing, but for a key that it writes to the
session store and deletes again. Run it with the environment and as the user
that Caddy has. No secret is printed. The exit status is 1 if a check fails.`,
		Args: cobra.NoArgs,
		RunE: withFlags(runDoctor),
	}
	command.Flags().StringP("config", "c", "", "Configuration file. Default: the Caddyfile in this folder")
	command.Flags().StringP("adapter", "a", "", "Name of config adapter to apply")
	command.Flags().String("envfile", "", "File of variables that Caddy is started with")
	command.Flags().Bool("json", false, "Print a list of JSON objects")
	return command
}

func runDoctor(cmd *cobra.Command, _ []string, flags caddycmd.Flags) error {
	if err := setVariables(flags.String("envfile")); err != nil {
		return err
	}
	findings := examineFile(cmp.Or(cmd.Context(), context.Background()), flags.String("config"), flags.String("adapter"))
	write := writeFindings
	if flags.Bool("json") {
		write = writeFindingsAsJSON
	}
	if err := write(cmd.OutOrStdout(), findings); err != nil {
		return err
	}
	failed := 0
	for _, f := range findings {
		if f.Verdict == verdictFail {
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%s failed", countOf(failed, "check", "checks"))
	}
	return nil
}

// setVariables sets what is not set yet, as `caddy run --envfile` does.
func setVariables(file string) error {
	if file == "" {
		return nil
	}
	variables, err := readVariables(file)
	if err != nil {
		return err
	}
	for name, value := range variables {
		if _, set := os.LookupEnv(name); set {
			continue
		}
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}

func examineFile(ctx context.Context, file, adapter string) []finding {
	refused := &report{check: check{name: "configuration", where: file}}
	data, file, _, err := caddycmd.LoadConfig(file, adapter)
	if err != nil {
		refused.fail(adviceForLoading(refused.check.where, err), "%s", printable(err.Error()))
		return refused.findings
	}
	if len(data) == 0 {
		refused.fail("name it: --config Caddyfile", "there is no configuration here")
		return refused.findings
	}
	config := new(doctorConfig)
	if err := json.Unmarshal(data, config); err != nil {
		refused.fail("name the adapter, if it is no JSON: --adapter caddyfile", "it is not a configuration of Caddy's")
		return refused.findings
	}
	return newDoctor(config, file).examine(ctx)
}

// adviceForLoading says what to do about a configuration that Caddy cannot read.
func adviceForLoading(file string, err error) string {
	_, missing := os.Stat(file)
	switch {
	case file != "" && errors.Is(missing, fs.ErrNotExist):
		return "name the file: --config <path>"
	case strings.Contains(err.Error(), "config is not valid JSON") && !strings.HasSuffix(file, ".json"):
		return "name the adapter, if it is a Caddyfile: --adapter caddyfile"
	}
	return "correct this in the file, and ask the doctor again"
}

func writeFindings(out io.Writer, findings []finding) error {
	for _, f := range findings {
		line := fmt.Sprintf("%-4s  %s", f.Verdict, f.Check)
		if f.Where != "" {
			line += " (" + f.Where + ")"
		}
		line += ": " + f.Message
		if f.Advice != "" {
			line += " -> " + f.Advice
		}
		if _, err := fmt.Fprintln(out, printable(line)); err != nil {
			return err
		}
	}
	return nil
}

func writeFindingsAsJSON(out io.Writer, findings []finding) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(findings)
}
