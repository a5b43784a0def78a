// The bundle's JSON endpoints, asked from the page's own origin with the CRM's session cookie.

import { chosen, t } from "./texts.js";

const PATIENCE = 32_000; // a little more than API Gateway's

/** What the server refused, or that it could not be reached (status 0). */
export class Failure extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** The answer to a request, in the page's language; throws a Failure for everything that is no success. */
export async function answer(path, method = "GET") {
  let response;
  try {
    const asked = chosen && !/[?&]lang=/.test(path) ? `${path + (path.includes("?") ? "&" : "?")}lang=${chosen}` : path;
    response = await fetch(asked, { method, cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
  } catch {
    throw new Failure(0, t("unreachable"));
  }
  if (response.ok) return response;
  const body = await response.json().catch(() => null);
  const failure = new Failure(response.status, body?.error ?? t("unreadable"));
  // Whatever asked it: without a session nothing goes on, and the page says how to get one.
  if (failure.status === 401) dispatchEvent(new CustomEvent("refused", { detail: failure }));
  throw failure;
}

/** The envelope of a success, with its HTTP status. */
export async function ask(path, method) {
  const response = await answer(path, method);
  const body = await response.json().catch(() => null);
  if (body?.success !== true) throw new Failure(response.status, t("unreadable"));
  return { ...body, status: response.status };
}

/** Of questions that overtake each other only the newest counts: the others' answers, and failures, are null. */
export function newest(question) {
  let latest = 0;
  return async (...asked) => {
    const mine = ++latest;
    try {
      const found = await question(...asked);
      return mine === latest ? found : null;
    } catch (error) {
      if (mine === latest) throw error;
      return null;
    }
  };
}

export const customerPath = (id) => `/crm/api/customer/${encodeURIComponent(id)}`;
