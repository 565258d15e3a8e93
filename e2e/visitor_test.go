// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

// patience is how long the browser may take for one step.
const patience = 20 * time.Second

// visitor is somebody with a browser of their own.
type visitor struct {
	t   *testing.T
	tab context.Context
}

// browser starts a fresh Chromium that reaches this machine and nothing else,
// so that no page depends on what it would load from elsewhere.
func browser(t *testing.T) *visitor {
	t.Helper()
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(chromiumProgram),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.IgnoreCertErrors, // secureCaddy signs its own
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"),
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	tab, closeTab := chromedp.NewContext(allocator, chromedp.WithErrorf(t.Logf))
	v := &visitor{t: t, tab: tab}
	t.Cleanup(func() {
		if t.Failed() {
			v.leaveTraces()
		}
		closeTab()
		stop()
	})
	if err := chromedp.Do(tab); err != nil {
		t.Fatalf("starting the browser: %v", err)
	}
	v.wide(1000)
	return v
}

// do does something in the browser that has to work, within reasonable time.
func (v *visitor) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	v.t.Helper()
	tab, cancel := context.WithTimeout(v.tab, patience)
	defer cancel()
	if err := chromedp.Do(tab, actions...); err != nil {
		v.t.Fatalf("%s: %v", what, err)
	}
}

// ask evaluates an expression of JavaScript. While one page makes way for
// another there may be no answer.
func ask[T any](v *visitor, expression string) (T, error) {
	tab, cancel := context.WithTimeout(v.tab, patience)
	defer cancel()
	return chromedp.Run(tab, chromedp.Evaluate[T](expression))
}

// open goes to an address, as typed into the address bar, and returns the
// status of the page that it ends at.
func (v *visitor) open(url string) int {
	v.t.Helper()
	tab, cancel := context.WithTimeout(v.tab, patience)
	defer cancel()
	response, err := chromedp.Run(tab, chromedp.NavigateResponse(url))
	if err != nil {
		v.t.Fatalf("opening %s: %v", url, err)
	}
	return int(response.Status)
}

// signIn fills in the form that is on the page and sends it with its only
// button.
func (v *visitor) signIn(user, password string) {
	v.t.Helper()
	name, secret := chromedp.CSS(`input[name="username"]`), chromedp.CSS(`input[name="password"]`)
	v.do("filling in the form", chromedp.Clear(name), chromedp.SendKeys(name, user), chromedp.SendKeys(secret, password))
	v.leavingThePage(func() {
		v.do("sending the form", chromedp.Click(chromedp.CSS("button")))
	})
}

// leavingThePage does something that leads to another page, and waits for it.
func (v *visitor) leavingThePage(do func()) {
	v.t.Helper()
	v.do("marking the page", chromedp.Evaluate[chromedp.Void](`window.stillHere = true`))
	do()
	v.eventually("leaving the page", `!window.stillHere && document.readyState === "complete"`)
}

// eventually waits until an expression of JavaScript is true.
func (v *visitor) eventually(what, expression string) {
	v.t.Helper()
	eventually(v.t, patience, what, func() bool {
		is, err := ask[bool](v, expression)
		return err == nil && is
	})
}

// inAllShadows is a function of JavaScript that visits each element of the
// page. Panel draws its widgets into nested shadow trees.
const inAllShadows = `
function visit(node, look) {
	for (const child of node.childNodes) {
		if (["SCRIPT", "STYLE", "NOSCRIPT"].includes(child.nodeName)) continue;
		look(child);
		if (child.shadowRoot) visit(child.shadowRoot, look);
		visit(child, look);
	}
}`

// text is what the page says, shadow trees included, with single spaces.
func (v *visitor) text() string {
	text, err := ask[string](v, `(() => {`+inAllShadows+`
		let text = "";
		visit(document.body, node => { text += node.nodeType === Node.TEXT_NODE ? node.data : " "; });
		return text.replace(/\s+/g, " ").trim();
	})()`)
	if err != nil {
		return "" // a page that is just going says nothing
	}
	return text
}

// sees waits until the page says something.
func (v *visitor) sees(text string) {
	v.t.Helper()
	var said string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if said = v.text(); strings.Contains(said, text) {
			return
		}
	}
	v.t.Fatalf("the page at %s does not say %q but %q", v.at(), text, said)
}

// seesForm waits for a sign-in form.
func (v *visitor) seesForm() {
	v.t.Helper()
	v.eventually("a sign-in form", `!!document.querySelector('form input[name="username"]') && !!document.querySelector('form input[name="password"]')`)
}

// arrives waits until the address bar shows the address.
func (v *visitor) arrives(url string) {
	v.t.Helper()
	v.eventually("arriving at "+url, fmt.Sprintf(`location.href === %q && document.readyState === "complete"`, url))
}

// at is the address of the page.
func (v *visitor) at() string {
	url, err := ask[string](v, `location.href`)
	if err != nil {
		return "" // on the way from one page to another
	}
	return url
}

// title is the title of the page.
func (v *visitor) title() string {
	v.t.Helper()
	title, err := ask[string](v, `document.title`)
	if err != nil {
		v.t.Fatalf("reading the title: %v", err)
	}
	return title
}

// press clicks the button of the page, or of a Panel widget, that says label.
func (v *visitor) press(label string) {
	v.t.Helper()
	v.eventually("a button "+label, fmt.Sprintf(`(() => {`+inAllShadows+`
		let button;
		visit(document.body, node => { if (node.nodeName === "BUTTON" && node.textContent.trim() === %q) button = node; });
		if (button) button.click();
		return !!button;
	})()`, label))
}

