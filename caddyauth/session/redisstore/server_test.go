// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package redisstore

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// server is a real Redis.
type server struct {
	t       testing.TB
	folder  string
	port    int
	options []string
	process *exec.Cmd
	done    chan struct{}
}

// redisServer is the program. A test without it proves nothing, and .ci/run
// installs it.
func redisServer(t testing.TB) string {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("NOT CHECKED, since redis-server is not installed: apt-get install redis-server")
	}
	return program
}

// serve starts a Redis with options as on its command line.
func serve(t testing.TB, options ...string) *server {
	t.Helper()
	s := &server{t: t, folder: t.TempDir(), port: freePort(t), options: options}
	s.start()
	t.Cleanup(s.stop)
	return s
}

func (s *server) start() {
	s.t.Helper()
	program := redisServer(s.t)
	arguments := append([]string{"--bind", "127.0.0.1", "--port", fmt.Sprint(s.port), "--dir", s.folder}, s.options...)
	s.process = exec.Command(program, arguments...)
	var output bytes.Buffer
	s.process.Stdout, s.process.Stderr = &output, &output
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.done = make(chan struct{})
	go func() { _ = s.process.Wait(); close(s.done) }()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.listens()))
		if err == nil {
			_ = c.Close()
			return
		}
		select {
		case <-s.done:
			s.t.Fatalf("redis-server ended: %s", output.String())
		default:
		}
		if time.Now().After(deadline) {
			s.stop()
			s.t.Fatalf("redis-server does not listen: %s", output.String())
		}
	}
}

// listens is the port, which may be one for TLS only.
func (s *server) listens() int {
	for i, option := range s.options {
		if option == "--tls-port" {
			var port int
			_, _ = fmt.Sscan(s.options[i+1], &port)
			return port
		}
	}
	return s.port
}

func (s *server) signal(signal syscall.Signal) {
	s.t.Helper()
	if err := s.process.Process.Signal(signal); err != nil {
		s.t.Fatal(err)
	}
}

// stop ends the process, as if the power went.
func (s *server) stop() {
	_ = s.process.Process.Signal(syscall.SIGCONT)
	_ = s.process.Process.Kill()
	<-s.done
}

func (s *server) url() string { return fmt.Sprintf("redis://127.0.0.1:%d", s.port) }

// ask runs a command of the tests' own.
func (s *server) ask(arguments ...any) string {
	s.t.Helper()
	client := redis.NewClient(&redis.Options{Addr: fmt.Sprintf("127.0.0.1:%d", s.port), Protocol: 2, DisableIdentity: true})
	defer client.Close()
	answer, err := client.Do(context.Background(), arguments...).Result()
	if err != nil {
		s.t.Fatalf("%v: %v", arguments, err)
	}
	return fmt.Sprint(answer)
}

func freePort(t testing.TB) int {
	t.Helper()
	l := listen(t)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// cluster starts a cluster of three and returns its URL.
func cluster(t *testing.T) (nodes []*server, url string) {
	t.Helper()
	var hosts []string
	for range 3 {
		// The bus has a port of its own, which would be too high for some.
		node := serve(t, "--cluster-enabled", "yes", "--cluster-port", fmt.Sprint(freePort(t)), "--cluster-node-timeout", "2000")
		nodes = append(nodes, node)
		hosts = append(hosts, fmt.Sprintf("127.0.0.1:%d", node.port))
	}
	for i, slots := range [][2]int{{0, 5460}, {5461, 10922}, {10923, 16383}} {
		nodes[i].ask("cluster", "addslotsrange", slots[0], slots[1])
		nodes[i].ask("cluster", "set-config-epoch", i+1)
	}
	for _, node := range nodes[1:] {
		bus := node.options[3]
		nodes[0].ask("cluster", "meet", "127.0.0.1", node.port, bus)
	}
	for _, node := range nodes {
		eventually(t, 20*time.Second, "the cluster is complete", func() bool {
			info := node.ask("cluster", "info")
			return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:3")
		})
	}
	return nodes, "redis+cluster://" + strings.Join(hosts, ",")
}

// sentinels starts a server, a replica and a sentinel, and returns the URL.
func sentinels(t *testing.T) (master, replica *server, url string) {
	t.Helper()
	master = serve(t)
	replica = serve(t, "--replicaof", "127.0.0.1", fmt.Sprint(master.port))
	sentinel := &server{t: t, folder: t.TempDir(), port: freePort(t)}
	file := filepath.Join(sentinel.folder, "sentinel.conf")
	text := fmt.Sprintf("sentinel monitor mymaster 127.0.0.1 %d 1\nsentinel down-after-milliseconds mymaster 1000\n"+
		"sentinel failover-timeout mymaster 5000\n", master.port)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	sentinel.options = []string{"--sentinel"}
	sentinel.startFrom(file)
	t.Cleanup(sentinel.stop)
	eventually(t, 30*time.Second, "the sentinel knows the replica", func() bool {
		return strings.Contains(sentinel.ask("sentinel", "master", "mymaster"), "num-slaves 1") ||
			strings.Contains(sentinel.ask("sentinel", "master", "mymaster"), "num-slaves:1")
	})
	return master, replica, fmt.Sprintf("redis+sentinel://127.0.0.1:%d?master=mymaster", sentinel.port)
}

// startFrom starts with a configuration file, which comes first.
func (s *server) startFrom(file string) {
	s.t.Helper()
	wrapper := s.options
	s.options = nil
	program := redisServer(s.t)
	s.process = exec.Command(program, append([]string{file, "--bind", "127.0.0.1", "--port", fmt.Sprint(s.port), "--dir", s.folder}, wrapper...)...)
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.done = make(chan struct{})
	go func() { _ = s.process.Wait(); close(s.done) }()
	eventually(s.t, 10*time.Second, "the sentinel listens", func() bool {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.port))
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

// certificates writes a CA and a certificate for 127.0.0.1 that both sides use.
func certificates(t *testing.T) (ca, cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "redis"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cert = write("cert.pem", "CERTIFICATE", der)
	return cert, cert, write("key.pem", "PRIVATE KEY", secret)
}

func eventually(t testing.TB, most time.Duration, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(most); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after %v it is not so that %s", most, what)
		}
	}
}
