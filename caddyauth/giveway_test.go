// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"runtime"
	"testing"
	"time"
)

func TestLoad(t *testing.T) {
	used, known := processTime()
	if !known {
		t.Skip("NOT CHECKED: this system does not tell how long a process has used the processors")
	}
	start := time.Now()
	l := &load{since: start, used: used}
	if l.busy(0, start.Add(loadWindow/2)) {
		t.Error("nothing is known yet, and they are busy")
	}
	burn(time.Duration(runtime.GOMAXPROCS(0)) * loadWindow)
	if !l.busy(0, start.Add(loadWindow)) {
		t.Error("they are not busy")
	}
	if !l.busy(0, start.Add(loadWindow*3/2)) {
		t.Error("they are no longer busy, before anybody looked")
	}
	mine := threadTime()
	burn(loadWindow)
	_ = mine
	if l.busy(time.Hour, start.Add(2*loadWindow)) {
		t.Error("what this work has used counts as theirs")
	}
	if !l.busy(0, start.Add(time.Hour)) {
		t.Error("the last hour says how busy they are now")
	}
}

// burn uses a processor for so long.
func burn(d time.Duration) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for end := threadTime() + d; threadTime() < end; { //nolint:revive // using it is the purpose
	}
}

// TestGivingWayEnds: however busy the others are, the work gets done.
func TestGivingWayEnds(t *testing.T) {
	g := &givingWay{rested: maxRest}
	g.begin()
	defer g.done()
	before := g.rested
	burn(2 * sliceOfWork)
	g.pause()
	if rest := g.rested - before; rest != breath {
		t.Errorf("rested %s after all rests that it has", rest)
	}
}
