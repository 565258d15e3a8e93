// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

// A Node server that answers every request with what it reads in it, and with
// where the URL parser of browsers takes the address in the header Judge. It
// prints its port. The argument is a folder with the packages "cookies" and
// "parseurl", which Koa and Express read with.

import http from 'node:http';
import { createRequire } from 'node:module';

const require = createRequire(process.argv[2] + '/');
const Cookies = require('cookies');
const parseurl = require('parseurl');

const managed = ['user', 'id_token', 'access_token', 'refresh_token', 'oauth_expiry', 'is_guest', 'next_url',
  'panel-oauth-state', 'panelauth', 'panelauth_1', '__Host-panelauth', '__Secure-panelauth'];

function read(request) {
  const cookies = {};
  const jar = new Cookies(request, null);
  for (const name of managed) {
    const value = jar.get(name);
    if (value !== undefined) cookies[name] = value;
  }
  const headers = [];
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    headers.push([request.rawHeaders[i], request.rawHeaders[i + 1]]);
  }
  const whatwg = new URL('http://app.example.com' + request.url).pathname;
  const paths = [parseurl(request).pathname, whatwg];
  for (const path of [...paths]) {
    try {
      paths.push(decodeURIComponent(path));
    } catch {} // an application answers 400
  }
  return { paths, cookies, headers, environ: [] };
}

// judge says whether browsers stay on the site, on which they may see it as
// any of these.
function judge(location) {
  return ['https://app.example.com/login', 'http://app.example.com/login', 'http://app.example.com:8080/proxy/login?next=x']
    .every((base) => new URL(location, base).origin === new URL(base).origin);
}

const server = http.createServer({ maxHeaderSize: 1 << 20 }, (request, response) => {
  let answer;
  try {
    const { judge: location } = request.headers;
    answer = location === undefined ? read(request) : { stays: judge(location) };
  } catch (error) {
    answer = { failed: String(error) };
  }
  response.end(JSON.stringify(answer));
});
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
