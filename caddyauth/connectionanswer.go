// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"io"
	"net/http"
)

// WriteHeader notices when an answer begins or a websocket opens.
func (c *connection) WriteHeader(status int) {
	c.begin(status)
	c.ResponseWriter.WriteHeader(status)
}

func (c *connection) begin(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case status == http.StatusSwitchingProtocols:
		c.switched = c.websocket
	case status >= http.StatusOK && !c.answered.Load() && !c.switched:
		c.answered.Store(true)
		opens := c.extended && status < http.StatusMultipleChoices
		if opens && !c.ending.Load() {
			c.socket = &socket{connection: c, client: flushing{c.ResponseWriter}}
		}
	}
}

// Write passes on what the application answers.
func (c *connection) Write(p []byte) (int, error) {
	if !c.answered.Load() {
		c.begin(http.StatusOK)
	}
	if c.socket != nil {
		return c.socket.write(p)
	}
	if c.broken.Load() {
		return 0, errEnded
	}
	c.mark()
	return c.ResponseWriter.Write(p)
}

// How much is passed on without a look at whether the session has ended: much,
// for the system copies files by itself as long as it is let. With an idle limit
// each piece is a sign of use, which must come from a slow client in time.
const (
	maxPiece     = 1 << 20
	maxPieceIdle = 128 << 10
)

// ReadFrom passes on what the application answers, in pieces. A limited reader
// stays one, by which the system's own copying is recognised.
func (c *connection) ReadFrom(from io.Reader) (total int64, err error) {
	if !c.answered.Load() {
		c.begin(http.StatusOK)
	}
	if c.socket != nil {
		return io.Copy(justWriter{c}, from)
	}
	whole, ok := from.(*io.LimitedReader)
	if !ok {
		whole = &io.LimitedReader{R: from, N: 1<<63 - 1}
	}
	most := int64(maxPiece)
	if c.handler.settings.idle > 0 {
		most = maxPieceIdle
	}
	for whole.N > 0 {
		if c.broken.Load() {
			return total, errEnded
		}
		piece := &io.LimitedReader{R: whole.R, N: min(whole.N, most)}
		wanted := piece.N
		n, err := c.ResponseWriterWrapper.ReadFrom(piece)
		total += n
		whole.N -= n
		if n > 0 {
			c.mark()
		}
		if err != nil || n < wanted {
			return total, err
		}
	}
	return total, nil
}

// justWriter hides everything but Write.
type justWriter struct{ io.Writer }

// FlushError implements what http.ResponseController looks for.
func (c *connection) FlushError() error {
	if !c.answered.Load() {
		c.begin(http.StatusOK)
	}
	if c.socket != nil {
		return c.socket.flush()
	}
	return flushing{c.ResponseWriter}.FlushError()
}

// Flush implements http.Flusher.
func (c *connection) Flush() { _ = c.FlushError() }

// flushing is a response that can be flushed, whoever wraps it.
type flushing struct{ http.ResponseWriter }

func (f flushing) FlushError() error {
	return http.NewResponseController(f.ResponseWriter).Flush()
}
