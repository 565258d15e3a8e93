// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package redisstore

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// Address says where a Redis is, and how to sign in there. It prints without
// what is secret.
type Address struct {
	scheme         string
	hosts          []string // host:port; of a socket, its path
	user, password string
	database       int
	master         string // what the sentinels call it
	sentinelUser   string
	sentinelSecret string
	tls            *tls.Config // nil: none
}

// schemes are how a URL may begin, each with its default port.
var schemes = map[string]string{
	"redis":           "6379",
	"rediss":          "6379",
	"redis+sentinel":  "26379",
	"rediss+sentinel": "26379",
	"redis+cluster":   "6379",
	"rediss+cluster":  "6379",
	"unix":            "",
}

// No error has a part of the URL in it: where a password is not escaped, any
// part may be a part of the password.
var (
	errScheme     = errors.New("the URL must begin with redis://, rediss:// (with TLS), unix://, redis+sentinel:// or redis+cluster://")
	errUserinfo   = errors.New("the URL's user name or password is not percent-encoded correctly")
	errHost       = errors.New("the URL must name a host, as in redis://user:password@redis.example.com:6379/0; what is special in the password must be percent-encoded")
	errHosts      = errors.New("several hosts are for redis+sentinel:// and redis+cluster:// only")
	errDatabase   = errors.New("the URL's path must be the number of a database, such as /0")
	errNoDatabase = errors.New("a cluster has no numbered databases: leave the URL's path out")
	errSocket     = errors.New("the URL of a socket must have its absolute path, as in unix:///run/redis/redis.sock")
	errQuery      = errors.New("the URL's query may have db (of a socket), master, sentinel_username and sentinel_password (of sentinels), ca, cert and key (with TLS), once each, and nothing else")
	errMaster     = errors.New("the URL must say which master the sentinels watch, as in redis+sentinel://a.example.com,b.example.com/0?master=mymaster")
	errKeyPair    = errors.New("the URL's cert and key go together")
	errAuthority  = errors.New("the URL's ca has no certificates in PEM format")
)

// Parse reads a URL:
//
//	redis://[[user]:password@]host[:6379][/database]
//	unix://[[user]:password@]/path[?db=database]
//	redis+sentinel://[[user]:password@]host[:26379],…[/database]?master=name[&sentinel_username=…&sentinel_password=…]
//	redis+cluster://[[user]:password@]host[:6379],…
//
// With "rediss" in the place of "redis" it speaks TLS, and then may have
// ca=file, cert=file and key=file in its query.
func Parse(text string) (*Address, error) {
	scheme, rest, _ := strings.Cut(text, "://")
	port, known := schemes[scheme]
	if !known {
		return nil, errScheme
	}
	a := &Address{scheme: scheme}
	rest, query, _ := strings.Cut(rest, "?")
	rest, err := a.parseUser(rest)
	if err != nil {
		return nil, err
	}
	if scheme == "unix" {
		err = a.parseSocket(rest)
	} else {
		err = a.parseHosts(rest, port)
	}
	if err != nil {
		return nil, err
	}
	return a, a.parseQuery(query)
}

// parseUser takes off the user name and the password. A host has no @, and
// neither has what follows, so that one in a password does no harm.
func (a *Address) parseUser(text string) (rest string, err error) {
	end := strings.LastIndexByte(text, '@')
	if a.scheme == "unix" {
		end = strings.Index(text, "@/")
		if strings.HasPrefix(text, "/") {
			end = -1
		}
	}
	if end < 0 {
		return text, nil
	}
	user, password, _ := strings.Cut(text[:end], ":")
	var errs [2]error
	a.user, errs[0] = url.PathUnescape(user)
	a.password, errs[1] = url.PathUnescape(password)
	if errs[0] != nil || errs[1] != nil {
		return "", errUserinfo
	}
	return text[end+1:], nil
}

func (a *Address) parseSocket(path string) error {
	if len(path) < 2 || path[0] != '/' {
		return errSocket
	}
	a.hosts = []string{path}
	return nil
}

