// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package main

import "time"

func cpuTime(int) (time.Duration, error) { return 0, errNoCPUTime }
