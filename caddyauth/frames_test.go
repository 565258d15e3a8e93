// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
)

// frame is a websocket frame, masked as a client sends it or not.
func frame(opcode byte, payload []byte, masked bool) []byte {
	head := []byte{finalBit | opcode, 0}
	switch n := len(payload); {
	case n < 126:
		head[1] = byte(n)
	case n < 1<<16:
		head[1] = 126
		head = binary.BigEndian.AppendUint16(head, uint16(n))
	default:
		head[1] = 127
		head = binary.BigEndian.AppendUint64(head, uint64(n))
	}
	if !masked {
		return append(head, payload...)
	}
	head[1] |= maskBit
	key := []byte{1, 2, 3, 4}
	head = append(head, key...)
	for i, c := range payload {
		head = append(head, c^key[i%4])
	}
	return head
}

func TestFrames(t *testing.T) {
	sizes := []int{0, 1, 125, 126, 127, 65535, 65536, 70000}
	for _, masked := range []bool{false, true} {
		var stream []byte
		var ends []int
		for _, size := range sizes {
			stream = append(stream, frame(2, make([]byte, size), masked)...)
			ends = append(ends, len(stream))
		}
		for _, piece := range []int{1, 2, 3, 7, 13, 14, 15, 1000, 65536, len(stream)} {
			var f frames
			for at := 0; at < len(stream); at += piece {
				end := min(at+piece, len(stream))
				f.pass(stream[at:end])
				if is := slices.Contains(ends, end); f.between() != is {
					t.Fatalf("masked %t, pieces of %d: after %d bytes between frames is %t", masked, piece, end, !is)
				}
			}
		}
	}
}

func TestFrameRest(t *testing.T) {
	stream := append(frame(1, make([]byte, 300), false), frame(1, []byte("next"), false)...)
	for cut := range 304 {
		var f frames
		f.pass(stream[:cut])
		if n := f.rest(stream[cut:]); cut+n != 304 || !f.between() {
			t.Fatalf("cut at %d: the frame ends %d bytes later", cut, n)
		}
	}
}

func TestFramesTellMessages(t *testing.T) {
	tests := map[string]struct {
		opcode          byte
		message, closed bool
	}{
		"text": {1, true, false}, "binary": {2, true, false}, "continuation": {0, true, false},
		"close": {8, false, true}, "ping": {9, false, false}, "pong": {10, false, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var f frames
			if message := f.pass(frame(test.opcode, []byte("xyz"), true)); message != test.message || f.closed != test.closed {
				t.Errorf("a message: %t, closed: %t", message, f.closed)
			}
		})
	}
}

func TestFarewell(t *testing.T) {
	want := append([]byte{0x88, 15, 0x11, 0x31}, "session ended"...)
	if got := sessionEnded.toClient(); !bytes.Equal(got, want) {
		t.Errorf("to the client: %x", got)
	}
	masked := sessionEnded.toServer()
	opcode, payload := readFrame(t, bytes.NewReader(masked))
	if opcode != 8 || !bytes.Equal(payload, want[2:]) || masked[1] != 0x80|15 {
		t.Errorf("to the server: %x", masked)
	}
}

// FuzzFrames: the pieces that a stream comes in make no difference.
func FuzzFrames(f *testing.F) {
	f.Add(frame(1, []byte("hello"), true), 3)
	f.Add(frame(2, make([]byte, 70000), false), 5000)
	f.Fuzz(func(t *testing.T, stream []byte, piece int) {
		if piece < 1 {
			return
		}
		var whole, pieces frames
		whole.pass(stream)
		for part := range slices.Chunk(stream, piece) {
			pieces.pass(part)
		}
		whole.header, pieces.header = [14]byte{}, [14]byte{}
		if whole != pieces {
			t.Errorf("whole %+v, in pieces of %d %+v", whole, piece, pieces)
		}
	})
}

func BenchmarkFrames(b *testing.B) {
	for name, p := range map[string][]byte{"100_B": frame(1, make([]byte, 100), true), "32_KiB": frame(1, make([]byte, 32<<10), false)} {
		b.Run(name, func(b *testing.B) {
			var f frames
			for b.Loop() {
				f.pass(p)
			}
		})
	}
}
