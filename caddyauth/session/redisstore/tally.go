// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package redisstore

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// tallyRoot keeps tallies apart from sessions. Each is one value, lines of when
// an entry expires and the entry, which needs no more rights than sessions do.
const tallyRoot = root + "attempts/"

// note drops what has expired, returns the rest and adds an entry. The answer to
// it may be lost, and it be run again.
var note = redis.NewScript(`
local kept, others = {}, {}
for expires, entry in string.gmatch(redis.call("GET", KEYS[1]) or "", "(%d+) (%S+)\n") do
	if tonumber(expires) > tonumber(ARGV[1]) and entry ~= ARGV[3] then
		kept[#kept + 1] = expires .. " " .. entry .. "\n"
		others[#others + 1] = entry
	end
end
kept[#kept + 1] = ARGV[2] .. " " .. ARGV[3] .. "\n"
redis.call("SET", KEYS[1], table.concat(kept), "PX", ARGV[4])
return others
`)

// strike leaves out entries, and the time that the rest is kept as it is.
var strike = redis.NewScript(`
local gone, kept = {}, {}
for _, entry in ipairs(ARGV) do
	gone[entry] = true
end
for expires, entry in string.gmatch(redis.call("GET", KEYS[1]) or "", "(%d+) (%S+)\n") do
	if not gone[entry] then
		kept[#kept + 1] = expires .. " " .. entry .. "\n"
	end
end
if #kept == 0 then
	return redis.call("DEL", KEYS[1])
end
redis.call("SET", KEYS[1], table.concat(kept), "KEEPTTL")
return 1
`)

var errEntry = errors.New("an entry is one word")

// Note implements session.Tallier.
func (s *Store) Note(ctx context.Context, tally, entry string, now, expires time.Time) (others []string, err error) {
	if strings.ContainsAny(entry, " \n") {
		return nil, errEntry
	}
	left := max(expires.Sub(now), time.Millisecond)
	return note.Run(ctx, s.client, []string{tallyRoot + tally},
		now.UnixMilli(), expires.UnixMilli(), entry, left.Milliseconds()).StringSlice()
}

// Strike implements session.Tallier.
func (s *Store) Strike(ctx context.Context, tally string, entries []string) error {
	arguments := make([]any, len(entries))
	for i, entry := range entries {
		arguments[i] = entry
	}
	return strike.Run(ctx, s.client, []string{tallyRoot + tally}, arguments...).Err()
}