// click follows the link that says label.
func (v *visitor) click(label string) {
	v.t.Helper()
	v.leavingThePage(func() {
		v.eventually("a link "+label, fmt.Sprintf(`(() => {
			const link = [...document.links].find(link => link.textContent.trim() === %q);
			if (link) link.click();
			return !!link;
		})()`, label))
	})
}

// say types into Panel's text input and ends with Enter.
func (v *visitor) say(text string) {
	v.t.Helper()
	v.eventually("a text input", `(() => {`+inAllShadows+`
		let input;
		visit(document.body, node => { if (node.nodeName === "INPUT" && node.type === "text") input = node; });
		if (input) { input.focus(); input.select(); }
		return !!input;
	})()`)
	v.do("typing", chromedp.KeyEvent(text+"\r"))
}

// hasLiveWidget checks that the websocket of example/panel/app.py works.
func (v *visitor) hasLiveWidget() {
	v.t.Helper()
	v.sees("Python is listening.")
	v.say("Good morning")
	v.sees("Python heard: Good morning")
}

// cookies are all that the browser keeps.
func (v *visitor) cookies() []*network.Cookie {
	v.t.Helper()
	kept, err := chromedp.Call(v.tab, storage.GetCookies, storage.GetCookiesParams{})
	if err != nil {
		v.t.Fatalf("reading cookies: %v", err)
	}
	return kept.Cookies
}

// request is what a copy of the browser's cookies gets, without following
// redirects, as a navigation.
func (v *visitor) request(url string) *http.Response {
	v.t.Helper()
	return answer(v.t, with(navigation(v.t, url), v.cookies()))
}

// prefers makes pages light or dark.
func (v *visitor) prefers(scheme string) {
	v.t.Helper()
	v.emulates("", "prefers-color-scheme", scheme)
}

// emulates shows pages as on another medium, or to somebody with these
// preferences: names and values in turn.
func (v *visitor) emulates(medium string, preferences ...string) {
	v.t.Helper()
	params := emulation.SetEmulatedMediaParams{Media: medium}
	for i := 0; i+1 < len(preferences); i += 2 {
		params.Features = append(params.Features, &emulation.MediaFeature{Name: preferences[i], Value: preferences[i+1]})
	}
	if _, err := chromedp.Call(v.tab, emulation.SetEmulatedMedia, params); err != nil {
		v.t.Fatalf("emulating: %v", err)
	}
}

// wide sets the width of the window.
func (v *visitor) wide(pixels int64) {
	v.t.Helper()
	v.do("resizing", chromedp.EmulateViewport(pixels, 800))
}

// photograph keeps a picture of the page, at rest, as output/<name>.png.
func (v *visitor) photograph(name string) {
	v.t.Helper()
	v.eventually("the page at rest", `document.getAnimations().every(animation => animation.playState === "finished")`)
	if err := v.picture(name); err != nil {
		v.t.Fatalf("photographing %s: %v", name, err)
	}
}

func (v *visitor) picture(name string) error {
	tab, cancel := context.WithTimeout(v.tab, patience)
	defer cancel()
	picture, err := chromedp.Run(tab, chromedp.CaptureScreenshot())
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(outputDir, name+".png"), picture, 0o644)
}

// leaveTraces shows where the visitor was when the test failed.
func (v *visitor) leaveTraces() {
	v.t.Logf("the browser was at %s, which says %q", v.at(), v.text())
	if err := v.picture(fileName(v.t) + "-failed"); err != nil {
		v.t.Logf("photographing: %v", err)
	}
}

// navigation is a request as browsers make it for a page.
func navigation(t *testing.T, url string) *http.Request {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	request.Header.Set("Sec-Fetch-Mode", "navigate")
	request.Header.Set("Sec-Fetch-Dest", "document")
	return request
}

// websocket is a request to open a websocket, as the site's own pages make it.
func websocket(t *testing.T, url string) *http.Request {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Connection", "Upgrade")
	request.Header.Set("Upgrade", "websocket")
	request.Header.Set("Origin", "http://"+request.URL.Host)
	request.Header.Set("Sec-WebSocket-Version", "13")
	request.Header.Set("Sec-WebSocket-Key", base64.StdEncoding.EncodeToString([]byte("a sixteen-byte k")))
	return request
}

// answer sends a request and closes the answer. Redirects are not followed.
func answer(t *testing.T, request *http.Request) *http.Response {
	t.Helper()
	client := &http.Client{
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	return response
}

// anotherTab is the same visitor with another tab of the same browser.
func (v *visitor) anotherTab() *visitor {
	v.t.Helper()
	tab, closeTab := chromedp.NewContext(v.tab)
	v.t.Cleanup(closeTab)
	if err := chromedp.Do(tab); err != nil {
		v.t.Fatalf("opening a tab: %v", err)
	}
	return &visitor{t: v.t, tab: tab}
}

// offers waits for a page that offers these providers, in this order.
func (v *visitor) offers(labels ...string) {
	v.t.Helper()
	wanted, err := json.Marshal(labels)
	if err != nil {
		v.t.Fatal(err)
	}
	v.eventually("a choice of "+strings.Join(labels, " and "), fmt.Sprintf(`JSON.stringify([...document.querySelectorAll("a[href*='provider=']")]
		.map(link => link.textContent.trim().replace("Continue with ", ""))) === JSON.stringify(%s)`, wanted))
}
