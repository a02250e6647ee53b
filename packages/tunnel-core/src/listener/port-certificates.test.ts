import { expect, test, vi } from "vitest";
import type { CertificateSource, CertificateState } from "../tls/certificate-source.ts";
import { PortCertificates } from "./port-certificates.ts";

function source(fingerprint: string, ...names: string[]) {
  let state = { fingerprint, names } as unknown as CertificateState;
  const close = vi.fn();
  const made: CertificateSource = { current: () => state, onChange: () => {}, close };
  return {
    made,
    close,
    renew: (...more: string[]) => {
      state = { fingerprint: `${fingerprint}2`, names: more } as unknown as CertificateState;
    },
  };
}

test("a name gets its certificate, exactly or by its first label; others get the first", async () => {
  const certificates = new PortCertificates();
  expect(certificates.present).toBe(false);
  const [one, other] = [
    source("one", "one.example"),
    source("other", "*.other.example", "other.example"),
  ];
  await certificates.add(one.made);
  expect([certificates.present, certificates.several]).toEqual([true, false]);
  await certificates.add(other.made);
  expect(certificates.several).toBe(true);
  const asked = (name: string) => certificates.forName(name).fingerprint;
  expect(asked("one.example")).toBe("one");
  expect(asked("ONE.example.")).toBe("one");
  expect(asked("a.other.example")).toBe("other");
  expect(asked("other.example")).toBe("other");
  for (const name of ["a.b.other.example", "example", "", "*", "nobody.example"]) {
    expect(asked(name)).toBe("one");
  }
});

test("renewed files bring their names", async () => {
  const certificates = new PortCertificates();
  const [one, other] = [source("one", "one.example"), source("other", "other.example")];
  await certificates.add(one.made);
  await certificates.add(other.made);
  other.renew("new.example");
  // A name that nobody has: one source after the other is asked for what is new.
  const asked = [1, 2].map(() => certificates.forName("new.example").fingerprint);
  expect(asked).toContain("other2");
  expect(certificates.forName("other.example").fingerprint).toBe("one");
});

test("the first stays as long as the port, unless its own tunnel is replaced", async () => {
  const certificates = new PortCertificates();
  const [one, other, next] = [source("one", "one.example"), source("other"), source("next")];
  await certificates.add(one.made);
  await certificates.add(other.made);
  certificates.delete(one.made);
  expect([certificates.current().fingerprint, one.close.mock.calls.length]).toEqual(["one", 0]);
  expect(certificates.forName("one.example").fingerprint).toBe("one");
  await certificates.add(next.made, one.made);
  expect(certificates.current().fingerprint).toBe("next");
  certificates.delete(other.made);
  expect(other.close).toHaveBeenCalledOnce();
  certificates.close();
  expect(next.close).toHaveBeenCalled();
});
