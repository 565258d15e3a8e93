// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package attack

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	htmlparser "golang.org/x/net/html"

	"github.com/panelauth/caddy-panelauth/caddyauth/tornado"
)

// outcome is what comes of an attack, and what a judge needs to know of it.
type outcome struct {
	attack attack
	base   string // of the site
	answer answer
	app    []received // what reached the application
	asked  int        // how often the provider was asked for tokens

	session string // name of the session cookie
	user    string // who the session of the request belongs to: alice, guest or nobody
	usual   answer // what comes of the same request without the attack in it
}

// A judge says what is wrong with an outcome. It looks at nothing else, so that
// TestJudges can show that it fails what it has to fail.
type judge func(outcome) error

var judges = map[string]judge{
	"closed":           closed,
	"method refused":   methodRefused,
	"bad request":      badRequest,
	"forbidden":        forbidden,
	"host refused":     hostRefused,
	"only ours":        onlyOurs,
	"unmoved":          unmoved,
	"no session":       noSession,
	"nothing asked":    nothingAsked,
	"wrong password":   wrongPassword,
	"not shown":        notShown,
	"stays here":       staysHere,
	"no redirect away": noRedirectAway,
}

// closed: nothing reaches the application, and nobody is let in.
func closed(o outcome) error {
	var errs []error
	for _, r := range o.app {
		errs = append(errs, fmt.Errorf("the application got %q", r.line))
	}
	switch o.answer.status {
	case http.StatusFound, http.StatusSeeOther, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden,
		http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
	default:
		errs = append(errs, fmt.Errorf("the answer is %d", o.answer.status))
	}
	if o.answer.cookie(o.session) != "" {
		errs = append(errs, errors.New("the answer sets a session"))
	}
	return errors.Join(append(errs, goodHeaders(o), noRedirectAway(o))...)
}

// goodHeaders: what goes with every answer of the module's own. What Go's
// server or Caddy answer before a handler runs is theirs.
func goodHeaders(o outcome) error {
	header := o.answer.header
	isPage := strings.HasPrefix(header.Get("Content-Type"), "text/html")
	if o.answer.status == 0 || len(o.app) > 0 || !isPage && header.Get("Location") == "" && header.Get("Cache-Control") == "" {
		return nil
	}
	wanted := map[string][]string{"Cache-Control": {"no-store"}, "X-Content-Type-Options": {"nosniff"}}
	if isPage || header.Get("Location") != "" {
		wanted["Referrer-Policy"] = []string{"same-origin", "no-referrer"}
	}
	var errs []error
	for name, values := range wanted {
		if got := header.Values(name); len(got) != 1 || !slices.Contains(values, got[0]) {
			errs = append(errs, fmt.Errorf("%s is %q", name, got))
		}
	}
	if isPage {
		errs = append(errs, goodPolicy(header.Get("Content-Security-Policy")))
	}
	return errors.Join(errs...)
}

// goodPolicy: no scripts and styles but our own, by their hashes, and no frame
// elsewhere.
func goodPolicy(policy string) error {
	for _, needed := range []string{"default-src 'none'", "frame-ancestors 'self'", "base-uri 'none'", "form-action 'self'"} {
		if !strings.Contains(policy, needed) {
			return fmt.Errorf("the policy lacks %s: %q", needed, policy)
		}
	}
	for _, loose := range []string{"unsafe", "script-src 'self'", "nonce", "*", "http:", "https:"} {
		if strings.Contains(policy, loose) {
			return fmt.Errorf("the policy has %s in it: %q", loose, policy)
		}
	}
	return nil
}

var inlineScript = regexp.MustCompile(`(?s)<script type="module">(.*?)</script>`)

// withoutOwnScript is a page without the script that its policy lets run.
func withoutOwnScript(a answer) string {
	policy := a.header.Get("Content-Security-Policy")
	return inlineScript.ReplaceAllStringFunc(a.body, func(element string) string {
		sum := sha256.Sum256([]byte(inlineScript.FindStringSubmatch(element)[1]))
		if strings.Contains(policy, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
			return ""
		}
		return element
	})
}

