// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	// defaultTimeout bounds one request to a provider.
	defaultTimeout = 10 * time.Second
	// stepsTimeout bounds a sign-in or a renewal, which may take several.
	stepsTimeout = 20 * time.Second
	maxAnswer    = 1 << 20
	userAgent    = "caddy-panelauth"
)

// errBadAnswer marks an answer that arrived but cannot be used, to tell it
// from one that did not arrive.
var errBadAnswer = errors.New("unusable answer")

// sharedTransport serves every provider without an HTTP client of its own, so
// that configuration reloads do not leave connections behind.
var sharedTransport = sync.OnceValue(func() http.RoundTripper {
	t, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport
	}
	t = t.Clone()
	t.MaxResponseHeaderBytes = 64 << 10
	return t
})

// newHTTPClient is the given client without what must not happen here: it
// keeps no cookies and follows no redirects, since a redirected request would
// carry a code, a secret or a token to wherever a stranger says.
func newHTTPClient(base *http.Client, wrap func(http.RoundTripper) http.RoundTripper) *http.Client {
	client := &http.Client{Transport: sharedTransport()}
	if base != nil && base.Transport != nil {
		client.Transport = base.Transport
	}
	if wrap != nil {
		client.Transport = wrap(client.Transport)
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client
}

// answer is what a provider answered, read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// fetch sends a request and reads the answer, within bounds.
func (p *Provider) fetch(step string, req *http.Request) (*answer, error) {
	ctx, cancel := context.WithTimeout(withCall(req.Context(), callFor[step]), p.timeout)
	defer cancel()
	return roundTrip(p.client.Do, req.WithContext(ctx))
}

func roundTrip(send func(*http.Request) (*http.Response, error), req *http.Request) (*answer, error) {
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", userAgent)
	resp, err := send(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	// Read one byte more than allowed: it tells a full answer from a cut one.
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if len(body) > maxAnswer {
		return nil, fmt.Errorf("%w: more than %d bytes", errBadAnswer, maxAnswer)
	}
	return &answer{status: resp.StatusCode, header: resp.Header, body: body}, nil
}

// get reads a public document of the provider's.
func (p *Provider) get(ctx context.Context, step, rawURL string) (*answer, error) {
	a, err := p.ask(ctx, step, rawURL, "")
	if err != nil {
		return nil, err
	}
	return a, a.mustBeOK(step)
}

// ask reads something with an access token, whatever the status. The token
// travels in a header and never in a URL, which would end up in logs.
func (p *Provider) ask(ctx context.Context, step, rawURL, accessToken string) (*answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, rawURL, nil)
	if err != nil {
		return nil, fail(KindMisbehaved, step, "the URL is not usable")
	}
	if accessToken != "" {
		req.Header.Set("Authorization", "Bearer "+accessToken)
	}
	a, err := p.fetch(step, req)
	if err != nil {
		return nil, failNetwork(step, err, accessToken)
	}
	return a, nil
}

// mustBeOK makes an error of any status but 200.
func (a *answer) mustBeOK(step string) error {
	if a.status == http.StatusOK {
		return nil
	}
	kind := KindMisbehaved
	if outOfOrder(a.status) {
		kind = KindUnreachable
	}
	return fail(kind, step, statusDetail(a.status))
}

// outOfOrder says which statuses may be gone when the visitor tries again.
func outOfOrder(status int) bool {
	return status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout
}

func statusDetail(status int) string {
	detail := fmt.Sprintf("the provider answered %d", status)
	if status >= 300 && status < 400 {
		detail += ", a redirect, which is not followed"
	}
	return detail
}

// mediaType is the answer's type without parameters.
func (a *answer) mediaType() string {
	t, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	return t
}

// tokenTransport stands between x/oauth2 and a token endpoint. It does what
// x/oauth2 leaves to its caller: ask for JSON, authenticate with a signed
// assertion, bound the answer, repair or refuse what is no proper JSON, and
// know JSON by its first byte where a provider calls it text.
type tokenTransport struct {
	provider *Provider
}

// RoundTrip implements http.RoundTripper.
func (t tokenTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	p := t.provider
	req = req.Clone(withCall(req.Context(), CallToken))
	if err := p.addAssertion(req); err != nil {
		return nil, err
	}
	a, err := roundTrip(p.client.Transport.RoundTrip, req)
	if err != nil {
		return nil, err
	}
	if err := a.normalise(); err != nil {
		return nil, err
	}
	return &http.Response{
		Status:        http.StatusText(a.status),
		StatusCode:    a.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        a.header,
		Body:          io.NopCloser(bytes.NewReader(a.body)),
		ContentLength: int64(len(a.body)),
		Request:       req,
	}, nil
}

// normalise makes the answer of a token endpoint safe to parse. An answer that
// reports a failure is let through whatever it is: its status says enough.
func (a *answer) normalise() error {
	failed := a.status < 200 || a.status > 299
	if bytes.HasPrefix(bytes.TrimSpace(a.body), []byte("{")) {
		a.body = repairEscapes(a.body)
		a.header.Set("Content-Type", "application/json")
		if _, err := decodeObject(a.body); err != nil && !failed {
			return fmt.Errorf("%w: %w", errBadAnswer, err)
		}
		return nil
	}
	switch t := a.mediaType(); t {
	case "application/x-www-form-urlencoded", "text/plain":
		return nil
	default:
		if failed {
			return nil
		}
		return fmt.Errorf("%w: %q instead of JSON", errBadAnswer, cut(oneLine(strings.ToLower(t)), maxCode))
	}
}

// Interface guard
var _ http.RoundTripper = tokenTransport{}
