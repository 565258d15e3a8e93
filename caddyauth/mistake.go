// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/caddyserver/caddy/v2"
)

// A Mistake is something in a Handler's options that keeps it from starting.
type Mistake struct {
	// Subdirective is the option it stands in, empty for the whole block.
	Subdirective string
	// Entry tells which one, where there are several: the index of an
	// oauth_provider or a bearer.
	Entry int
	// Err says what is wrong and what to do.
	Err error
	// Local says that it lies in this machine's files or environment, and so
	// may be right where the configuration will run.
	Local bool
}

// Mistakes checks the options as Provision does, without starting anything.
func (h *Handler) Mistakes() []Mistake {
	_, mistakes := h.resolve(caddy.NewReplacer())
	return mistakes
}

// checker collects the mistakes of one Handler.
type checker struct {
	repl     *caddy.Replacer
	mistakes []Mistake
}

func (c *checker) wrong(subdirective, format string, args ...any) {
	c.mistakes = append(c.mistakes, Mistake{Subdirective: subdirective, Err: fmt.Errorf(format, args...)})
}

func (c *checker) wrongHere(subdirective string, err error) {
	c.mistakes = append(c.mistakes, Mistake{Subdirective: subdirective, Err: err, Local: true})
}

// check adds a mistake about a value, local if the value came from this
// machine.
func (c *checker) check(subdirective, written, resolved string, err error) {
	if err == nil {
		return
	}
	c.mistakes = append(c.mistakes, Mistake{Subdirective: subdirective, Err: err, Local: written != resolved})
}

// text resolves the placeholders of a value. A value that is there but comes to
// nothing is a mistake that names the placeholder.
func (c *checker) text(subdirective, value string) string {
	if value == "" {
		return ""
	}
	if name := foreignVariable.FindStringSubmatch(value); name != nil {
		c.wrong(subdirective, "%s is not replaced by the variable of that name: write {env.%s}, or {$%[2]s} in a Caddyfile", value, strings.Join(name[1:], ""))
		return ""
	}
	if name := c.unknownPlaceholder(value); name != "" {
		c.wrong(subdirective, "%s is not a placeholder that is known when the configuration is loaded: is it misspelt?", name)
		return ""
	}
	resolved := c.repl.ReplaceKnown(value, "")
	if missing := c.missingPlaceholder(value); missing != "" {
		c.wrongHere(subdirective, fmt.Errorf("%s resolves to nothing: set it where Caddy is started, or write the value itself", missing))
		return ""
	}
	return resolved
}

func (c *checker) texts(subdirective string, values []string) []string {
	resolved := make([]string, 0, len(values))
	for _, value := range values {
		if value == "" {
			c.wrong(subdirective, "a value is empty")
			continue
		}
		if text := c.text(subdirective, value); text != "" {
			resolved = append(resolved, text)
		}
	}
	return resolved
}

// foreignVariable is a value that is nothing but a variable as shells, Docker
// or Windows write it, or a placeholder that lacks env. Taken as it is, it would
// be a password that anybody can read in the file.
var foreignVariable = regexp.MustCompile(`^(?:\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$([A-Z][A-Z0-9]*_[A-Z0-9_]*)|\{\$?([A-Z][A-Z0-9_]+)\}|%([A-Z][A-Z0-9_]+)%)$`)

// onlyPlaceholder is a value that is nothing but what looks like a placeholder.
var onlyPlaceholder = regexp.MustCompile(`^\{([A-Za-z_][A-Za-z0-9_-]*\.[^{}\s]+)\}$`)

// unknownPlaceholder is the value itself if it is meant to be a placeholder and
// is none: it would become a password that anybody can read in the file.
func (c *checker) unknownPlaceholder(value string) string {
	name := onlyPlaceholder.FindStringSubmatch(value)
	if name == nil {
		return ""
	}
	if _, known := c.repl.Get(name[1]); known {
		return ""
	}
	return value
}

// missingPlaceholder is the first placeholder of a value that is known and
// empty, or "". Unknown ones are text: passwords may have braces.
func (c *checker) missingPlaceholder(value string) string {
	missing := ""
	_, _ = c.repl.ReplaceFunc(value, func(variable string, resolved any) (any, error) {
		if _, known := c.repl.Get(variable); known && missing == "" && caddy.ToString(resolved) == "" {
			missing = "{" + variable + "}"
		}
		return resolved, nil
	})
	return missing
}

func joinMistakes(mistakes []Mistake) error {
	errs := make([]error, len(mistakes))
	for i, m := range mistakes {
		errs[i] = m.Err
		if m.Subdirective != "" {
			errs[i] = fmt.Errorf("%s: %w", m.Subdirective, m.Err)
		}
	}
	return errors.Join(errs...)
}
