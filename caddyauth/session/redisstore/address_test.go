// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package redisstore

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]Address{
		"redis://localhost":                           {hosts: []string{"localhost:6379"}},
		"redis://localhost/":                          {hosts: []string{"localhost:6379"}},
		"redis://redis_1:7000/3":                      {hosts: []string{"redis_1:7000"}, database: 3},
		"redis://192.0.2.1":                           {hosts: []string{"192.0.2.1:6379"}},
		"redis://[2001:db8::1]":                       {hosts: []string{"[2001:db8::1]:6379"}},
		"redis://[::1]:7000/1":                        {hosts: []string{"[::1]:7000"}, database: 1},
		"redis://:pw@h":                               {hosts: []string{"h:6379"}, password: "pw"},
		"redis://u:pw@h":                              {hosts: []string{"h:6379"}, user: "u", password: "pw"},
		"redis://u%3A:p%2Fw%40%25@h":                  {hosts: []string{"h:6379"}, user: "u:", password: "p/w@%"},
		"redis://u:p@w:x@h":                           {hosts: []string{"h:6379"}, user: "u", password: "p@w:x"},
		"redis://:p/w@h/1":                            {hosts: []string{"h:6379"}, password: "p/w", database: 1},
		"redis://u:p{3}w+a@h":                         {hosts: []string{"h:6379"}, user: "u", password: "p{3}w+a"},
		"unix:///run/redis.sock":                      {hosts: []string{"/run/redis.sock"}},
		"unix:///run/a@b/redis.sock":                  {hosts: []string{"/run/a@b/redis.sock"}},
		"unix://u:p@w@/run/redis.sock?db=2":           {hosts: []string{"/run/redis.sock"}, user: "u", password: "p@w", database: 2},
		"redis+cluster://u:p@a,b:7000,[::1]":          {hosts: []string{"a:6379", "b:7000", "[::1]:6379"}, user: "u", password: "p"},
		"redis+cluster://a":                           {hosts: []string{"a:6379"}},
		"redis+sentinel://a,b:7000/2?master=mymaster": {hosts: []string{"a:26379", "b:7000"}, database: 2, master: "mymaster"},
		"redis+sentinel://u:p@a?master=m%20m":         {hosts: []string{"a:26379"}, user: "u", password: "p", master: "m m"},
		"redis+sentinel://a?sentinel_password=x&sentinel_username=y&master=m": {hosts: []string{"a:26379"}, master: "m", sentinelUser: "y", sentinelSecret: "x"},
	} {
		t.Run(text, func(t *testing.T) {
			got, err := Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			want.scheme, _, _ = strings.Cut(text, "://")
			if !reflect.DeepEqual(*got, want) {
				t.Errorf("got %q\nwant %q", fields(got), fields(&want))
			}
		})
	}
}

func fields(a *Address) []string {
	return []string{a.scheme, fmt.Sprint(a.hosts), a.user, a.password, fmt.Sprint(a.database), a.master, a.sentinelUser, a.sentinelSecret}
}

