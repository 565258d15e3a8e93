// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// watchedRedis is a master with a replica, and a sentinel that watches them.
func watchedRedis(t *testing.T) (master, replica *redisServer, url string) {
	t.Helper()
	master = redis(t)
	replica = redis(t, "--replicaof", "127.0.0.1", fmt.Sprint(master.port))
	sentinel := &redisServer{t: t, port: freePort(t)}
	file := write(t, "sentinel.conf", fmt.Sprintf("bind 127.0.0.1\nport %d\nsentinel monitor mymaster 127.0.0.1 %d 1\n"+
		"sentinel down-after-milliseconds mymaster 1000\nsentinel failover-timeout mymaster 5000\n", sentinel.port, master.port))
	sentinel.process = start(t, "sentinel", exec.Command(redisProgram, file, "--sentinel"))
	sentinel.listens(sentinel.address())
	eventually(t, 30*time.Second, "the sentinel knows the replica", func() bool {
		return strings.Contains(sentinel.ask("info", "sentinel"), "slaves=1")
	})
	eventually(t, 30*time.Second, "the replica follows", func() bool {
		return strings.Contains(replica.ask("info", "replication"), "master_link_status:up")
	})
	return master, replica, fmt.Sprintf("redis+sentinel://%s?master=mymaster", sentinel.address())
}

// A master that dies under load signs nobody out, and its replica goes on with
// everybody's sessions.
func TestRedisFailsOver(t *testing.T) {
	master, replica, url := watchedRedis(t)
	one, other := twoInstances(t, url)
	sessions := severalSignIn(t, one, 20)
	for _, session := range sessions { // both have it in memory
		one.wants(t, http.StatusOK, session)
		other.wants(t, http.StatusOK, session)
	}
	load := visitors(t, sessions, one, other)
	cold, left := one.signsIn(t, "cold"), one.signsIn(t, "left")
	other.wants(t, http.StatusOK, left)
	one.logsOut(t, left)
	eventually(t, patience, "the replica has it all", func() bool { return replica.ask("dbsize") == master.ask("dbsize") })
	time.Sleep(time.Second)
	load.wentOn(t, "before")
	master.kill()
	died := time.Now()
	eventually(t, time.Minute, "people can sign in", func() bool {
		response, _ := other.visit(t, cold)
		if response.StatusCode == http.StatusFound {
			t.Fatal("somebody is signed out")
		}
		return response.StatusCode == http.StatusOK && post(t, one.url+"/login", "alice", "my_password").StatusCode == http.StatusSeeOther
	})
	t.Logf("people can sign in after %v", time.Since(died))
	other.wants(t, http.StatusFound, left)
	time.Sleep(3 * time.Second)
	load.wentOn(t, "after a master has died")
	logoutIsKnownSoon(t, one, other)
}
