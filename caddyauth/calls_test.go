// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// tracing puts a request into a span, as Caddy's directive tracing does.
func tracing(t testing.TB) (*tracetest.InMemoryExporter, func(*http.Request)) {
	spans := tracetest.NewInMemoryExporter()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)).Tracer("")
	return spans, func(r *http.Request) {
		ctx, span := tracer.Start(r.Context(), "request")
		t.Cleanup(func() { span.End() })
		*r = *r.WithContext(ctx)
	}
}

// names are the spans that have ended, with what has failed marked.
func names(spans *tracetest.InMemoryExporter) (list []string) {
	for _, span := range spans.GetSpans() {
		name := span.Name
		if span.Status.Code == codes.Error {
			name += " failed: " + span.Status.Description
		}
		list = append(list, name)
	}
	return list
}

func wantSpan(t testing.TB, spans *tracetest.InMemoryExporter, want string) {
	t.Helper()
	for _, name := range names(spans) {
		if name == want {
			return
		}
	}
	t.Errorf("there is no span %q in %q", want, names(spans))
}

func TestSpans(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p))
	spans, traced := tracing(t)
	v := s.newVisitor("")
	back := v.answerOf(v.begin("/login"))
	v.open(back, traced).want(http.StatusSeeOther)
	wantSpan(t, spans, "panelauth provider token")
	wantSpan(t, spans, "panelauth store save")
	for _, span := range spans.GetSpans() {
		if !span.Parent.IsValid() || span.SpanKind != trace.SpanKindClient {
			t.Errorf("%s has the parent %v and the kind %v", span.Name, span.Parent.SpanID(), span.SpanKind)
		}
		text := fmt.Sprint(span.Name, span.Attributes, span.Events, span.Status)
		for _, secret := range []string{s.ways[0].ClientID(), "code", "sessions/", "index/", "token="} {
			if strings.Contains(strings.ReplaceAll(text, "status_code", ""), secret) {
				t.Errorf("a span has %q: %s", secret, text)
			}
		}
	}
	sent := append(p.Requests(providertest.Token), p.Requests(providertest.UserInfo)...)
	if len(sent) == 0 {
		t.Error("the provider was not asked")
	}
	for _, request := range sent {
		for name := range request.Header {
			if strings.EqualFold(name, "traceparent") || strings.EqualFold(name, "baggage") {
				t.Errorf("the provider was sent %s", name)
			}
		}
	}
}

func TestSpansOfAFreshProcess(t *testing.T) {
	dir := newFolder(t)
	cookie := newSiteIn(t, anotherInstance("one of "+dir, dir)).signInAlice()
	s := newSiteIn(t, anotherInstance("two of "+dir, dir))
	spans, traced := tracing(t)
	s.serve(get("/app", cookieLine(cookie), traced)).wantReached()
	wantSpan(t, spans, "panelauth store load")
	spans.Reset()
	s.serve(get("/app", cookieLine(cookie), traced)).wantReached()
	if list := names(spans); len(list) > 0 {
		t.Errorf("from memory it takes %q", list)
	}
}

func TestSpansOfFailures(t *testing.T) {
	storage := newFlakyStorage(t)
	s := newSiteIn(t, storage)
	spans, traced := tracing(t)
	storage.setAway(true)
	s.serve(post("/login", credentialsForm(testUser, testPassword), traced)).want(http.StatusServiceUnavailable)
	wantSpan(t, spans, "panelauth store save failed: failed")
}

func TestNoSpanWithoutTracing(t *testing.T) {
	span := callTarget{"store", "storage", metrics.storeCalls}.span(t.Context(), "load")
	if span.IsRecording() || span.SpanContext().IsValid() {
		t.Error("there is one")
	}
}

func TestTroubleOf(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	for want, err := range map[string]error{
		"":                     nil,
		"timeout":              fmt.Errorf("reading: %w", context.DeadlineExceeded),
		"unreachable":          fmt.Errorf("secret.example: %w", refused),
		"storage_lost":         errLostStorage,
		"failed":               errors.New("password=secret"),
		"provider_unreachable": &provider.Error{Kind: provider.KindUnreachable},
		"error_answer":         errAnswer,
	} {
		if got := troubleOf(err); got != want {
			t.Errorf("%v is %q, want %q", err, got, want)
		}
	}
	for want, err := range map[string]error{
		"success":  session.ErrNotFound,
		"canceled": fmt.Errorf("loading: %w", context.Canceled),
		"error":    context.DeadlineExceeded,
	} {
		if got := outcome(err); got != want {
			t.Errorf("%v is %q, want %q", err, got, want)
		}
	}
	if outcome(nil) != succeeded {
		t.Error("nothing went wrong")
	}
}
