// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package redisstore

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Redis has no folders, and would look at every key to find the few that begin
// alike. So each folder has a sorted set of what is directly in it, with the
// time when that is gone, in Unix milliseconds.
const folderRoot = root + "folder:"

// enter notes in a folder what is in it, forgets what is gone, and has the set
// last as long as anything in it.
var enter = redis.NewScript(`
local known = redis.call("ZSCORE", KEYS[1], ARGV[1])
if not known or tonumber(known) < tonumber(ARGV[2]) then
	redis.call("ZADD", KEYS[1], ARGV[2], ARGV[1])
end
redis.call("ZREMRANGEBYSCORE", KEYS[1], "-inf", ARGV[3])
local left = ARGV[2] - ARGV[3]
if redis.call("PTTL", KEYS[1]) < left then
	redis.call("PEXPIRE", KEYS[1], left)
end
return 1
`)

// enterFolders adds to a pipeline what notes a key in its folder, that in the
// one above, and so on.
func enterFolders(ctx context.Context, p redis.Pipeliner, key string, left time.Duration) {
	now := time.Now()
	for folder, name := parent(key); folder != ""; folder, name = parent(folder) {
		enter.Eval(ctx, p, []string{folderRoot + folder}, name, now.Add(left).UnixMilli(), now.UnixMilli())
	}
}

// leaveFolder adds to a pipeline what forgets a key in its folder. The folders
// above stay known until their time is over: there may be more in them.
func leaveFolder(ctx context.Context, p redis.Pipeliner, key string) {
	if folder, name := parent(key); folder != "" {
		p.ZRem(ctx, folderRoot+folder, name)
	}
}

// parent is the folder of a key, none for what is at the top, and the key's
// name in it.
func parent(key string) (folder, name string) {
	i := strings.LastIndexByte(key, '/')
	return key[:max(i, 0)], key[i+1:]
}

// List implements session.Store.
func (s *Store) List(ctx context.Context, prefix string) ([]string, error) {
	prefix = strings.TrimSuffix(prefix, "/")
	now := time.Now().UnixMilli()
	found := make(map[string]struct{}) // some may come twice
	for cursor := uint64(0); ; {
		pairs, next, err := s.client.ZScan(ctx, folderRoot+prefix, cursor, "", scanStep).Result()
		if err != nil {
			return nil, err
		}
		for i := 0; i+1 < len(pairs); i += 2 {
			if gone, err := strconv.ParseFloat(pairs[i+1], 64); err == nil && int64(gone) > now {
				found[prefix+"/"+pairs[i]] = struct{}{}
			}
		}
		if len(found) > maxListed {
			return nil, fmt.Errorf("more than %d keys to list", maxListed)
		}
		if cursor = next; cursor == 0 {
			break
		}
	}
	keys := make([]string, 0, len(found))
	for key := range found {
		keys = append(keys, key)
	}
	return keys, nil
}
