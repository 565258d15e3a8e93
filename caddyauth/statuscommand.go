// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
)

func statusCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "status",
		Short: "Shows whether providers, the session store and files are in order",
		Long: `
Asks a running Caddy how its panelauth is: which providers can be reached,
whether the session store works, and whether the files in use are the newest.
The admin API must be enabled and within reach; its address is taken from
--address or --config, as for caddy stop.`,
		Args: cobra.NoArgs,
		RunE: onAdminAPI(showStatus),
	}
	addAdminFlags(command)
	return command
}

func showStatus(api adminAPI, out, _ io.Writer, _ caddycmd.Flags) error {
	response, err := api(http.MethodGet, statusPath)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	var s status
	if err := json.NewDecoder(response.Body).Decode(&s); err != nil {
		return errors.New("the admin API's answer cannot be read")
	}
	return s.write(out)
}

// write writes a table of each kind of thing that there is.
func (s status) write(out io.Writer) error {
	stores := [][]string{{"STORE", "WORKS", "SESSIONS", "CONNECTIONS", "ERROR", "SINCE"}}
	providers := [][]string{{"PROVIDER", "READY", "REACHABLE", "LAST ANSWER", "KEYS FETCHED", "ERROR"}}
	files := [][]string{{"FILE", "LOADED", "USERS", "ERROR"}}
	for _, g := range s.Groups {
		stores = append(stores, []string{
			g.Store.Kind, yesOrNo(g.Store.Working), strconv.Itoa(g.Sessions), strconv.Itoa(g.Connections),
			g.Store.LastError, timeOrNot(g.Store.FailingSince),
		})
		for _, h := range g.Handlers {
			for _, p := range h.Providers {
				providers = append(providers, p.row())
			}
			files = append(files, h.fileRows()...)
		}
	}
	h := s.PasswordHashing
	_, err := fmt.Fprintf(out, "Passwords: %d of %d being hashed, %d of %d waiting\n", h.Running, h.MaxRunning, h.Waiting, h.MaxWaiting)
	for _, table := range [][][]string{stores, providers, files} {
		if len(table) > 1 {
			err = errors.Join(err, writeTable(out, table))
		}
	}
	return err
}

func (p providerStatus) row() []string {
	reachable := "not asked"
	if p.Reachable != nil {
		reachable = yesOrNo(*p.Reachable)
	}
	return []string{p.ID, yesOrNo(p.Ready), reachable, timeOrNot(p.LastAnswer), timeOrNot(p.KeysFetched), p.LastError}
}

func (h handlerStatus) fileRows() (rows [][]string) {
	if f := h.CredentialsFile; f != nil {
		rows = append(rows, f.row(strconv.Itoa(f.Users)))
	}
	for _, f := range h.Templates {
		rows = append(rows, f.row(""))
	}
	return rows
}

func (f fileStatus) row(users string) []string {
	return []string{f.File, timeOrNot(f.Loaded), users, f.Error}
}

// writeTable writes an empty line and a table.
func writeTable(out io.Writer, rows [][]string) error {
	// The writer keeps an error for Flush.
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table)
	for _, row := range rows {
		for i, cell := range row {
			row[i] = printable(cell)
		}
		_, _ = fmt.Fprintln(table, strings.TrimRight(strings.Join(row, "\t"), "\t"))
	}
	return table.Flush()
}

func yesOrNo(is bool) string {
	if is {
		return "yes"
	}
	return "NO"
}

func timeOrNot(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return localTime(t)
}
