// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/nikolalohinski/gonja/v2/logging"
)

func parseFile(t *testing.T, path string) *Template {
	t.Helper()
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	template, err := Parse(path, source)
	if err != nil {
		t.Fatal(err)
	}
	return template
}

func rendered(t *testing.T, template *Template, p Page) string {
	t.Helper()
	page, err := template.Render(p)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// said is what a template with this source says of a page.
func said(t *testing.T, source string, p Page) string {
	t.Helper()
	template, err := Parse("page.html", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return rendered(t, template, p)
}

func TestPanelsPages(t *testing.T) {
	tests := []struct {
		file string
		page Page
		want []string
		not  []string
	}{
		{
			file: "login.html", page: Page{Kind: SignIn, LoginURL: "/proxy/login", Message: `Invalid "name" or <password>!`},
			want: []string{
				`action="./login"`, `<p class="errormessage">Invalid &#34;name&#34; or &lt;password&gt;!</p>`,
				`href="https://cdn.holoviz.org/panel/1.9.4/dist/images/favicon.ico"`, ".wrap { height: 100%; }",
			},
		},
		{
			file: "login.html", page: Page{Kind: SignIn, LoginURL: "/login/"},
			want: []string{`action="./login"`, `<p class="errormessage"></p>`},
		},
		{
			file: "logout.html", page: Page{Kind: SignedOut, LoginURL: "/auth/sign-in"},
			want: []string{`action="./sign-in" method="get"`},
		},
		{
			file: "error.html", page: Page{Kind: Refused, Message: "Not <you>."},
			want: []string{
				"<title>Panel: Authorization Error</title>", `<span id="error-type">Authorization Error</span>`,
				`<span id="error">User is not authorized.</span>`, "<h3>Not &lt;you&gt;.</h3>",
				`src="./static/extensions/panel/images/logo_horizontal.png"`, `src="https://cdn.jsdelivr.net/npm/some-package"`,
			},
			not: []string{"Logout", "{%"},
		},
		{
			file: "error.html", page: Page{Kind: Failed, LogoutLink: "https://idp.example/logout?a=1&b=2"},
			want: []string{
				"<title>Panel: Authentication Error</title>", `<a href="https://idp.example/logout?a=1&amp;b=2">Logout</a>`,
			},
		},
		{
			file: "error.html", page: Page{Kind: Failed, LogoutLink: "javascript:alert(1)"},
			not: []string{"Logout", "javascript"},
		},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%s of kind %d", test.file, test.page.Kind), func(t *testing.T) {
			page := rendered(t, parseFile(t, filepath.Join("testdata", test.file)), test.page)
			for _, want := range test.want {
				if !strings.Contains(page, want) {
					t.Errorf("no %s in\n%s", want, page)
				}
			}
			for _, not := range test.not {
				if strings.Contains(page, not) {
					t.Errorf("%s in\n%s", not, page)
				}
			}
		})
	}
}

func TestTemplateOfSeveralFiles(t *testing.T) {
	template := parseFile(t, "testdata/site/login.html")
	page := rendered(t, template, Page{
		LoginURL: "/login", Username: "<alice>", Next: "/app?x=1&y=2",
		Providers: []Provider{{ID: "a", Label: "A & B", URL: "/a?x=1&y=2"}},
	})
	for _, want := range []string{
		"<title>Sign in to Site</title>", "<header>Hello &lt;alice&gt;</header>",
		`value="/app?x=1&amp;y=2"`, `<a href="/a?x=1&amp;y=2">1. A &amp; B</a>`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in\n%s", want, page)
		}
	}
	if page := rendered(t, template, Page{}); !strings.Contains(page, "no providers") {
		t.Errorf("no word of there being no providers in\n%s", page)
	}
}

