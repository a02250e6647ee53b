const AUTO = /:auto(?=[/,?]|$)/g;

/**
 * Puts a port in the place of each `auto` of a URL's addresses; all else stays as it is written.
 *
 * @example
 * fillAutoPorts("server://KEY@0.0.0.0:auto/127.0.0.1:80", () => 10101); // "server://KEY@0.0.0.0:10101/127.0.0.1:80"
 */
export function fillAutoPorts(url: string, choose: () => number): string {
  const { address, rest } = split(url);
  return address.replace(AUTO, () => `:${choose()}`) + rest;
}

/**
 * Whether a URL is another one with its `auto` ports filled in, and nothing else: what a member answers is
 * kept, and may be run by another one after it.
 *
 * @param filled from outside: anything
 */
export function isFilledIn(asked: string, filled: string): boolean {
  const ports = portsIn(asked, filled);
  if (ports === undefined) return false;
  return fillAutoPorts(asked, () => ports.shift() ?? 0) === filled;
}

function portsIn(asked: string, filled: string): number[] | undefined {
  const { address } = split(asked);
  const ports: number[] = [];
  let at = 0;
  for (const [place, text] of address.split(AUTO).entries()) {
    if (place > 0) {
      const port = /^:([1-9]\d{0,4})(?!\d)/.exec(filled.slice(at))?.[1];
      if (port === undefined || Number(port) > 65_535) return undefined;
      ports.push(Number(port));
      at += 1 + port.length;
    }
    if (!filled.startsWith(text, at)) return undefined;
    at += text.length;
  }
  return ports;
}

function split(url: string): { readonly address: string; readonly rest: string } {
  const query = url.indexOf("?");
  return query < 0
    ? { address: url, rest: "" }
    : { address: url.slice(0, query), rest: url.slice(query) };
}
