// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"math"
	"slices"
)

// quantile is the value below which that share of sorted ones lies.
func quantile[T cmp.Ordered](sorted []T, share float64) T {
	if len(sorted) == 0 {
		var none T
		return none
	}
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}

// estimate is what a number of values say about the one behind them.
type estimate struct {
	Median float64
	// Where the true median lies with a probability of 95 %.
	Low, High float64
	// The middle half of the values.
	Q1, Q3 float64
}

// estimateOf assumes nothing about how the values are spread. The bounds are
// those of the sign test: half of all values are below the true median, so that
// how many of these are is binomial.
func estimateOf(values []float64) estimate {
	sorted := slices.Sorted(slices.Values(values))
	if len(sorted) == 0 {
		return estimate{}
	}
	out := leftOut(len(sorted))
	return estimate{
		Median: (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2,
		Low:    sorted[out],
		High:   sorted[len(sorted)-1-out],
		Q1:     quantile(sorted, 0.25),
		Q3:     quantile(sorted, 0.75),
	}
}

// leftOut is how many of n values can be left out at either end for the rest to
// have the median between them with a probability of at least 95 %.
func leftOut(n int) int {
	below := 0.0 // the probability that at most so many values are below it
	for k := range n {
		below += math.Exp(logChoose(n, k) - float64(n)*math.Ln2)
		if below > 0.025 {
			return max(0, k-1)
		}
	}
	return 0
}

func logChoose(n, k int) float64 {
	gamma := func(x int) float64 {
		value, _ := math.Lgamma(float64(x + 1))
		return value
	}
	return gamma(n) - gamma(k) - gamma(n-k)
}

// combined applies f to the values of the same rounds.
func combined(a, b []float64, f func(a, b float64) float64) []float64 {
	values := make([]float64, min(len(a), len(b)))
	for i := range values {
		values[i] = f(a[i], b[i])
	}
	return values
}

func difference(a, b float64) float64 { return a - b }
func ratio(a, b float64) float64      { return a / b }