func TestJinja(t *testing.T) {
	page := Page{
		Username: "zoë", Next: "/app", Message: "Oh no", LoginURL: "/proxy/login",
		Providers: []Provider{{ID: "github", Label: "GitHub", URL: "/gh"}, {ID: "k", Label: "Keycloak", URL: "/kc"}},
	}
	tests := map[string]struct{ source, want string }{
		"text":                      {"100% {a} $ # }} %}", "100% {a} $ # }} %}"},
		"values":                    {"{{ username }} {{next}} {{- errormessage }}", "zoë /appOh no"},
		"missing":                   {"[{{ nothing }}]", "[]"},
		"default":                   {`{{ nothing|default("a") }}{{ ""|default("b", true) }}{{ username|d("c") }}`, "abzoë"},
		"if":                        {"{% if errormessage %}a{% elif next %}b{% else %}c{% endif %}", "a"},
		"not and or":                {"{% if not nothing and (next or x) %}a{% endif %}", "a"},
		"inline if":                 {`{{ "a" if nothing else "b" }}`, "b"},
		"for":                       {"{% for p in providers %}{{ loop.index }}{{ p.label }}{% if not loop.last %},{% endif %}{% endfor %}", "1GitHub,2Keycloak"},
		"for over a text":           {"{% for c in username %}{{ c }}.{% endfor %}", "z.o.ë."},
		"for over nothing":          {"{% for c in nothing %}x{% else %}y{% endfor %}", "y"},
		"for with range":            {"{% for i in range(1, 7, 2) %}{{ i }}{% endfor %}", "135"},
		"for over a mapping":        {"{% for k, v in providers[0].items() %}{{ k }}={{ v }};{% endfor %}", "id=github;label=GitHub;url=/gh;"},
		"items by key":              {`{{ providers[1]["label"] }}`, "Keycloak"},
		"length":                    {"{{ providers|length }} {{ username|length }}", "2 3"},
		"set":                       {`{% set x = "a" ~ username %}{{ x|upper }}`, "AZOË"},
		"set a block":               {"{% set x %}<b>{{ username }}</b>{% endset %}{{ x }}", "<b>zoë</b>"},
		"macro":                     {"{% macro hi(a, b='!') %}<i>{{ a }}{{ b }}</i>{% endmacro %}{{ hi(username) }}{{ hi('x', b='?') }}", "<i>zoë!</i><i>x?</i>"},
		"filter block":              {"{% filter upper %}a{{ username }}{% endfilter %}", "AZOË"},
		"raw":                       {"{% raw %}{{ username }}{% endraw %}", "{{ username }}"},
		"comment":                   {"a{# {{ username }} #}b", "ab"},
		"block":                     {"{% block a %}{{ username }}{% endblock %}", "zoë"},
		"autoescape":                {"{% autoescape true %}{{ '<' }}{% endautoescape %}{{ '<' }}", "&lt;<"},
		"first of a text":           {"{{ username|last }}{{ username|first|upper }}{{ username[:2] }}", "ëZzo"},
		"reverse":                   {"{{ username|reverse }}", "ëoz"},
		"sort of a text":            {"{{ username|sort|join('.') }}", "o.z.ë"},
		"join":                      {`{{ providers|map(attribute="label")|join(" / ") }}`, "GitHub / Keycloak"},
		"selectattr":                {`{% for p in providers|selectattr("id", "eq", "k") %}{{ p.label }}{% endfor %}`, "Keycloak"},
		"title":                     {`{{ "hello big world"|title }} {{ "ABC"|capitalize }}`, "Hello Big World Abc"},
		"truncate":                  {`{{ "hello big world"|truncate(9, true, "…", 0) }}`, "hello bi…"},
		"methods":                   {`{{ "a@b".split("@")[0] }}{{ " x ".strip() }}{{ next.startswith("/a") }}{{ "ab".upper() }}`, "axTrueAB"},
		"tests":                     {"{% if nothing is not defined and username is defined and nothing is none %}a{% endif %}", "a"},
		"in":                        {`{% if "zo" in username %}a{% endif %}{% if "q" not in username %}b{% endif %}`, "ab"},
		"comparison":                {`{% if username == "zoë" and providers|length > 1 %}a{% endif %}`, "a"},
		"arithmetic":                {"{{ 1 + 2 - 4 / 2 }} {{ 7 % 4 }}", "1.0 3"},
		"trim_blocks":               {"a\n{% if next %}\nb\n{% endif %}\nc", "a\nb\nc"},
		"lstrip_blocks":             {"a\n   {% if next %}\nb\n   {% endif %}\nc", "a\nb\nc"},
		"minus":                     {"a  {%- if next -%}  b  {%- endif -%}  c", "abc"},
		"several lines":             {"{{\n username\n|\nupper\n}}{%\nif next and\nnot nothing\n%}a{%\nendif\n%}", "ZOËa"},
		"several lines, windows":    {"{{\r\n username\r\n}}{% if next or\r\nnothing %}a{% endif %}", "zoëa"},
		"a string over two lines":   {"{{ 'a\nb' }}", "a\nb"},
		"an end within a string":    {"{{ '}}' }}{{ \"%}\" }}{{ {'a': {'b': 1}}.a.b }}", "}}%}1"},
		"a byte order mark":         {"\ufeffa", "a"},
		"format":                    {`{{ "%s and %s"|format(username, 3) }}`, "zoë and 3"},
		"replace":                   {`{{ next|replace("/", "-") }}`, "-app"},
		"urlencode":                 {`{{ "a b&c/d?é"|urlencode }}`, "a%20b%26c/d%3F%C3%A9"},
		"tojson":                    {`{{ username|tojson }} {{ [1, true, none, 1.5, {"a": "b"}]|tojson }}`, `"zoë" [1, true, null, 1.5, {"a": "b"}]`},
		"tojson of the providers":   {`{{ providers|tojson }}`, `[{"id": "github", "label": "GitHub", "url": "/gh"}, {"id": "k", "label": "Keycloak", "url": "/kc"}]`},
		"xmlattr":                   {`<a{{ {"title": username, "none": none}|xmlattr }}>`, `<a title="zoë">`},
		"escape of the author's":    {`{{ "<"|e }}{{ "<"|safe }}`, "&lt;<"},
		"spaces in the end":         {"a\n", "a"},
		"loop.cycle":                {`{% for i in range(3) %}{{ loop.cycle("a", "b") }}{% endfor %}`, "aba"},
		"string with an apostrophe": {`{{ "it's" }}`, "it's"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := said(t, test.source, page); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

// hostile has every character that must not get through as it is, between
// letters that show where it went.
const hostile = "A<B>C\"D'E&F`G$H"

// TestValuesAreAlwaysEscaped puts the hostile value through whatever could
// take an escape off again, or never put it on.
func TestValuesAreAlwaysEscaped(t *testing.T) {
	const once = "A&lt;B&gt;C&#34;D&#39;E&amp;F&#96;G&#36;H"
	p := Page{
		Kind: Failed, LoginURL: "/" + hostile, Next: hostile, Username: hostile, Message: hostile, Reference: hostile,
		LogoutLink: "/" + hostile, Providers: []Provider{{ID: hostile, Label: hostile, URL: "/" + hostile}},
	}
	tests := map[string]struct {
		source string
		want   string // empty: only that nothing gets through
		own    string // characters of the template's own
	}{
		"plain":             {source: "{{ username }}", want: once},
		"every variable":    {source: "{{ login_endpoint }}{{ LOGIN_ENDPOINT }}{{ errormessage }}{{ next }}{{ reference }}{{ error }}{{ error_msg }}{{ oauth_logout_link }}"},
		"providers":         {source: "{% for p in providers %}{{ p.id }}{{ p.label }}{{ p.url }}{% endfor %}", want: once + once + "/" + once},
		"escape":            {source: "{{ username|escape }}", want: once},
		"escape twice":      {source: "{{ username|e|e|escape }}", want: once},
		"forceescape":       {source: "{{ username|forceescape|forceescape }}", want: once},
		"safe":              {source: "{{ username|safe }}", want: once},
		"autoescape off":    {source: "{% autoescape false %}{{ username|safe }}{% endautoescape %}", want: once},
		"autoescape on":     {source: "{% autoescape true %}{{ username }}{% endautoescape %}", want: once},
		"escape in on":      {source: "{% autoescape true %}{{ username|e }}{{ username|safe }}{% endautoescape %}", want: once + once},
		"concatenation":     {source: `{{ "x" ~ username }}{{ "x" + username }}`, want: "x" + once + "x" + once},
		"with own markup":   {source: `{{ ("<b>" ~ username ~ "</b>")|safe }}`, want: "<b>" + once + "</b>", own: "<>"},
		"join":              {source: `{{ [username, "x"]|join(username) }}`, want: once + once + "x"},
		"join, escaping":    {source: `{% autoescape true %}{{ [username]|join("x") }}{% endautoescape %}`, want: once},
		"replace":           {source: `{{ username|replace("H", username) }}`},
		"replace entities":  {source: `{{ username|escape|replace("&lt;", "<")|replace("&amp;", "&") }}`, want: once},
		"format":            {source: `{{ "%s"|format(username) }}{{ "%v"|format(username) }}`, want: once + once},
		"format as code":    {source: `{{ "%q %x %+q %#v"|format(username, username, username, username) }}`, own: `"`},
		"set":               {source: "{% set x = username|safe %}{{ x|safe }}", want: once},
		"set a block":       {source: "{% set x %}{{ username|safe }}{% endset %}{{ x|safe }}", want: once},
		"macro":             {source: "{% macro m(a) %}{{ a|safe }}{% endmacro %}{{ m(username)|safe }}{{ m(a=username) }}", want: once + once},
		"macro default":     {source: "{% macro m(a=username) %}{{ a }}{% endmacro %}{{ m()|safe }}", want: once},
		"filter block":      {source: "{% filter safe %}{{ username }}{% endfilter %}", want: once},
		"filter block, two": {source: "{% filter replace('&lt;', '<')|safe %}{{ username|e }}{% endfilter %}", want: once},
		"block":             {source: "{% block a %}{{ username|safe }}{% endblock %}", want: once},
		"upper":             {source: "{{ username|upper }}{{ username.upper() }}", want: once + once},
		"lower":             {source: "{{ username|lower }}", want: strings.NewReplacer("A", "a", "B", "b", "C", "c", "D", "d", "E", "e", "F", "f", "G", "g", "H", "h").Replace(once)},
		"title":             {source: "{{ username|title }}{{ username|capitalize }}"},
		"reverse":           {source: "{{ username|reverse }}"},
		"first and last":    {source: "{{ next[1] }}{{ next[1:2] }}{{ next|first }}{{ next|last }}{{ next[1:][0] }}{{ next[-1] }}"},
		"slice":             {source: "{{ username[1:4] }}{{ username[::-1] }}{{ username[1::2] }}"},
		"list":              {source: "{{ username|list }}{{ [username] }}", own: "'"},
		"list, joined":      {source: "{{ username|list|join }}", want: once},
		"bytes, joined":     {source: "{% for c in username %}{{ c|safe }}{% endfor %}", want: once},
		"bytes by index":    {source: "{% for i in range(40) %}{{ username[i]|safe }}{% endfor %}"},
		"mapping":           {source: `{{ {"a": username} }}{{ providers[0] }}{{ {username: 1} }}`, own: "'"},
		"items":             {source: `{{ providers[0]|items }}{{ providers[0].items() }}{{ providers|first|dictsort }}`, own: "'"},
		"string":            {source: "{{ username|string }}{{ [username]|string }}", own: "'"},
		"striptags":         {source: "{{ username|striptags }}", want: once},
		"trim":              {source: `{{ username|trim }}{{ username|trim("AH") }}{{ username.strip() }}`},
		"truncate":          {source: `{{ username|truncate(9, true, username[:2], 0) }}`},
		"wordwrap":          {source: "{{ username|wordwrap(2) }}{{ username|center(80) }}{{ username|indent(2, true) }}"},
		"default":           {source: "{{ nothing|default(username)|safe }}", want: once},
		"max and min":       {source: "{{ [username]|max }}{{ [username]|min }}{{ [username]|sort|first }}{{ [username]|unique|last }}", want: once + once + once + once},
		"map":               {source: `{{ providers|map(attribute="label")|map("safe")|join }}`, want: once},
		"groupby":           {source: `{% for g in providers|groupby("label") %}{{ g.grouper }}{{ g[0]|safe }}{% endfor %}`, want: once + once},
		"batch":             {source: `{% for r in [username]|batch(2, username) %}{{ r|join }}{% endfor %}`, want: once + once},
		"split":             {source: `{{ username.split("C")[0] }}{{ username.split()|join }}`, want: "A&lt;B&gt;" + once},
		"urlencode":         {source: "{{ username|urlencode }}{{ {'a': username}|urlencode }}", want: "A%3CB%3EC%22D%27E%26F%60G%24Ha=A%3CB%3EC%22D%27E%26F%60G%24H"},
		"xmlattr":           {source: `{{ {"title": username}|xmlattr|safe }}`, want: ` title="` + once + `"`, own: `"`},
		"tojson":            {source: "{{ username|tojson }}", want: `"A\u003cB\u003eC\u0022D\u0027E\u0026F\u0060G\u0024H"`, own: `"`},
		"tojson, safe":      {source: "{{ {username: [username]}|tojson|safe }}", own: `"`},
		"tojson, indented":  {source: "{{ username|tojson(indent=2) }}", own: `"`},
		"tojson, escaped":   {source: "{{ username|tojson|forceescape }}", own: ""},
		"tojson of a block": {source: "{% set x %}{{ username }}{% endset %}{{ x|tojson }}", own: `"`},
		"inline if":         {source: "{{ username|safe if next else next }}", want: once},
		"test":              {source: "{{ username is string }}{{ username in username }}", want: "TrueTrue"},
		"length":            {source: "{{ username|length }}", want: fmt.Sprint(len(hostile))},
	}
	entity := regexp.MustCompile(`&(lt|gt|amp|#\d+);`)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := said(t, test.source, p)
			if test.want != "" && got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
			left := entity.ReplaceAllString(got, "")
			for _, r := range strings.Trim(dangerous, `\`) { // a backslash is also how tojson escapes
				if strings.ContainsRune(left, r) && !strings.ContainsRune(test.own, r) {
					t.Errorf("%q got through: %s", r, got)
				}
			}
			// What is the template's own never stands where the value's stood.
			if regexp.MustCompile("A<|B>|C\"D|D'E|E&F|F`|G\\$").MatchString(left) {
				t.Errorf("the value got through: %s", got)
			}
		})
	}
}

