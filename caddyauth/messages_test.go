// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/json"
	"os"
	"strings"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
)

// failureMessages are what visitors read in English.
var failureMessages = readMessages()

const invalidPassword = "Invalid username or password!"

func readMessages() map[provider.Kind]string {
	content, err := os.ReadFile("../templates/words/en.json")
	if err != nil {
		panic(err)
	}
	var texts map[string]string
	if err := json.Unmarshal(content, &texts); err != nil {
		panic(err)
	}
	messages := make(map[provider.Kind]string)
	for key, text := range texts {
		if kind, ok := strings.CutPrefix(key, "message."); ok {
			messages[provider.Kind(kind)] = text
		}
	}
	return messages
}
