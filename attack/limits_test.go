// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package attack

import (
	"io/fs"
	"net/http"
	"path/filepath"
	"strings"
)

var limitScenes = map[string]scene{
	"DO-005": func(s *site, _ attack) {
		q := form("/login", nil)
		q.Body = "username=alice&password=" + strings.Repeat("x", 1<<20)
		o := s.attackedWith(q)
		if o.answer.status != http.StatusRequestEntityTooLarge || len(o.app) > 0 {
			s.t.Errorf("a megabyte is answered %d", o.answer.status)
		}
		for _, size := range []int{1 << 10, 1<<10 + 1, 60 << 10} {
			q.Body = "username=alice&password=" + strings.Repeat("x", size)
			if o := s.attackedWith(q); o.answer.status != http.StatusUnauthorized {
				s.t.Errorf("%d bytes are answered %d", size, o.answer.status)
			}
		}
	},
	"DO-006": func(s *site, _ attack) {
		q := form("/login", nil)
		q.Body = strings.Repeat("a=&", 20000) + "username=alice&password=" + strings.ReplaceAll(master, " ", "+")
		if o := s.attackedWith(q); o.answer.status != http.StatusBadRequest {
			s.t.Errorf("20,000 fields are answered %d", o.answer.status)
		}
		if o := s.attackedWith(get("/login?" + strings.Repeat("a=&", 10001)).page()); o.answer.status != http.StatusRequestHeaderFieldsTooLarge && o.answer.status != http.StatusBadRequest {
			s.t.Errorf("10,001 parameters are answered %d", o.answer.status)
		}
	},
	"DO-009": func(s *site, _ attack) {
		before := files(s)
		for range 2000 {
			if a := s.send(get("/login").page()); a.status != http.StatusOK || len(a.cookies()) > 0 {
				s.t.Fatalf("the page is answered %d with %q", a.status, a.cookies())
			}
		}
		if after := files(s); after != before {
			s.t.Errorf("there were %d files in the storage, and now there are %d", before, after)
		}
	},
}

// files counts what is in the storage.
func files(s *site) (n int) {
	s.t.Helper()
	err := filepath.WalkDir(filepath.Join(s.dir, "storage"), func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			n++
		}
		return nil // what is just going does not count
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}
