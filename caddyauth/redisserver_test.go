// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

// startRedis runs a Redis of the test's own and returns its URL. Without the
// program the test is left out, which .ci/run does not allow.
func startRedis(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("NOT CHECKED, since redis-server is not installed: apt-get install redis-server")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	_ = listener.Close()
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	server := exec.Command(program, "--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--dir", t.TempDir(), "--save", "")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	eventually(t, "redis listens", func() bool {
		connection, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			_ = connection.Close()
		}
		return err == nil
	})
	return "redis://" + address
}

// inRedis keeps sessions there.
func inRedis(url string) func(*Handler) {
	return func(h *Handler) { h.SessionStore = url }
}
