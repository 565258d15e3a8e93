// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/caddyserver/certmagic"
)

func TestGeneratedSecret(t *testing.T) {
	dir := newFolder(t)
	one, err := generatedSecret(context.Background(), &certmagic.FileStorage{Path: dir})
	if err != nil {
		t.Fatal(err)
	}
	if len(one) < 32 {
		t.Errorf("the secret has %d bytes", len(one))
	}
	again, err := generatedSecret(context.Background(), &certmagic.FileStorage{Path: dir})
	if err != nil || string(again) != string(one) {
		t.Errorf("the second time it is another, %v", err)
	}
	other, err := generatedSecret(context.Background(), &certmagic.FileStorage{Path: newFolder(t)})
	if err != nil || string(other) == string(one) {
		t.Errorf("another storage has the same secret, %v", err)
	}
}

// TestGeneratedSecretOfTwo: instances that start at the same moment agree.
func TestGeneratedSecretOfTwo(t *testing.T) {
	t.Parallel() // a file lock is asked for once a second
	dir := newFolder(t)
	secrets := make([]string, 3)
	var wg sync.WaitGroup
	for i := range secrets {
		wg.Go(func() {
			secret, err := generatedSecret(context.Background(), &certmagic.FileStorage{Path: dir})
			if err != nil {
				t.Error(err)
			}
			secrets[i] = string(secret)
		})
	}
	wg.Wait()
	for _, secret := range secrets {
		if secret != secrets[0] {
			t.Fatal("the instances have different secrets")
		}
	}
}

func TestGeneratedSecretDamaged(t *testing.T) {
	for name, content := range map[string]string{"empty": "", "cut off": "0123456789abcde"} {
		t.Run(name, func(t *testing.T) {
			dir := newFolder(t)
			storage := &certmagic.FileStorage{Path: dir}
			if err := storage.Store(context.Background(), generatedSecretKey, []byte(content)); err != nil {
				t.Fatal(err)
			}
			_, err := generatedSecret(context.Background(), storage)
			if err == nil || !strings.Contains(err.Error(), "damaged") || !strings.Contains(err.Error(), generatedSecretKey) {
				t.Errorf("the error is %v", err)
			}
			if content != "" && strings.Contains(err.Error(), content) {
				t.Errorf("the error shows the secret: %v", err)
			}
			if got, _ := os.ReadFile(filepath.Join(dir, filepath.FromSlash(generatedSecretKey))); string(got) != content {
				t.Error("it was replaced, which would end all sessions")
			}
		})
	}
}

func TestGeneratedSecretStorageAway(t *testing.T) {
	storage := newFlakyStorage(t)
	storage.setAway(true)
	if secret, err := generatedSecret(context.Background(), storage); err == nil {
		t.Errorf("the secret is %q without a storage", secret)
	}
	_, err := tryNewSite(t, storage, generatedSecrets)
	if err == nil || !strings.Contains(err.Error(), "secret") {
		t.Errorf("the handler starts without a secret: %v", err)
	}
}

// patienceEnds is a storage in which nothing can be stored before the caller's
// time is up.
type patienceEnds struct {
	*certmagic.FileStorage
	end      func()
	unlocked error // what the context of Unlock says
}

func (s *patienceEnds) Store(ctx context.Context, _ string, _ []byte) error {
	s.end()
	return ctx.Err()
}

func (s *patienceEnds) Unlock(ctx context.Context, key string) error {
	s.unlocked = ctx.Err()
	return s.FileStorage.Unlock(ctx, key)
}

// TestGeneratedSecretGivesLockBack also when its time is up: the other instances
// wait for the lock.
func TestGeneratedSecretGivesLockBack(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	storage := &patienceEnds{FileStorage: &certmagic.FileStorage{Path: newFolder(t)}, end: end, unlocked: errors.New("never called")}
	if secret, err := generatedSecret(ctx, storage); err == nil {
		t.Errorf("the secret is %q, which is stored nowhere", secret)
	}
	if storage.unlocked != nil {
		t.Errorf("the lock is given back with a context that is over: %v", storage.unlocked)
	}
}

// TestGeneratedSecretServesSessions, over a restart and on two instances.
func TestGeneratedSecretServesSessions(t *testing.T) {
	dir := newFolder(t)
	one := newSiteIn(t, anotherInstance("one "+dir, dir), generatedSecrets)
	cookie := one.signInAlice()
	two := newSiteIn(t, anotherInstance("two "+dir, dir), generatedSecrets)
	if !two.isSignedIn(cookie) {
		t.Error("a second instance does not know the session")
	}
	stranger := newSite(t, generatedSecrets)
	if stranger.isSignedIn(cookie) {
		t.Error("a stranger knows the session")
	}
}
