// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

// brokenStorage is a storage whose calls fail, or take their time.
type brokenStorage struct {
	certmagic.Storage
	name  string
	fault *atomic.Pointer[storageFault]
}

// storageFault is what is wrong with a storage: how long each call takes, and
// what becomes of it.
type storageFault struct {
	takes               time.Duration
	read, write, delete error
}

func (b brokenStorage) String() string { return b.name }

func (b brokenStorage) now() storageFault {
	if fault := b.fault.Load(); fault != nil {
		time.Sleep(fault.takes)
		return *fault
	}
	return storageFault{}
}

func (b brokenStorage) Store(ctx context.Context, key string, value []byte) error {
	if err := b.now().write; err != nil {
		return err
	}
	return b.Storage.Store(ctx, key, value)
}

func (b brokenStorage) Load(ctx context.Context, key string) ([]byte, error) {
	if err := b.now().read; err != nil {
		return nil, err
	}
	return b.Storage.Load(ctx, key)
}

func (b brokenStorage) Delete(ctx context.Context, key string) error {
	if err := b.now().delete; err != nil {
		return err
	}
	return b.Storage.Delete(ctx, key)
}

func (b brokenStorage) List(ctx context.Context, prefix string, recursive bool) ([]string, error) {
	if err := b.now().read; err != nil {
		return nil, err
	}
	return b.Storage.List(ctx, prefix, recursive)
}

func (b brokenStorage) Lock(ctx context.Context, name string) error {
	if err := b.now().write; err != nil {
		return err
	}
	return b.Storage.Lock(ctx, name)
}

// The rows of the table: what breaks.
type stepFault struct {
	storage  *storageFault
	provider func(*providertest.Server) // and what mends it
	mend     func(*providertest.Server)
}

// everyEndpoint are those that a provider's answers come from.
var everyEndpoint = []providertest.Endpoint{
	providertest.Discovery, providertest.Keys, providertest.Token, providertest.UserInfo, providertest.Revocation,
}

func hangEverywhere(p *providertest.Server) {
	for _, e := range everyEndpoint {
		p.Fault(e, providertest.Hang())
	}
}

func hangNowhere(p *providertest.Server) {
	for _, e := range everyEndpoint {
		p.Fault(e, nil)
	}
}

var stepFaults = map[string]stepFault{
	"disk full":        {storage: &storageFault{write: syscall.ENOSPC}},
	"folder read-only": {storage: &storageFault{write: syscall.EROFS, delete: syscall.EROFS}},
	"store down":       {storage: &storageFault{read: errAway, write: errAway, delete: errAway}},
	"store slow":       {storage: &storageFault{takes: 3 * time.Second}},
	"provider down":    {provider: away, mend: back},
	"provider slow":    {provider: hangEverywhere, mend: hangNowhere},
}

// What becomes of a step: it is done all the same, or to be tried again later.
const (
	done  = "done"
	later = "later"
)

