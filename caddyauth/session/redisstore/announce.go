// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package redisstore

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// channel is where the ends of sessions are announced.
	channel = root + "ended"

	// A subscription that is silent is asked for a sign of life this often, and
	// given up when none came for maxSilence.
	pingEvery  = 500 * time.Millisecond
	maxSilence = 1500 * time.Millisecond

	// maxAnnouncement is longer than any key.
	maxAnnouncement = 256
)

var (
	errSilence = errors.New("the subscription is silent")
	errGap     = errors.New("the subscription was interrupted")
)

// Announce implements session.Announcer. In a cluster, and from the replicas of
// a server, all who subscribe hear it, whichever node they are connected to.
func (s *Store) Announce(ctx context.Context, key string) error {
	return s.client.Publish(ctx, channel, key).Err()
}

// Follow implements session.Announcer.
func (s *Store) Follow(ctx context.Context, listening func(), ended func(key string)) error {
	subscription := s.client.Subscribe(ctx, channel)
	watched, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var heard atomic.Int64
	heard.Store(time.Now().Add(callTimeout).UnixNano()) // connecting takes longer
	go func() {
		// Closing it is the only way to end a read without losing half a
		// message.
		defer func() { _ = subscription.Close() }()
		watch(watched, stop, subscription, &heard)
	}()
	err := receive(watched, subscription, &heard, listening, ended)
	if cause := context.Cause(watched); cause != nil {
		return cause
	}
	return err
}

// watch returns when the subscription is not to be used any more: nobody
// follows it, or it is dead.
func watch(ctx context.Context, stop context.CancelCauseFunc, subscription *redis.PubSub, heard *atomic.Int64) {
	ticker := time.NewTicker(pingEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if time.Since(time.Unix(0, heard.Load())) > maxSilence {
			stop(errSilence)
			return
		}
		go func() { _ = subscription.Ping(ctx) }() // may wait for what watch is here to end
	}
}

func receive(ctx context.Context, subscription *redis.PubSub, heard *atomic.Int64, listening func(), ended func(key string)) error {
	subscribed := false
	for {
		message, err := subscription.Receive(ctx)
		if err != nil {
			return err
		}
		heard.Store(time.Now().UnixNano())
		switch m := message.(type) {
		case *redis.Subscription:
			// The client mends a broken connection by itself.
			if subscribed {
				return errGap
			}
			subscribed = true
			listening()
		case *redis.Message:
			if len(m.Payload) <= maxAnnouncement {
				ended(m.Payload)
			}
		}
	}
}
