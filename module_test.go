// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package panelauth

import (
	"bufio"
	"bytes"
	"encoding/json"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/modules/standard"
)

// TestExamples serves every example with a real Caddy and asks it for a page
// and for the way in.
func TestExamples(t *testing.T) {
	files, err := filepath.Glob("example/*/Caddyfile")
	if err != nil || len(files) == 0 {
		t.Fatalf("finding examples: %v, %d found", err, len(files))
	}
	for _, file := range files {
		name := filepath.Base(filepath.Dir(file))
		t.Run(name, func(t *testing.T) {
			site := serve(t, file, "localhost:9000", freeAddress(t))
			home := site.get(t, "/")
			if home.status != http.StatusFound || home.location != "/login?next=%2F" {
				t.Errorf("the home page: got %d to %q, wanted 302 to the sign-in page", home.status, home.location)
			}
			login := site.get(t, "/login")
			switch name {
			case "github":
				if login.status != http.StatusFound || !strings.HasPrefix(login.location, "https://github.com/login/oauth/authorize?") {
					t.Errorf("the login endpoint: got %d to %q", login.status, login.location)
				}
			case "oidc":
				// Its provider is not running, but Caddy is.
				if login.status != http.StatusServiceUnavailable {
					t.Errorf("the login endpoint: got %d", login.status)
				}
			default:
				if login.status != http.StatusOK || !strings.Contains(login.body, `name="password"`) {
					t.Errorf("the sign-in page: got %d:\n%s", login.status, login.body)
				}
			}
		})
	}
}

// TestSignIn walks through the examples as their READMEs say.
func TestSignIn(t *testing.T) {
	tests := map[string]struct {
		example, user, password string
		shows                   []string
	}{
		"any name with the password": {
			"password", "maria <3", "open-sesame",
			[]string{"Hello, maria &lt;3!", "<dt>Remote-User</dt><dd>maria &lt;3</dd>"},
		},
		"plain password in a file": {
			"credentials", "grace", "first-compiler",
			[]string{"Hello, grace!"},
		},
		"hash in a file": {
			"credentials", "ada", "analytical-engine",
			[]string{
				"Hello, ada!",
				"<dt>Remote-Name</dt><dd>Ada Lovelace</dd>",
				"<dt>Remote-Email</dt><dd>ada@example.com</dd>",
				"<dt>Remote-Groups</dt><dd>engineers,mathematicians</dd>",
			},
		},
		"where guests may go": {
			"guests", "maria", "open-sesame",
			[]string{"Hello, maria!"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			site := serve(t, filepath.Join("example", test.example, "Caddyfile"))
			wanted := site.get(t, "/report?year=2026")
			form := site.get(t, wanted.location)
			wrong := site.post(t, form, url.Values{"username": {test.user}, "password": {"wrong"}})
			if wrong.status != http.StatusUnauthorized || !strings.Contains(wrong.body, "Invalid username or password!") {
				t.Fatalf("a wrong password: got %d:\n%s", wrong.status, wrong.body)
			}
			signedIn := site.post(t, form, url.Values{"username": {test.user}, "password": {test.password}})
			if signedIn.status != http.StatusSeeOther || signedIn.location != "/report?year=2026" {
				t.Fatalf("the password: got %d to %q:\n%s", signedIn.status, signedIn.location, signedIn.body)
			}
			page := site.get(t, signedIn.location)
			for _, text := range append(test.shows, `href="./logout"`) {
				if !strings.Contains(page.body, text) {
					t.Errorf("the page does not show %q:\n%s", text, page.body)
				}
			}
			if strings.Contains(page.body, site.sessionCookie(t)) {
				t.Error("the page was sent the session cookie")
			}
			if out := site.get(t, "/logout"); out.status != http.StatusOK {
				t.Errorf("logging out: got %d", out.status)
			}
			if after := site.get(t, "/report"); after.status != http.StatusFound {
				t.Errorf("after logging out: got %d", after.status)
			}
		})
	}
}