// TestBackslashInAScript keeps a value from swallowing the quote after it.
func TestBackslashInAScript(t *testing.T) {
	got := said(t, `x = "{{ username }}"`, Page{Username: `\`})
	if want := `x = "&#92;"`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestValuesInAScript shows that tojson is fit for scripts and any attribute.
func TestValuesInAScript(t *testing.T) {
	got := said(t, `{{ username|tojson }}`, Page{Username: "</script> onclick=alert(1) \\ \" ' \u2028 😀 zoë"})
	const want = `"\u003c/script\u003e\u0020onclick\u003dalert\u00281\u0029\u0020\u005c\u0020\u0022\u0020\u0027\u0020\u2028\u0020\ud83d\ude00\u0020zoë"`
	if got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestValuesAreClipped(t *testing.T) {
	got := said(t, "{{ username }}", Page{Username: strings.Repeat("ë", maxValue)})
	if len(got) != maxValue {
		t.Errorf("%d bytes, want %d", len(got), maxValue)
	}
}

func TestUnreadableValues(t *testing.T) {
	got := said(t, "{{ username }}", Page{Username: "a\x00b\xffc\U000F003Cd\x1be\nf"})
	if want := "a\uFFFDb\uFFFDc\uFFFDd\uFFFDe\nf"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestMistakesHaveALine(t *testing.T) {
	tests := map[string]struct{ source, want string }{
		"unknown statement":    {"a\n{% frobnicate %}", `page.html:2: the statement "frobnicate" is not supported here`},
		"with":                 {"{% with a = 1 %}{% endwith %}", `page.html:1: the statement "with" is not supported here`},
		"import":               {"\n\n{% import 'a' as b %}", `page.html:3: the statement "import" is not supported here`},
		"no statement":         {"{% %}", `page.html:1: the statement "" is not supported here`},
		"unknown filter":       {"\n{{ a|\nfrobnicate }}", `page.html:3: there is no filter "frobnicate"`},
		"unknown filter block": {"\n{% filter frobnicate %}{% endfilter %}", `page.html:2: there is no filter "frobnicate"`},
		"unknown test":         {"{% if a is frobnicate %}{% endif %}", `page.html:1: there is no test "frobnicate"`},
		"unknown test, not":    {"{% if a is not frobnicate %}{% endif %}", `page.html:1: there is no test "frobnicate"`},
		"unclosed if":          {"a\nb\n{% if x %}\nc", "page.html:"},
		"unclosed for":         {"{% for a in b %}", "page.html:1: "},
		"unopened endif":       {"a\n{% endif %}", "page.html:2: "},
		"wrong end":            {"{% if a %}\n{% endfor %}", "page.html:2: "},
		"unclosed comment":     {"a\n\n{# b", "page.html:3: unclosed comment"},
		"unclosed variable":    {"a\n{{ b", "page.html:2: "},
		"unclosed string":      {"a\n{{ 'b }}", "page.html:2: a string is not closed"},
		"unclosed raw":         {"a\n{% raw %}b", "page.html:2: "},
		"empty raw":            {"{% raw %}{% endraw %}", "page.html:1: "},
		"unbalanced":           {"\n{{ (a }}", "page.html:2: "},
		"unbalanced, closing":  {"\n{{ a) }}", "page.html:2: "},
		"empty expression":     {"a\n{{ }}", "page.html:2: "},
		"for without in":       {"\n{% for a %}x{% endfor %}", "page.html:2: "},
		"block twice":          {"{% block a %}{% endblock %}\n{% block a %}{% endblock %}", "page.html:2: "},
		"block without name":   {"\n{% block %}{% endblock %}", "page.html:2: "},
		"stray character":      {"\n{{ @a }}", "page.html:2: unexpected character"},
		"dollar":               {"{{ $a }}", "page.html:1: unexpected character"},
		"exclamation mark":     {"{{ !a }}", "page.html:1: "},
		"self":                 {"{% block a %}{{ self.a() }}{% endblock %}", `page.html:1: "self" is not supported here`},
		"recursive":            {"{% for a in b recursive %}{{ loop(b) }}{% endfor %}", "page.html:1: recursive loops are not supported here"},
		"star":                 {`{{ "a" * 1000000000 }}`, `page.html:1: the operator "*" is not supported here`},
		"power":                {`{{ 9 ** 999 }}`, `page.html:1: the operator "*" is not supported here`},
		"set an attribute":     {"{% set a.b = 1 %}", "page.html:1: only a plain name can be set"},
		"too long":             {"\n{{ " + strings.Repeat("a ~ ", maxTokens) + "a }}", "page.html:2: this expression is too long"},
		"too deep":             {"{{ " + strings.Repeat("(", maxTokens) + strings.Repeat(")", maxTokens) + " }}", "page.html:1: this expression is too long"},
		"too large":            {strings.Repeat("a", maxSource+1), "page.html:1: larger than 256 KiB"},
		"not UTF-8":            {"a\nb\xffc", "page.html:2: not UTF-8"},
		"unknown function":     {"a\n{{ frobnicate() }}", "page.html:2: "},
		"unknown method":       {"a\n{{ username.frobnicate() }}", "page.html:2: "},
		"division by zero":     {"{{ 1 % 0 }}", "page.html: "},
		"item of nothing":      {"a\nb{{ nothing.a }}", "page.html:2: "},
		"extends nothing":      {"\n{% extends a %}", "page.html:2: extends needs the name of a file, in quotes"},
		"extends what is not":  {`{% extends "nowhere.html" %}`, "nowhere.html:1: there is no such file in the folder of the template"},
		"extends upwards":      {`{% extends "../page.go" %}`, "../page.go:1: there is no such file in the folder of the template"},
		"extends an address":   {`{% extends "/etc/passwd" %}`, "/etc/passwd:1: there is no such file in the folder of the template"},
		"extends what is bad":  {`{% extends "testdata/site/broken.html" %}`, "testdata/site/broken.html:2: "},
		"extends a folder":     {`{% extends "testdata" %}`, "testdata:1: there is no such file in the folder of the template"},
		"includes what is not": {"\n{% include 'nowhere.html' %}", "page.html:2: "},
		"includes upwards":     {"\n{% include '../go.mod' %}", "page.html:2: "},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("page.html", []byte(test.source))
			if err == nil {
				t.Fatal("no error")
			}
			if !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("%v\nwant %s…", err, test.want)
			}
			if len(err.Error()) > 300 || strings.Contains(err.Error(), "\n") {
				t.Errorf("too long a message: %v", err)
			}
		})
	}
}

// TestLimits asks for more than a page may take. Some of this could not be
// recovered from if it were tried.
func TestLimits(t *testing.T) {
	tests := map[string]string{
		"a long page":          "{% for i in range(1000) %}{% for j in range(10) %}" + strings.Repeat("x", 300) + "{% endfor %}{% endfor %}",
		"loops in loops":       "{% for i in range(1000) %}{% for i in range(1000) %}{% for i in range(1000) %}{% endfor %}{% endfor %}{% endfor %}",
		"a long range":         "{% for i in range(1000000000) %}{% endfor %}",
		"a range without step": "{% for i in range(1, 2, 0) %}{% endfor %}",
		"macro in itself":      "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
		"macros in each other": "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}",
		"macro in its default": "{% macro m(a=m()) %}{% endmacro %}{{ m() }}",
		"doubling":             `{% set a = "aaaaaaaa" %}` + strings.Repeat("{% set a = a ~ a %}", 40),
		"doubling lists":       `{% set a = ["a"] %}` + strings.Repeat("{% set a = [a, a] %}", 40) + "{{ a }}",
		"doubling in calls":    `{% macro m(a) %}{{ m(a ~ a) }}{% endmacro %}{{ m("aaaaaaaa") }}`,
		"doubling in a loop":   `{% set a = "aaaaaaaa" %}{% for i in range(100) %}{% set a = a ~ a %}{% if i %}{% set a = a ~ a %}{% set a = a ~ a %}{% set a = a ~ a %}{% set a = a ~ a %}{% set a = a ~ a %}{% set a = a ~ a %}{% set a = a ~ a %}{% set a = a ~ a %}{% set a = a ~ a %}{% set a = a ~ a %}{% set a = a ~ a %}{% set a = a ~ a %}{% endif %}{% endfor %}`,
		"center":               `{{ "a"|center(1000000000) }}`,
		"indent":               `{{ "a"|indent(1000000000, true) }}`,
		"indent, by name":      `{{ "a"|indent(width=1000000000, first=true) }}`,
		"batch":                `{{ [1]|batch(1000000000, 0) }}`,
		"slice":                `{{ [1]|slice(1000000000) }}`,
		"format":               `{{ "%1000000000d"|format(1) }}`,
		"format, padded":       `{{ "%-01000000d"|format(1) }}`,
		"format, by argument":  `{{ "%*d"|format(1000000000, 1) }}`,
		"format, precise":      `{{ "%.1000000000f"|format(1.5) }}`,
		"replace":              `{{ range(1000)|join|replace("", range(1000)|join) }}`,
		"a long text":          `{% set x %}{% for i in range(1000) %}` + strings.Repeat("x", 100) + `{% endfor %}{% endset %}`,
		"nesting":              strings.Repeat("{% if next %}", 50) + strings.Repeat("{% endif %}", 50),
		"includes itself":      `{% include "self.html" %}`,
		"includes without end": `{% for i in range(1000) %}{% include "one.html" %}{% endfor %}`,
		"extends itself":       `{% extends "parent.html" %}`,
	}
	dir := t.TempDir()
	for name, content := range map[string]string{
		"self.html": `{% include "self.html" %}`, "one.html": "1", "parent.html": `{% extends "parent.html" %}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, source := range tests {
		t.Run(name, func(t *testing.T) {
			template, err := Parse(filepath.Join(dir, "page.html"), []byte(source))
			if err == nil {
				_, err = template.Render(Page{Next: "/"})
			}
			if err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestNothingOutsideTheFolder(t *testing.T) {
	dir := t.TempDir()
	inside := filepath.Join(dir, "inside")
	if err := os.Mkdir(inside, 0o700); err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("a secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, filepath.Join(inside, "link")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../secret", secret, "link", "./link", "x/../../secret", "inside/../../secret"} {
		for _, source := range []string{"{% include '" + name + "' %}", "{% extends '" + name + "' %}", "{% include '" + name + "' ignore missing %}"} {
			t.Run(source, func(t *testing.T) {
				template, err := Parse(filepath.Join(inside, "page.html"), []byte(source))
				if err != nil {
					return
				}
				if page, _ := template.Render(Page{}); bytes.Contains(page, []byte("secret")) {
					t.Errorf("read: %s", page)
				}
			})
		}
	}
}

func TestRenderAtOnce(t *testing.T) {
	template := parseFile(t, "testdata/site/login.html")
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			name := fmt.Sprintf("user%d", i)
			for range 20 {
				page, err := template.Render(Page{Username: name})
				if err != nil || !bytes.Contains(page, []byte("Hello "+name)) {
					t.Errorf("%s: %v", page, err)
				}
			}
		})
	}
	group.Wait()
}

// TestErrorsSayNothingOfTheTemplate because the library quotes all of it.
func TestErrorsSayNothingOfTheTemplate(t *testing.T) {
	source := strings.Repeat("a secret\n", 10) + "{% if %}{% endif %}"
	_, err := Parse("page.html", []byte(source))
	if err == nil || strings.Contains(err.Error(), "a secret") {
		t.Errorf("%v", err)
	}
}

func TestLibraryLogsNothing(t *testing.T) {
	if logging.Enabled() {
		t.Error("the template library would log")
	}
}

func FuzzTemplate(f *testing.F) {
	for _, file := range []string{"login.html", "logout.html", "error.html", "site/login.html"} {
		source, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(source), hostile)
	}
	f.Add("{% macro m(a) %}{{ a|e|upper ~ 'x' }}{% endmacro %}{{ m(username) }}", attack)
	f.Add("{% for c in username|list|reverse %}{{ c|safe }}{% endfor %}{{ providers|tojson }}", attack)
	f.Add("{% set x %}{{ username }}{% endset %}{% filter title|replace('a', 'b') %}{{ x|format(1, 2) }}{% endfilter %}", attack)
	f.Add("{{\n'a'\n}}{%- raw -%} {{ }} {%- endraw -%}{# #}", "")
	f.Fuzz(func(t *testing.T, source, value string) {
		template, err := Parse("testdata/fuzz.html", []byte(source))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "testdata/") {
				t.Errorf("an error without a place: %v", err)
			}
			return
		}
		for kind := SignIn; kind <= Trouble; kind++ {
			page, err := template.Render(Page{
				Kind: kind, Username: value, Message: value, Next: value, LoginURL: value,
				LogoutLink: value, Providers: []Provider{{ID: value, Label: value, URL: value}},
			})
			if err == nil && len(page) > 6*maxPage {
				t.Errorf("a page of %d bytes", len(page))
			}
		}
	})
}

func BenchmarkRender(b *testing.B) {
	source, err := os.ReadFile("testdata/login.html")
	if err != nil {
		b.Fatal(err)
	}
	template, err := Parse("testdata/login.html", source)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := template.Render(Page{LoginURL: "/login", Message: "Invalid"}); err != nil {
			b.Fatal(err)
		}
	}
}
