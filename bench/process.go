// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// process is a server that was started for a measurement.
type process struct {
	*exec.Cmd
	output lockedBuffer
	ended  chan struct{} // closed when it has ended
}

// startPatience is how long a server may take to listen.
const startPatience = time.Minute

// start starts a server and waits until it listens.
func start(address string, command *exec.Cmd) (*process, error) {
	p := &process{Cmd: command}
	command.Stdout, command.Stderr = &p.output, &p.output
	if err := p.run(); err != nil {
		return nil, err
	}
	patience := time.After(startPatience)
	for {
		if conn, err := net.Dial("tcp", address); err == nil {
			return p, conn.Close()
		}
		select {
		case <-p.ended:
		case <-patience:
		case <-time.After(20 * time.Millisecond):
			continue
		}
		p.stop()
		return nil, fmt.Errorf("%s does not listen:\n%s", command.Path, p.output.last(2000))
	}
}

// run starts the process.
func (p *process) run() error {
	if err := p.Start(); err != nil {
		return err
	}
	p.ended = make(chan struct{})
	go func() {
		_ = p.Wait()
		close(p.ended)
	}()
	return nil
}

// stop asks the process to end, and ends it if it does not.
func (p *process) stop() {
	_ = p.Process.Signal(os.Interrupt)
	kill := time.AfterFunc(5*time.Second, func() { _ = p.Process.Kill() })
	defer kill.Stop()
	<-p.ended
}

// freeAddress is an address on loopback that nobody listens on.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// port is the port of an address.
func port(address string) string {
	return address[strings.LastIndexByte(address, ':')+1:]
}

// itself is this program in another role.
func itself(role string) (*exec.Cmd, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return exec.Command(program, role), nil
}

// lockedBuffer keeps what a server says, in case it says why it does not start.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

// maxOutput is how much of it is kept.
const maxOutput = 1 << 20

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.buffer.Len() < maxOutput {
		b.buffer.Write(p)
	}
	return len(p), nil
}

func (b *lockedBuffer) last(n int) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	text := b.buffer.String()
	return text[max(0, len(text)-n):]
}

var errNoCPUTime = errors.New("this system does not tell how much processor time another process has used")
