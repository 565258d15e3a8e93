// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import "context"

// Call says what a request to a provider is for. Its text is fixed and fit for
// a label.
type Call string

// The calls that there are.
const (
	CallDiscovery  Call = "discovery"
	CallKeys       Call = "keys"
	CallToken      Call = "token"
	CallUserInfo   Call = "userinfo"
	CallGroups     Call = "groups"
	CallRevocation Call = "revocation"
)

// Calls lists them all.
func Calls() []Call {
	return []Call{CallDiscovery, CallKeys, CallToken, CallUserInfo, CallGroups, CallRevocation}
}

// callFor says which call each step makes that is no request for tokens.
var callFor = map[string]Call{
	stepDiscovery:   CallDiscovery,
	stepKeys:        CallKeys,
	stepUserInfo:    CallUserInfo,
	stepGitHubEmail: CallUserInfo,
	stepGroups:      CallGroups,
	stepRevoke:      CallRevocation,
}

type callKey struct{}

func withCall(ctx context.Context, call Call) context.Context {
	return context.WithValue(ctx, callKey{}, call)
}

// CallOf returns what a request is for, by the request's context.
func CallOf(ctx context.Context) Call {
	call, _ := ctx.Value(callKey{}).(Call)
	return call
}
