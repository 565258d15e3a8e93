// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"crypto/rand"
	"encoding/binary"
)

// frames follows the frames of one direction of a websocket (RFC 6455, section
// 5.2) as they pass in pieces of any size, to know where one ends: nothing may
// be said in the middle of another.
type frames struct {
	left    uint64   // bytes of the frame that are yet to come
	control bool     // it is a ping, a pong or a close
	closed  bool     // a close frame has passed or begun to
	have    int      // bytes of a header that came in pieces
	header  [14]byte // those bytes
}

// Bits and codes of a frame's header.
const (
	finalBit    = 0x80
	maskBit     = 0x80
	controlBit  = 0x08
	opcodeMask  = 0x0f
	opcodeClose = 0x08
)

// between reports whether one frame is over and no other has begun.
func (f *frames) between() bool { return f.left == 0 && f.have == 0 }

// pass takes note of bytes, and reports whether any of them is of a message:
// pings and pongs go to and fro while nobody is there.
func (f *frames) pass(p []byte) (message bool) {
	for len(p) > 0 {
		n := f.rest(p)
		message = message || !f.control
		p = p[n:]
	}
	return message
}

// rest takes note of bytes up to the end of one frame, and returns how many
// they are: all, if the frame does not end there.
func (f *frames) rest(p []byte) (n int) {
	if f.left == 0 {
		if n = f.begin(p); f.have > 0 {
			return n
		}
	}
	payload := min(f.left, uint64(len(p)-n))
	f.left -= payload
	return n + int(payload) // at most len(p)
}

// begin reads a header, and returns how many bytes of it there were.
func (f *frames) begin(p []byte) (n int) {
	if f.have == 0 {
		if n = headerLength(p); n <= len(p) {
			f.open(p[:n])
			return n
		}
	}
	for n = 0; n < len(p); {
		f.header[f.have] = p[n]
		f.have, n = f.have+1, n+1
		if header := f.header[:f.have]; headerLength(header) == f.have {
			f.open(header)
			f.have = 0
			break
		}
	}
	return n
}

// headerLength is how long the header is that begins so, as far as that is
// known: never what is there, while it is not.
func headerLength(p []byte) int {
	if len(p) < 2 {
		return 2
	}
	length := 2
	switch p[1] &^ maskBit {
	case 126:
		length += 2
	case 127:
		length += 8
	}
	if p[1]&maskBit != 0 {
		length += 4
	}
	return length
}

// open begins the frame that has this header.
func (f *frames) open(header []byte) {
	f.control = header[0]&controlBit != 0
	f.closed = f.closed || header[0]&opcodeMask == opcodeClose
	switch length := header[1] &^ maskBit; length {
	case 126:
		f.left = uint64(binary.BigEndian.Uint16(header[2:]))
	case 127:
		f.left = binary.BigEndian.Uint64(header[2:])
	default:
		f.left = uint64(length)
	}
}

// farewell is why a websocket is closed.
type farewell struct {
	code   uint16
	reason string
}

var (
	sessionEnded    = farewell{4401, "session ended"}
	noLongerAllowed = farewell{4403, "no longer allowed"}
	goingAway       = farewell{1001, ""}
)

// toClient is the close frame that a server sends.
func (w farewell) toClient() []byte {
	frame := append(make([]byte, 0, 32), finalBit|opcodeClose, byte(2+len(w.reason)))
	frame = binary.BigEndian.AppendUint16(frame, w.code)
	return append(frame, w.reason...)
}

// toServer is the close frame that a client sends, which has to be masked.
func (w farewell) toServer() []byte {
	var key [4]byte
	rand.Read(key[:]) // never fails: the program ends if the system has no randomness
	plain := w.toClient()
	frame := append(make([]byte, 0, 32), plain[0], maskBit|plain[1])
	frame = append(frame, key[:]...)
	for i, c := range plain[2:] {
		frame = append(frame, c^key[i%len(key)])
	}
	return frame
}
