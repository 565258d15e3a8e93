// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
)

// sessionsCommand asks a running Caddy, by its admin API.
func sessionsCommand() *cobra.Command {
	sessions := &cobra.Command{
		Use:   "sessions",
		Short: "Shows who is signed in, and ends sessions",
		Long: `
Asks a running Caddy who is signed in, and ends sessions. The admin API must be
enabled and within reach; its address is taken from --address or --config, as
for caddy stop.`,
	}
	addAdminFlags(sessions)
	revoke := &cobra.Command{
		Use:   "revoke <id> | --user <name>",
		Short: "Ends one session, or all of a user",
		Args:  cobra.MaximumNArgs(1),
		RunE:  onAdminAPI(revokeSessions),
	}
	revoke.Flags().String("user", "", "End all sessions of this user, whatever their way in")
	addCommands(sessions,
		&cobra.Command{
			Use:   "list",
			Short: "Lists the sessions",
			Args:  cobra.NoArgs,
			RunE:  onAdminAPI(listSessions),
		},
		revoke,
	)
	return sessions
}

func listSessions(api adminAPI, out, notes io.Writer, _ caddycmd.Flags) error {
	response, err := api(http.MethodGet, sessionsPath)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	var sessions []listedSession
	if err := json.NewDecoder(response.Body).Decode(&sessions); err != nil {
		return errors.New("the list of sessions broke off; Caddy's log says why")
	}
	lacks := response.Header.Values(incompleteHeader)
	if slices.Contains(lacks, lacksCookies) {
		_, _ = fmt.Fprintln(notes, "Some sessions are kept in cookies: of these, only those are listed that this Caddy has seen lately.")
	}
	if err := writeSessions(out, sessions); err != nil || !slices.Contains(lacks, lacksStore) {
		return err
	}
	return errors.New("this is not all: a session store cannot be reached; Caddy's log says why")
}

// writeSessions writes a table, by user and then by age.
func writeSessions(out io.Writer, sessions []listedSession) error {
	slices.SortFunc(sessions, func(a, b listedSession) int {
		return cmp.Or(strings.Compare(a.User, b.User), a.Created.Compare(b.Created), strings.Compare(a.ID, b.ID))
	})
	// The writer keeps an error for Flush.
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "ID\tUSER\tPROVIDER\tSINCE\tLAST SEEN\tEXPIRES\tADDRESS\tCONNECTIONS")
	for _, s := range sessions {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\n",
			printable(s.ID), printable(s.User), printable(s.Provider),
			localTime(s.Created), localTime(s.LastSeen), localTime(s.Expires),
			printable(s.ClientIP), s.Connections)
	}
	return table.Flush()
}

// sessionID is what an id looks like. Anything else might lead to another part
// of the admin API.
var sessionID = regexp.MustCompile(`^[0-9a-f]{32}$`)

func revokeSessions(api adminAPI, out, _ io.Writer, flags caddycmd.Flags) error {
	user := flags.String("user")
	byUser := flags.Changed("user")
	switch {
	case byUser == (flags.NArg() > 0):
		return errors.New("say what to revoke: either the id of a session or --user <name>")
	case byUser && user == "":
		return errors.New("the name of the user is empty")
	case byUser:
		return revokeUser(api, out, user)
	}
	id := flags.Arg(0)
	if !sessionID.MatchString(id) {
		return errors.New("this is not the id of a session, which is 32 digits and letters; --user <name> takes names")
	}
	response, err := api(http.MethodDelete, sessionsPath+"/"+id)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	_, err = fmt.Fprintln(out, "The session has ended.")
	return err
}

func revokeUser(api adminAPI, out io.Writer, user string) error {
	response, err := api(http.MethodDelete, sessionsPath+"?user="+url.QueryEscape(user))
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct{ Ended int }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return errors.New("the admin API's answer cannot be read")
	}
	_, err = fmt.Fprintf(out, "Sessions of %s that have ended: %d\n", printable(user), answer.Ended)
	return err
}
