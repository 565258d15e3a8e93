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
	burn(loadWindow)
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
	for end := threadTime() + d; threadTime() < end; {
	}
}

// TestGivingWay: it rests while the others have much to do, but not for ever.
func TestGivingWay(t *testing.T) {
	const worked = time.Millisecond
	tests := []struct {
		name   string
		rested time.Duration
		busy   bool
		want   time.Duration
	}{
		{"nobody else", 0, false, 0},
		{"others", 0, true, restFactor * worked},
		{"others, after a long while", maxRest - worked, true, worked},
		{"others, after very long", maxRest + worked, true, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := test.want
			if want <= 0 && runtime.GOMAXPROCS(0) == 1 {
				want = breath
			}
			g := &givingWay{rested: test.rested}
			if got := max(0, g.rest(worked, test.busy)); got != want {
				t.Errorf("rests %s, want %s", got, want)
			}
		})
	}
}

// TestGivingWayCounts: work that pauses and ends is never taken for that of
// others.
func TestGivingWayCounts(t *testing.T) {
	g := giveWay()
	before := g.began
	burn(2 * sliceOfWork)
	g.pause()
	g.done()
	if !g.began.After(before) {
		t.Error("it did not pause")
	}
}
