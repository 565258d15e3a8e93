// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

// Package redisstore keeps sessions in Redis or Valkey: one server, one that
// sentinels watch, or a cluster.
package redisstore

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"go.uber.org/zap"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

const (
	// root is before every key and every channel, so that one rule of an ACL
	// covers them all.
	root = "panelauth:"

	// Callers bring a deadline, which is shorter on a request's path. These are
	// for what happens in the background.
	dialTimeout = 2 * time.Second
	callTimeout = 5 * time.Second

	// poolSize bounds the connections to one server. Each is busy for a round
	// trip.
	poolSize = 32
	// maxUnused is less than what lies in between (a firewall, a load balancer)
	// allows a connection to be silent.
	maxUnused = 3 * time.Minute

	// lookAtCluster is how often a client in use asks which node has what. It
	// does not ask because a node is dead, whose replica nobody else names.
	lookAtCluster = 3 * time.Second

	// keepLonger is for clocks that differ: no instance misses a session that
	// is going on by its clock.
	keepLonger = 5 * time.Minute

	// scanStep is how much of a folder Redis looks at before it serves others.
	scanStep = 1000
	// maxListed bounds what a list holds.
	maxListed = 1 << 20
)

// Store is a session.Store in a Redis. Safe for concurrent use.
type Store struct {
	client redis.UniversalClient
	// closed ends when the store is closed.
	closed context.Context
	close  context.CancelFunc
	// unlocking bounds the locks that are given back in the background.
	unlocking chan struct{}
}

// New returns a store that connects when it is used. A Redis that is away is
// the same as one that goes away later.
func New(a *Address, logger *zap.Logger) *Store {
	redis.SetLogger(clientLog{logger})
	closed, closeIt := context.WithCancel(context.Background())
	return &Store{
		client:    newClient(a),
		closed:    closed,
		close:     closeIt,
		unlocking: make(chan struct{}, maxUnlocking),
	}
}

func newClient(a *Address) redis.UniversalClient {
	o := &redis.UniversalOptions{
		Addrs:                 a.hosts,
		IsClusterMode:         a.isCluster(),
		MasterName:            a.master,
		DB:                    a.database,
		Username:              a.user,
		Password:              a.password,
		SentinelUsername:      a.sentinelUser,
		SentinelPassword:      a.sentinelSecret,
		Dialer:                a.dial,
		Protocol:              2, // all that is needed, and what every server speaks
		DialTimeout:           dialTimeout,
		DialerRetries:         1,
		ReadTimeout:           callTimeout,
		WriteTimeout:          callTimeout,
		ContextTimeoutEnabled: true,
		MaxRetries:            2,
		MaxRetryBackoff:       100 * time.Millisecond,
		PoolSize:              poolSize,
		MaxActiveConns:        2 * poolSize,
		PoolTimeout:           callTimeout,
		PipelinePoolSize:      -1,
		ConnMaxIdleTime:       maxUnused,
		// An ACL need not allow what is not needed.
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	if a.isCluster() {
		cluster := o.Cluster()
		cluster.ClusterStateReloadInterval = lookAtCluster
		return redis.NewClusterClient(cluster)
	}
	return redis.NewUniversalClient(o)
}

// dial connects to one of the servers, with TLS if that is wanted. The client's
// own way would wait for TLS beyond the end of the context.
func (a *Address) dial(ctx context.Context, network, address string) (net.Conn, error) {
	limited, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	if a.tls == nil {
		return new(net.Dialer).DialContext(limited, network, address)
	}
	return (&tls.Dialer{Config: a.tls}).DialContext(limited, network, address)
}

// Close ends all connections.
func (s *Store) Close() error {
	s.close()
	return s.client.Close()
}

// Save implements session.Store. The folders come first, so that what is saved
// is found.
func (s *Store) Save(ctx context.Context, key string, value []byte, expires time.Time) error {
	left := max(time.Until(expires)+keepLonger, time.Second)
	_, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		enterFolders(ctx, p, key, left)
		p.Set(ctx, root+key, value, left)
		return nil
	})
	return err
}

// Load implements session.Store.
func (s *Store) Load(ctx context.Context, key string) ([]byte, error) {
	value, err := s.client.Get(ctx, root+key).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, session.ErrNotFound
	}
	return value, err
}

// Delete implements session.Store.
func (s *Store) Delete(ctx context.Context, key string) error {
	_, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.Del(ctx, root+key)
		leaveFolder(ctx, p, key)
		return nil
	})
	return err
}

// Expires implements session.Expirer.
func (*Store) Expires() bool { return true }

// clientLog is for what the client has to say besides the errors it returns,
// such as which sentinel it asks. It is the same for all clients of a process.
type clientLog struct{ logger *zap.Logger }

// Printf implements the client's logging interface.
func (l clientLog) Printf(_ context.Context, format string, v ...any) {
	if entry := l.logger.Check(zap.DebugLevel, "redis client"); entry != nil {
		entry.Write(zap.String("detail", fmt.Sprintf(format, v...)))
	}
}

// Interface guards
var (
	_ session.Announcer = (*Store)(nil)
	_ session.Expirer   = (*Store)(nil)
	_ session.Tallier   = (*Store)(nil)
)
