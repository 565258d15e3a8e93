// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// watched is a file that says "good …", or else is broken.
type watched struct {
	*watchedFile[string]
	logs *observer.ObservedLogs
}

func parseGood(text string) (string, error) {
	if !strings.HasPrefix(text, "good ") {
		return "", errors.New("it is not good")
	}
	return text, nil
}

// watch reads a file without following it: refresh is called by the tests.
func watch(t *testing.T, content string) *watched {
	t.Helper()
	path := newFile(t, "file", content)
	core, logs := observer.New(zap.DebugLevel)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	file, err := watchFile(ctx, zap.New(core), path, 1<<10, parseGood)
	if err != nil {
		t.Fatal(err)
	}
	return &watched{watchedFile: file, logs: logs}
}

func (w *watched) want(t *testing.T, content string, errorsLogged int) {
	t.Helper()
	w.refresh()
	if got := w.get(); got != content {
		t.Errorf("says %q, want %q", got, content)
	}
	if n := w.logs.FilterLevelExact(zap.ErrorLevel).Len(); n != errorsLogged {
		t.Errorf("%d errors are logged, want %d: %v", n, errorsLogged, w.logs.All())
	}
}

// overwrite changes a file in place.
func overwrite(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// setAge makes a file look as if it was last written so long ago.
func setAge(t *testing.T, path string, age time.Duration) {
	t.Helper()
	then := time.Now().Add(-age)
	if err := os.Chtimes(path, then, then); err != nil {
		t.Fatal(err)
	}
}

func TestWatchChanges(t *testing.T) {
	changes := map[string]func(t *testing.T, path string){
		"written over":         func(t *testing.T, path string) { overwrite(t, path, "good 2") },
		"replaced":             func(t *testing.T, path string) { writeFile(t, path, "good 2") },
		"written over, old":    func(t *testing.T, path string) { overwrite(t, path, "good 2"); setAge(t, path, 48*time.Hour) },
		"replaced by an older": func(t *testing.T, path string) { writeFile(t, path, "good 2"); setAge(t, path, 48*time.Hour) },
		"from the future":      func(t *testing.T, path string) { overwrite(t, path, "good 2"); setAge(t, path, -time.Hour) },
		"deleted and made again": func(t *testing.T, path string) {
			os.Remove(path)
			overwrite(t, path, "good 2")
		},
		"a link to another": func(t *testing.T, path string) {
			os.Remove(path)
			if err := os.Symlink(newFile(t, "other", "good 2"), path); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			w := watch(t, "good 1")
			change(t, w.path)
			w.want(t, "good 2", 0)
			w.want(t, "good 2", 0)
			if n := w.logs.FilterMessage("file has changed").Len(); n != 1 {
				t.Errorf("the change is logged %d times", n)
			}
		})
	}
}

// TestWatchSameSizeSameTime: neither of them says that a file is the same.
func TestWatchSameSizeSameTime(t *testing.T) {
	t.Run("replaced", func(t *testing.T) {
		path := newFile(t, "file", "good 1")
		setAge(t, path, time.Hour)
		then, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		file, err := watchFile(ctx, zap.NewNop(), path, 1<<10, parseGood)
		if err != nil {
			t.Fatal(err)
		}
		other := path + ".2"
		overwrite(t, other, "good 2")
		if err := os.Chtimes(other, then.ModTime(), then.ModTime()); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(other, path); err != nil {
			t.Fatal(err)
		}
		(&watched{watchedFile: file, logs: &observer.ObservedLogs{}}).want(t, "good 2", 0)
	})
	t.Run("written twice in one tick", func(t *testing.T) {
		w := watch(t, "good 1")
		now := time.Now()
		for _, content := range []string{"good 2", "good 3", "good 1", "good 4"} {
			overwrite(t, w.path, content)
			if err := os.Chtimes(w.path, now, now); err != nil {
				t.Fatal(err)
			}
			w.want(t, content, 0)
		}
	})
}

// TestWatchHalfWritten: what the last good file said stays in force, the error
// is logged once for each kind, and no more is logged when all is well again.
func TestWatchHalfWritten(t *testing.T) {
	w := watch(t, "good 1")
	overwrite(t, w.path, "")
	w.want(t, "good 1", 1)
	overwrite(t, w.path, "goo")
	w.want(t, "good 1", 1) // the same words
	w.want(t, "good 1", 1)
	overwrite(t, w.path, "good 2")
	w.want(t, "good 2", 1)
	overwrite(t, w.path, "bad")
	w.want(t, "good 2", 2) // news again
	overwrite(t, w.path, "good 2")
	w.want(t, "good 2", 2)
	overwrite(t, w.path, "good 3")
	w.want(t, "good 3", 2)
}

func TestWatchDeleted(t *testing.T) {
	w := watch(t, "good 1")
	os.Remove(w.path)
	w.want(t, "good 1", 1)
	w.want(t, "good 1", 1)
	overwrite(t, w.path, "good 1")
	w.want(t, "good 1", 1)
	os.Remove(w.path)
	w.want(t, "good 1", 2)
	writeFile(t, w.path, "good 2")
	w.want(t, "good 2", 2)
}

func TestWatchUnreadable(t *testing.T) {
	w := watch(t, "good 1")
	os.Remove(w.path)
	if err := os.Mkdir(w.path, 0o700); err != nil {
		t.Fatal(err)
	}
	w.want(t, "good 1", 1)
	os.Remove(w.path)
	writeFile(t, w.path, "good 2")
	w.want(t, "good 2", 1)
	overwrite(t, w.path, "good "+strings.Repeat("x", 1<<10))
	w.want(t, "good 2", 2)
}

// TestWatchFailureIsLoggedOnce, though the file is broken in the same words
// again after it was good.
func TestWatchFailureAgain(t *testing.T) {
	w := watch(t, "good 1")
	for i := range 3 {
		overwrite(t, w.path, "bad")
		w.want(t, "good 1", i+1)
		overwrite(t, w.path, "good 1") // what it said before: no change, but well again
		w.want(t, "good 1", i+1)
	}
}

func TestWatchBeginsBroken(t *testing.T) {
	for name, path := range map[string]string{"broken": newFile(t, "file", "bad"), "missing": filepath.Join(t.TempDir(), "file"), "folder": t.TempDir(), "large": newFile(t, "file", "good "+strings.Repeat("x", 1<<10))} {
		if _, err := watchFile(context.Background(), zap.NewNop(), path, 1<<10, parseGood); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestWatchFollows sees a change without being asked, and stops when it is
// told to.
func TestWatchFollows(t *testing.T) {
	path := newFile(t, "file", "good 1")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	file, err := watchFile(ctx, zap.NewNop(), path, 1<<10, parseGood)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, "good 2")
	eventually(t, "the change is seen", func() bool { return file.get() == "good 2" })
}

func TestReadBounded(t *testing.T) {
	path := newFile(t, "file", "12345")
	if got, err := readBounded(path, 5); err != nil || got != "12345" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := readBounded(path, 4); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("larger than the bound: %v", err)
	}
}
