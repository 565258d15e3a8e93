// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"net"
	"net/http"
	"os"
	"strings"
)

// The roles in which this program starts itself.
const (
	upstreamRole = "upstream"
	loadRole     = "load"
)

// upstreamAddress is the environment variable that tells the application where
// to listen.
const upstreamAddress = "BENCH_UPSTREAM"

// serveUpstream is the application behind every door: a page of 1 KiB, a
// download and a websocket without end.
func serveUpstream() error {
	listener, err := net.Listen("tcp", os.Getenv(upstreamAddress))
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", servePage)
	mux.HandleFunc("/download", serveDownload)
	mux.HandleFunc("/socket", serveSocket)
	return http.Serve(listener, mux)
}

var page = bytes.Repeat([]byte("1 KiB of it\r\n.."), 1024/15+1)[:1024]

func servePage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	_, _ = w.Write(page)
}

func serveDownload(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1125899906842624")
	piece := make([]byte, 64<<10)
	for {
		if _, err := w.Write(piece); err != nil {
			return
		}
	}
}

// frame is a binary message of 1 KiB, as a server sends it.
var frame = append([]byte{0x82, 126, 4, 0}, page...)

// serveSocket accepts a websocket and sends messages until it is closed.
func serveSocket(w http.ResponseWriter, r *http.Request) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close() //nolint:errcheck // it is over anyway
	key := sha1.Sum([]byte(r.Header.Get("Sec-Websocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	answer := []string{
		"HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Accept: " + base64.StdEncoding.EncodeToString(key[:]), "", "",
	}
	_, _ = buffered.WriteString(strings.Join(answer, "\r\n"))
	for buffered.Flush() == nil {
		for range 16 {
			_, _ = buffered.Write(frame)
		}
	}
}
