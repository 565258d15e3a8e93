// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// wordFiles hold every word of the built-in pages, one file a language, named
// by its tag. Whoever adds a file adds a language: en.json says which texts it
// needs, and the tests what is missing.
//
//go:embed words/*.json
var wordFiles embed.FS

// words are the texts of one language. What depends on a number has a text for
// each form that the language's plural has: "wait_hours.one", "….few" and so on.
type words struct {
	tag   language.Tag
	texts map[string]string
}

var (
	languages = readLanguages()
	english   = languages[0]
	matcher   = newMatcher()
)

// readLanguages reads all files, English first: the first is what visitors get
// whose languages are not there.
func readLanguages() []*words {
	files, err := wordFiles.ReadDir("words")
	if err != nil {
		panic("templates: " + err.Error())
	}
	all := []*words{readLanguage("en.json")}
	for _, file := range files {
		if file.Name() != "en.json" {
			all = append(all, readLanguage(file.Name()))
		}
	}
	return all
}

func readLanguage(file string) *words {
	content, err := wordFiles.ReadFile(path.Join("words", file))
	w := &words{tag: language.MustParse(strings.TrimSuffix(file, ".json"))}
	if err == nil {
		err = json.Unmarshal(content, &w.texts)
	}
	if err != nil {
		panic(fmt.Sprintf("templates: %s: %v", file, err))
	}
	return w
}

func newMatcher() language.Matcher {
	tags := make([]language.Tag, len(languages))
	for i, w := range languages {
		tags[i] = w.tag
	}
	return language.NewMatcher(tags)
}

// maxAccepted bounds how much of an Accept-Language is looked at. Browsers send
// less than 100 bytes.
const maxAccepted = 256

// wordsFor returns the words that somebody understands best, going by an
// Accept-Language.
func wordsFor(accepted string) *words {
	if len(accepted) > maxAccepted {
		accepted = accepted[:strings.LastIndexByte(accepted[:maxAccepted], ',')+1]
	}
	wanted, _, err := language.ParseAcceptLanguage(accepted)
	if err != nil || len(wanted) == 0 {
		return english
	}
	_, i, confidence := matcher.Match(wanted...)
	if confidence == language.No {
		return english
	}
	return languages[i]
}

// lang is for <html lang>.
func (w *words) lang() string { return w.tag.String() }

// dir is for <html dir>.
func (w *words) dir() string {
	switch script, _ := w.tag.Script(); script.String() {
	case "Adlm", "Arab", "Hebr", "Nkoo", "Rohg", "Syrc", "Thaa":
		return "rtl"
	}
	return "ltr"
}

// say returns a text, or nothing where there is none.
func (w *words) say(key string) string { return w.texts[key] }

// fill returns a text with its placeholder filled in.
func (w *words) fill(key, placeholder, value string) string {
	return strings.Replace(w.say(key), "{"+placeholder+"}", value, 1)
}

var pluralForms = map[plural.Form]string{
	plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many", plural.Other: "other",
}

// count returns a text for a number of things.
func (w *words) count(key string, n int) string {
	form := plural.Cardinal.MatchPlural(w.tag, n, 0, 0, 0, 0)
	return w.fill(key+"."+pluralForms[form], "n", strconv.Itoa(n))
}

// pageKeys are the texts of the kinds of pages: "page.signed_out" is a headline,
// "page.signed_out.text" what stands below it.
var pageKeys = map[Kind]string{
	SignIn:            "page.sign_in",
	SignedOut:         "page.signed_out",
	SignOut:           "page.sign_out",
	SignOutEverywhere: "page.everywhere",
	Refused:           "page.refused",
	Failed:            "page.failed",
	Onward:            "page.onward",
	Trouble:           "page.trouble",
}

func (w *words) pageKey(p Page) string {
	if p.Kind == Trouble {
		if key := "status." + strconv.Itoa(p.Status); w.texts[key] != "" {
			return key
		}
	}
	if key, ok := pageKeys[p.Kind]; ok {
		return key
	}
	return pageKeys[Trouble]
}

func (w *words) headline(p Page) string { return w.say(w.pageKey(p)) }

// explanation is the page's own message or, without one, what is always true
// of such a page.
func (w *words) explanation(p Page) string {
	if message := w.message(p); message != "" {
		return message
	}
	return w.say(w.pageKey(p) + ".text")
}

// message is what the page has to say in particular. A message that is none of
// those in the files is shown as it is.
func (w *words) message(p Page) string {
	if text, ok := w.texts["message."+p.Message]; ok {
		return text
	}
	return p.Message
}

// wait says how long to wait. It never says less than is meant.
func (w *words) wait(d time.Duration) string {
	switch {
	case d <= 0:
		return ""
	case d < time.Minute:
		return w.count("wait_seconds", roundUp(d, time.Second))
	case d <= 90*time.Minute:
		return w.count("wait_minutes", roundUp(d, time.Minute))
	}
	return w.count("wait_hours", roundUp(d, time.Hour))
}

// remember offers to stay signed in for so long.
func (w *words) remember(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d <= 0:
		return ""
	case d%day == 0 || d > 7*day:
		return w.count("remember_days", int(d.Round(day)/day))
	}
	return w.count("remember_hours", max(1, int(d.Round(time.Hour)/time.Hour)))
}

func roundUp(d, unit time.Duration) int {
	n := int(d / unit)
	if d%unit > 0 {
		n++
	}
	return n
}
