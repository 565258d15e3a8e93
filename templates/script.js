/*
SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
SPDX-License-Identifier: Apache-2.0

Shows the password and warns of Caps Lock. The page works without it. Nothing
here depends on a request, so that the policy can let it in by its hash; it has
no line comments, for its lines are joined.
*/
const find = id => document.getElementById(id);
const password = find("password"), reveal = find("reveal"), caps = find("caps");
const show = shown => { reveal.checked = shown; password.type = shown ? "text" : "password"; };
const look = event => {
	const on = event.getModifierState && event.getModifierState("CapsLock");
	const text = on ? caps.dataset.text : "";
	if (caps.textContent !== text) caps.textContent = text;
};
reveal.parentElement.hidden = false;
reveal.addEventListener("change", () => show(reveal.checked));
password.form.addEventListener("submit", () => show(false));
addEventListener("pageshow", () => show(false));
for (const kind of ["keydown", "keyup", "mousedown"]) password.addEventListener(kind, look);
password.addEventListener("blur", () => { caps.textContent = ""; });
