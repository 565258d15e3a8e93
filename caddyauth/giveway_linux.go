// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"time"

	"golang.org/x/sys/unix"
)

// threadTime is how long the thread that asks has used a processor.
func threadTime() time.Duration {
	used, _ := cpuClock(unix.CLOCK_THREAD_CPUTIME_ID)
	return used
}

// processTime is how long all threads have.
func processTime() (used time.Duration, known bool) {
	return cpuClock(unix.CLOCK_PROCESS_CPUTIME_ID)
}

func cpuClock(id int32) (time.Duration, bool) {
	var t unix.Timespec
	if unix.ClockGettime(id, &t) != nil {
		return 0, false
	}
	return time.Duration(t.Nano()), true
}
