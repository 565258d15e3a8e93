// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package attack

import "maps"

// A scene plays a case that takes more than one request, and judges it.
type scene = func(*site, attack)

// groupScenes play all cases with that word for a judge.
var groupScenes = map[string]scene{
	"stays here": everyInjectionPoint,
	"kept":       keptToTheByte,
}

// scenes play one case each. They are beside what they are about.
var scenes = gathered(redirectScenes, guestScenes, headerScenes, formScenes, callbackScenes, tokenScenes, sessionScenes,
	pageScenes, websocketScenes, limitScenes, configScenes, faultScenes, leakScenes)

func gathered(lists ...map[string]scene) map[string]scene {
	all := map[string]scene{}
	for _, list := range lists {
		maps.Copy(all, list)
	}
	return all
}