// TestProviderExample signs in with the OpenID provider of the example, and out
// again there.
func TestProviderExample(t *testing.T) {
	site := serve(t, "example/oidc/Caddyfile", "localhost:9000", startProvider(t))
	login := site.get(t, site.get(t, "/report?year=2026").location)
	if question := site.get(t, login.location); !strings.Contains(question.body, "Grace Hopper") {
		t.Fatalf("the provider: got %d:\n%s", question.status, question.body)
	}
	answer := site.send(t, http.MethodPost, login.location, url.Values{"person": {"grace"}})
	signedIn := site.get(t, answer.location)
	if signedIn.status != http.StatusSeeOther || signedIn.location != "/report?year=2026" {
		t.Fatalf("coming back: got %d to %q:\n%s", signedIn.status, signedIn.location, signedIn.body)
	}
	page := site.get(t, signedIn.location)
	for _, text := range []string{
		"Hello, grace@example.com!",
		"<dt>http.auth.user.provider</dt><dd>oidc</dd>",
		"<dt>Remote-Name</dt><dd>Grace Hopper</dd>",
		"<dt>Remote-Groups</dt><dd>engineers</dd>",
	} {
		if !strings.Contains(page.body, text) {
			t.Errorf("the page does not show %q:\n%s", text, page.body)
		}
	}
	atProvider := site.get(t, site.get(t, "/logout").location)
	if out := site.get(t, atProvider.location); out.status != http.StatusOK || out.from.Host != site.origin.Host {
		t.Errorf("logging out: got %d from %s", out.status, out.from)
	}
	if after := site.get(t, "/report"); after.status != http.StatusFound {
		t.Errorf("after logging out: got %d", after.status)
	}
	if again := site.get(t, answer.location); again.status != http.StatusUnauthorized {
		t.Errorf("coming back a second time: got %d", again.status)
	}
}

// startProvider runs the provider of the example until the test ends, and
// returns its address.
func startProvider(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "provider")
	run(t, ".", "go", "build", "-o", program, "./example/oidc/provider")
	command := exec.CommandContext(t.Context(), program, "-listen", "127.0.0.1:0")
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Wait() }) // its context is over by then
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatalf("reading where the provider listens: %v", err)
	}
	return strings.TrimPrefix(strings.TrimSpace(line), "http://")
}

func TestGuestExample(t *testing.T) {
	site := serve(t, "example/guests/Caddyfile")
	page := site.get(t, "/welcome")
	if page.status != http.StatusOK {
		t.Fatalf("got %d", page.status)
	}
	for _, text := range []string{"Hello, guest!", `href="./login"`, "<dt>Remote-User</dt><dd>guest</dd>"} {
		if !strings.Contains(page.body, text) {
			t.Errorf("the page does not show %q:\n%s", text, page.body)
		}
	}
}

// TestReload signs in and loads the configuration again, as "caddy reload
// --force" does.
func TestReload(t *testing.T) {
	site := serve(t, "example/password/Caddyfile")
	form := site.get(t, "/login")
	site.post(t, form, url.Values{"username": {"maria"}, "password": {"open-sesame"}})
	load(t, site.config)
	if page := site.get(t, "/"); page.status != http.StatusOK || !strings.Contains(page.body, "Hello, maria!") {
		t.Errorf("after a reload: got %d:\n%s", page.status, page.body)
	}
}

// TestMatcher protects a part of a site whose sign-in page lies outside of that
// part.
func TestMatcher(t *testing.T) {
	file := filepath.Join(t.TempDir(), "Caddyfile")
	const text = ":8080 {\n\tpanelauth /app/* {\n\t\tbasic_auth open-sesame\n\t}\n\trespond \"the application\"\n}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	site := serve(t, file)
	if public := site.get(t, "/public"); public.body != "the application" {
		t.Errorf("outside: got %d:\n%s", public.status, public.body)
	}
	protected := site.get(t, "/app/report")
	if protected.status != http.StatusFound {
		t.Fatalf("inside: got %d", protected.status)
	}
	form := site.get(t, protected.location)
	signedIn := site.post(t, form, url.Values{"username": {"maria"}, "password": {"open-sesame"}})
	if page := site.get(t, signedIn.location); page.body != "the application" {
		t.Errorf("signed in: got %d:\n%s", page.status, page.body)
	}
	if out := site.get(t, "/logout"); out.body == "the application" {
		t.Error("the logout endpoint was not reached")
	}
	if after := site.get(t, "/app/report"); after.status != http.StatusFound {
		t.Errorf("signed out: got %d", after.status)
	}
}

// testSite is a running Caddy and a browser that keeps its cookies.
type testSite struct {
	config []byte
	origin *url.URL
	client *http.Client
}

// response is as much of an answer as the tests look at.
type response struct {
	from           *url.URL
	status         int
	location, body string
}

