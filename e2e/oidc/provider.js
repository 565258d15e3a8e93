// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

// An OpenID provider on loopback. It lets in whoever types a name, and asks
// everybody for consent. Its only argument is JSON:
//
//   port                 where to listen
//   clients              as oidc-provider wants them
//   accessTokenLifetime  in seconds
//   stateFirst           answers with state before code, as other providers do
//
// Beside the provider itself there is, for the tests, GET /test/report and POST
// /test/keys, which makes new signing keys and forgets the old.

import "./older-node.js";

import { generateKeyPairSync } from "node:crypto";
import http from "node:http";

import { Witness } from "./witness.js";

// Imported late: it needs what older-node.js provides.
const { default: Provider } = await import("oidc-provider");

const settings = JSON.parse(process.argv[2]);
const issuer = `http://127.0.0.1:${settings.port}`;
const witness = new Witness();
const records = new Map();

/** Keeps what the provider issued when its keys change. */
class Memory {
  constructor(model) {
    this.model = model;
  }

  #key(id) {
    return `${this.model}:${id}`;
  }

  async upsert(id, payload) {
    records.set(this.#key(id), payload);
  }

  async find(id) {
    return records.get(this.#key(id));
  }

  async findByUid(uid) {
    return [...records.values()].find((record) => record.uid === uid && record.kind === this.model);
  }

  async findByUserCode() {
    return undefined;
  }

  async consume(id) {
    records.get(this.#key(id)).consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    records.delete(this.#key(id));
  }

  async revokeByGrantId(grantId) {
    for (const [key, record] of records) {
      if (record.grantId === grantId && key.startsWith(this.#key(""))) records.delete(key);
    }
  }
}

function newKey() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const kid = `key-${Date.now()}`;
  return { ...privateKey.export({ format: "jwk" }), kid, use: "sig", alg: "RS256" };
}

function account(ctx, id) {
  return {
    accountId: id,
    claims: () => ({
      sub: id,
      name: `${id} of the tests`,
      preferred_username: id,
      email: `${id}@example.com`,
      email_verified: true,
      groups: ["staff", `friends of ${id}`],
    }),
  };
}

function newProvider() {
  const provider = new Provider(issuer, {
    adapter: Memory,
    clients: settings.clients,
    claims: {
      openid: ["sub"],
      email: ["email", "email_verified"],
      profile: ["name", "preferred_username", "groups"],
    },
    clockTolerance: 0,
    cookies: { keys: ["a secret of the tests"] },
    features: {
      backchannelLogout: { enabled: true },
      devInteractions: { enabled: true },
      revocation: { enabled: true },
      rpInitiatedLogout: { enabled: true },
    },
    // By itself it refuses to send logout tokens to loopback.
    fetch: (url, options) => fetch(url, { ...options, dispatcher: undefined }),
    findAccount: account,
    jwks: { keys: [newKey()] },
    pkce: { required: () => true },
    rotateRefreshToken: true,
    ttl: {
      AccessToken: settings.accessTokenLifetime,
      AuthorizationCode: 60,
      Grant: 86400,
      IdToken: 3600,
      Interaction: 3600,
      RefreshToken: 86400,
      Session: 86400,
    },
  });
  provider.use(witness.middleware());
  if (settings.stateFirst) provider.use(stateFirst);
  witness.watch(provider);
  return provider;
}

async function stateFirst(ctx, next) {
  await next();
  const answer = URL.parse(ctx.response.get("location"));
  if (!answer?.searchParams.has("code")) return;
  const state = answer.searchParams.get("state");
  answer.searchParams.delete("state");
  ctx.set("Location", answer.href.replace("?", `?state=${encodeURIComponent(state)}&`));
}

let handle = newProvider().callback();

function answerTest(request, response) {
  if (request.url === "/test/keys") handle = newProvider().callback();
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(witness.report()));
}

http.createServer((request, response) => {
  if (request.url.startsWith("/test/")) return answerTest(request, response);
  return handle(request, response);
}).listen(settings.port, "127.0.0.1");