func TestParseRefuses(t *testing.T) {
	folder := t.TempDir()
	empty := filepath.Join(folder, "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	large := largeAuthority(t)
	const secret = "hunter2"
	for text, want := range map[string]error{
		"":                                        errScheme,
		secret:                                    errScheme,
		"localhost:6379":                          errScheme,
		"http://:hunter2@h":                       errScheme,
		"REDIS://h":                               errScheme,
		"redis:h":                                 errScheme,
		"redis+tls://h":                           errScheme,
		"redis://":                                errHost,
		"redis:///0":                              errHost,
		"redis://:hunter2@":                       errHost,
		"redis://:hunter2@/0":                     errHost,
		"redis://:hunter2@h:port":                 errHost,
		"redis://:hunter2@h:0":                    errHost,
		"redis://:hunter2@h:65536":                errHost,
		"redis://:hunter2@h:":                     errHost,
		"redis://:hunter2@h:-1":                   errHost,
		"redis://:hunter2@a b":                    errHost,
		"redis://:hunter2@::1":                    errHost,
		"redis://:hunter2@[::1":                   errHost,
		"redis://:hunter2@[h]":                    errHost,
		"redis://:hunter2@[192.0.2.1]":            errHost,
		"redis://:hunter2@[::1]x":                 errHost,
		"redis://:hunter2?x@h":                    errHost,
		"redis://:hunter2#x@h#":                   errHost,
		"redis://:hunter2%@h":                     errUserinfo,
		"redis://hunter2%zz@h":                    errUserinfo,
		"redis://:hunter2@a,b":                    errHosts,
		"redis://:hunter2@h/one":                  errDatabase,
		"redis://:hunter2@h/-1":                   errDatabase,
		"redis://:hunter2@h/0/0":                  errDatabase,
		"redis://:hunter2@h/99999999999999999999": errDatabase,
		"redis+cluster://:hunter2@a,b/0":          errNoDatabase,
		"redis+cluster://:hunter2@a,,b":           errHost,
		"redis+sentinel://:hunter2@a,b":           errMaster,
		"redis+sentinel://a?master=":              errMaster,
		"redis+sentinel://a?master=a&master=b":    errQuery,
		"redis://h?master=hunter2":                errQuery,
		"redis://h?hunter2":                       errQuery,
		"redis://h?db=1":                          errQuery,
		"redis://h?ca=hunter2":                    errQuery,
		"redis://h?a;b":                           errQuery,
		"redis://h?%zz":                           errQuery,
		"unix://":                                 errSocket,
		"unix:///":                                errSocket,
		"unix://:hunter2@relative":                errSocket,
		"unix:///s?db=x":                          errDatabase,
		"rediss://h?cert=a":                       errKeyPair,
		"rediss://h?key=a":                        errKeyPair,
		"rediss://h?ca=" + empty:                  errAuthority,
	} {
		t.Run(text, func(t *testing.T) {
			_, err := Parse(text)
			if err == nil {
				t.Fatal("no error")
			}
			if err != want { //nolint:errorlint // none is wrapped
				t.Errorf("got %v, want %v", err, want)
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the password is in the error: %v", err)
			}
		})
	}
	for _, query := range []string{"ca=" + folder + "/no.pem", "ca=" + large, "cert=" + empty + "&key=" + empty} {
		if _, err := Parse("rediss://:" + secret + "@h?" + query); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: got error %v", query, err)
		}
	}
}

func TestParseWithTLS(t *testing.T) {
	for _, text := range []string{"rediss://h", "rediss+cluster://a,b", "rediss+sentinel://a,b?master=m"} {
		a, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if a.tls == nil || a.tls.InsecureSkipVerify || a.tls.ServerName != "" {
			t.Errorf("%s: %+v", text, a.tls)
		}
	}
}

func TestAddressHidesWhoSignsIn(t *testing.T) {
	a, err := Parse("redis+sentinel://hunter2:hunter2@a,b/1?master=hunter2&sentinel_password=hunter2")
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		for _, value := range []any{a, []any{a}, struct{ A *Address }{a}} {
			if text := fmt.Sprintf(format, value); strings.Contains(text, "hunter2") {
				t.Errorf("%s prints %s", format, text)
			}
		}
	}
	if text, _ := json.Marshal([]any{a}); strings.Contains(string(text), "hunter2") {
		t.Errorf("JSON is %s", text)
	}
	if got, want := a.String(), "redis+sentinel://a:26379,b:26379"; got != want {
		t.Errorf("is %s, want %s", got, want)
	}
}

func TestClientSuitsAddress(t *testing.T) {
	for text, want := range map[string]any{
		"redis://127.0.0.1:1":                   &redis.Client{},
		"unix:///nowhere/redis.sock":            &redis.Client{},
		"redis+sentinel://127.0.0.1:1?master=m": &redis.Client{},
		"redis+cluster://127.0.0.1:1":           &redis.ClusterClient{},
	} {
		a, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		client := newClient(a)
		if got := reflect.TypeOf(client); got != reflect.TypeOf(want) {
			t.Errorf("%s: got %v, want %T", text, got, want)
		}
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"redis://u:p@h:1/0", "unix://u:p@/s?db=1", "rediss+sentinel://a,b:1/2?master=m", "redis+cluster://[::1]:1,b", "redis://:%@h"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "ca=") || strings.Contains(text, "cert=") {
			return // no files here
		}
		a, err := Parse(text)
		if err != nil {
			return
		}
		if len(a.hosts) == 0 || a.String() == "" {
			t.Errorf("%q leads nowhere", text)
		}
		for _, host := range a.hosts {
			if a.scheme != "unix" && !strings.Contains(host, ":") {
				t.Errorf("%q leads to %q", text, host)
			}
		}
	})
}

// largeAuthority is a file that begins with a certificate and is too large.
func largeAuthority(t *testing.T) string {
	path, _, _ := certificates(t)
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Write(make([]byte, maxCertificates)); err != nil {
		t.Fatal(err)
	}
	return path
}
