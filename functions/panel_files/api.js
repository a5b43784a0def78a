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

/** The envelope of a success, with its HTTP status; throws a Failure for everything else. */
export async function ask(path, method = "GET") {
  let response;
  try {
    response = await fetch(chosen ? `${path + (/\?/.test(path) ? "&" : "?")}lang=${chosen}` : path, {
      method,
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE),
    });
  } catch {
    throw new Failure(0, t("unreachable"));
  }
  const body = await response.json().catch(() => null);
  if (!response.ok || body?.success !== true) {
    throw new Failure(response.status, body?.error ?? t("unreadable"));
  }
  return { ...body, status: response.status };
}

export const customerPath = (id) => `/crm/api/customer/${encodeURIComponent(id)}`;
