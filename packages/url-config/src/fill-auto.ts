/** The address part of a URL: scheme, key, tunnel address, targets. */
const ADDRESSES = /^(\s*\w+:\/\/(?:.*@)?)([^/]*)(\/.*)?$/s;
const AUTO_PORT = /:auto(?=[/,]|$)/g;

/**
 * The URL of a fleet's service without `auto`, which stands for what its hub fills in: a port, or the whole
 * tunnel address of a client. What is filled in is taken from `known`, the service as it is; else it is a
 * port of no meaning, so that the rest can be read and checked.
 *
 * @example
 * fillAuto("server://:auto/:80?mode=1", "server://KEY@:10101/:80"); // "server://:10101/:80?mode=1"
 */
export function fillAuto(url: string, known?: string | undefined): string {
  const [address, query] = cut(url);
  const [, front, tunnel, targets = ""] = ADDRESSES.exec(address) ?? [];
  if (front === undefined || tunnel === undefined) return url;
  const [, , knownTunnel = "", knownTargets = ""] = ADDRESSES.exec(cut(known ?? "")[0]) ?? [];
  let last = 65_535;
  /** One that the URL has nowhere, or it would seem to lead back to itself. */
  const free = () => {
    do last -= 1;
    while (address.includes(`:${last}`));
    return last;
  };
  const fill = (text: string, from: string): string => {
    const ports = from.split(",").map((each) => /:(\d+)$/.exec(each)?.[1]);
    return text
      .split(",")
      .map((each, at) => each.replace(AUTO_PORT, () => `:${ports[at] ?? free()}`))
      .join(",");
  };
  const whole =
    tunnel === "auto" ? knownTunnel || `127.0.0.1:${free()}` : fill(tunnel, knownTunnel);
  return `${front}${whole}${fill(targets, knownTargets)}${query}`;
}

function cut(url: string): [address: string, query: string] {
  const at = url.indexOf("?");
  return at < 0 ? [url, ""] : [url.slice(0, at), url.slice(at)];
}