// faultySteps are the columns: each prepares a step, and returns what does it.
// Where nothing is said about a fault the step is done.
var faultySteps = map[string]struct {
	prepare func(*troubled) (step func() answer)
	fails   []string
}{
	"sign-in page": {prepare: (*troubled).page},
	"sign-in page, provider not known yet": {prepare: func(f *troubled) func() answer {
		f.here = nil
		return f.page()
	}},
	"begin": {prepare: (*troubled).begin},
	"begin, provider not known yet": {
		prepare: func(f *troubled) func() answer { f.here = nil; return f.begin() },
		fails:   []string{"provider down", "provider slow"},
	},
	"callback": {
		prepare: (*troubled).callback,
		fails:   []string{"disk full", "folder read-only", "store down", "store slow", "provider down", "provider slow"},
	},
	"callback, tokens but no userinfo": {
		prepare: func(f *troubled) func() answer {
			f.only = providertest.UserInfo
			return f.callback()
		},
		fails: []string{"disk full", "folder read-only", "store down", "store slow", "provider down", "provider slow"},
	},
	"password": {
		prepare: func(f *troubled) func() answer {
			return func() answer { return f.site().serve(post("/login", credentialsForm(testUser, testPassword))) }
		},
		fails: []string{"disk full", "folder read-only", "store down", "store slow"},
	},
	"first request": {prepare: func(f *troubled) func() answer {
		v := f.signedIn()
		return func() answer { return v.open("/app") }
	}},
	"first request, on another instance": {
		prepare: func(f *troubled) func() answer {
			v := f.signedIn()
			there := f.newSite("there")
			return func() answer { return v.at(there, testHost).open("/app") }
		},
		fails: []string{"store down", "store slow"},
	},
	"renewal": {prepare: func(f *troubled) func() answer {
		v := f.signedIn()
		time.Sleep(59*time.Minute + 30*time.Second)
		return func() answer { return v.open("/app") }
	}},
	"renewal, token expired": {prepare: func(f *troubled) func() answer {
		v := f.signedIn()
		time.Sleep(2 * time.Hour)
		return func() answer { return v.open("/app") }
	}},
	"logout": {prepare: func(f *troubled) func() answer {
		v := f.signedIn()
		return func() answer { return f.out(v, v.open("/logout", header("Sec-Fetch-Site", "same-origin"))) }
	}},
	"back from the provider's logout": {prepare: func(f *troubled) func() answer {
		v := f.signedIn()
		a := v.open("/logout", header("Sec-Fetch-Site", "same-origin"))
		a.want(http.StatusSeeOther)
		address := v.atProvider(a.Header.Get("Location"))
		return func() answer { return f.out(v, v.open(address[strings.Index(address, "/logout"):])) }
	}},
	"back-channel logout": {
		prepare: func(f *troubled) func() answer {
			v := f.signedIn()
			token := f.p.LogoutToken("1001", "")
			return func() answer {
				a := f.site().backChannel(token)
				if v.open("/app").reached {
					f.t.Error("the session goes on where its end was heard of")
				}
				return a
			}
		},
		fails: []string{"folder read-only", "store down", "store slow"},
	},
}

// troubled is a site on which something breaks.
type troubled struct {
	t      *testing.T
	p      *providertest.Server
	folder string
	fault  atomic.Pointer[storageFault]
	here   *site
	only   providertest.Endpoint // alone breaks of the provider
}

func (f *troubled) newSite(name string) *site {
	f.t.Helper()
	storage := brokenStorage{&certmagic.FileStorage{Path: f.folder}, f.t.Name() + name, &f.fault}
	return newSiteIn(f.t, storage, signInWith(f.p), withPassword, refreshTokens, func(h *Handler) {
		h.OAuthProvider[0].JWTUser = "nickname" // which is in userinfo alone
	})
}

// site is the one that things are asked of. One that is not there yet starts
// when it is asked for.
func (f *troubled) site() *site {
	if f.here == nil {
		f.here = f.newSite("here")
	}
	return f.here.in(f.t)
}

func (f *troubled) signedIn() *visitor {
	f.t.Helper()
	v := f.site().signedInAt("oidc")
	v.open("/app").wantReached()
	return v
}

func (f *troubled) page() func() answer {
	return func() answer { return f.site().newVisitor("").open("/login?next=%2Fapp") }
}

func (f *troubled) begin() func() answer {
	return func() answer { return f.site().newVisitor("").open("/login?provider=oidc") }
}

func (f *troubled) callback() func() answer {
	v := f.site().newVisitor("")
	target := v.answerOf(v.begin("/login?provider=oidc"))
	return func() answer { return v.comeBack(target) }
}

// out is a logout, after which nothing may be reached.
func (f *troubled) out(v *visitor, a answer) answer {
	f.t.Helper()
	if v.open("/app").reached || v.hasSession() {
		f.t.Error("is still signed in")
	}
	return a
}

func (f *troubled) breaks(fault stepFault) {
	f.fault.Store(fault.storage)
	switch {
	case fault.provider == nil:
	case f.only != "":
		f.p.Fault(f.only, providertest.Hang())
	default:
		fault.provider(f.p)
	}
}

func (f *troubled) mends(fault stepFault) {
	f.fault.Store(nil)
	if fault.mend != nil {
		hangNowhere(f.p)
		fault.mend(f.p)
	}
	time.Sleep(2 * time.Minute) // whatever was to be tried again was
}

