// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"errors"

	"github.com/nikolalohinski/gonja/v2/exec"
)

const (
	// maxWork bounds a page's work, in bytes of template gone through.
	maxWork = 4 << 20
	// minWork is what any statement and any turn of a loop costs at least.
	minWork = 256
	// includeWork is what reading another file costs.
	includeWork = 32 << 10
	// maxNesting bounds statements and macros within each other.
	maxNesting = 32
	// maxText bounds, in bytes, a variable and what a filter takes or gives.
	maxText = 32 << 10
	// budgetName is where a page's budget lies among its variables. No
	// template can spell it.
	budgetName = "\x00budget"
)

// budget keeps a template from taking long, or from calling itself until
// there is no memory left, which nothing could recover from.
type budget struct{ work, nesting int }

var (
	errTooMuchWork    = errors.New("the page takes too much work")
	errTooMuchNesting = errors.New("too many statements or macros within each other")
	errTextTooLong    = errors.New("a text is too long")
)

func budgetOf(c *exec.Context) *budget {
	value, _ := c.Get(budgetName)
	b, ok := value.(*budget)
	if !ok {
		return &budget{work: maxWork}
	}
	return b
}

func (b *budget) spend(times, work int) error {
	b.work += times * max(work, minWork)
	if b.work > maxWork {
		return errTooMuchWork
	}
	return nil
}

func (b *budget) enter(work int) error {
	if b.nesting++; b.nesting > maxNesting {
		return errTooMuchNesting
	}
	return b.spend(1, work)
}

func (b *budget) leave() { b.nesting-- }

// size is about how many bytes a value takes as text. It stops counting where
// it is too much anyway: a list of lists of one list can be endless.
func size(v *exec.Value) int { return sizeUpTo(v, maxText+1) }

func sizeUpTo(v *exec.Value, limit int) int {
	if v.IsString() {
		return len(v.String())
	}
	total := 1
	if !v.IsList() && !v.IsDict() {
		return total
	}
	v.Iterate(func(_, _ int, key, value *exec.Value) bool {
		total += sizeUpTo(key, limit-total)
		if value != nil {
			total += sizeUpTo(value, limit-total)
		}
		return total < limit
	}, func() {})
	return total
}

func argumentsSize(params *exec.VarArgs) int {
	total := 0
	for _, arg := range params.Args {
		total += size(arg)
	}
	for _, arg := range params.KwArgs {
		total += size(arg)
	}
	return total
}
