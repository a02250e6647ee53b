import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate } from "selfsigned";

/** The name in the certificates of `issue`. */
export const SERVER_NAME = "nodepass.test";

/** A certificate authority of a test, with files that a server with `tls` 2 reads. */
export interface Authority {
  /** PEM of the authority's own certificate. */
  readonly ca: string;
  /** `crt=…&key=…` of a certificate for its name, `SERVER_NAME` if not another one. */
  readonly query: string;
  remove(): Promise<void>;
}

/** Makes an authority and a certificate that it signed, in a folder of its own. */
export async function makeAuthority(name = SERVER_NAME): Promise<Authority> {
  const ec = { keyType: "ec", curve: "P-256", algorithm: "sha256" } as const;
  const root = await generate([{ name: "commonName", value: "NodePass test authority" }], {
    ...ec,
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const leaf = await generate([{ name: "commonName", value: name }], {
    ...ec,
    ca: { key: root.private, cert: root.cert },
    extensions: [
      { name: "basicConstraints", cA: false },
      { name: "subjectAltName", altNames: [{ type: 2, value: name }] },
    ],
  });
  const folder = await mkdtemp(join(tmpdir(), "nodepass-"));
  const crt = join(folder, "cert.pem");
  const key = join(folder, "key.pem");
  await Promise.all([writeFile(crt, leaf.cert), writeFile(key, leaf.private)]);
  return {
    ca: root.cert,
    query: `crt=${encodeURIComponent(crt)}&key=${encodeURIComponent(key)}`,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
