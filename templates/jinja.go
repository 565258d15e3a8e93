// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/nikolalohinski/gonja/v2/config"
	"github.com/nikolalohinski/gonja/v2/exec"
	"github.com/nikolalohinski/gonja/v2/parser"
)

// maxPage bounds what a template may write.
const maxPage = 1 << 20

// Template is an operator's own page, written in Jinja2 as Panel's are. It may
// be rendered by many requests at once.
type Template struct {
	path     string
	template *exec.Template
}

// Parse reads a template. The path is for error messages ("path:line: what is
// wrong"), and its folder is where the template may extend and include others
// from. A template that could not render any kind of page is an error too, so
// that mistakes which only show when it runs are found with the configuration.
func Parse(path string, source []byte) (t *Template, err error) {
	defer func() {
		if recover() != nil {
			t, err = nil, fmt.Errorf("%s:1: this is not a template that can be understood", path)
		}
	}()
	text, wrong := fitted(source)
	if wrong != nil {
		return nil, located(path, wrong)
	}
	files := folder{dir: filepath.Dir(path), name: filepath.Base(path), text: text}
	template, err := exec.NewTemplate(files.name, dialect(), files, environment)
	if err != nil {
		return nil, located(path, err)
	}
	t = &Template{path: path, template: template}
	return t, t.try()
}

// dialect is Jinja2 as Panel sets it up. Escaping is not left to it.
func dialect() *config.Config {
	c := config.New()
	c.TrimBlocks = true
	c.LeftStripBlocks = true
	return c
}

// try renders a page of each kind and fails where all of them do.
func (t *Template) try() (err error) {
	for kind := SignIn; kind <= Trouble; kind++ {
		if _, err = t.Render(sample(kind)); err == nil {
			return nil
		}
	}
	return err
}

// sample is a page on which there is much to say, so that a template does not
// fail on it for want of, say, a third provider.
func sample(kind Kind) Page {
	return Page{
		Kind: kind, Status: 400, LoginURL: "/login", LogoutURL: "/logout", Next: "/",
		Username: "somebody", Message: "Something", Reference: "1", LogoutLink: "/",
		Providers: slices.Repeat([]Provider{{ID: "id", Label: "Label", URL: "/login"}}, 16),
	}
}

// Render fills the template in. A template that asks for too much, or for what
// there is not, is an error and no page.
func (t *Template) Render(p Page) (page []byte, err error) {
	defer func() {
		if recover() != nil {
			page, err = nil, fmt.Errorf("%s: the template cannot be rendered", t.path)
		}
	}()
	out := &limitedText{}
	vars := p.variables()
	vars[budgetName] = &budget{}
	if err := t.template.Execute(out, exec.NewContext(vars)); err != nil {
		return nil, located(t.path, err)
	}
	return expose(out.String()), nil
}

// limitedText takes a page's text up to maxPage.
type limitedText struct{ strings.Builder }

var errTooLong = errors.New("the page is too long")

func (l *limitedText) Write(b []byte) (int, error) {
	if l.Len()+len(b) > maxPage {
		return 0, errTooLong
	}
	return l.Builder.Write(b)
}

// WriteString keeps io.WriteString from going around the limit.
func (l *limitedText) WriteString(s string) (int, error) {
	return l.Write([]byte(s))
}

var _ io.StringWriter = (*limitedText)(nil)

// fault is a mistake in a template, with the place of it.
type fault struct {
	file string // empty: the template itself
	line int
	what string
}

func (f *fault) Error() string {
	if f.file == "" {
		return f.what
	}
	return fmt.Sprintf("%s:%d: %s", f.file, f.line, f.what)
}

var lineInMessage = regexp.MustCompile(`at line (\d+)`)

// located says where in the template an error is. The library's messages quote
// half the template, or the whole of it: only their last part is passed on.
func located(path string, err error) error {
	var known *fault
	if errors.As(err, &known) {
		if filepath.IsLocal(known.file) {
			path = filepath.Join(filepath.Dir(path), known.file)
		} else if known.file != "" {
			path = known.file
		}
		return fmt.Errorf("%s:%d: %s", path, known.line, known.what)
	}
	var syntax *parser.SyntaxError
	if errors.As(err, &syntax) && syntax.Line > 0 {
		return fmt.Errorf("%s:%d: %s", path, syntax.Line, brief(syntax.Message))
	}
	line := 1
	if at := lineInMessage.FindAllStringSubmatch(err.Error(), -1); at != nil {
		line, _ = strconv.Atoi(at[len(at)-1][1])
	}
	return fmt.Errorf("%s:%d: %s", path, line, brief(lastPart(err.Error())))
}

// lastPart is what a message ends with: the cause, or the last two where the
// last alone would be a mere name.
func lastPart(message string) string {
	const enough = 16
	for end := len(message); end > 0; {
		end = strings.LastIndex(message[:end], ": ")
		if end >= 0 && len(message)-end-2 >= enough {
			return message[end+2:]
		}
	}
	return "the template cannot be rendered: " + message
}

// brief is a message fit for one line of a log.
func brief(message string) string {
	message = strings.Join(strings.Fields(unshield(message)), " ")
	if len(message) > 200 {
		message = clip(message, 200) + "…"
	}
	return message
}
