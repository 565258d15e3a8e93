// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// errEnded is what the application's side sees of a connection whose session
// has ended.
var errEnded = errors.New("the session has ended")

// connection is a request of a session while it is served: a websocket, an
// event stream, a download, or something that is over in a moment. It stands
// between the application's answer and the client, and does as little as it
// can until the session ends.
type connection struct {
	caddyhttp.ResponseWriterWrapper
	handler   *Handler
	session   *session.Session
	lifetime  lifetime
	websocket bool    // it asks for one
	extended  bool    // by extended CONNECT, not by an upgrade
	wanted    *wanted // nil: rules need not be asked again

	shard      *liveShard
	next, prev *connection // in the shard

	moved    atomic.Bool // something has passed since this was false
	answered atomic.Bool // the answer has begun
	ending   atomic.Bool
	broken   atomic.Bool // it was cut
	because  atomic.Pointer[farewell]

	mu       sync.Mutex // for all below
	switched bool       // it has become a websocket by HTTP/1.1
	socket   *socket    // what it has become
	hijacked net.Conn
	served   bool
	deadline *time.Timer // of the farewell
}

// mark notes that something has passed. The look first keeps a busy connection
// from writing the same memory all the time.
func (c *connection) mark() {
	if !c.moved.Load() {
		c.moved.Store(true)
	}
}

// why is what the two sides of a websocket are told.
func (c *connection) why() farewell {
	if because := c.because.Load(); because != nil {
		return *because
	}
	return sessionEnded
}

// answerGrace is how much longer an answer may go on that was under way when
// the session ended: most are over in a moment and need not break off.
const answerGrace = 200 * time.Millisecond

// end ends the connection: a websocket with a farewell, an answer that is under
// way after a moment. What has no answer yet may have one in time, for it may be
// about the very end of the session. It may wait for a write that is stuck.
func (c *connection) end(because farewell) {
	if c.ending.Load() {
		c.cutAgain()
		return
	}
	c.because.CompareAndSwap(nil, &because)
	c.mu.Lock()
	first := c.ending.CompareAndSwap(false, true)
	if !first || c.served {
		c.mu.Unlock()
		return
	}
	socket := c.socket
	atOnce := socket == nil && c.websocket
	switch {
	case atOnce:
	case socket == nil && c.answered.Load():
		c.deadline = time.AfterFunc(answerGrace, c.cut)
	default:
		c.deadline = time.AfterFunc(farewellPatience, c.cut)
	}
	c.mu.Unlock()
	switch {
	case atOnce:
		c.cut()
	case socket != nil:
		socket.part()
	}
}

// wakeReader ends a read from the client that still waits then.
func (c *connection) wakeReader(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.served {
		return
	}
	if c.hijacked != nil {
		_ = c.hijacked.SetReadDeadline(at)
		return
	}
	_ = http.NewResponseController(innermost(c.ResponseWriter)).SetReadDeadline(at)
}

// cut ends the connection whatever is going on. The application's side sees
// the request cancelled, the client an answer that breaks off.
func (c *connection) cut() {
	c.mu.Lock()
	if c.served {
		c.mu.Unlock()
		return
	}
	c.broken.Store(true)
	hijacked := c.hijacked
	c.mu.Unlock()
	c.lifetime.end()
	if hijacked != nil {
		_ = hijacked.Close()
		return
	}
	c.stop()
}

// cutAgain cuts what was cut before and still goes on: whoever sets deadlines
// of their own undoes ours.
func (c *connection) cutAgain() {
	c.mu.Lock()
	again := c.broken.Load() && c.hijacked == nil
	c.mu.Unlock()
	if again {
		c.stop()
	}
}

// stop ends the reads and writes that are under way. It sets the deadlines of
// the server's own response, past whatever wraps it: those need not be safe to
// call from another goroutine.
func (c *connection) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.served {
		return
	}
	wire := http.NewResponseController(innermost(c.ResponseWriter))
	past := time.Unix(1, 0)
	_ = wire.SetWriteDeadline(past)
	_ = wire.SetReadDeadline(past)
}

// leave is called when the request was served.
func (c *connection) leave() {
	c.shard.remove(c)
	if c.socket != nil {
		c.socket.leave()
	}
	c.mu.Lock()
	c.served = true
	if c.deadline != nil {
		c.deadline.Stop()
	}
	c.mu.Unlock()
	c.lifetime.end()
}

// breaksOff reports whether the client is to notice that the answer is not
// whole: whether it was cut, but for a websocket that was told.
func (c *connection) breaksOff() bool {
	if !c.broken.Load() || c.hijacked != nil {
		return false
	}
	return c.socket == nil || !c.socket.isTold()
}

// becameSocket is for those who do not serve the connection: the websocket that
// it has become, or nil.
func (c *connection) becameSocket() *socket {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.socket
}

// upload is what the client sends.
type upload struct {
	io.ReadCloser
	connection *connection
}

func (u *upload) Read(p []byte) (int, error) {
	if s := u.connection.becameSocket(); s != nil {
		return s.read(u.ReadCloser, p)
	}
	n, err := u.ReadCloser.Read(p)
	if n > 0 {
		u.connection.mark()
	}
	return n, err
}

// innermost is the response of the server itself.
func innermost(w http.ResponseWriter) http.ResponseWriter {
	for {
		outer, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return w
		}
		w = outer.Unwrap()
	}
}

// Interface guards
var (
	_ http.Hijacker = (*connection)(nil)
	_ http.Flusher  = (*connection)(nil)
	_ http.Pusher   = (*connection)(nil)
	_ io.ReaderFrom = (*connection)(nil)
)
