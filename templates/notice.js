/*
SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
SPDX-License-Identifier: Apache-2.0

Tells who is in front of an application's page that the session has ended, or
is about to, and helps to begin another without losing the page. It is the same
for everybody, so that policies can let it in by its hash: what differs is in
the attributes of its element. Its lines are joined, so it has no line comments.
*/
(() => {
	"use strict";
	const script = document.currentScript;
	const said = Object.assign({}, script.dataset);
	script.remove();
	const ahead = 60, longest = 20 * 86400;
	let bar, line, button, close, popup, timer, state = "";

	const ask = async () => {
		try {
			const answer = await fetch(said.login + "/me", {headers: {Accept: "application/json"}, cache: "no-store"});
			if (answer.status === 401) return {out: true};
			const who = answer.ok ? await answer.json() : {};
			return {out: who.guest === true, known: answer.ok, left: who.expires ? (Date.parse(who.expires) - Date.now()) / 1000 : Infinity};
		} catch (unreachable) {
			return {};
		}
	};

	const build = () => {
		const host = document.createElement("div");
		bar = document.createElement("div");
		line = document.createElement("span");
		button = document.createElement("button");
		close = document.createElement("button");
		const style = new CSSStyleSheet();
		style.replaceSync(`
			:host { all: initial; position: fixed; inset: auto 0 0; z-index: 2147483647; pointer-events: none; }
			div { pointer-events: auto; box-sizing: border-box; display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; justify-content: center;
				margin: 0 auto 1rem; width: fit-content; max-width: calc(100% - 2rem); padding: .75rem 1rem; font: 16px/1.4 system-ui, sans-serif;
				color: #fff; background: #16202c; border: 1px solid #7d8b9c; border-radius: .75rem; box-shadow: 0 8px 32px rgb(0 0 0 / 40%); }
			div[hidden], button[hidden] { display: none; }
			button { font: inherit; font-weight: 600; padding: .375rem .875rem; cursor: pointer; color: #06182b; background: #93c6fb; border: 1px solid #93c6fb; border-radius: .5rem; }
			button.quiet { color: #fff; background: none; border-color: #7d8b9c; }
			button:focus-visible { outline: 3px solid #fff; outline-offset: 2px; }
			@media print { div { display: none; } }`);
		const root = host.attachShadow({mode: "open"});
		root.adoptedStyleSheets = [style];
		bar.setAttribute("role", "alert");
		bar.lang = said.lang;
		bar.dir = said.dir;
		close.className = "quiet";
		close.textContent = said.close;
		close.onclick = hide;
		button.onclick = () => {
			if (state === "back") return location.reload();
			const page = said.login + "?next=" + encodeURIComponent(location.pathname + location.search);
			popup = window.open(page, "_blank", "popup,width=520,height=720");
			if (!popup) location.assign(page);
			else watch();
		};
		bar.append(line, button, close);
		root.append(bar);
		(document.body || document.documentElement).append(host);
	};

	const show = (next, text, label) => {
		if (!bar) build();
		state = next;
		bar.hidden = false;
		line.textContent = text;
		button.textContent = label;
	};
	const hide = () => {
		state = "";
		if (bar) bar.hidden = true;
	};

	const watch = () => {
		clearInterval(timer);
		let again = 0;
		timer = setInterval(async () => {
			if (document.hidden && !(popup && !popup.closed) && again++ % 5) return;
			const now = await ask();
			if (!now.known || now.out || now.left <= ahead) return;
			clearInterval(timer);
			if (popup && !popup.closed) popup.close();
			popup = null;
			wait(now.left);
			if (state === "ended" || state === "") show("back", said.back, said.reload);
			else hide();
		}, 1500);
	};

	const ended = async () => {
		if (state === "ended" || state === "back") return;
		const now = await ask();
		if (state === "ended" || state === "back") return;
		if (now.known && !now.out) {
			wait(now.left);
			return show("back", said.back, said.reload);
		}
		show("ended", said.ended, said.signin);
		watch();
	};

	let later;
	const wait = left => {
		clearTimeout(later);
		if (!Number.isFinite(left)) return;
		later = setTimeout(async () => {
			const now = await ask();
			if (now.out) return ended();
			if (!now.known) return wait(ahead + 30);
			if (now.left > ahead + 5) return wait(now.left);
			show("ending", said.ending, said.signin);
			watch();
			clearTimeout(later);
			later = setTimeout(ended, Math.max(0, now.left + 1) * 1000);
		}, Math.min(Math.max(0, left - ahead), longest) * 1000);
	};

	const Native = window.WebSocket;
	window.WebSocket = class WebSocket extends Native {
		constructor(...how) {
			super(...how);
			if (new URL(this.url).host !== location.host) return;
			this.addEventListener("close", event => { if (event.code === 4401 && event.reason === "session ended") ended(); });
			this.addEventListener("open", () => { if (state === "back") hide(); });
		}
	};
	document.addEventListener("DOMContentLoaded", () => wait(parseFloat(said.left || "Infinity")));
})();
