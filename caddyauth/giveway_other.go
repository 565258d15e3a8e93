// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package caddyauth

import "time"

// Where nobody tells how long the processors were used, there is always much
// to do.

func threadTime() time.Duration { return 0 }

func processTime() (used time.Duration, known bool) { return 0, false }
