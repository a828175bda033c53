// The gateway's JSON interface.
import { t } from "./i18n.js";
import { technical, words } from "./parts/said.js";

/** Why something was not done. */
export class Problem extends Error {
  constructor(status, body = {}) {
    super(body.detail ?? "");
    this.status = status;
    this.kind = (body.type ?? "").replace("/problems/", "");
    this.code = body.code ?? this.kind;
    this.detail = body.detail ?? "";
    this.say = body.say ?? null;
    this.look = body.look ?? null;
    this.wait = body.retry_after ?? null;
  }

  /** For people: in their language where it is known, else what the gateway said. */
  get words() {
    if (this.status === 0) return t("problem.offline");
    return words(this.say, this.detail) || t("problem.failed");
  }

  /** The line of another program behind it. */
  get more() {
    return technical(this.say);
  }
}

let ended = () => {};

/** Is called when nobody is signed in any more. */
export function onEnd(heard) {
  ended = heard;
}

/** So long a question waits for its answer, in milliseconds; then its button is free again. */
const PATIENCE = 30_000;
/** The same for what reads a whole platform or a whole sheet. */
export const LONG = 600_000;

/** A signal that also fires when it took too long. Browsers that cannot join two have the one that was given. */
function bounded(signal, patience) {
  const limit = AbortSignal.timeout(patience);
  if (!signal) return limit;
  return AbortSignal.any ? AbortSignal.any([signal, limit]) : signal;
}

/** Asks. Gives the document, or throws a `Problem`. */
export async function call(method, path, body, { signal, quiet = false, patience = PATIENCE } = {}) {
  const headers = { Accept: "application/json", "X-Doorward": "1" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, {
      method, headers, signal: bounded(signal, patience), cache: "no-store", body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0);
  }
  let text;
  try {
    text = await answer.text();
  } catch (error) {
    // Whoever asked for something else meanwhile does not want half of this.
    if (error.name === "AbortError") throw error;
    throw new Problem(0);
  }
  let said;
  try {
    said = text ? JSON.parse(text) : undefined;
  } catch {
    said = { detail: "" };
  }
  if (answer.ok) return said;
  if (answer.status === 401 && !quiet) ended();
  throw new Problem(answer.status, said);
}

export const get = (path, options) => call("GET", path, undefined, options);
export const post = (path, body = {}, options) => call("POST", path, body, options);
export const put = (path, body) => call("PUT", path, body);
export const patch = (path, body) => call("PATCH", path, body);
export const del = (path) => call("DELETE", path);

/** A query, without what is empty. */
export function query(path, values) {
  const asked = Object.entries(values).filter(([, it]) => it !== "" && it !== undefined && it !== null);
  return asked.length ? `${path}?${new URLSearchParams(asked)}` : path;
}

export const id = encodeURIComponent;
