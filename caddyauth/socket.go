// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// How long a websocket may take to end.
const (
	// farewellPatience is how long to wait for the end of a frame that is being
	// sent, and for the other sides to take notice, before it is cut.
	farewellPatience = time.Second
	// answerPatience is how much of that the browser has to answer.
	answerPatience = 300 * time.Millisecond
)

// socket is an open websocket while others relay its bytes. At its end, each
// side gets a close frame after the frame that is passing, and nothing more.
type socket struct {
	connection *connection
	client     interface {
		io.Writer
		FlushError() error
	}

	mu     sync.Mutex // for who writes to the client
	down   frames
	parted atomic.Bool // nothing more goes to the client
	told   bool        // it was told why

	// The rest is for who reads from the client.
	up       frames
	hushed   bool        // no more of it goes to the application
	closed   bool        // but a close frame did
	answered atomic.Bool // a close frame came after that
	deaf     bool        // nothing more is read
	words    []byte      // what the application is yet to be told
}

// write passes on what the application says.
func (s *socket) write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.parted.Load() {
		return len(p), nil
	}
	if s.connection.ending.Load() {
		return s.writeRest(p)
	}
	n, err := s.client.Write(p)
	if s.down.pass(p[:n]) {
		s.connection.mark()
	}
	return n, err
}

// writeRest passes on the rest of a frame, and then says farewell.
func (s *socket) writeRest(p []byte) (int, error) {
	if !s.down.between() {
		if n, err := s.client.Write(p[:s.down.rest(p)]); err != nil {
			return n, err
		}
	}
	if s.down.between() {
		s.tell()
	}
	return len(p), nil
}

// part says farewell as soon as no frame is being sent. It waits for a write
// that is stuck, which a cut frees.
func (s *socket) part() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.parted.Load() && s.down.between() {
		s.tell()
	}
}

func (s *socket) tell() {
	s.parted.Store(true)
	defer s.connection.wakeReader(time.Now().Add(answerPatience))
	if s.down.closed {
		s.told = true // by the application
		return
	}
	_, err := s.client.Write(s.connection.why().toClient())
	s.told = err == nil && s.client.FlushError() == nil
}

// flush is for what is written through a response.
func (s *socket) flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.parted.Load() {
		return nil
	}
	return s.client.FlushError()
}

// leave keeps anybody from writing after a response has ended.
func (s *socket) leave() {
	s.mu.Lock()
	s.parted.Store(true)
	s.mu.Unlock()
}

// isTold reports whether the client knows why its websocket ends.
func (s *socket) isTold() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.told
}

// read passes on what the client says.
func (s *socket) read(client io.Reader, p []byte) (int, error) {
	if s.deaf {
		return s.speak(p)
	}
	n, err := client.Read(p)
	if s.connection.ending.Load() {
		return s.readRest(client, p, n, err)
	}
	if s.up.pass(p[:n]) {
		s.connection.mark()
	}
	return n, err
}

// readRest passes on the rest of a frame, and then a close frame in the
// client's place. What else the client says goes nowhere, until it was told.
func (s *socket) readRest(client io.Reader, p []byte, n int, err error) (int, error) {
	for {
		if rest := s.hush(p[:n]); rest > 0 {
			return rest, nil
		}
		if err != nil || s.hushed && s.parted.Load() {
			break
		}
		n, err = client.Read(p)
	}
	s.deaf = true
	if s.hushed && !s.closed {
		s.words = s.connection.why().toServer()
	}
	return s.speak(p)
}

// hush takes note of what a client says that should not, and returns how much
// of it is the rest of a frame.
func (s *socket) hush(p []byte) (rest int) {
	if !s.hushed {
		if !s.up.between() {
			rest = s.up.rest(p)
		}
		s.hushed, s.closed = s.up.between(), s.up.closed
	}
	if s.hushed {
		s.up.pass(p[rest:])
		s.answered.Store(s.up.closed)
	}
	return rest
}

// speak says to the application what it is yet to be told, in the client's
// place.
func (s *socket) speak(p []byte) (int, error) {
	if len(s.words) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.words)
	s.words = s.words[n:]
	return n, nil
}

// socketConn is the connection of a websocket over HTTP/1.1. It has neither
// ReadFrom nor WriteTo, which could not see frames; between a proxy and TCP
// they would copy just the same.
type socketConn struct {
	hijackedConn
	socket socket
}

func (c *socketConn) Write(p []byte) (int, error) { return c.socket.write(p) }
func (c *socketConn) Read(p []byte) (int, error)  { return c.socket.read(c.Conn, p) }

// Close closes the connection, but leaves a browser that was told why the time
// to read it: what it sends to a closed connection would make the system drop
// what it has not read yet.
func (c *socketConn) Close() error {
	if !c.socket.connection.ending.Load() || c.socket.answered.Load() || !c.socket.isTold() {
		return c.Conn.Close()
	}
	go c.linger()
	return nil
}

func (c *socketConn) linger() {
	defer func() { _ = c.Conn.Close() }()
	_ = c.CloseWrite()
	if c.SetReadDeadline(time.Now().Add(farewellPatience)) == nil {
		_, _ = io.Copy(io.Discard, c.Conn)
	}
}

// unbuffered is a connection, which has nothing to flush.
type unbuffered struct{ net.Conn }

func (unbuffered) FlushError() error { return nil }

// Interface guard
var _ net.Conn = (*socketConn)(nil)
