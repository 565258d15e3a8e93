// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math/rand/v2"
	"testing"
)

func TestQuantile(t *testing.T) {
	sorted := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	for share, want := range map[float64]int{0: 1, 0.25: 3, 0.5: 6, 0.99: 10, 1: 10} {
		if got := quantile(sorted, share); got != want {
			t.Errorf("%v: %d, want %d", share, got, want)
		}
	}
	if got := quantile([]int{}, 0.5); got != 0 {
		t.Errorf("of nothing: %d", got)
	}
}

// TestLeftOut compares with the table of the sign test.
func TestLeftOut(t *testing.T) {
	for n, want := range map[int]int{1: 0, 5: 0, 6: 0, 8: 0, 9: 1, 12: 2, 20: 5, 25: 7, 40: 13, 100: 39} {
		if got := leftOut(n); got != want {
			t.Errorf("of %d: %d, want %d", n, got, want)
		}
	}
}

func TestEstimate(t *testing.T) {
	tests := map[string]struct {
		values []float64
		want   estimate
	}{
		"nothing": {nil, estimate{}},
		"one":     {[]float64{3}, estimate{3, 3, 3, 3, 3}},
		"two":     {[]float64{4, 2}, estimate{3, 2, 4, 2, 4}},
		"nine":    {[]float64{9, 8, 7, 6, 5, 4, 3, 2, 1}, estimate{5, 2, 8, 3, 7}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := estimateOf(test.values); got != test.want {
				t.Errorf("%+v, want %+v", got, test.want)
			}
		})
	}
}

// TestEstimateCovers: the interval has the true median as often as it says.
func TestEstimateCovers(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const tries = 2000
	covered := 0
	for range tries {
		values := make([]float64, 40)
		for i := range values {
			values[i] = random.ExpFloat64() // its median is ln 2
		}
		if e := estimateOf(values); e.Low <= 0.6931 && 0.6931 <= e.High {
			covered++
		}
	}
	if share := float64(covered) / tries; share < 0.94 || share > 0.99 {
		t.Errorf("it has the true median in %.3f of all cases", share)
	}
}

func TestCombined(t *testing.T) {
	got := combined([]float64{5, 6, 7}, []float64{1, 2}, difference)
	if len(got) != 2 || got[0] != 4 || got[1] != 4 {
		t.Errorf("differences: %v", got)
	}
	if got := combined([]float64{6}, []float64{3}, ratio); got[0] != 2 {
		t.Errorf("ratio: %v", got)
	}
}
