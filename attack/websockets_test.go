// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package attack

import (
	"io"
	"net/http"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

var websocketScenes = map[string]scene{
	"WS-007": func(s *site, a attack) {
		for _, connection := range []string{"Upgrade", "upgrade", "keep-alive, Upgrade", "UPGRADE, close", "Upgrade,Upgrade"} {
			for _, upgrade := range []string{"websocket", "WebSocket", "WEBSOCKET", "websocket, h2c", "websocket/13"} {
				q := get("/app/ws", [2]string{"Connection", connection}, [2]string{"Upgrade", upgrade}, [2]string{"Sec-WebSocket-Version", "13"}, [2]string{"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="})
				if err := closed(s.attackedWith(q)); err != nil {
					s.t.Errorf("%s, %s: %v", connection, upgrade, err)
				}
			}
		}
	},
	"WS-010": func(s *site, _ attack) {
		session := s.anybody("alice")
		q := opening("/app/ws").with("Origin", s.base()).as(session)
		a, conn, reader, err := s.exchange(q.bytes(s.host), http.MethodGet)
		if err != nil || a.status != http.StatusSwitchingProtocols {
			s.t.Fatalf("the websocket does not open: %d, %v", a.status, err)
		}
		defer func() { _ = conn.Close() }()
		s.send(form("/logout", nil).as(session))
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		if _, err := io.ReadAll(reader); err != nil { // the end is no error; a deadline is
			s.t.Errorf("it stays open: %v", err)
		}
	},
	"WS-015": func(s *site, _ attack) {
		// Tokens that are over at once have to be renewed at each use.
		s.turn(func(k *providertest.Knobs) { k.Tokens = func(t map[string]any) { t["expires_in"] = 1 } })
		session := s.anybody("alice")
		q := opening("/app/ws").with("Origin", s.base()).as(session)
		a, conn, _, err := s.exchange(q.bytes(s.host), http.MethodGet)
		if err != nil || a.status != http.StatusSwitchingProtocols {
			s.t.Fatalf("the websocket does not open: %d, %v", a.status, err)
		}
		_ = conn.Close()
		s.app.requests()
		if o := s.attackedWith(get("/app").as(session)); len(o.app) != 1 {
			s.t.Errorf("the session is lost: %d", o.answer.status)
		}
	},
}
