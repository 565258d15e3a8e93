// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime is how much processor time a process has used, to the nanosecond.
func cpuTime(pid int) (time.Duration, error) {
	const whole = 2 // of the process, as the scheduler counts; see clock_getcpuclockid(3)
	var used unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|whole), &used); err != nil {
		return 0, err
	}
	return time.Duration(used.Nano()), nil
}
