// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/json"
	"math"
	"strconv"
	"time"

	"github.com/caddyserver/caddy/v2"
)

// Number is a number, or text with a placeholder that stands for one.
type Number string

// MarshalJSON writes a number where it is one.
func (n Number) MarshalJSON() ([]byte, error) {
	if number, err := strconv.ParseFloat(string(n), 64); err == nil {
		return json.Marshal(number)
	}
	return json.Marshal(string(n))
}

// UnmarshalJSON takes a number or text.
func (n *Number) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		return json.Unmarshal(data, (*string)(n))
	}
	var number json.Number
	err := json.Unmarshal(data, &number)
	*n = Number(number)
	return err
}

// Duration is a duration such as 30m, or text with a placeholder that stands
// for one. In JSON it may be a number of nanoseconds, as everywhere in Caddy.
type Duration string

// MarshalJSON writes nanoseconds where it is a duration.
func (d Duration) MarshalJSON() ([]byte, error) {
	if duration, err := caddy.ParseDuration(string(d)); err == nil {
		return json.Marshal(duration)
	}
	return json.Marshal(string(d))
}

// UnmarshalJSON takes nanoseconds or text.
func (d *Duration) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		return json.Unmarshal(data, (*string)(d))
	}
	var duration time.Duration
	err := json.Unmarshal(data, &duration)
	*d = Duration(duration.String())
	return err
}

// Texts is a list of texts. In JSON it may be a text alone.
type Texts []string

// UnmarshalJSON takes a list or a text.
func (t *Texts) UnmarshalJSON(data []byte) error {
	if data[0] != '"' {
		return json.Unmarshal(data, (*[]string)(t))
	}
	*t = Texts{""}
	return json.Unmarshal(data, &(*t)[0])
}

// number is 0 if there is none.
func (c *checker) number(subdirective string, written Number) float64 {
	text := c.text(subdirective, string(written))
	if text == "" {
		return 0
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(number) || math.IsInf(number, 0) {
		c.wrong(subdirective, "%s is not a number", written)
		return 0
	}
	return number
}

// duration is 0 if there is none.
func (c *checker) duration(subdirective string, written Duration) time.Duration {
	text := c.text(subdirective, string(written))
	if text == "" {
		return 0
	}
	duration, err := caddy.ParseDuration(text)
	if err != nil {
		c.wrong(subdirective, "%s is not a duration such as 30m", written)
		return 0
	}
	return duration
}

// Interface guards
var (
	_ json.Marshaler   = Number("")
	_ json.Unmarshaler = (*Number)(nil)
	_ json.Marshaler   = Duration("")
	_ json.Unmarshaler = (*Duration)(nil)
	_ json.Unmarshaler = (*Texts)(nil)
)
