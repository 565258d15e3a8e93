// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"fmt"
	"html"
	"strconv"
	"strings"
	"time"
)

// noticeScript is the one script that goes into an application's pages.
var noticeScript = squeezed("notice.js")

// NoticeSource lets the session notice's script in, as a policy writes it.
var NoticeSource = sourceOf([]byte(noticeScript+"</script>"), "", "</script>")

// SessionNotice is an element for an application's pages. It tells whoever is in
// front of one when their session ends, in their language. The time left is 0
// where there is no end in sight. All of it is ASCII, whatever the page is
// written in.
func SessionNotice(languages, loginURL string, left time.Duration) []byte {
	w := wordsFor(languages)
	var element strings.Builder
	element.WriteString("<script")
	attribute := func(name, value string) {
		element.WriteString(" data-" + name + `="` + ascii(html.EscapeString(value)) + `"`)
	}
	attribute("login", loginURL)
	if left > 0 {
		attribute("left", strconv.Itoa(int(left.Seconds())))
	}
	attribute("lang", w.lang())
	attribute("dir", w.dir())
	attribute("signin", w.say("sign_in_again"))
	for _, key := range []string{"ended", "ending", "back", "reload", "close"} {
		attribute(key, w.say("session."+key))
	}
	element.WriteString(">" + noticeScript + "</script>")
	return []byte(element.String())
}

// ascii writes everything else as numbers.
func ascii(text string) string {
	var plain strings.Builder
	for _, r := range text {
		if r < 0x80 {
			plain.WriteRune(r)
		} else {
			fmt.Fprintf(&plain, "&#%d;", r)
		}
	}
	return plain.String()
}
