import { generate } from "selfsigned";
import { certificateFingerprint } from "./tunnel-secret.ts";

/** A key pair for TLS; a client trusts it by taking `cert` itself as CA. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly fingerprint: string;
}

/** A fresh self-signed certificate, good for `serverName` and 127.0.0.1. */
export async function makeCertificate(serverName = "localhost"): Promise<Certificate> {
  const pems = await generate([{ name: "commonName", value: serverName }], {
    keyType: "ec",
    curve: "P-256",
    algorithm: "sha256",
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      {
        name: "subjectAltName",
        altNames: [
          { type: 2, value: serverName },
          { type: 7, ip: "127.0.0.1" },
        ],
      },
    ],
  });
  return {
    cert: pems.cert,
    key: pems.private,
    fingerprint: certificateFingerprint(pems.cert),
  };
}
