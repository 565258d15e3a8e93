// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package panelserve

import (
	"fmt"
	"slices"
	"strings"
)

// translation collects what the Caddyfile will say.
type translation struct {
	source    Source
	run       *invocation
	variables map[string]string
	here      map[string]bool // variables that are set on the line itself

	lines   []line
	secrets []secret // to be set before Caddy starts
	notes   []string
	leaving map[string]bool // variables that Panel must not see any more
	options map[string]any

	site     site
	upstream upstream
	tls      []string // certificate and key
	strip    string   // the path that a proxy takes off, --root-path
}

// line is a subdirective.
type line struct {
	name   string
	values []string
	block  [][2]string
}

// secret is a variable that the Caddyfile names in the place of a value.
type secret struct {
	variable string
	from     string // what to set it to
}

// setting is a value of one of Panel's options.
type setting struct {
	word
	variable string // that it comes from, if it comes from one
}

func (t *translation) all() error {
	t.leaving = map[string]bool{}
	t.options = map[string]any{}
	if err := t.signIn(); err != nil {
		return err
	}
	if err := t.guests(); err != nil {
		return err
	}
	t.pages()
	t.cookies()
	if err := t.place(); err != nil {
		return err
	}
	t.sayNotes()
	return t.checkTexts()
}

// setting returns the value of a flag or of a variable that stands for it. The
// variable counts, as in Panel.
func (t *translation) setting(name string) (setting, bool) {
	f, _ := flagNamed(name)
	values, given := t.run.values(name)
	for _, variable := range f.variables {
		value, set := t.variables[variable]
		if !set || value == "" {
			continue
		}
		if given {
			t.note("%s and %s are both there, with which Panel would not start: %s counts", name, variable, variable)
		}
		s := setting{word: word{text: value}, variable: variable}
		if strings.Contains(value, "{env.") && t.here[variable] {
			s.variables = t.variablesOf(variable)
		}
		return s, true
	}
	if !given || len(values) == 0 {
		return setting{}, false
	}
	return setting{word: values[0]}, true
}

// variablesOf are those that an assignment on the line refers to.
func (t *translation) variablesOf(name string) (all []string) {
	for _, w := range t.run.assignments {
		if strings.HasPrefix(w.text, name+"=") {
			all = w.variables
		}
	}
	return all
}

// isOn reports whether a switch is on.
func (t *translation) isOn(name string) bool {
	f, _ := flagNamed(name)
	for _, variable := range f.variables {
		if value, set := t.variables[variable]; set {
			value = strings.ToLower(value)
			return value == "1" || value == "true"
		}
	}
	_, given := t.run.values(name)
	return given
}

func (t *translation) note(format string, args ...any) {
	if note := fmt.Sprintf(format, args...); !slices.Contains(t.notes, note) {
		t.notes = append(t.notes, note)
	}
}

// say adds a subdirective.
func (t *translation) say(name string, values ...string) {
	t.lines = append(t.lines, line{name: name, values: values})
	switch {
	case len(values) == 0:
		t.options[name] = true
	case name == "oauth_guest_endpoints" || name == "panel_cookies" || name == "cookie_secret":
		t.options[name] = values
	default:
		t.options[name] = values[0]
	}
}

// sayText adds a subdirective for a flag whose value says the same.
func (t *translation) sayText(name string) {
	if s, given := t.setting(name); given {
		t.refersTo(s.word)
		t.say(subdirective(name), s.text)
	}
}

// subdirective is what a flag is called in a Caddyfile.
func subdirective(name string) string {
	return strings.ReplaceAll(strings.TrimPrefix(name, "--"), "-", "_")
}

// saySecret adds a subdirective whose value stays in a variable: the one that it
// comes from already, or one called like Panel's.
func (t *translation) saySecret(name, variable string, s setting) {
	option := subdirective(name)
	reference := "{env." + variable + "}"
	switch {
	case len(s.variables) == 1 && s.text == "{env."+s.variables[0]+"}":
		reference = s.text
		t.secrets = append(t.secrets, secret{s.variables[0], "as before"})
	case s.variable != "" && !t.here[s.variable]:
		reference = "{env." + s.variable + "}"
		t.secrets = append(t.secrets, secret{s.variable, "as before"})
	case s.variable != "":
		t.secrets = append(t.secrets, secret{variable, "the value of " + s.variable})
	default:
		t.secrets = append(t.secrets, secret{variable, "the value of " + name})
	}
	t.say(option, reference)
	t.options[option] = standIn(option)
}

// refersTo says which variables a value needs.
func (t *translation) refersTo(w word) {
	for _, variable := range w.variables {
		if s := (secret{variable, "as before"}); !slices.Contains(t.secrets, s) {
			t.secrets = append(t.secrets, s)
		}
	}
}

// standIn looks like a secret and is none.
func standIn(option string) any {
	switch option {
	case "cookie_secret":
		return []string{"a-stand-in-for-a-cookie-secret"}
	case "oauth_encryption_key":
		return "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	}
	return "a-stand-in"
}

// sayNotes says what the table has to say of the flags that are there.
func (t *translation) sayNotes() {
	for _, a := range t.run.arguments {
		switch {
		case a.flag.name == unknownFlag:
			t.note("a flag is not known here, perhaps because Panel is newer: Panel keeps it")
		case a.flag.note != "":
			t.note("%s: %s", a.flag.name, a.flag.note)
		}
	}
	if t.run.others > 0 {
		t.note("there are other commands beside panel serve, which are left alone")
	}
}

// checkTexts refuses what a Caddyfile could not say.
func (t *translation) checkTexts() error {
	around := line{name: "reverse_proxy, tls or handle_path", values: append([]string{t.upstream.address, t.strip}, t.tls...)}
	for _, l := range append(t.lines, around) {
		texts := slices.Clone(l.values)
		for _, pair := range l.block {
			texts = append(texts, pair[0], pair[1])
		}
		for _, text := range texts {
			if !canBeWritten(text) {
				return fmt.Errorf("%s: the value has a control character, or {$ in it, which a Caddyfile cannot have", l.name)
			}
		}
	}
	return nil
}