func (a *Address) parseHosts(text, port string) error {
	authority, path, _ := strings.Cut(text, "/")
	for host := range strings.SplitSeq(authority, ",") {
		address, ok := withPort(host, port)
		if !ok {
			return errHost
		}
		a.hosts = append(a.hosts, address)
	}
	if len(a.hosts) > 1 && !a.isCluster() && !a.isSentinel() {
		return errHosts
	}
	if path == "" {
		return nil
	}
	if a.isCluster() {
		return errNoDatabase
	}
	return a.setDatabase(path)
}

// maxDatabase is more than anybody configures.
const maxDatabase = 1 << 20

func (a *Address) setDatabase(text string) error {
	number, err := strconv.Atoi(text)
	if err != nil || number < 0 || number > maxDatabase {
		return errDatabase
	}
	a.database = number
	return nil
}

// hostName also lets through what is no host name to the DNS but to a
// container's network.
var hostName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_.])?$`)

// withPort adds the port if there is none.
func withPort(host, port string) (address string, ok bool) {
	name := host
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		name, port = host[:i], host[i+1:]
	}
	if number, err := strconv.ParseUint(port, 10, 16); err != nil || number == 0 {
		return "", false
	}
	if inner, bracketed := strings.CutPrefix(name, "["); bracketed {
		inner, closed := strings.CutSuffix(inner, "]")
		ip, err := netip.ParseAddr(inner)
		return net.JoinHostPort(inner, port), closed && err == nil && ip.Is6()
	}
	return net.JoinHostPort(name, port), hostName.MatchString(name)
}

func (a *Address) parseQuery(text string) error {
	query, err := url.ParseQuery(text)
	if err != nil {
		return errQuery
	}
	take := func(name string, allowed bool) (value string) {
		if values := query[name]; allowed && len(values) == 1 {
			delete(query, name)
			return values[0]
		}
		return ""
	}
	if number := take("db", a.scheme == "unix"); number != "" {
		if err := a.setDatabase(number); err != nil {
			return err
		}
	}
	a.master = take("master", a.isSentinel())
	a.sentinelUser = take("sentinel_username", a.isSentinel())
	a.sentinelSecret = take("sentinel_password", a.isSentinel())
	ca, cert, key := take("ca", a.isSecure()), take("cert", a.isSecure()), take("key", a.isSecure())
	if len(query) > 0 {
		return errQuery
	}
	if a.isSentinel() && a.master == "" {
		return errMaster
	}
	if !a.isSecure() {
		return nil
	}
	a.tls, err = newTLS(ca, cert, key)
	return err
}

// maxCertificates bounds a file of certificates.
const maxCertificates = 1 << 20

// newTLS leaves the server's name out: it is the host that is dialled.
func newTLS(ca, cert, key string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca != "" {
		pem, err := readCertificates(ca)
		if err != nil {
			return nil, err
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, errAuthority
		}
	}
	if (cert == "") != (key == "") {
		return nil, errKeyPair
	}
	if cert == "" {
		return c, nil
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("reading the URL's cert and key: %w", err)
	}
	c.Certificates = []tls.Certificate{pair}
	return c, nil
}

func readCertificates(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the URL's ca: %w", err)
	}
	defer file.Close()
	pem, err := io.ReadAll(io.LimitReader(file, maxCertificates+1))
	if err == nil && len(pem) > maxCertificates {
		err = fmt.Errorf("%s is larger than %d bytes", path, maxCertificates)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the URL's ca: %w", err)
	}
	return pem, nil
}

func (a *Address) isCluster() bool  { return strings.HasSuffix(a.scheme, "+cluster") }
func (a *Address) isSentinel() bool { return strings.HasSuffix(a.scheme, "+sentinel") }
func (a *Address) isSecure() bool   { return strings.HasPrefix(a.scheme, "rediss") }

// String leaves out who signs in.
func (a *Address) String() string { return a.scheme + "://" + strings.Join(a.hosts, ",") }

// GoString keeps the password out of logs.
func (a *Address) GoString() string { return a.String() }
