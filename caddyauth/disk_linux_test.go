// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/caddyserver/certmagic"
)

// ownMounts says to a process that what it mounts is its own.
const ownMounts = "PANELAUTH_TEST_OWN_MOUNTS"

// withDisks runs a test that breaks disks: in a process with mounts of its own,
// where the kernel does what a broken disk does. Where that is forbidden, as in
// many containers, the storage pretends, and the test says so.
func withDisks(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	if os.Getenv(ownMounts) != "" {
		test(t)
		return
	}
	again := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	again.Env = append(os.Environ(), ownMounts+"=1")
	again.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	output, err := again.CombinedOutput()
	var failed *exec.ExitError
	switch {
	case err == nil:
		t.Logf("in a process of its own:\n%s", output)
	case errors.As(err, &failed) && failed.ExitCode() != cannotMount:
		t.Fatalf("in a process of its own: %v\n%s", err, output)
	default:
		t.Logf("NOT CHECKED WITH REAL FILE SYSTEMS, which may not be mounted here (%v): the storage pretends to be broken", err)
		test(t)
	}
}

// cannotMount is the exit code of a process that may not mount.
const cannotMount = 77

// disk is a file system for a storage folder. Everything in it can break.
type disk struct {
	t       *testing.T
	real    bool
	backing string // has the data
	path    string // where it is mounted

	// What a pretended disk answers.
	noSaves, noDeletes atomic.Pointer[syscall.Errno]
}

func newDisk(t *testing.T) *disk {
	t.Helper()
	folder := newFolder(t)
	d := &disk{t: t, real: os.Getenv(ownMounts) != "", backing: filepath.Join(folder, "disk"), path: filepath.Join(folder, "storage")}
	d.must(os.Mkdir(d.backing, 0o700))
	if d.real {
		if syscall.Mount("tmpfs", d.backing, "tmpfs", 0, "size=256k,mode=700") != nil {
			os.Exit(cannotMount)
		}
		t.Cleanup(func() { d.must(syscall.Unmount(d.backing, syscall.MNT_DETACH)) })
		t.Cleanup(func() { _ = syscall.Unmount(d.path, syscall.MNT_DETACH) }) // unless that was the fault
	}
	d.mount()
	return d
}

func (d *disk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *disk) mount() {
	d.t.Helper()
	if !d.real {
		d.must(os.RemoveAll(d.path))
		d.must(os.Rename(d.backing, d.path))
		return
	}
	d.must(os.MkdirAll(d.path, 0o700))
	d.must(syscall.Mount(d.backing, d.path, "", syscall.MS_BIND, ""))
}

// unmount leaves an empty folder.
func (d *disk) unmount() {
	d.t.Helper()
	if d.real {
		d.must(syscall.Unmount(d.path, syscall.MNT_DETACH))
		return
	}
	d.must(os.Rename(d.path, d.backing))
	d.must(os.Mkdir(d.path, 0o700))
}

// remove leaves nothing.
func (d *disk) remove() {
	d.t.Helper()
	d.unmount()
	d.must(os.Remove(d.path))
}

func (d *disk) makeReadOnly() {
	d.t.Helper()
	d.refuse(syscall.EROFS, syscall.EROFS)
	if d.real {
		d.must(syscall.Mount("", d.path, "", syscall.MS_REMOUNT|syscall.MS_BIND|syscall.MS_RDONLY, ""))
	}
}

func (d *disk) makeWritable() {
	d.t.Helper()
	d.accept()
	if d.real {
		d.must(syscall.Mount("", d.path, "", syscall.MS_REMOUNT|syscall.MS_BIND, ""))
	}
}

// fill leaves not one byte.
func (d *disk) fill() {
	d.t.Helper()
	d.refuse(syscall.ENOSPC, 0)
	if !d.real {
		return
	}
	ballast, err := os.Create(d.ballast())
	d.must(err)
	defer ballast.Close()
	for piece := make([]byte, 4096); err == nil; {
		_, err = ballast.Write(piece)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		d.t.Fatal("filling the disk:", err)
	}
}

func (d *disk) empty() {
	d.t.Helper()
	d.accept()
	if d.real {
		d.must(os.Remove(d.ballast()))
	}
}

func (d *disk) ballast() string { return filepath.Join(d.backing, "ballast") }

func (d *disk) refuse(saves, deletes syscall.Errno) {
	if d.real {
		return
	}
	d.noSaves.Store(&saves)
	if deletes != 0 {
		d.noDeletes.Store(&deletes)
	}
}

func (d *disk) accept() {
	d.noSaves.Store(nil)
	d.noDeletes.Store(nil)
}

// files are those of a folder in the storage, however deep.
func (d *disk) files(folder string) (paths []string) {
	d.t.Helper()
	err := filepath.WalkDir(filepath.Join(d.path, storageRoot, folder), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.t.Fatal(err)
	}
	return paths
}

// instance is the storage of an instance, which shares the disk alone.
func (d *disk) instance(name string) certmagic.Storage {
	return &diskStorage{&certmagic.FileStorage{Path: d.path}, d, name + " on " + d.path}
}

type diskStorage struct {
	*certmagic.FileStorage
	disk *disk
	name string
}

func (s *diskStorage) String() string { return s.name }

func (s *diskStorage) Store(ctx context.Context, key string, value []byte) error {
	if err := s.disk.noSaves.Load(); err != nil {
		return *err
	}
	return s.FileStorage.Store(ctx, key, value)
}

func (s *diskStorage) Delete(ctx context.Context, key string) error {
	if err := s.disk.noDeletes.Load(); err != nil {
		return *err
	}
	return s.FileStorage.Delete(ctx, key)
}

func (s *diskStorage) Lock(ctx context.Context, name string) error {
	if err := s.disk.noSaves.Load(); err != nil {
		return *err
	}
	return s.FileStorage.Lock(ctx, name)
}
