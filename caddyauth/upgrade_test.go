// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"testing"
)

// TestUpgradesToOtherProtocols: behind a guest page stood an application that
// speaks HTTP/2 without TLS. Upgraded to it, the connection led past the
// handler, to any page and with any name.
func TestUpgradesToOtherProtocols(t *testing.T) {
	tests := []struct {
		name                  string
		upgrade               []string
		connection            string
		wantUpgrade, wantRest string
	}{
		{"websocket", []string{"websocket"}, "Upgrade", "websocket", "Upgrade"},
		{"websocket in capitals", []string{"WebSocket"}, "keep-alive, Upgrade", "websocket", "keep-alive, Upgrade"},
		{"HTTP/2", []string{"h2c"}, "Upgrade, HTTP2-Settings", "", ""},
		{"HTTP/2 beside websocket", []string{"h2c, websocket"}, "Upgrade, HTTP2-Settings", "websocket", "Upgrade"},
		{"HTTP/2 on a second line", []string{"websocket", "h2c"}, "Upgrade", "websocket", "Upgrade"},
		{"TLS", []string{"TLS/1.0"}, "close, Upgrade", "", "close"},
		{"anything", []string{"foo"}, "Upgrade", "", ""},
		{"nothing", []string{""}, "Upgrade", "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := new(Handler)
			header := http.Header{
				"Upgrade":        test.upgrade,
				"Connection":     {test.connection},
				"Http2-Settings": {"AAMAAABkAAQAAP__"},
			}
			h.stripIdentity(&http.Request{Header: header})
			if got := header.Get("Upgrade"); got != test.wantUpgrade || len(header["Upgrade"]) > 1 {
				t.Errorf("upgrades to %q", header["Upgrade"])
			}
			if got := header.Get("Connection"); got != test.wantRest {
				t.Errorf("the connection's tokens are %q, want %q", got, test.wantRest)
			}
			if header["Http2-Settings"] != nil {
				t.Error("HTTP2-Settings are passed on")
			}
		})
	}
}
