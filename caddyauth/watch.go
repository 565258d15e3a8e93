// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// watchInterval is how often a file is looked at. Looking costs one stat.
const watchInterval = 200 * time.Millisecond

// settleTime is how long after a write a file is compared by content, since
// two writes may fall within one tick of the file system's clock.
const settleTime = time.Second

// digestSeed makes digests by which this process notices that a file says
// something else. Nobody outside of it can look for two files with the same.
var digestSeed = maphash.MakeSeed()

// maxTemplateFile bounds a page that an operator wrote.
const maxTemplateFile = 1 << 20

// watchedFile is what a file says, read again whenever the file changes. A
// broken file leaves what the last good one said in force.
type watchedFile[T any] struct {
	path   string
	limit  int64
	parse  func(content string) (T, error)
	logger *zap.Logger
	// replaced is told what the file said before, once it says something else
	// or is watched no longer. nil: nobody has to know.
	replaced func(T)

	value atomic.Pointer[T]
	// read is told what the file says each time that was read, with the mutex
	// held. Default: nobody is told.
	read func(*reading[T])

	mu     sync.Mutex
	info   os.FileInfo // of the file when it was read last, good or broken
	digest uint64
	failed string // the error that was logged last, "" since the file is good
	loaded time.Time
	closed bool
}

// reading is what a file said at a time.
type reading[T any] struct {
	info   os.FileInfo
	digest uint64
	value  T
}

func watchFile[T any](ctx context.Context, logger *zap.Logger, path string, limit int64, parse func(content string) (T, error)) (*watchedFile[T], error) {
	f := &watchedFile[T]{path: path, limit: limit, parse: parse, logger: logger}
	if err := f.start(ctx); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *watchedFile[T]) start(ctx context.Context) error {
	if _, err := f.readIfChanged(); err != nil {
		return err
	}
	go f.follow(ctx)
	return nil
}

// close lets go of what the file says. Nothing is read from it any more.
func (f *watchedFile[T]) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed && f.replaced != nil {
		f.replaced(f.get())
	}
	f.closed = true
}

// get returns what the file says, as far as it is known.
func (f *watchedFile[T]) get() T { return *f.value.Load() }

// follow looks at the file until the context ends.
func (f *watchedFile[T]) follow(ctx context.Context) {
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			f.refresh()
		}
	}
}

// refresh reads the file again if it changed, and logs each new error once.
func (f *watchedFile[T]) refresh() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return
	}
	changed, err := f.readIfChanged()
	if err == nil {
		if changed {
			f.failed = ""
			f.logger.Info("file has changed", zap.String("file", f.path))
		}
		return
	}
	if err.Error() != f.failed {
		f.failed = err.Error()
		f.logger.Error("file is broken; what it said before stays in force", zap.String("file", f.path), zap.Error(err))
	}
}

func (f *watchedFile[T]) readIfChanged() (changed bool, err error) {
	info, err := os.Stat(f.path)
	if err != nil {
		f.info = nil
		return false, err
	}
	if f.info != nil && sameFile(f.info, info) {
		return false, nil
	}
	content, err := readBounded(f.path, f.limit)
	if err != nil {
		f.info = nil
		return false, err
	}
	digest := maphash.String(digestSeed, content)
	unchanged := f.info != nil && digest == f.digest
	f.info, f.digest = info, digest
	if unchanged {
		return false, nil
	}
	value, err := f.parse(content)
	if err != nil {
		return false, err
	}
	f.loaded = time.Now()
	if old := f.value.Swap(&value); old != nil && f.replaced != nil {
		f.replaced(*old)
	}
	if f.read != nil {
		f.read(&reading[T]{info, digest, value})
	}
	return true, nil
}

// sameFile reports that a file has certainly not changed since it was read.
func sameFile(then, now os.FileInfo) bool {
	return os.SameFile(then, now) && then.Size() == now.Size() && then.ModTime().Equal(now.ModTime()) &&
		time.Since(now.ModTime()) > settleTime
}

// saidFrom adds to a file that is not found where its relative path begins:
// people put it beside the Caddyfile and start Caddy somewhere else.
func saidFrom(path string, err error) error {
	folder, noFolder := os.Getwd()
	if !errors.Is(err, fs.ErrNotExist) || filepath.IsAbs(path) || noFolder != nil {
		return err
	}
	return fmt.Errorf("%w (in %s: a relative path begins in the folder that Caddy is started in)", err, folder)
}

// readBounded reads a file of at most limit bytes.
func readBounded(path string, limit int64) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	var content strings.Builder
	if info, err := file.Stat(); err == nil {
		content.Grow(int(min(info.Size(), limit))) // at once instead of by and by
	}
	if _, err := io.Copy(&content, io.LimitReader(file, limit+1)); err != nil {
		return "", err
	}
	if int64(content.Len()) > limit {
		return "", fmt.Errorf("%s is larger than %d bytes", path, limit)
	}
	return content.String(), nil
}
