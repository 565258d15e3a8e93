// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// callTarget is what calls go out to: a provider, or a session store. Each call is
// timed and, where the request that it is made for is traced, a span.
type callTarget struct {
	kind      string // "provider" or "store"
	name      string // the id of the provider, or the kind of the store
	durations *prometheus.HistogramVec
}

// begin notes that a call begins, and end how it ended. Neither looks at what
// is sent or answered.
func (t callTarget) begin(ctx context.Context, name string) (end func(error, ...attribute.KeyValue)) {
	began := time.Now()
	span := t.span(ctx, name)
	return func(err error, more ...attribute.KeyValue) {
		t.durations.WithLabelValues(t.name, name, outcome(err)).Observe(time.Since(began).Seconds())
		span.SetAttributes(more...)
		if isTrouble(err) {
			span.SetStatus(codes.Error, troubleOf(err))
		}
		span.End()
	}
}

// noSpan takes everything and does nothing.
var noSpan = trace.SpanFromContext(context.Background())

// span is a child of the request's span. Without one that is recorded there is
// nothing to do.
func (t callTarget) span(ctx context.Context, name string) trace.Span {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return noSpan
	}
	tracer := parent.TracerProvider().Tracer("github.com/panelauth/caddy-panelauth")
	_, span := tracer.Start(ctx, "panelauth "+t.kind+" "+name,
		trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.String("panelauth."+t.kind, t.name)))
	return span
}

// isTrouble tells failures from answers. That somebody went away is neither.
func isTrouble(err error) bool {
	return err != nil && !errors.Is(err, session.ErrNotFound) && !errors.Is(err, context.Canceled)
}

func outcome(err error) string {
	switch {
	case isTrouble(err):
		return "error"
	case errors.Is(err, context.Canceled):
		return "canceled"
	}
	return succeeded
}

// errAnswer is a provider's answer that says that it is out of order.
var errAnswer = errors.New("the answer is an error")

// troubleOf says in a word what went wrong. The text of an error may have
// addresses in it, with what belongs to nobody else.
func troubleOf(err error) string {
	var known *provider.Error
	var timeout net.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &known):
		return string(known.Kind)
	case errors.Is(err, errAnswer):
		return "error_answer"
	case errors.Is(err, errLostStorage):
		return "storage_lost"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.As(err, &timeout):
		return "unreachable"
	}
	return "failed"
}
