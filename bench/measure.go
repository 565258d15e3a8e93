// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"
)

// result is what was measured of a subject, a value for each round.
type result struct {
	Name     string
	Baseline string
	Counts   string
	Note     string `json:",omitempty"`
	// A second.
	Throughput []float64
	// Of the servers, for each that was counted.
	CPUMicroseconds []float64
	// Milliseconds.
	P50, P99 []float64
	// The same of what went on beside it, if anything did.
	BesideThroughput, BesideP50 []float64 `json:",omitempty"`
}

// measure measures each subject once a round, in another order each time.
func measure(subjects []*subject, o options) ([]*result, error) {
	results := make([]*result, len(subjects))
	order := make([]int, len(subjects))
	for i, s := range subjects {
		results[i] = &result{Name: s.name, Baseline: s.baseline, Counts: s.load.Counts, Note: s.note}
		order[i] = i
	}
	start := time.Now()
	for round := range o.rounds {
		rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, i := range order {
			if err := subjects[i].measureInto(results[i], o); err != nil {
				return nil, fmt.Errorf("%s: %w", subjects[i].name, err)
			}
		}
		taken := time.Since(start)
		left := taken / time.Duration(round+1) * time.Duration(o.rounds-round-1)
		say("round %d of %d, %s left", round+1, o.rounds, left.Round(time.Second))
	}
	return results, nil
}

// measureInto measures a subject for a moment.
func (s *subject) measureInto(r *result, o options) error {
	var beside *runningLoad
	if s.beside != nil {
		var err error
		if beside, err = startLoad(*s.beside, o); err != nil {
			return fmt.Errorf("beside: %w", err)
		}
		defer beside.stop()
	}
	ran, used, err := s.slot(beside, o)
	if err != nil {
		return err
	}
	r.Throughput = append(r.Throughput, ran.Count/ran.Seconds)
	r.CPUMicroseconds = append(r.CPUMicroseconds, float64(used.Nanoseconds())/1e3/max(ran.Count, 1))
	r.P50 = append(r.P50, milliseconds(ran.P50))
	r.P99 = append(r.P99, milliseconds(ran.P99))
	if beside == nil {
		return nil
	}
	ran, err = beside.outcome()
	r.BesideThroughput = append(r.BesideThroughput, ran.Count/ran.Seconds)
	r.BesideP50 = append(r.BesideP50, milliseconds(ran.P50))
	return err
}

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

// slot runs the load of a subject, and tells what processor time its servers
// used meanwhile.
func (s *subject) slot(beside *runningLoad, o options) (ran outcome, used time.Duration, err error) {
	main, err := startLoad(s.load, o)
	if err != nil {
		return outcome{}, 0, err
	}
	defer main.stop()
	if beside != nil {
		if err := beside.begin(); err != nil {
			return outcome{}, 0, err
		}
	}
	before, err := s.cpuTime()
	if err != nil {
		return outcome{}, 0, err
	}
	if err := main.begin(); err != nil {
		return outcome{}, 0, err
	}
	if ran, err = main.outcome(); err != nil {
		return outcome{}, 0, err
	}
	after, err := s.cpuTime()
	return ran, after - before, err
}

// cpuTime is what all processes of the subject have used.
func (s *subject) cpuTime() (sum time.Duration, err error) {
	for _, p := range s.servers {
		used, err := cpuTime(p.Process.Pid)
		if err != nil && !errors.Is(err, errNoCPUTime) {
			return 0, err
		}
		sum += used
	}
	return sum, nil
}

// runningLoad is a process that makes a load.
type runningLoad struct {
	*process
	to   *json.Encoder
	from *json.Decoder
	in   io.Closer
}

// startLoad starts the process of a load and waits until it can begin.
func startLoad(l load, o options) (*runningLoad, error) {
	l.Connections, l.Duration = o.connections, o.duration
	command, err := itself(loadRole)
	if err != nil {
		return nil, err
	}
	in, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	r := &runningLoad{process: &process{Cmd: command}, to: json.NewEncoder(in), from: json.NewDecoder(out), in: in}
	if err := r.run(); err != nil {
		return nil, err
	}
	var word json.RawMessage
	if err := errors.Join(r.to.Encode(l), r.from.Decode(&word)); err != nil {
		r.stop()
		return nil, err
	}
	if string(word) != `"ready"` {
		r.stop()
		return nil, fmt.Errorf("it does not begin: %s", word)
	}
	return r, nil
}

func (r *runningLoad) begin() error { return r.to.Encode("begin") }

func (r *runningLoad) outcome() (ran outcome, err error) {
	if err := r.from.Decode(&ran); err != nil {
		return outcome{}, err
	}
	if ran.Error != "" {
		return outcome{}, errors.New(ran.Error)
	}
	return ran, nil
}

func (r *runningLoad) stop() {
	_ = r.in.Close()
	r.process.stop()
}