// TestFaultsAtEachStep: whatever breaks at whichever step of a sign-in, the step
// is done or refused with words that help and a time to come back, nobody is let
// in or loses a session, and all works when the fault is over.
func TestFaultsAtEachStep(t *testing.T) {
	for title, step := range faultySteps {
		for broken, fault := range stepFaults {
			t.Run(title+"/"+broken, func(t *testing.T) {
				p := newOpenID(t)
				p.Turn(func(k *providertest.Knobs) {
					k.UserInfo = func(claims map[string]any) { claims["nickname"] = "alice" }
				})
				folder := newFolder(t)
				onFakeTime(t, func(t *testing.T) {
					f := &troubled{t: t, p: p, folder: folder}
					f.site()
					time.Sleep(time.Second) // the provider is known
					do := step.prepare(f)
					f.breaks(fault)
					began := time.Now()
					a := do()
					if took := time.Since(began); took > 16*time.Second {
						t.Errorf("it took %s", took)
					}
					want := done
					for _, failing := range step.fails {
						if failing == broken {
							want = later
						}
					}
					f.check(a, want)
					f.mends(fault)
					f.works()
				})
			})
		}
	}
}

// innards are words of the system's that help nobody who signs in.
var innards = regexp.MustCompile(`(?i)no space|read-only|the storage|errno|syscall|EOF|dial|context|deadline|goroutine|\.go\b|/tmp/|panic`)

// check tells a step that was done from one to be tried again, and looks at what
// is said.
func (f *troubled) check(a answer, want string) {
	f.t.Helper()
	got := done
	if a.StatusCode >= http.StatusBadRequest {
		got = later
	}
	if got != want {
		f.t.Fatalf("the step is %s, want %s: %d, %.400q", got, want, a.StatusCode, a.text)
	}
	if got == done {
		return
	}
	if a.reached || a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" {
		f.t.Errorf("%d, reached: %v, header %v", a.StatusCode, a.reached, a.Header)
	}
	for _, cookie := range a.Cookies() {
		if strings.HasSuffix(cookie.Name, "panelauth") && cookie.MaxAge >= 0 && cookie.Value != "" {
			f.t.Errorf("sets %s", cookie.Name)
		}
	}
	if found := innards.FindString(a.text); found != "" {
		f.t.Errorf("says %q: %.600q", found, a.text)
	}
	if len(a.text) < 20 {
		f.t.Errorf("says %q", a.text)
	}
}

// works checks that everything does.
func (f *troubled) works() {
	f.t.Helper()
	v := f.site().newVisitor("")
	v.visit("/login?provider=oidc&next=/app").wantUser("alice")
	f.site().signInAlice()
	v.open("/logout", header("Sec-Fetch-Site", "same-origin")).want(http.StatusSeeOther)
	if v.open("/app").reached {
		f.t.Error("a logout ends nothing")
	}
}

// TestClockJumpsAtEachStep: a clock that is put forward or back by an hour in the
// middle of a step signs nobody in who is not, and all works afterwards.
func TestClockJumpsAtEachStep(t *testing.T) {
	for title, step := range faultySteps {
		for _, jump := range []time.Duration{time.Hour, -time.Hour} {
			t.Run(fmt.Sprint(title, "/", jump), func(t *testing.T) {
				p := newOpenID(t)
				p.Turn(func(k *providertest.Knobs) {
					k.UserInfo = func(claims map[string]any) { claims["nickname"] = "alice" }
				})
				folder := newFolder(t)
				onFakeTime(t, func(t *testing.T) {
					f := &troubled{t: t, p: p, folder: folder}
					time.Sleep(3 * time.Hour)
					f.site()
					time.Sleep(time.Second)
					do := step.prepare(f)
					f.site().jump(jump)
					a := do()
					if a.StatusCode >= http.StatusInternalServerError && a.StatusCode != http.StatusServiceUnavailable {
						t.Errorf("%d: %.400q", a.StatusCode, a.text)
					}
					time.Sleep(2 * time.Minute)
					f.site().jump(0)
					f.works()
				})
			})
		}
	}
}

// jump makes the handler's own clock wrong.
func (s *site) jump(by time.Duration) { s.now = func() time.Time { return time.Now().Add(by) } }
