// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
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

// Hijack implements http.Hijacker.
func (c *connection) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending.Load() {
		return nil, nil, errEnded
	}
	conn, buffered, err := http.NewResponseController(c.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	c.hijacked = conn
	early, _ := buffered.Peek(buffered.Reader.Buffered())
	wrapped := c.wrap(conn, early)
	if wrapped != conn {
		rebuffer(buffered, wrapped, bytes.Clone(early))
	}
	return wrapped, buffered, nil
}

// wrap makes a connection to the client one that knows of the session. If it is
// not known what it speaks, it can only be cut, and all that passes is use.
func (c *connection) wrap(conn net.Conn, early []byte) net.Conn {
	switch {
	case c.switched:
		wrapped := &socketConn{hijackedConn: hijackedConn{conn}, socket: socket{connection: c, client: unbuffered{conn}}}
		c.socket = &wrapped.socket
		c.socket.up.pass(early)
		return wrapped
	case c.handler.settings.idle > 0:
		return &tunnel{hijackedConn{conn}, c}
	}
	return conn
}

// rebuffer makes buffers those of another connection, but for what they have
// read already.
func rebuffer(buffered *bufio.ReadWriter, conn net.Conn, early []byte) {
	buffered.Writer.Reset(conn)
	if len(early) == 0 {
		buffered.Reader.Reset(conn)
		return
	}
	buffered.Reader.Reset(io.MultiReader(bytes.NewReader(early), conn))
	_, _ = buffered.Peek(len(early)) // makes them count as buffered
}
