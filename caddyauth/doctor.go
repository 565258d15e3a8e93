// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
)

// doctor looks a configuration over for what goes wrong in practice. It serves
// nothing, and changes nothing but for a key that it writes to the session
// store and deletes again.
type doctor struct {
	config *doctorConfig
	// file is the configuration's, or "".
	file string
	now  func() time.Time
	// patience bounds each check.
	patience time.Duration
	// ownAddresses are where others find this machine.
	ownAddresses func() []net.IP
}

// Verdicts, from good to bad.
const (
	verdictOK   = "ok"
	verdictWarn = "warn"
	verdictFail = "fail"
)

// finding is what a check found. Nothing in it is a secret.
type finding struct {
	Verdict string `json:"verdict"`
	Check   string `json:"check"`
	// Where is the site, and what of it was looked at.
	Where   string `json:"where,omitempty"`
	Message string `json:"message"`
	// Advice says what to do.
	Advice string `json:"advice,omitempty"`
}

// check is one thing to look at. It reports at least one finding.
type check struct {
	name, where string
	look        func(context.Context, *report)
}

// report collects the findings of one check.
type report struct {
	check    check
	findings []finding
}

func (r *report) add(verdict, advice, format string, args ...any) {
	r.findings = append(r.findings, finding{
		Verdict: verdict, Check: r.check.name, Where: r.check.where,
		Message: fmt.Sprintf(format, args...), Advice: advice,
	})
}

func (r *report) ok(format string, args ...any) { r.add(verdictOK, "", format, args...) }

func (r *report) warn(advice, format string, args ...any) {
	r.add(verdictWarn, advice, format, args...)
}

func (r *report) fail(advice, format string, args ...any) {
	r.add(verdictFail, advice, format, args...)
}

// Bounds of an examination.
const (
	checkPatience = 10 * time.Second
	checksAtOnce  = 8
)

func newDoctor(config *doctorConfig, file string) *doctor {
	return &doctor{config: config, file: file, now: time.Now, patience: checkPatience, ownAddresses: addressesOfThisMachine}
}

// examine does all checks, several at once, and returns what they found in
// their order.
func (d *doctor) examine(ctx context.Context) []finding {
	checks := d.checks()
	reports := make([][]finding, len(checks))
	places := make(chan struct{}, checksAtOnce)
	var all sync.WaitGroup
	for i, c := range checks {
		all.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			reports[i] = d.look(ctx, c)
		})
	}
	all.Wait()
	var findings []finding
	for _, found := range reports {
		findings = append(findings, found...)
	}
	return findings
}

// look does one check, and gives up on one that does not come back.
func (d *doctor) look(ctx context.Context, c check) []finding {
	ctx, cancel := context.WithTimeout(ctx, d.patience)
	defer cancel()
	done := make(chan []finding, 1)
	go func() {
		r := &report{check: c}
		c.look(ctx, r)
		done <- r.findings
	}()
	select {
	case found := <-done:
		return found
	case <-time.After(d.patience + d.patience/10):
		late := &report{check: c}
		late.fail("look whether it can be reached from here", "no answer within %s", d.patience)
		return late.findings
	}
}

// checks lists what there is to look at.
func (d *doctor) checks() []check {
	tour := d.tour()
	checks := []check{{"admin API", "", d.checkAdmin}}
	if len(tour.patients) == 0 {
		checks = append(checks, check{"configuration", "", func(_ context.Context, r *report) {
			r.fail("add a panelauth block before reverse_proxy", "no site has panelauth in it")
		}})
	}
	seen := make(map[string]bool)
	for _, p := range tour.patients {
		checks = append(checks, p.checks(d)...)
		for _, c := range p.storeChecks(d) {
			if !seen[c.where] { // once for all that share it
				checks = append(checks, c)
			}
			seen[c.where] = true
		}
	}
	return append(checks, tour.checks()...)
}

func (d *doctor) checkAdmin(_ context.Context, r *report) {
	admin := d.config.Admin
	if admin != nil && admin.Disabled {
		r.ok("turned off, so that caddy panelauth status and sessions cannot ask it")
		return
	}
	if admin == nil || admin.Listen == "" || strings.HasPrefix(admin.Listen, "unix") {
		r.ok("within this machine alone")
		return
	}
	listen := caddy.NewReplacer().ReplaceKnown(admin.Listen, "")
	host, _, err := net.SplitHostPort(listen[strings.LastIndexByte(listen, '/')+1:])
	if err == nil && isLoopback(host) {
		r.ok("within this machine alone")
		return
	}
	r.fail("let it listen on localhost, or on a unix socket: admin localhost:2019",
		"open to the network: whoever reaches it may change everything and end sessions")
}

// addressesOfThisMachine are those that others can reach.
func addressesOfThisMachine() (found []net.IP) {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, address := range addresses {
		if network, ok := address.(*net.IPNet); ok && network.IP.IsGlobalUnicast() && len(found) < 8 {
			found = append(found, network.IP)
		}
	}
	return found
}

func countOf(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
