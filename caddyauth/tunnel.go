// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"errors"
	"net"
)

// hijackedConn is a connection that is no longer the server's.
type hijackedConn struct{ net.Conn }

var errNoHalves = errors.New("connection cannot be closed by halves")

// CloseWrite tells the client that nothing more will come.
func (c hijackedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errNoHalves
}

// tunnel is a connection that speaks nobody knows what: what passes keeps the
// session from being idle. Without a limit to that, none is needed, and the
// system may copy by itself.
type tunnel struct {
	hijackedConn
	connection *connection
}

func (t *tunnel) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	return t.noted(n), err
}

func (t *tunnel) Write(p []byte) (int, error) {
	n, err := t.Conn.Write(p)
	return t.noted(n), err
}

func (t *tunnel) noted(n int) int {
	if n > 0 {
		t.connection.mark()
	}
	return n
}
