// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// TestPagesOnAnyMedium: each page is as good on paper, on a wall, in a few
// colours, in large letters and at rest. The pictures that this leaves in
// output/ are to be looked at.
func TestPagesOnAnyMedium(t *testing.T) {
	for _, language := range []string{"en", "ar", "de"} {
		t.Run(language, func(t *testing.T) {
			i := &inspection{visitor: browser(t), language: language}
			i.look = func(name string) {
				name = language + "-" + name
				i.isGoodInLargeLetters(name)
				if language == "en" { // the rest is alike in all of them
					i.isGoodOnPaper(name)
					i.isGoodInForcedColours(name)
					i.isGoodOnWalls(name)
					i.isGoodAtRest(name)
				}
				i.emulates("")
				i.wide(1000)
			}
			i.sends(nil)
			i.walk(caddy(t, allPages(t)).url)
		})
	}
}

// isGoodOnPaper looks at a printed page, of somebody with a dark screen.
func (i *inspection) isGoodOnPaper(name string) {
	i.t.Helper()
	i.emulates("print", "prefers-color-scheme", "dark")
	i.wide(700)
	i.photograph("paper-" + name)
	i.findsNone(name+" on paper", `
		const bright = colour => {
			const [red, green, blue, alpha = 1] = colour.match(/[\d.]+/g).map(Number);
			return alpha === 0 || (red + green + blue) / 3 > 200;
		};
		for (const element of [document.documentElement, ...seen()]) {
			const style = getComputedStyle(element);
			if (!bright(style.backgroundColor) || style.backgroundImage !== "none" || style.boxShadow !== "none") found.push("behind " + cite(element));
			if (saysSomething(element) && bright(style.color)) found.push("hardly to be read: " + cite(element));
			if (element.matches("a, button, input, label, .button")) found.push("nothing for paper: " + cite(element));
		}
		const sheet = document.body.appendChild(document.createElement("i"));
		sheet.style.backgroundColor = "Canvas";
		if (!bright(getComputedStyle(sheet).backgroundColor)) found.push("the paper is dark");
		sheet.remove();
		if (!document.querySelector("h1").checkVisibility()) found.push("no headline");`)
}

// isGoodInForcedColours looks at what is left where the system chooses all
// colours: edges and the focus.
func (i *inspection) isGoodInForcedColours(name string) {
	i.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		i.emulates("", "forced-colors", "active", "prefers-color-scheme", scheme)
		i.wide(1000)
		i.photograph("forced-" + name + "-" + scheme)
		i.findsNone(name+" in forced colours", `
			for (const element of seen()) {
				const style = getComputedStyle(element);
				if (!element.matches(".button, .field input:not([type=checkbox])")) continue;
				if (style.borderStyle !== "solid" || parseFloat(style.borderWidth) < 1) found.push("no edge: " + cite(element));
				if (style.borderColor === getComputedStyle(document.body).backgroundColor) found.push("an edge that nobody sees: " + cite(element));
			}`)
	}
	stops, err := ask[int](i.visitor, `[...document.querySelectorAll("a[href], button, input:not([type=hidden])")].filter(element => element.checkVisibility()).length`)
	if err != nil {
		i.t.Fatal(err)
	}
	for range stops {
		i.do("tab", chromedp.KeyEvent("\t"))
		if past, err := ask[bool](i.visitor, `document.activeElement === document.body`); err == nil && !past {
			i.hasVisibleFocus()
		}
	}
}

// isGoodOnWalls looks at the page from afar.
func (i *inspection) isGoodOnWalls(name string) {
	i.t.Helper()
	for _, wall := range []struct{ width, height, letters int64 }{{2560, 1440, 20}, {3840, 2160, 32}} {
		i.prefers("light")
		i.screen(wall.width, wall.height, 1)
		i.photograph(fmt.Sprintf("wall-%s-%d", name, wall.width))
		i.findsNone(fmt.Sprintf("%s on a wall of %d pixels", name, wall.width), fmt.Sprintf(`
			const main = document.querySelector("main").getBoundingClientRect();
			if (Math.abs(main.left - (innerWidth - main.right)) > 2) found.push("not in the middle");
			if (parseFloat(getComputedStyle(document.body).fontSize) < %d) found.push("small letters");`, wall.letters))
	}
}

// isGoodInLargeLetters looks at zoomed pages, which have as few pixels as a
// narrow screen, and at letters of twice the size, with and without that.
func (i *inspection) isGoodInLargeLetters(name string) {
	i.t.Helper()
	i.wide(1000)
	for _, letters := range []int64{16, 32} {
		i.setLetters(letters)
		for _, screen := range []struct {
			width, height int64
			zoom          float64
		}{{320, 256, 4}, {320, 400, 2}, {400, 300, 2}, {480, 640, 1}, {640, 400, 2}} {
			i.screen(screen.width, screen.height, screen.zoom)
			what := fmt.Sprintf("%s in letters of %d on %d pixels", name, letters, screen.width)
			i.findsNone(what, `
				const width = document.documentElement.clientWidth;
				if (document.documentElement.scrollWidth > width) found.push("it scrolls sideways");
				for (const element of seen()) {
					const box = element.getBoundingClientRect(), style = getComputedStyle(element);
					if (box.left < -1 || box.right > width + 1 || box.top + scrollY < -1) found.push("beyond the edge: " + cite(element));
					if (style.display !== "inline" && element.scrollWidth > element.clientWidth + 1 && element.nodeName !== "INPUT") found.push("cut: " + cite(element));
					if (element.matches(".button") && element.scrollHeight > element.clientHeight + 1) found.push("higher than its button: " + cite(element));
				}`)
			if screen.height == 400 {
				i.photograph(fmt.Sprintf("letters-%s-%d-%d", name, letters, screen.width))
			}
		}
	}
	i.setLetters(16)
}

