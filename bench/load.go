// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"slices"
	"strconv"
	"sync"
	"time"
)

// What a load counts.
const (
	requests = "requests"   // answers, on connections that are kept
	opens    = "websockets" // that were opened, each on a new connection
	volume   = "MiB"        // of answers without end
)

// load is what is asked of a server. It is made by a process of its own, so
// that its cost is not the server's.
type load struct {
	Counts      string
	Address     string
	Requests    [][]byte // as they go over the wire, one for each connection in turn
	Status      int      // of every answer
	Connections int
	Duration    time.Duration
}

// outcome is what came of it.
type outcome struct {
	Count   float64
	Seconds float64
	P50     time.Duration // from asking to the end of the answer
	P99     time.Duration
	Error   string
}

// serveLoad reads a load, says when its connections are open, waits for the
// word to begin and tells the outcome, a line of JSON each. It ends when nobody
// listens any more.
func serveLoad(in io.Reader, out io.Writer) error {
	from, to := json.NewDecoder(in), json.NewEncoder(out)
	var l load
	if err := from.Decode(&l); err != nil {
		return err
	}
	clients, err := l.connect()
	if err != nil {
		return to.Encode(outcome{Error: err.Error()})
	}
	var word string
	if err := errors.Join(to.Encode("ready"), from.Decode(&word)); err != nil {
		return err
	}
	if err := to.Encode(l.make(clients)); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, in)
	return err
}

// connect opens the connections and asks each for something, so that what is
// only done once is done before.
func (l *load) connect() ([]*client, error) {
	clients := make([]*client, l.Connections)
	for i := range clients {
		clients[i] = &client{load: l, request: l.Requests[i%len(l.Requests)]}
		if err := clients[i].begin(); err != nil {
			return nil, err
		}
	}
	return clients, nil
}

func (l *load) make(clients []*client) outcome {
	start := time.Now()
	end := start.Add(l.Duration)
	var all sync.WaitGroup
	for _, c := range clients {
		all.Go(func() { c.err = c.askUntil(end) })
	}
	all.Wait()
	result := outcome{Seconds: time.Since(start).Seconds()}
	var times []time.Duration
	for _, c := range clients {
		result.Count += c.count
		times = append(times, c.times...)
		if c.err != nil {
			result.Error = c.err.Error()
		}
	}
	slices.Sort(times)
	result.P50, result.P99 = quantile(times, 0.5), quantile(times, 0.99)
	return result
}

// client is one connection.
type client struct {
	load    *load
	request []byte
	conn    net.Conn
	in      *bufio.Reader
	count   float64
	times   []time.Duration
	err     error
}

func (c *client) dial() (err error) {
	if c.conn, err = net.Dial("tcp", c.load.Address); err != nil {
		return err
	}
	c.in = bufio.NewReaderSize(c.conn, 64<<10)
	return c.conn.SetDeadline(time.Now().Add(c.load.Duration + startPatience))
}

func (c *client) begin() error {
	if err := c.dial(); err != nil {
		return err
	}
	switch c.load.Counts {
	case opens:
		return c.conn.Close()
	case volume:
		_, err := c.askHead()
		return err
	}
	return c.ask()
}

func (c *client) askUntil(end time.Time) error {
	defer c.conn.Close() //nolint:errcheck // it is over anyway
	if c.load.Counts == volume {
		return c.read(end)
	}
	for {
		start := time.Now()
		if !start.Before(end) {
			return nil
		}
		if err := c.askOnce(); err != nil {
			return err
		}
		c.count++
		c.times = append(c.times, time.Since(start))
	}
}

func (c *client) askOnce() error {
	if c.load.Counts == requests {
		return c.ask()
	}
	if err := c.dial(); err != nil {
		return err
	}
	_, err := c.askHead()
	return errors.Join(err, c.conn.Close())
}

// ask sends the request and reads the whole answer.
func (c *client) ask() error {
	body, err := c.askHead()
	if err != nil {
		return err
	}
	switch body {
	case chunked:
		if _, err := io.Copy(io.Discard, httputil.NewChunkedReader(c.in)); err != nil {
			return err
		}
		_, err = c.in.ReadSlice('\n')
	default:
		_, err = c.in.Discard(body)
	}
	return err
}

// chunked is the length of a body whose length is not known.
const chunked = -1

// askHead sends the request and reads the answer up to its body, whose length
// it returns.
func (c *client) askHead() (body int, err error) {
	if _, err := c.conn.Write(c.request); err != nil {
		return 0, err
	}
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(line) < 12 || string(line[9:12]) != strconv.Itoa(c.load.Status) {
		return 0, fmt.Errorf("the answer is %q instead of %d", bytes.TrimSpace(line), c.load.Status)
	}
	for {
		if line, err = c.in.ReadSlice('\n'); err != nil {
			return 0, err
		}
		name, value, found := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case !found:
			return body, nil
		case bytes.EqualFold(name, []byte("Content-Length")):
			if body, err = strconv.Atoi(string(value)); err != nil {
				return 0, err
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			body = chunked
		}
	}
}

// read counts what comes.
func (c *client) read(end time.Time) error {
	buffer := make([]byte, 256<<10)
	for time.Now().Before(end) {
		n, err := c.in.Read(buffer)
		if err != nil {
			return err
		}
		c.count += float64(n) / (1 << 20)
	}
	return nil
}
