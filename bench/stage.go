// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// stage has the servers of a measurement, and what they need.
type stage struct {
	folder  string
	caddy   string // the program
	panel   string
	servers []*process
}

func (s *stage) stop() {
	var all sync.WaitGroup
	for _, server := range s.servers {
		all.Go(server.stop)
	}
	all.Wait()
}

// build makes the Caddy that all are served by: a bare one is the same program
// without the directive.
func (s *stage) build() error {
	s.caddy = filepath.Join(s.folder, "caddy")
	output, err := exec.Command("go", "build", "-o", s.caddy, module+"/cmd/caddy").CombinedOutput()
	if err != nil {
		return fmt.Errorf("building Caddy: %w\n%s", err, output)
	}
	return nil
}

const module = "github.com/panelauth/caddy-panelauth"

// server is one that was started, with its address.
type server struct {
	*process
	address string
}

// add starts a server; command gets the address that it is to listen on.
func (s *stage) add(command func(address string) (*exec.Cmd, error)) (*server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	what, err := command(address)
	if err != nil {
		return nil, err
	}
	p, err := start(address, what)
	if err != nil {
		return nil, err
	}
	s.servers = append(s.servers, p)
	return &server{p, address}, nil
}

// addUpstream starts the application.
func (s *stage) addUpstream() (*server, error) {
	return s.add(func(address string) (*exec.Cmd, error) {
		command, err := itself(upstreamRole)
		if err == nil {
			command.Env = append(os.Environ(), upstreamAddress+"="+address)
		}
		return command, err
	})
}

// addCaddy starts a Caddy with the inside of a site block.
func (s *stage) addCaddy(site string) (*server, error) {
	return s.add(func(address string) (*exec.Cmd, error) {
		folder, err := os.MkdirTemp(s.folder, "caddy-")
		if err != nil {
			return nil, err
		}
		text := fmt.Sprintf("{\n\tadmin off\n\tpersist_config off\n\tlog {\n\t\tlevel ERROR\n\t}\n\tstorage file_system %s\n}\nhttp://%s {\n%s}\n",
			folder, address, indented(site))
		file := filepath.Join(folder, "Caddyfile")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return nil, err
		}
		return exec.Command(s.caddy, "run", "--config", file), nil
	})
}

// addPanel starts a Panel with a small application.
func (s *stage) addPanel(arguments ...string) (*server, error) {
	file := filepath.Join(s.folder, "app.py")
	if err := os.WriteFile(file, []byte(panelApplication), 0o600); err != nil {
		return nil, err
	}
	return s.add(func(address string) (*exec.Cmd, error) {
		arguments := append([]string{"serve", file, "--address", "127.0.0.1", "--port", port(address),
			"--allow-websocket-origin", "*", "--cookie-secret", cookieSecret, "--log-level", "error"}, arguments...)
		return exec.Command(s.panel, arguments...), nil
	})
}

// addRedis starts a Redis that keeps nothing.
func (s *stage) addRedis() (*server, error) {
	return s.add(func(address string) (*exec.Cmd, error) {
		return exec.Command("redis-server", "--bind", "127.0.0.1", "--port", port(address),
			"--save", "", "--appendonly", "no", "--dir", s.folder), nil
	})
}

const panelApplication = "import panel as pn; pn.pane.Markdown(f'Hello {pn.state.user}').servable(title='A')\n"

func indented(text string) string {
	return "\t" + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n\t") + "\n"
}