// setLetters is the browser's own setting for the size of letters.
func (i *inspection) setLetters(pixels int64) {
	i.t.Helper()
	sizes := page.SetFontSizesParams{FontSizes: &page.FontSizes{Standard: pixels, Fixed: pixels * 13 / 16}}
	if _, err := chromedp.Call(i.tab, page.SetFontSizes, sizes); err != nil {
		i.t.Fatalf("setting the size of letters: %v", err)
	}
	i.eventually("that size", fmt.Sprintf(`getComputedStyle(document.documentElement).fontSize === "%dpx"`, pixels))
}

// isGoodAtRest looks for what moves although the visitor does not want that.
func (i *inspection) isGoodAtRest(name string) {
	i.t.Helper()
	i.emulates("", "prefers-reduced-motion", "reduce")
	i.findsNone(name+" at rest", `
		for (const element of seen()) {
			const style = getComputedStyle(element);
			if (style.transitionProperty !== "none" && style.transitionDuration.split(", ").some(time => parseFloat(time) > 0)) found.push("it glides: " + cite(element));
			if (style.animationName !== "none") found.push("it moves: " + cite(element));
		}`)
}

// findsNone runs a script that pushes what is wrong onto found.
func (i *inspection) findsNone(what, script string) {
	i.t.Helper()
	found, err := ask[[]string](i.visitor, `(() => {
		const found = [];
		const seen = () => [...document.body.querySelectorAll("*"), document.body].filter(element => element.checkVisibility() && !element.closest("svg, script"));
		const saysSomething = element => [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
		const cite = element => element.outerHTML.slice(0, 80);
		`+script+`
		return found;
	})()`)
	if err != nil {
		i.t.Fatalf("%s: %v", what, err)
	}
	for _, one := range found {
		i.t.Errorf("%s: %s", what, one)
	}
}

// screen is a screen of so many pixels as pages count them.
func (v *visitor) screen(width, height int64, zoom float64) {
	v.t.Helper()
	v.do("resizing", chromedp.EmulateViewport(width, height, chromedp.EmulateScale(zoom)))
}

// TestCapsLock: whoever types a password in capitals without knowing is told.
func TestCapsLock(t *testing.T) {
	site := caddy(t, allPages(t))
	visitor := browser(t)
	visitor.open(site.url + "/login")
	visitor.eventually("the page's script", `!document.querySelector(".reveal").hidden`)
	const hint = `document.getElementById("caps").textContent`
	types := func(on bool) {
		visitor.do("typing", chromedp.Focus(chromedp.CSS("#password")), chromedp.Evaluate[chromedp.Void](fmt.Sprintf(
			`document.getElementById("password").dispatchEvent(new KeyboardEvent("keydown", {key: "A", bubbles: true, modifierCapsLock: %t})); void 0`, on)))
	}
	if said, err := ask[string](visitor, hint); err != nil || said != "" {
		t.Errorf("it says %q before anything is typed (%v)", said, err)
	}
	types(true)
	visitor.eventually("the hint", hint+` === "Caps Lock is on."`)
	visitor.photographAll("caps-lock")
	types(false)
	visitor.eventually("no hint", hint+` === ""`)
	types(true)
	visitor.eventually("the hint again", hint+` !== ""`)
	visitor.do("going on", chromedp.KeyEvent("\t"))
	visitor.eventually("no hint elsewhere", hint+` === ""`)
}

// TestShowPassword: by mouse, and hidden again before it is sent, or browsers
// would not offer to remember it.
func TestShowPassword(t *testing.T) {
	site := caddy(t, allPages(t))
	visitor := browser(t)
	visitor.open(site.url + "/login?next=/page")
	const kind = `document.getElementById("password").type`
	visitor.eventually("a hidden password", kind+` === "password"`)
	visitor.do("typing and showing", chromedp.SendKeys(chromedp.CSS("#username"), "alice"),
		chromedp.SendKeys(chromedp.CSS("#password"), "my_password"), chromedp.Click(chromedp.CSS("#reveal")))
	visitor.eventually("the password in sight", kind+` === "text"`)
	visitor.do("watching what is sent", chromedp.Evaluate[chromedp.Void](
		`document.forms[0].addEventListener("submit", () => sessionStorage.setItem("sent", `+kind+`)); void 0`))
	visitor.leavingThePage(func() { visitor.press("Sign in") })
	visitor.arrives(site.url + "/page")
	if sent, err := ask[string](visitor, `sessionStorage.getItem("sent")`); err != nil || sent != "password" {
		t.Errorf("it was sent from a field of the kind %q (%v)", sent, err)
	}
}