func methodRefused(o outcome) error { return errors.Join(closed(o), hasStatus(o, 405)) }
func badRequest(o outcome) error    { return errors.Join(untouched(o), hasStatus(o, 400, 501, 505)) }
func forbidden(o outcome) error     { return errors.Join(closed(o), hasStatus(o, 403)) }

func hasStatus(o outcome, wanted ...int) error {
	for _, status := range wanted {
		if o.answer.status == status {
			return nil
		}
	}
	return fmt.Errorf("the answer is %d, wanted %d", o.answer.status, wanted)
}

func untouched(o outcome) error {
	if len(o.app) > 0 {
		return fmt.Errorf("the application got %q", o.app[0].line)
	}
	return nil
}

// hostRefused: an address that a provider would send people to is never made of
// a host that nobody configured.
func hostRefused(o outcome) error {
	if o.answer.status < 400 || o.answer.status > 499 {
		return fmt.Errorf("the answer is %d, to %q", o.answer.status, o.answer.location())
	}
	return untouched(o)
}

// onlyOurs: whatever the client said of itself, the application hears who the
// session belongs to, once, and nothing else.
func onlyOurs(o outcome) error {
	if len(o.app) == 0 {
		return fmt.Errorf("nothing reached the application: %d", o.answer.status)
	}
	var errs []error
	for _, r := range o.app {
		errs = append(errs, onlyOurHeaders(o, r), onlyOurCookies(o, r))
		_, body, _ := strings.Cut(r.raw, "\r\n\r\n")
		for line := range strings.SplitSeq(body, "\r\n") {
			if name, _, found := strings.Cut(line, ":"); found && isIdentityHeader(name) {
				errs = append(errs, fmt.Errorf("a trailer says %q", line))
			}
		}
	}
	return errors.Join(errs...)
}

func isIdentityHeader(name string) bool {
	for known := range identityHeaders {
		if folded(known) == folded(name) {
			return true
		}
	}
	switch folded(name) {
	case "remote-user", "remote-name", "remote-email", "remote-groups":
		return true
	}
	return false
}

func onlyOurHeaders(o outcome, r received) error {
	var errs []error
	for _, field := range r.fields {
		if !isIdentityHeader(field[0]) {
			continue
		}
		if claim := identityHeaders[http.CanonicalHeaderKey(field[0])]; claim != "user" || field[1] != o.user {
			errs = append(errs, fmt.Errorf("%s is %q", field[0], field[1]))
		}
	}
	for header, claim := range identityHeaders {
		values := r.values(header)
		if claim == "user" && len(values) != 1 || len(values) > 1 {
			errs = append(errs, fmt.Errorf("%s is there %d times", header, len(values)))
		}
	}
	return errors.Join(errs...)
}

// panelCookies are the names by which Panel knows a user.
var panelCookies = map[string]bool{
	"user": true, "id_token": true, "access_token": true, "refresh_token": true, "oauth_expiry": true,
	"is_guest": true, "next_url": true, "panel-oauth-state": true, "panel-oauth-code": true,
}

// ownCookie is the session cookie, and what goes with it.
var ownCookie = regexp.MustCompile(`^(?i:__host-|__secure-)?panelauth(_[1-3]|_next|_last|_left|_state_.*)?$`)

