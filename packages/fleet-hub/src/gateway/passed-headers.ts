/** Headers as members and hubs say them: names in lower case. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** Headers of a request at most; the message to a member has no more. */
export const MAX_PASSED_HEADERS = 128;

/** What holds for one connection only. @see RFC 9110, section 7.6.1 */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  ...["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding"],
  ...["upgrade", "proxy-authenticate", "proxy-authorization", "expect"],
]);

/**
 * What an answer may not say for its master alone: under a path of the hub, and in part under a name
 * beside the others', it would hold for the hub and for every master.
 */
export const NOT_A_MEMBERS_MATTER: ReadonlySet<string> = new Set([
  ...["set-cookie", "clear-site-data", "strict-transport-security", "alt-svc"],
  ...["service-worker-allowed", "public-key-pins", "report-to", "nel"],
  // A web server before the hub would take them for orders.
  ...["x-accel-redirect", "x-sendfile", "x-lighttpd-send-file"],
]);

/** Types that no browser runs or draws as a page, whatever is in them. */
const INERT_TYPES =
  /^(?:application\/json|text\/(?:plain|event-stream|css)|image\/(?:png|webp))\b/i;

/** A page in a box: it may run its own script, and has no part in what the hub's own pages keep. */
const BOXED = "sandbox allow-scripts allow-forms allow-popups allow-downloads";

/** Names that a `Connection` header adds to those of {@link HOP_BY_HOP}. */
function namedHops(connection: string | null): ReadonlySet<string> {
  const names = (connection ?? "").split(",").map((name) => name.trim().toLowerCase());
  return new Set(names.filter((name) => name !== ""));
}

/** What a browser sends to the hub's host for something else there; masters know no cookies. */
const NOT_FOR_MEMBERS: ReadonlySet<string> = new Set(["content-length", "cookie"]);

/**
 * What of a request's headers reaches a member.
 *
 * @param secret tells headers whose value is the hub's own matter
 */
export function requestHeaders(headers: Headers, secret: (value: string) => boolean): HeaderList {
  const named = namedHops(headers.get("connection"));
  return [...headers].filter(
    ([name, value]) =>
      !HOP_BY_HOP.has(name) && !named.has(name) && !NOT_FOR_MEMBERS.has(name) && !secret(value),
  );
}

/**
 * What of a member's headers reaches a client. Lengths are counted anew, but where there is no body; a
 * redirect that leads away from the master is none.
 *
 * @param options.target path and query that the member was asked for
 * @throws {TypeError} for a name or value that is none
 */
export function responseHeaders(
  list: HeaderList,
  options: { readonly hasBody: boolean; readonly boxed: boolean; readonly target: string },
): Headers {
  const all = new Headers();
  for (const [name, value] of list) all.append(name, value);
  const named = namedHops(all.get("connection"));
  for (const name of [...all.keys()]) {
    const drop = HOP_BY_HOP.has(name) || NOT_A_MEMBERS_MATTER.has(name) || named.has(name);
    if (drop || (options.hasBody && name === "content-length")) all.delete(name);
  }
  const location = all.get("location");
  if (location !== null && !staysAtMaster(location, options)) all.delete("location");
  const type = all.get("content-type") ?? "";
  if (options.boxed && type !== "" && !INERT_TYPES.test(type)) {
    all.append("content-security-policy", BOXED);
  }
  return all;
}

/** Where a master is for those who ask it by a path. */
const BASE_PATH = "/m";

/**
 * Clients follow redirects with the key that they came with, and with 307 their whole request: a master in wrong
 * hands would send a fleet's token to whoever it likes, or an admin's `DELETE` to another master. By its own
 * name or port a master is one origin; by path it is what is below that.
 */
function staysAtMaster(location: string, { boxed, target }: { boxed: boolean; target: string }) {
  const base = boxed ? BASE_PATH : "";
  // What names a scheme is of one of the two at most, whichever the client came by.
  return ["http", "https"].every((scheme) => {
    const from = URL.parse(`${scheme}://gateway${base}${target}`);
    const to = URL.parse(location, from?.href);
    return to !== null && to.origin === from?.origin && to.pathname.startsWith(`${base}/`);
  });
}
