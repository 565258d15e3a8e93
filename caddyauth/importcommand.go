// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"strings"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"

	"github.com/panelauth/caddy-panelauth/caddyauth/panelserve"
)

// maxImport bounds what is read of standard input and of files.
const maxImport = 64 << 10

func importCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "import ['panel serve …' | -] [--env] [--envfile <file>] [--domain <address>]",
		Short: "Turns a panel serve command line into a Caddyfile",
		Long: `
Prints the Caddyfile that does what the sign-in flags of a panel serve command
line do, and as comments in it the command line that Panel is to be started with
from then on, and what works otherwise. What has no counterpart is said on
standard error, too.

The command line is one argument in quotes, or is read from standard input where
the argument is "-". With --env or --envfile the variables that Panel reads in
the place of flags count as well (PANEL_OAUTH_KEY and so on), and there need be
no command line.

No secret is printed: the Caddyfile names variables in their place, and the
comments say what to set them to.`,
		Example: `  caddy panelauth import 'panel serve app.py --basic-auth users.json' > Caddyfile`,
		Args:    cobra.ArbitraryArgs,
		RunE:    withFlags(importPanel),
	}
	command.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return fmt.Errorf("%w: write quotes around the panel serve command line", err)
	})
	command.Flags().Bool("env", false, "Read the variables of this environment, too")
	command.Flags().String("envfile", "", "Read the variables in this file, too: NAME=value on each line")
	command.Flags().String("domain", "", "The address of the site, such as example.com. Default: that of --oauth-redirect-uri or --allow-websocket-origin")
	return command
}

func importPanel(cmd *cobra.Command, args []string, flags caddycmd.Flags) error {
	source := panelserve.Source{Domain: flags.String("domain"), IsFile: isFile}
	var err error
	if source.Variables, err = importedVariables(flags); err != nil {
		return err
	}
	switch {
	case len(args) == 1 && args[0] == "-":
		source.Line, err = readImport(cmd.InOrStdin())
	case len(args) == 1:
		source.Line = args[0]
	case len(args) == 0 && source.Variables == nil:
		err = errors.New("give the panel serve command line in quotes, or --env for the variables of this environment")
	default:
		source.Words = args
	}
	if err != nil {
		return err
	}
	imported, err := panelserve.Read(source)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(cmd.OutOrStdout(), imported.Caddyfile); err != nil {
		return err
	}
	for _, note := range imported.Notes {
		_, _ = fmt.Fprintln(cmd.ErrOrStderr(), "note:", printable(note))
	}
	return refusedImport(imported.Options)
}

func importedVariables(flags caddycmd.Flags) (map[string]string, error) {
	var variables map[string]string
	if flags.Bool("env") {
		variables = make(map[string]string)
		for _, entry := range os.Environ() {
			name, value, _ := strings.Cut(entry, "=")
			variables[name] = value
		}
	}
	path := flags.String("envfile")
	if path == "" {
		return variables, nil
	}
	fromFile, err := readVariables(path)
	if err != nil {
		return nil, err
	}
	if variables == nil {
		return fromFile, nil
	}
	maps.Copy(variables, fromFile)
	return variables, nil
}

// readVariables reads a file of variables, NAME=value on each line.
func readVariables(file string) (map[string]string, error) {
	text, err := readBounded(file, maxImport)
	if err != nil {
		return nil, err
	}
	variables, err := panelserve.ParseVariables(text)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	return variables, nil
}

func readImport(r io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxImport+1))
	if err == nil && len(text) > maxImport {
		err = fmt.Errorf("it is longer than %d bytes", maxImport)
	}
	return string(text), err
}

func isFile(path string) bool {
	info, err := os.Stat(path) //nolint:gosec // the file that the command was given
	return err == nil && info.Mode().IsRegular()
}

// refusedImport says what panelauth would refuse of what Panel takes, files and
// variables aside, which need not be on this machine.
func refusedImport(options map[string]any) error {
	data, err := json.Marshal(options)
	if err != nil {
		return err
	}
	var h Handler
	if err := json.Unmarshal(data, &h); err != nil {
		return err
	}
	for _, mistake := range h.Mistakes() {
		if !mistake.Local {
			return fmt.Errorf("this Caddyfile will be refused until it is mended: %w", joinMistakes([]Mistake{mistake}))
		}
	}
	return nil
}
