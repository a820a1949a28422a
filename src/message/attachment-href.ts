import type { Parsed } from "./problem.ts";

/**
 * Checks a URL against the allowed hosts, without a request. An entry is `host` or `host:port`, which means https, or
 * an origin such as `http://host:port`; it must be the URL's own, to the letter.
 */
export function checkHref(href: string, allowedHosts: readonly string[]): Parsed<URL> {
  if (!URL.canParse(href)) return { ok: false, rule: "is not a URL" };
  const url = new URL(href);
  if (url.protocol !== "https:" && url.protocol !== "http:") return { ok: false, rule: "is not an http(s) URL" };
  if (url.username !== "" || url.password !== "") return { ok: false, rule: "has credentials in it" };
  if (allowedHosts.length === 0) {
    return { ok: false, rule: "cannot be fetched: this worker has no allowed attachment host" };
  }
  const origins = allowedHosts.map(originOf);
  return origins.includes(url.origin) ? { ok: true, value: url } : { ok: false, rule: "is not on an allowed host" };
}

function originOf(entry: string): string | null {
  const text = entry.includes("://") ? entry : `https://${entry}`;
  return URL.canParse(text) ? new URL(text).origin : null;
}
