// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// replicate gives each node of a cluster a replica.
func replicate(t *testing.T, nodes []*server) (replicas []*server) {
	t.Helper()
	for _, node := range nodes {
		replica := serve(t, "--cluster-enabled", "yes", "--cluster-port", fmt.Sprint(freePort(t)), "--cluster-node-timeout", "2000")
		replica.ask("cluster", "meet", "127.0.0.1", node.port, node.options[3])
		replicas = append(replicas, replica)
	}
	for i, replica := range replicas {
		id := strings.TrimSpace(nodes[i].ask("cluster", "myid"))
		eventually(t, 20*time.Second, "the replica knows its master", func() bool {
			return strings.Contains(replica.ask("cluster", "nodes"), id)
		})
		replica.ask("cluster", "replicate", id)
	}
	for _, replica := range replicas {
		eventually(t, 20*time.Second, "the replica follows its master", func() bool {
			return strings.Contains(replica.ask("info", "replication"), "master_link_status:up")
		})
	}
	for _, node := range append(nodes, replicas...) {
		eventually(t, 20*time.Second, "all know all", func() bool {
			return strings.Contains(node.ask("cluster", "info"), "cluster_known_nodes:6")
		})
	}
	return replicas
}

// When a master of a cluster dies its replica takes over, and in between nobody
// says that a session is not there.
func TestClusterFailover(t *testing.T) {
	t.Parallel()
	nodes, url := cluster(t)
	replicas := replicate(t, nodes)
	store := open(t, url)
	var keys []string
	for i := range 30 {
		keys = append(keys, fmt.Sprint(key, i))
		if err := store.Save(t.Context(), keys[i], []byte("x"), time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	for i, node := range nodes {
		eventually(t, background, "the replica has everything", func() bool {
			return replicas[i].ask("dbsize") == node.ask("dbsize")
		})
	}
	nodes[0].stop()
	began := time.Now()
	eventually(t, time.Minute, "everything can be had and be changed", func() bool {
		for _, key := range keys {
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			_, err := store.Load(ctx, key)
			if errors.Is(err, session.ErrNotFound) {
				t.Fatal("a session is not there")
			}
			if err == nil {
				err = store.Save(ctx, key, []byte("x"), time.Now().Add(time.Hour))
			}
			cancel()
			if err != nil {
				return false
			}
		}
		return true
	})
	t.Logf("after %v", time.Since(began))
	if listed, err := store.List(t.Context(), key[:strings.LastIndexByte(key, '/')]); err != nil || len(listed) != len(keys) {
		t.Errorf("%d of %d keys are listed, %v", len(listed), len(keys), err)
	}
	follows(t, store, open(t, url))
}