// onlyOurCookies: however the application reads its one Cookie line, it finds
// the user that the session belongs to and no other, and not our own cookies.
func onlyOurCookies(o outcome, r received) error {
	lines := r.values("Cookie")
	if len(lines) != 1 {
		return fmt.Errorf("there are %d Cookie lines", len(lines))
	}
	var errs []error
	ours := map[string]int{}
	for _, pair := range everyReading(lines[0]) {
		name, value := pair[0], pair[1]
		ours[name]++
		switch {
		case name == "user" && o.user != "guest":
			if user, err := tornado.Verify([]byte(cookieSecret), name, value, time.Now(), time.Hour); err != nil || user != o.user {
				errs = append(errs, fmt.Errorf("the cookie of %q reads %q: it is %q's", o.user, value, user))
			}
		case name == "is_guest" && o.user == "guest" && value == "1":
		case name == "id_token" && strings.HasPrefix(value, "2|"): // signed by us
		case panelCookies[name] || ownCookie.MatchString(name):
			errs = append(errs, fmt.Errorf("the application reads %s=%.40q", name, value))
		}
	}
	wanted := "user"
	if o.user == "guest" {
		wanted = "is_guest"
	}
	if ours[wanted] != 1 {
		errs = append(errs, fmt.Errorf("%s is there %d times: %q", wanted, ours[wanted], lines[0]))
	}
	return errors.Join(errs...)
}

// everyReading are the cookies in a line for the most lenient reader: names
// without white space, quotes and signs around them. Some readers have cookies
// end at white space and commas, too.
func everyReading(line string) (pairs [][2]string) {
	for text := range strings.SplitSeq(line, ";") {
		for i, rest := 0, strings.TrimLeftFunc(text, isAround); i >= 0; i = strings.IndexAny(rest, ", \t") {
			rest = strings.TrimLeftFunc(rest[i:], func(c rune) bool { return c == ',' || isAround(c) })
			if name, value, ok := strings.Cut(rest, "="); ok {
				pairs = append(pairs, [2]string{strings.TrimRightFunc(name, isAround), strings.TrimSpace(value)})
			}
		}
	}
	return pairs
}