// serve runs a Caddyfile until the test ends, on a port of its own. Addresses
// in it are replaced in pairs of old and new.
func serve(t testing.TB, file string, addresses ...string) *testSite {
	t.Helper()
	address := freeAddress(t)
	config := adapt(t, file, address, addresses...)
	t.Cleanup(func() {
		if err := caddy.Stop(); err != nil {
			t.Errorf("stopping Caddy: %v", err)
		}
	})
	load(t, config)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &testSite{
		config: config,
		origin: &url.URL{Scheme: "http", Host: address},
		client: &http.Client{
			Transport:     persistent{http.DefaultTransport},
			Jar:           jar,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// persistent asks again where a connection ends before there is an answer, as
// browsers do: a Caddy that loads a configuration closes some.
type persistent struct{ http.RoundTripper }

func (p persistent) RoundTrip(r *http.Request) (*http.Response, error) {
	for tries := 1; ; tries++ {
		response, err := p.RoundTripper.RoundTrip(r)
		if err == nil || r.Method != http.MethodGet || tries == 3 {
			return response, err
		}
	}
}

func load(t testing.TB, config []byte) {
	t.Helper()
	if err := caddy.Load(config, true); err != nil {
		t.Fatalf("loading: %v", err)
	}
}

func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// adapt turns a Caddyfile into a configuration that keeps to itself: one
// address, no admin endpoint, no output, and storage that goes with the test.
func adapt(t testing.TB, file, address string, addresses ...string) []byte {
	t.Helper()
	text := []byte(strings.NewReplacer(append(addresses, "localhost:8080", address)...).Replace(read(t, file)))
	setEnvironment(t, text)
	adapted, warnings, err := caddyconfig.GetAdapter("caddyfile").Adapt(text, map[string]any{"filename": file})
	if err != nil {
		t.Fatalf("adapting: %v", err)
	}
	for _, warning := range warnings {
		t.Errorf("warning: %s", warning)
	}
	var config map[string]any
	if err := json.Unmarshal(adapted, &config); err != nil {
		t.Fatal(err)
	}
	servers := config["apps"].(map[string]any)["http"].(map[string]any)["servers"].(map[string]any)
	if len(servers) != 1 {
		t.Fatalf("got %d servers, wanted one", len(servers))
	}
	for _, server := range servers {
		server.(map[string]any)["listen"] = []string{address}
	}
	config["admin"] = map[string]any{"disabled": true, "config": map[string]any{"persist": false}}
	config["logging"] = map[string]any{"logs": map[string]any{"default": map[string]any{"writer": map[string]any{"output": "discard"}}}}
	config["storage"] = map[string]any{"module": "file_system", "root": t.TempDir()}
	result, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

var environmentPlaceholder = regexp.MustCompile(`\{env\.([A-Za-z0-9_]+)\}`)

// setEnvironment gives every variable that a Caddyfile names a value.
func setEnvironment(t testing.TB, text []byte) {
	t.Helper()
	for _, match := range environmentPlaceholder.FindAllSubmatch(text, -1) {
		t.Setenv(string(match[1]), "a value made up for "+t.Name())
	}
}

func (s *testSite) get(t testing.TB, target string) response {
	t.Helper()
	return s.send(t, http.MethodGet, target, nil)
}

var (
	formAction  = regexp.MustCompile(`<form[^>]* action="([^"]*)"`)
	hiddenInput = regexp.MustCompile(`<input[^>]* type="hidden"[^>]*>`)
	attribute   = regexp.MustCompile(`([a-z]+)="([^"]*)"`)
)

// post fills in the form of a page and sends it.
func (s *testSite) post(t testing.TB, page response, fields url.Values) response {
	t.Helper()
	action := formAction.FindStringSubmatch(page.body)
	if action == nil {
		t.Fatalf("no form in the page:\n%s", page.body)
	}
	for _, input := range hiddenInput.FindAllString(page.body, -1) {
		attributes := make(map[string]string)
		for _, match := range attribute.FindAllStringSubmatch(input, -1) {
			attributes[match[1]] = html.UnescapeString(match[2])
		}
		fields.Set(attributes["name"], attributes["value"])
	}
	target, err := page.from.Parse(html.UnescapeString(action[1]))
	if err != nil {
		t.Fatal(err)
	}
	return s.send(t, http.MethodPost, target.RequestURI(), fields)
}

func (s *testSite) send(t testing.TB, method, target string, fields url.Values) response {
	t.Helper()
	at, err := s.origin.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, at.String(), strings.NewReader(fields.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "text/html")
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Origin", s.origin.String())
	}
	answer, err := s.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body := new(bytes.Buffer)
	if _, err := io.Copy(body, answer.Body); err != nil {
		t.Fatal(err)
	}
	return response{from: at, status: answer.StatusCode, location: answer.Header.Get("Location"), body: body.String()}
}

// sessionCookie returns the value of the one cookie that a browser should hold.
func (s *testSite) sessionCookie(t testing.TB) string {
	t.Helper()
	cookies := s.client.Jar.Cookies(s.origin)
	if len(cookies) != 1 {
		t.Fatalf("got %d cookies, wanted one: %v", len(cookies), cookies)
	}
	return cookies[0].Value
}
