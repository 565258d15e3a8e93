// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package panelauth

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// caddyScript runs the commands of this project as they are documented. What
// would run until it is stopped is validated, and what asks a running Caddy asks
// the one of the test.
const caddyScript = `
case "$*" in
run* | reload* | start*)
	shift
	exec "$REAL_CADDY" validate "$@"
	;;
"panelauth status"* | "panelauth sessions"*)
	words=()
	for word in "$@"; do
		case "$word" in --address | localhost:*) ;; *) words+=("$word") ;; esac
	done
	exec "$REAL_CADDY" "${words[@]}" --address "$ADMIN"
	;;
esac
exec "$REAL_CADDY" "$@"
`

// curlScript asks the site of the test, with a password where curl would ask
// for one.
const curlScript = `
words=()
for word in "$@"; do
	word=${word/#https:\/\/example.com/$SITE}
	word=${word/#http:\/\/localhost:8080/$SITE}
	words+=("${word/%alice/grace:first-compiler}")
done
exec "$REAL_CURL" --silent --show-error --insecure "${words[@]}"
`

// foreignScript notes the command line of a program that is not of this
// project.
const foreignScript = `
[ -t 0 ] || cat >/dev/null
printf '%s\n' "${0##*/} $*" >>"$FOREIGN"
`

// foreign are those programs, with what is looked at. The rest of what they do
// is their own affair.
var foreign = map[string]func(t *testing.T, arguments []string) error{
	"go":           checkGo,
	"xcaddy":       checkXcaddy,
	"git":          checkGitGrep,
	"panel":        nil, // TestImport of the end-to-end tests starts a real one
	"sudo":         nil, // nobody is root where tests run
	"redis-server": nil, // the tests of redisstore start one
}

// TestDocumentedCommands runs the shell commands of the documentation, each
// block in a folder of its own.
func TestDocumentedCommands(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("NOT CHECKED: there is no bash")
	}
	var blocks []block
	for _, document := range documents(t) {
		for _, b := range blocksOf(t, document) {
			if b.kind == "sh" {
				blocks = append(blocks, b)
			}
		}
	}
	if len(blocks) < 20 {
		t.Errorf("found only %d blocks", len(blocks))
	}
	shell := newShell(t, bash)
	for _, b := range blocks {
		t.Run(b.place, func(t *testing.T) { shell.run(t, b.text) })
	}
}

// shell is what documented commands find when they are run.
type shell struct {
	bash        string
	programs    string // folder
	environment []string
}

func newShell(t *testing.T, bash string) *shell {
	t.Helper()
	s := &shell{bash: bash, programs: t.TempDir()}
	real := filepath.Join(t.TempDir(), "caddy")
	run(t, ".", "go", "build", "-buildvcs=false", "-o", real, "./cmd/caddy")
	users, err := filepath.Abs("example/programs/users.json")
	if err != nil {
		t.Fatal(err)
	}
	site := serveSecurely(t, "basic_auth "+users, "basic_auth_header")
	s.environment = []string{
		"PATH=" + s.programs,
		"REAL_CADDY=" + real,
		"ADMIN=" + site.admin,
		"SITE=" + site.origin.String(),
		"API_KEY=" + regexp.MustCompile(`panelauth_\w+`).FindString(read(t, "example/programs/README.md")),
		"TOKEN=of-nobody",
	}
	s.add(t, "caddy", caddyScript)
	for name := range foreign {
		s.add(t, name, foreignScript)
	}
	for _, name := range []string{"cat", "sort"} {
		s.add(t, name, "exec "+program(t, name)+` "$@"`)
	}
	if curl := program(t, "curl"); curl != "" {
		s.environment = append(s.environment, "REAL_CURL="+curl)
		s.add(t, "curl", curlScript)
	} else {
		t.Log("NOT CHECKED: there is no curl")
		s.add(t, "curl", "")
	}
	return s
}

// program is where one is, "" if it is nowhere.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && !errors.Is(err, exec.ErrNotFound) {
		t.Fatal(err)
	}
	return path
}

func (s *shell) add(t *testing.T, name, script string) {
	t.Helper()
	text := "#!" + s.bash + "\n" + script
	if err := os.WriteFile(filepath.Join(s.programs, name), []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
}

// run runs a block where the files are that it speaks of.
func (s *shell) run(t *testing.T, text string) {
	t.Helper()
	folder := t.TempDir()
	files := map[string]string{
		"users.json": `{"alice": "$2a$12$7p17EswkpIP5mXXXQ9FVaOOU6GGU7iyvE2V1KtlsCnxXTFUT3xmVK"}`,
		"Caddyfile":  "http://localhost {\n\tpanelauth {\n\t\tbasic_auth ./users.json\n\t}\n\trespond \"Hello\"\n}\n",
	}
	for _, example := range documentedCaddyfiles(t, "docs/scaling.md") {
		switch {
		case strings.Contains(example, "{$PORT:8081}"):
			files["site.Caddyfile"] = example
		case strings.Contains(example, "lb_policy round_robin"):
			files["balancer.Caddyfile"] = example
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(s.programs, "caddy"), filepath.Join(folder, "caddy")); err != nil {
		t.Fatal(err)
	}
	calls := filepath.Join(folder, "foreign")
	command := exec.CommandContext(t.Context(), s.bash, "-euo", "pipefail", "-c", text+"\nfor job in $(jobs -p); do wait \"$job\"; done\n")
	command.Dir = folder
	command.Env = append(slices.Clone(s.environment), "HOME="+folder, "FOREIGN="+calls)
	output, err := command.CombinedOutput()
	if err != nil || strings.Contains(string(output), "command not found") {
		t.Errorf("%v\n%s", err, output)
	}
	called, err := os.ReadFile(calls)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(called)) {
		words := strings.Fields(line)
		if check := foreign[words[0]]; check != nil {
			if err := check(t, words[1:]); err != nil {
				t.Errorf("%s: %v", strings.TrimSpace(line), err)
			}
		}
	}
}

// checkGo looks for the benchmarks, examples and packages that are named.
func checkGo(t *testing.T, arguments []string) error {
	last := arguments[len(arguments)-1]
	switch {
	case slices.Equal(arguments, []string{"test", "./..."}):
		return nil
	case arguments[0] == "install": // from elsewhere
		return nil
	case slices.Equal(arguments[:3], []string{"run", "./cmd/caddy", "run"}):
		_, err := os.Stat(last)
		return err
	}
	at := slices.Index(arguments, "-bench")
	if arguments[0] != "test" || at < 0 {
		return errors.New("nothing is known of this command")
	}
	name, _, _ := strings.Cut(arguments[at+1], "/")
	files, err := filepath.Glob(filepath.Join(last, "*_test.go"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if strings.Contains(read(t, file), "func Benchmark"+name) {
			return nil
		}
	}
	return fmt.Errorf("there is no Benchmark%s", name)
}

func checkXcaddy(t *testing.T, arguments []string) error {
	_, module := xcaddyArguments(t)
	if !slices.Equal(arguments, []string{"build", "--with", module}) {
		return errors.New("that builds something else")
	}
	return nil
}

// checkGitGrep looks for the pattern, which has a space in it, where it should
// be found.
func checkGitGrep(t *testing.T, arguments []string) error {
	pattern, err := regexp.Compile(strings.Join(arguments[2:], " "))
	if err != nil {
		return err
	}
	if !pattern.MatchString(read(t, "attack/others_test.go")) {
		return errors.New("it finds nothing")
	}
	return nil
}
