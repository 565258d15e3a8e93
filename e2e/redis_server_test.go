// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// redisServer is a Redis that can be stopped, paused and slowed down.
type redisServer struct {
	*process
	t       *testing.T
	port    int
	folder  string
	options []string
}

// Options of a redisServer: one that has its data after a power cut, and one
// that has none.
var (
	lasting   = []string{"--appendonly", "yes", "--appendfsync", "always"}
	forgetful = []string{"--appendonly", "no", "--save", ""}
)

// redis starts one on loopback.
func redis(t *testing.T, options ...string) *redisServer {
	t.Helper()
	r := redisAtRest(t, options...)
	r.run()
	return r
}

// redisAtRest is one that does not run yet.
func redisAtRest(t *testing.T, options ...string) *redisServer {
	t.Helper()
	return &redisServer{t: t, port: freePort(t), folder: t.TempDir(), options: options}
}

func (r *redisServer) run() {
	r.t.Helper()
	arguments := append([]string{"--bind", "127.0.0.1", "--port", fmt.Sprint(r.port), "--dir", r.folder}, r.options...)
	r.process = start(r.t, "redis", exec.Command(redisProgram, arguments...))
	running := r.process
	r.t.Cleanup(func() { _ = running.command.Process.Signal(syscall.SIGCONT) })
	r.listens(r.address())
}

func (r *redisServer) address() string { return fmt.Sprintf("127.0.0.1:%d", r.port) }

func (r *redisServer) url() string { return "redis://" + r.address() }

// kill ends it without a warning.
func (r *redisServer) kill() {
	_ = r.command.Process.Kill()
	<-r.ended
}

func (r *redisServer) pause() { r.signal(syscall.SIGSTOP) }

func (r *redisServer) resume() { r.signal(syscall.SIGCONT) }

func (r *redisServer) signal(signal syscall.Signal) {
	r.t.Helper()
	if err := r.command.Process.Signal(signal); err != nil {
		r.t.Fatal(err)
	}
}

// ask runs a command and returns what it answers, one value a line.
func (r *redisServer) ask(arguments ...string) string {
	r.t.Helper()
	command := exec.Command("redis-cli", append([]string{"-p", fmt.Sprint(r.port)}, arguments...)...)
	output, err := command.CombinedOutput()
	if err != nil {
		r.t.Fatalf("redis-cli %v: %v\n%s", arguments, err, output)
	}
	return strings.TrimSpace(string(output))
}

// slowPath is a way to a server on which answers take their time.
type slowPath struct {
	listener net.Listener
	delay    atomic.Int64
}

func (r *redisServer) slowly() *slowPath {
	r.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		r.t.Fatal(err)
	}
	s := &slowPath{listener: listener}
	r.t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go s.serve(client, r.address())
		}
	}()
	return s
}

func (s *slowPath) url() string { return "redis://" + s.listener.Addr().String() }

func (s *slowPath) setDelay(delay time.Duration) { s.delay.Store(int64(delay)) }

func (s *slowPath) serve(client net.Conn, address string) {
	defer client.Close()
	server, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(server, client) // ends when either side does
		_ = server.Close()
	}()
	answer := make([]byte, 64<<10)
	for {
		n, err := server.Read(answer)
		if err != nil {
			return
		}
		time.Sleep(time.Duration(s.delay.Load()))
		if _, err := client.Write(answer[:n]); err != nil {
			return
		}
	}
}