func isAround(c rune) bool { return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"'=`, c) }

// unmoved: a header of a proxy that nobody trusts changes nothing.
func unmoved(o outcome) error {
	var errs []error
	if o.answer.status != o.usual.status || o.answer.location() != o.usual.location() {
		errs = append(errs, fmt.Errorf("the answer is %d to %q, usually %d to %q", o.answer.status, o.answer.location(), o.usual.status, o.usual.location()))
	}
	if o.answer.body != o.usual.body {
		errs = append(errs, errors.New("the page is another"))
	}
	if got, usual := o.answer.header.Values("Set-Cookie"), o.usual.header.Values("Set-Cookie"); fmt.Sprint(got) != fmt.Sprint(usual) {
		errs = append(errs, fmt.Errorf("the cookies are %q, usually %q", got, usual))
	}
	return errors.Join(append(errs, untouched(o))...)
}

// noSession: a cookie that is none gets nobody in, and is taken away.
func noSession(o outcome) error {
	err := errors.Join(closed(o), hasStatus(o, 302))
	if !o.answer.clears(o.session) {
		return errors.Join(err, errors.New("the browser keeps the cookie"))
	}
	return err
}

// nothingAsked: an answer that belongs to no sign-in of this browser is not
// taken to the provider.
func nothingAsked(o outcome) error {
	var errs []error
	if o.asked > 0 {
		errs = append(errs, fmt.Errorf("the provider was asked %d times", o.asked))
	}
	if strings.HasPrefix(o.answer.header.Get("Content-Type"), "text/html") && !strings.Contains(o.answer.body, "/login") {
		errs = append(errs, errors.New("the page does not lead back to sign-in"))
	}
	return errors.Join(append(errs, closed(o), hasStatus(o, 400, 401, 403, 405))...)
}

// wrongPassword: the same answer as to any wrong password.
func wrongPassword(o outcome) error {
	err := errors.Join(closed(o), hasStatus(o, 401))
	if shape(o.answer) != shape(o.usual) {
		err = errors.Join(err, fmt.Errorf("the answer looks different:\n%s\n%s", shape(o.answer), shape(o.usual)))
	}
	return err
}

var changing = regexp.MustCompile(`(?m)^Date: .*$|<code>[0-9a-f]*</code>`)

// shape is an answer without what is another each time.
func shape(a answer) string {
	var header strings.Builder
	_ = a.header.WriteSubset(&header, map[string]bool{"Content-Length": true})
	return changing.ReplaceAllString(fmt.Sprint(a.status, "\n", header.String(), a.body), "")
}

// notShown: what an address says is not on the page, escaped or not.
func notShown(o outcome) error {
	errs := []error{goodHeaders(o), untouched(o)}
	if o.answer.status != http.StatusOK && o.answer.status != http.StatusUnauthorized {
		errs = append(errs, fmt.Errorf("the answer is %d", o.answer.status))
	}
	if got := o.answer.header.Get("Content-Type"); got != "text/html; charset=utf-8" {
		errs = append(errs, fmt.Errorf("it is of type %q", got))
	}
	return errors.Join(append(errs, noMarkup(o.answer), noText(o.answer))...)
}

// marks are what the attacks would have a page say or run.
var marks = []string{"alert(", "onload", "onerror", "<script", "javascript:", "vbscript:", "evil", "${", "{{"}

func noText(a answer) error {
	text := strings.ToLower(html.UnescapeString(withoutOwnScript(a)))
	for _, mark := range marks {
		if strings.Contains(text, mark) {
			return fmt.Errorf("the page says %q", mark)
		}
	}
	return nil
}

// active are the elements that run, load or lead something by themselves.
var active = []string{"script", "iframe", "frame", "object", "embed", "base", "img", "video", "audio", "source", "math", "applet", "portal"}

// noMarkup: nothing on the page runs but our own. It is read as browsers read it.
func noMarkup(a answer) error {
	for tokens := htmlparser.NewTokenizer(strings.NewReader(withoutOwnScript(a))); ; {
		switch tokens.Next() {
		case htmlparser.ErrorToken:
			return nil
		case htmlparser.StartTagToken, htmlparser.SelfClosingTagToken:
			tag := tokens.Token()
			if slices.Contains(active, tag.Data) || runs(tag.Attr) {
				return fmt.Errorf("the page has %s in it", tag)
			}
		}
	}
}

func runs(attributes []htmlparser.Attribute) bool {
	for _, a := range attributes {
		value := strings.ToLower(strings.TrimSpace(a.Val))
		if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "srcdoc" || a.Key == "http-equiv" {
			return true
		}
		if strings.HasPrefix(value, "javascript:") || strings.HasPrefix(value, "vbscript:") || strings.HasPrefix(value, "data:") && value != "data:," {
			return a.Key == "href" || a.Key == "src" || a.Key == "action" || a.Key == "formaction" || a.Key == "xlink:href"
		}
	}
	return false
}

var addresses = regexp.MustCompile(`(?i)\b(?:href|action|src|formaction|value)="([^"]*)"`)

// staysHere: nothing that the answer leads to, and nothing that the page says in
// a field or link, is on another site.
func staysHere(o outcome) error {
	var errs []error
	for _, base := range bases(o) {
		if to := o.answer.location(); to != "" && leaves(to, base) {
			errs = append(errs, fmt.Errorf("it leads to %q, at %s", to, destination(to, base)))
		}
		for _, match := range addresses.FindAllStringSubmatch(o.answer.body, -1) {
			if to := html.UnescapeString(match[1]); to != "data:," && leaves(to, base) {
				errs = append(errs, fmt.Errorf("the page leads to %q, at %s", to, destination(to, base)))
			}
		}
	}
	for _, c := range []byte(o.answer.location()) {
		if c <= ' ' || c > '~' || c == '\\' {
			errs = append(errs, fmt.Errorf("the location is %q", o.answer.location()))
			break
		}
	}
	return errors.Join(append(errs, untouched(o))...)
}

// bases are the site by both schemes: a proxy before Caddy may speak the other.
func bases(o outcome) []string {
	_, host, _ := strings.Cut(o.base, "://")
	return []string{"http://" + host, "https://" + host}
}

// noRedirectAway: a redirect, if there is one, stays here.
func noRedirectAway(o outcome) error {
	if o.answer.location() == "" {
		return nil
	}
	return staysHere(outcome{base: o.base, answer: answer{header: o.answer.header}})
}
