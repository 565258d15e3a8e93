// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package panelauth

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

func init() {
	caddy.RegisterModule(wire{})
}

// wire is a transport for reverse_proxy that answers with the bytes that would
// have gone to the application.
type wire struct{}

func (wire) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.reverse_proxy.transport.test_wire",
		New: func() caddy.Module { return new(wire) },
	}
}

func (*wire) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	return nil
}

// RoundTrip writes the request as http.Transport does.
func (*wire) RoundTrip(r *http.Request) (*http.Response, error) {
	var written bytes.Buffer
	if err := r.Write(&written); err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode:    http.StatusOK,
		Header:        http.Header{"Wire": {"1"}},
		Body:          io.NopCloser(&written),
		ContentLength: int64(written.Len()),
		Request:       r,
	}, nil
}

var _ caddyfile.Unmarshaler = (*wire)(nil)

// reply is an answer; without a status, the connection was closed instead.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// pipeline asks a server one thing after the other without waiting for answers,
// so that a request costs little more than reading it.
type pipeline struct {
	address string
	conn    net.Conn
	reader  *bufio.Reader
}

// ask returns an answer to each request. A server that closes the connection
// at one is asked the rest on another.
func (p *pipeline) ask(t *testing.T, requests [][]byte) []reply {
	answers := make([]reply, 0, len(requests))
	for len(answers) < len(requests) {
		got := p.send(t, requests[len(answers):])
		if n := len(got); n > 0 && got[n-1].status == http.StatusBadRequest {
			got = got[:n-1] // which may be meant for a later one
		}
		if len(got) == 0 {
			got = p.send(t, requests[len(answers):len(answers)+1])
		}
		if len(got) == 0 {
			got = []reply{{}}
		}
		answers = append(answers, got...)
	}
	return answers
}

// send returns the answers until the connection is closed.
func (p *pipeline) send(t *testing.T, requests [][]byte) (answers []reply) {
	if p.conn == nil {
		p.dial(t)
	}
	conn := p.conn
	_ = conn.SetDeadline(time.Now().Add(5 * time.Minute))
	written := make(chan struct{})
	go func() {
		defer close(written)
		_, _ = conn.Write(bytes.Join(requests, nil)) // a server may close it
	}()
	for len(answers) < len(requests) {
		answer, err := http.ReadResponse(p.reader, nil)
		if err != nil {
			p.hangUp()
			break
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			p.hangUp()
			break
		}
		answers = append(answers, reply{answer.StatusCode, answer.Header, body})
		if answer.Close {
			p.hangUp()
			break
		}
	}
	<-written
	return answers
}

func (p *pipeline) dial(t *testing.T) {
	conn, err := net.Dial("tcp", p.address)
	if err != nil {
		t.Error(err)
		conn, _ = net.Pipe()
		conn.Close()
	}
	p.conn, p.reader = conn, bufio.NewReaderSize(conn, 1<<16)
}

func (p *pipeline) hangUp() {
	if p.conn != nil {
		p.conn.Close()
		p.conn = nil
	}
}

// reader is a server of another kind, which says what it reads.
type reader struct{ name, address string }

func startReaders(t *testing.T) []reader {
	t.Helper()
	return []reader{
		startTornado(t),
		start(t, "Uvicorn with httptools", python(), "testdata/readers/uvicorn_app.py", "httptools"),
		start(t, "Uvicorn with h11", python(), "testdata/readers/uvicorn_app.py", "h11"),
		startNode(t),
	}
}

func startTornado(t *testing.T) reader {
	t.Helper()
	return start(t, "Tornado", python(), "testdata/readers/tornado_app.py", differentialSecret)
}

// python is the one that belongs to the Panel of the end-to-end tests.
func python() string {
	panel := cmp.Or(os.Getenv("PANEL"), filepath.Join("e2e", ".venv", "bin", "panel"))
	return filepath.Join(filepath.Dir(panel), "python")
}

func startNode(t *testing.T) reader {
	t.Helper()
	modules, err := filepath.Abs("e2e/oidc")
	if err != nil {
		t.Fatal(err)
	}
	return start(t, "Node", "node", "testdata/readers/node_app.mjs", modules)
}

// start runs a reader, which prints its port.
func start(t *testing.T, name string, command ...string) reader {
	t.Helper()
	process := exec.Command(command[0], command[1:]...)
	process.Stderr = os.Stderr
	out, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = process.Process.Kill()
		_ = process.Wait()
	})
	port, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("starting %s: %v", name, err)
	}
	return reader{name, net.JoinHostPort("127.0.0.1", strings.TrimSpace(port))}
}

// browserJudge asks a real browser where addresses lead, many at a time.
type browserJudge struct {
	lock    sync.Mutex
	waiting []string
	judged  int
}

const browserBatch = 50_000

func (b *browserJudge) add(t *testing.T, locations []string) {
	b.lock.Lock()
	defer b.lock.Unlock()
	b.waiting = append(b.waiting, locations...)
	if len(b.waiting) >= browserBatch {
		b.judge(t)
	}
}

func (b *browserJudge) finish(t *testing.T) {
	b.lock.Lock()
	defer b.lock.Unlock()
	if len(b.waiting) > 0 {
		b.judge(t)
	}
}

// judge lets Chromium run a script over what is waiting, and reads the page
// that it makes of it.
func (b *browserJudge) judge(t *testing.T) {
	const script = `<!DOCTYPE html><title>running</title><script>
const bases = ['https://app.example.com/login', 'http://app.example.com/login', 'http://app.example.com:8080/proxy/login?next=x'];
const leaves = (location) => bases.some((base) => {
  try { return new URL(location, base).origin !== new URL(base).origin; } catch { return true; }
});
document.title = JSON.stringify(LOCATIONS.flatMap((location, i) => leaves(location) ? [i] : []));
</script>`
	locations, err := json.Marshal(b.waiting) // with < escaped, as a script needs it
	if err != nil {
		t.Error(err)
		return
	}
	folder, err := os.MkdirTemp("", "panelauth-test-")
	if err != nil {
		t.Error(err)
		return
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "page.html")
	if err := os.WriteFile(file, []byte(strings.Replace(script, "LOCATIONS", string(locations), 1)), 0o600); err != nil {
		t.Error(err)
		return
	}
	page, err := exec.Command("chromium", "--headless", "--no-sandbox", "--disable-gpu",
		"--user-data-dir="+filepath.Join(folder, "profile"), "--dump-dom", "file://"+file).Output()
	if err != nil {
		t.Errorf("asking Chromium: %v", err)
		return
	}
	_, rest, _ := bytes.Cut(page, []byte("<title>"))
	title, _, _ := bytes.Cut(rest, []byte("</title>"))
	var leaving []int
	if err := json.Unmarshal(title, &leaving); err != nil {
		t.Errorf("Chromium says %q: %v", title, err)
	}
	for _, i := range leaving {
		t.Errorf("sign-in leads to %q: Chromium leaves the site", b.waiting[i])
	}
	b.judged += len(b.waiting)
	b.waiting = b.waiting[:0]
}
