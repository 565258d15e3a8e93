// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"
)

// Beside the records is an index, so that the sessions of one person are found
// without opening everybody's. An entry is a key alone,
//
//	index/<bucket>/<whose>/<id of the session>
//
// where whose is an HMAC over what is looked for and the bucket: it tells
// nothing to who does not know the secret, and the same person has another in
// each bucket. Entries are hints: what counts is the record.
const indexRoot = "index"

// maxLooks bounds what a search asks the store for at the same time.
const maxLooks = 16

// index names the folders of the index: a key for each secret, the first for
// what is written.
type index struct {
	keys [][]byte
}

func newIndex(secrets [][]byte) (*index, error) {
	x := new(index)
	for _, secret := range secrets {
		key, err := hkdf.Key(sha256.New, secret, nil, "panelauth session index", sha256.Size)
		if err != nil {
			return nil, errors.New("deriving session keys failed")
		}
		x.keys = append(x.keys, key)
	}
	return x, nil
}

func folderOf(key []byte, bucket string, t term) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(bucket))
	mac.Write([]byte{0})
	mac.Write([]byte(t))
	return indexRoot + "/" + bucket + "/" + hex.EncodeToString(mac.Sum(nil)[:16])
}

// entries are the index's keys for a record.
func (x *index) entries(recordKey string, r *Record) (keys []string) {
	bucket, id := splitKey(recordKey)
	for _, t := range r.terms() {
		keys = append(keys, folderOf(x.keys[0], bucket, t)+"/"+id)
	}
	return keys
}

// folders are where a bucket's sessions may be listed that are looked for.
func (x *index) folders(bucket string, terms []term) (keys []string) {
	for _, key := range x.keys {
		for _, t := range terms {
			keys = append(keys, folderOf(key, bucket, t))
		}
	}
	return keys
}

// splitKey returns the last two parts of a record's key.
func splitKey(recordKey string) (bucket, id string) {
	bucket, id, _ = strings.Cut(strings.TrimPrefix(recordKey, rootKey+"/"), "/")
	return bucket, id
}

// nameOf is the last part of a record's key.
func nameOf(recordKey string) string {
	_, id := splitKey(recordKey)
	return id
}

// lookUp returns the keys of the records that the index has. With an error
// there may be more.
func (m *Manager) lookUp(ctx context.Context, who Who) (keys []string, err error) {
	terms := who.terms()
	if len(terms) == 0 {
		return nil, nil
	}
	buckets, err := m.buckets(ctx)
	if err != nil {
		return nil, err
	}
	var folders []string
	for _, bucket := range buckets {
		folders = append(folders, m.index.folders(bucket, terms)...)
	}
	found := make([][]string, len(folders))
	var looks errgroup.Group
	looks.SetLimit(maxLooks)
	for i, folder := range folders {
		looks.Go(func() error {
			entries, err := m.store.list(ctx, backgroundTimeout, folder)
			for _, entry := range entries {
				if key, ok := recordOf(entry); ok {
					found[i] = append(found[i], key)
				}
			}
			return err
		})
	}
	err = looks.Wait()
	seen := make(map[string]bool)
	for _, some := range found {
		for _, key := range some {
			if !seen[key] {
				seen[key] = true
				keys = append(keys, key)
			}
		}
	}
	return keys, err
}

// recordOf returns the key of the record that an entry is about.
func recordOf(entry string) (key string, ok bool) {
	parts := strings.Split(entry, "/")
	if len(parts) != 4 {
		return "", false
	}
	if _, ok := parseIdentity(parts[3]); !ok {
		return "", false
	}
	return rootKey + "/" + parts[1] + "/" + parts[3], true
}

func parseIdentity(text string) (id identity, ok bool) {
	if len(text) != hex.EncodedLen(len(id)) || strings.ToLower(text) != text {
		return id, false
	}
	_, err := hex.Decode(id[:], []byte(text))
	return id, err == nil
}

// buckets are the names of those that may have sessions that go on, the next to
// expire first.
func (m *Manager) buckets(ctx context.Context) (names []string, err error) {
	keys, err := m.store.list(ctx, backgroundTimeout, rootKey)
	if err != nil {
		return nil, err
	}
	now := m.config.Now()
	for _, key := range keys {
		name := strings.TrimPrefix(key, rootKey+"/")
		if hour, err := strconv.ParseInt(name, 10, 64); err == nil && hour >= bucketOf(now) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// forgetIndex deletes a record's entries. Those that stay do no harm until they
// are swept.
func (m *Manager) forgetIndex(key string, r *Record) {
	for _, entry := range m.index.entries(key, r) {
		_ = m.store.delete(context.Background(), backgroundTimeout, entry)
	}
}
