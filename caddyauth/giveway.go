// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"runtime"
	"sync"
	"time"
)

// How long work gives way. Measured on two processors that requests keep busy:
// they go on with nine tenths of their throughput, while a hash that takes 50 ms
// alone takes a third of a second.
const (
	// sliceOfWork is how long it goes on at a time.
	sliceOfWork = 500 * time.Microsecond
	// breath is the rest after a slice on the only processor, while nobody else
	// has much to do: without it nobody would notice what the network brings.
	breath = 50 * time.Microsecond
	// restFactor is how many times longer than a slice it rests while others
	// have much to do.
	restFactor = 5
	// maxRest bounds all rests of one work, so that a costly hash is only
	// slower, and not without end.
	maxRest = 2 * time.Second
)

// givingWay is work that would keep a processor to itself for long, and gives
// way to whatever else this process does. The system's own priorities could not
// do that: a thread of low priority that waits for a processor keeps the rest of
// a Go program from collecting garbage.
type givingWay struct {
	began  time.Time
	cpu    time.Duration
	rested time.Duration
}

func giveWay() *givingWay {
	g := new(givingWay)
	g.begin()
	return g
}

// begin begins a slice. Its thread is kept for it, because the time is that of
// a thread.
func (g *givingWay) begin() {
	runtime.LockOSThread()
	g.began, g.cpu = time.Now(), threadTime()
}

// pause rests when a slice of work is over.
func (g *givingWay) pause() {
	if time.Since(g.began) < sliceOfWork {
		return
	}
	g.end()
	g.begin()
}

func (g *givingWay) end() {
	worked := time.Since(g.began)
	busy := others.busy(threadTime()-g.cpu, time.Now())
	runtime.UnlockOSThread()
	rest := g.rest(worked, busy)
	if rest <= 0 {
		runtime.Gosched()
		return
	}
	g.rested += rest
	time.Sleep(rest)
}

// rest is how long to rest after a slice.
func (g *givingWay) rest(worked time.Duration, busy bool) time.Duration {
	least := time.Duration(0)
	if runtime.GOMAXPROCS(0) == 1 {
		least = breath
	}
	if !busy {
		return least
	}
	return max(least, min(restFactor*worked, maxRest-g.rested))
}

// done ends the last slice.
func (g *givingWay) done() {
	others.busy(threadTime()-g.cpu, time.Now())
	runtime.UnlockOSThread()
}

// others is what the process does besides work that gives way.
var others load

const (
	// loadWindow is how long is looked at to tell how busy they are.
	loadWindow = 20 * time.Millisecond
	// maxLoadWindow is too long to tell how busy they are now.
	maxLoadWindow = 10 * loadWindow
	// muchToDo is the share of the processors that they use then.
	muchToDo = 0.05
)

// load tells how busy the process is with something else than this work.
type load struct {
	mu      sync.Mutex
	since   time.Time
	used    time.Duration // of the processors, by the whole process until then
	working time.Duration // by this work since then
	much    bool
}

// busy notes how long this work has used a processor, and reports whether the
// others need it.
func (l *load) busy(worked time.Duration, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.working += worked
	window := now.Sub(l.since)
	if window < loadWindow {
		return l.much
	}
	used, known := processTime()
	share := float64(used-l.used-l.working) / float64(window) / float64(runtime.GOMAXPROCS(0))
	l.much = !known || window > maxLoadWindow || share > muchToDo
	l.since, l.used, l.working = now, used, 0
	return l.much
}
