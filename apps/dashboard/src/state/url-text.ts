import { describeParameters, type ParameterDescription, splitUrl } from "@nodepass/url-config";

/** A tunnel's URL as the fields of a form, whatever is typed in them; checked by url-config. */
export interface UrlFields {
  readonly scheme: "server" | "client";
  /** As it is meant, not as it is escaped; empty for none. */
  readonly key: string;
  readonly tunnel: string;
  readonly targets: string;
  /** Texts by name, in the order of the URL; unknown ones too. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Takes a URL apart, a broken one too. */
export function readFields(url: string): UrlFields {
  const { scheme, userInfo, authority, path, query } = splitUrl(url);
  const parameters = new Map<string, string>();
  for (const pair of (query ?? "").split("&").filter(Boolean)) {
    const [name = "", ...rest] = pair.split("=");
    if (!parameters.has(decode(name))) parameters.set(decode(name), decode(rest.join("=")));
  }
  return {
    scheme: scheme === "server" ? "server" : "client",
    key: decode(userInfo ?? ""),
    tunnel: authority,
    targets: path.replace(/^\//, ""),
    parameters,
  };
}

/** Puts it together again. */
export function writeFields({ scheme, key, tunnel, targets, parameters }: UrlFields): string {
  const query = [...parameters].map(([name, text]) => `${encode(name)}=${encode(text)}`).join("&");
  const user = key === "" ? "" : `${encodeURIComponent(key)}@`;
  return `${scheme}://${user}${tunnel}/${targets}${query === "" ? "" : `?${query}`}`;
}

/** The fields with a parameter set; empty text takes it out. */
export function withParameter(fields: UrlFields, name: string, text: string): UrlFields {
  const parameters = new Map(fields.parameters);
  if (text === "") parameters.delete(name);
  else parameters.set(name, text);
  return { ...fields, parameters };
}

/** The parameters that a URL of this scheme may have. */
export function parametersOf(scheme: UrlFields["scheme"]): readonly ParameterDescription[] {
  return describeParameters().filter(({ schemes }) => schemes.includes(scheme));
}

/** The words that a parameter takes, if it takes some words only. */
export function choicesOf({ allowed }: ParameterDescription): readonly string[] | undefined {
  return /^\w+(?:, \w+)+$/.test(allowed) ? allowed.split(", ") : undefined;
}

/** A key that nobody guesses: 32 letters and digits. */
export function makeKey(): string {
  const letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";
  // 56 divides 224: with those above left out, no letter is likelier than another.
  const fit = letters.length * 4;
  let key = "";
  while (key.length < 32) {
    for (const byte of crypto.getRandomValues(new Uint8Array(64))) {
      if (byte < fit && key.length < 32) key += letters[byte % letters.length];
    }
  }
  return key;
}

/** What has to stand encoded in a query; an address stays legible. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(/%(?:2F|3A|2C)/g, decodeURIComponent);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Half an escape, as while it is being typed.
    return text;
  }
}
