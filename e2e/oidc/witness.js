// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

// Remembers what went through a provider: secrets, so that tests can look for
// them in logs, and grants, so that tests can count them.

const secretNames = new Set([
  "access_token", "client_secret", "code", "code_verifier", "id_token",
  "id_token_hint", "nonce", "refresh_token", "state", "token",
]);

export class Witness {
  #secrets = new Map();
  #grants = [];
  #logouts = [];

  /** Answers what was seen so far. */
  report() {
    return {
      secrets: Object.fromEntries(this.#secrets),
      grants: this.#grants,
      logouts: this.#logouts,
    };
  }

  /** Stands before everything else that the provider does. */
  middleware() {
    return async (ctx, next) => {
      await next();
      this.#note(ctx.query);
      this.#note(ctx.oidc?.body);
      this.#note(ctx.body);
      this.#noteAddress(ctx.response.get("location"));
    };
  }

  /** Counts what the token endpoint granted and refused. */
  watch(provider) {
    const grant = (ctx, error) => ({ type: ctx.oidc.params?.grant_type ?? "", error, at: Date.now() });
    provider.on("grant.success", (ctx) => this.#grants.push(grant(ctx, "")));
    provider.on("grant.error", (ctx, error) => this.#grants.push(grant(ctx, error.error_detail ?? error.message)));
    provider.on("end_session.success", () => this.#logouts.push(Date.now()));
  }

  #note(values) {
    if (!values || typeof values !== "object") return;
    for (const [name, value] of Object.entries(values)) {
      if (secretNames.has(name) && typeof value === "string" && value) this.#secrets.set(value, name);
    }
  }

  #noteAddress(address) {
    const url = address && URL.parse(address, "http://unused");
    if (url) this.#note(Object.fromEntries(url.searchParams));
  }
}
