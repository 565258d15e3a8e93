// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp/caddyauth"
)

// measured asks for tests that go by the clock or take long, for a machine that
// has nothing else to do:
//
//	PANELAUTH_TEST_MEASURE=1 go test -run Measured -v -timeout 30m ./caddyauth
const measured = "PANELAUTH_TEST_MEASURE"

func onlyWhenMeasuring(t *testing.T) {
	t.Helper()
	if os.Getenv(measured) == "" {
		t.Skipf("NOT MEASURED without %s=1", measured)
	}
}

// TestMeasuredSignIns: the time of an answer does not tell an unknown user from a
// wrong password, whatever is in the credentials: medians of 200 samples are
// within 5 ms. That the work is the same, TestEffortOfBcrypt and its neighbours
// check always.
func TestMeasuredSignIns(t *testing.T) {
	onlyWhenMeasuring(t)
	kinds := map[string]string{
		"plain": "plain's password", "argon2id": string(caddyauth.Argon2idHash{}.FakeHash()),
		"bcrypt 10": bcryptOf(t, "bcrypt's password", 10), "bcrypt 12": bcryptOf(t, "bcrypt's password", 12),
	}
	sets := map[string]map[string]string{"everything": kinds}
	for kind, stored := range kinds {
		sets[kind+" alone"] = map[string]string{kind: stored}
	}
	for title, accounts := range sets {
		t.Run(title, func(t *testing.T) {
			s := newSite(t, stateless, attemptsLimit(maxAttemptsLimit, time.Second), func(h *Handler) { h.BasicAuth = &BasicAuth{Accounts: accounts} })
			names := []string{"nobody"}
			for name := range accounts {
				names = append(names, name)
			}
			took, worked := map[string][]time.Duration{}, map[string][]time.Duration{}
			for i := range 200 {
				// In turn and in any order, so that a busy moment hits all alike.
				rand.Shuffle(len(names), func(a, b int) { names[a], names[b] = names[b], names[a] })
				for n, name := range names {
					attempt := post("/login", credentialsForm(name, "a wrong password"), from(fmt.Sprintf("10.0.%d.%d:1", i, n)))
					start, work := time.Now(), processorTime(t)
					s.serve(attempt).want(http.StatusUnauthorized)
					took[name] = append(took[name], time.Since(start))
					worked[name] = append(worked[name], processorTime(t)-work)
				}
			}
			for _, name := range names {
				apart, apartInWork := median(took[name])-median(took["nobody"]), median(worked[name])-median(worked["nobody"])
				t.Logf("%-10s median %v, %v from an unknown user's; work %v, %v from", name, median(took[name]), apart, median(worked[name]), apartInWork)
				if min(apart.Abs(), apartInWork.Abs()) > 5*time.Millisecond { // others on the machine take time, not work
					t.Errorf("%s is told from an unknown user", name)
				}
			}
		})
	}
}

// processorTime is what this process has taken so far.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func median(samples []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(samples))
	return sorted[len(sorted)/2]
}
