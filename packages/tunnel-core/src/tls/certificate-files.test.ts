import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate } from "selfsigned";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { TunnelError } from "../errors.ts";
import { openCertificateFiles } from "./certificate-files.ts";

interface Pair {
  readonly cert: string;
  readonly private: string;
}

const INTERVAL_MS = 500;

let old: Pair;
let fresh: Pair;
let folder: string;
let certPath: string;
let keyPath: string;
let nowMs: number;

const makePair = (options: { notAfterDate?: Date; notBeforeDate?: Date } = {}): Promise<Pair> =>
  generate([{ name: "commonName", value: "node.example" }], {
    keyType: "ec",
    algorithm: "sha256",
    ...options,
  });

beforeAll(async () => {
  [old, fresh] = await Promise.all([makePair(), makePair()]);
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "np-certificate-"));
  certPath = join(folder, "crt.pem");
  keyPath = join(folder, "key.pem");
  nowMs = 0;
  write(old);
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function write(pair: Pair): void {
  writeFileSync(certPath, pair.cert);
  writeFileSync(keyPath, pair.private);
}

/** Opens the pair; `look` is the state at the next look at the files. */
async function open() {
  const logger = { info: vi.fn(), warn: vi.fn() };
  const onError = vi.fn<(error: TunnelError) => void>();
  const now = () => nowMs;
  const source = await openCertificateFiles({ certPath, keyPath, logger, onError, now });
  const look = () => {
    nowMs += INTERVAL_MS;
    return source.current();
  };
  return { source, look, logger, onError, first: source.current() };
}

describe("a change", () => {
  const changes: Record<string, () => void> = {
    "in place": () => write(fresh),
    "by rename": () => {
      writeFileSync(`${certPath}.new`, fresh.cert);
      writeFileSync(`${keyPath}.new`, fresh.private);
      renameSync(`${certPath}.new`, certPath);
      renameSync(`${keyPath}.new`, keyPath);
    },
    "by removal and a new file": () => {
      unlinkSync(certPath);
      unlinkSync(keyPath);
      write(fresh);
    },
  };

  test.each(Object.keys(changes))("%s is used at the next look", async (how) => {
    const { source, look, onError, logger, first } = await open();
    const changed = vi.fn();
    source.onChange(changed);
    changes[how]?.();
    const state = look();
    expect(state.fingerprint).not.toBe(first.fingerprint);
    expect(changed.mock.calls).toEqual([[state]]);
    expect(look()).toBe(state);
    expect(changed).toHaveBeenCalledTimes(1);
    expect(onError).not.toHaveBeenCalled();
    expect(logger.info).toHaveBeenCalledTimes(1);
  });

  test("of a link to a folder is used (as Kubernetes swaps secrets)", async () => {
    for (const [name, pair] of Object.entries({ one: old, two: fresh })) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, "tls.crt"), pair.cert);
      writeFileSync(join(folder, name, "tls.key"), pair.private);
    }
    symlinkSync("one", join(folder, "data"));
    unlinkSync(certPath);
    unlinkSync(keyPath);
    symlinkSync("data/tls.crt", certPath);
    symlinkSync("data/tls.key", keyPath);
    const { look, first, onError } = await open();
    symlinkSync("two", join(folder, "data.new"));
    renameSync(join(folder, "data.new"), join(folder, "data"));
    expect(look().fingerprint).not.toBe(first.fingerprint);
    expect(onError).not.toHaveBeenCalled();
  });

  test("that keeps size and modification time is used", async () => {
    const date = new Date(1_700_000_000_000);
    const pad = (pem: string) => pem.padEnd(2048, "\n");
    const writePadded = (pair: Pair) => {
      write({ cert: pad(pair.cert), private: pad(pair.private) });
      utimesSync(certPath, date, date);
      utimesSync(keyPath, date, date);
    };
    writePadded(old);
    const { look, first } = await open();
    writePadded(fresh);
    await vi.waitFor(() => {
      // The change time moves with the kernel's tick: write until it has.
      writePadded(fresh);
      expect(look().fingerprint).not.toBe(first.fingerprint);
    });
  });

  test("is not looked for before the interval is over", async () => {
    const { source, look, first } = await open();
    write(fresh);
    nowMs = INTERVAL_MS - 1;
    expect(source.current()).toBe(first);
    expect(look()).not.toBe(first);
  });

  test("is not looked for after close", async () => {
    const { source, look, first } = await open();
    const changed = vi.fn();
    source.onChange(changed);
    source.close();
    source.close();
    write(fresh);
    expect(look()).toBe(first);
    expect(changed).not.toHaveBeenCalled();
  });

  test("without one nothing is read again", async () => {
    const { look, first, logger } = await open();
    for (let looks = 0; looks < 10; looks++) expect(look()).toBe(first);
    expect(logger.info).not.toHaveBeenCalled();
  });
});

describe("a bad change keeps the old certificate", () => {
  const changes: Record<string, [change: () => void, reason: () => string]> = {
    "half a pair": [
      () => writeFileSync(certPath, fresh.cert),
      () => `key ${keyPath} does not belong to certificate ${certPath}`,
    ],
    "half a file": [
      () => truncateSync(certPath, 200),
      () => `certificate ${certPath} is not valid: `,
    ],
    "an empty file": [() => truncateSync(keyPath, 0), () => `key ${keyPath} is not PEM`],
    "a missing file": [() => unlinkSync(keyPath), () => `cannot read key ${keyPath}: no such file`],
  };

  test.each(Object.keys(changes))("%s", async (what) => {
    const [change, reason] = changes[what] ?? [];
    const { look, first, onError, logger } = await open();
    change?.();
    for (let looks = 0; looks < 5; looks++) expect(look()).toBe(first);
    expect(onError).toHaveBeenCalledTimes(1);
    expect(onError.mock.calls[0]?.[0]).toMatchObject({
      code: "CERTIFICATE_INVALID",
      message: expect.stringContaining(reason?.() ?? ""),
    });
    expect(logger.warn).toHaveBeenCalledTimes(1);
    write(fresh);
    expect(look().fingerprint).not.toBe(first.fingerprint);
  });

  test("and says so again when it comes back", async () => {
    const { look, onError } = await open();
    unlinkSync(keyPath);
    look();
    write(fresh);
    look();
    unlinkSync(keyPath);
    look();
    expect(onError).toHaveBeenCalledTimes(2);
  });

  test("until the pair is restored as it was", async () => {
    const { look, first } = await open();
    writeFileSync(certPath, fresh.cert);
    look();
    write(old);
    expect(look().fingerprint).toBe(first.fingerprint);
  });
});

describe("opening", () => {
  const rejected = (message: string) =>
    expect.objectContaining({
      code: "CERTIFICATE_INVALID",
      message: expect.stringContaining(message),
    });

  test("accepts a chain and tells the leaf's fingerprint", async () => {
    const { first } = await open();
    writeFileSync(certPath, `${old.cert}\n${fresh.cert}`);
    expect((await open()).first.fingerprint).toBe(first.fingerprint);
  });

  test("accepts an expired certificate with a warning", async () => {
    const notAfterDate = new Date(Date.now() - 60_000);
    write(await makePair({ notBeforeDate: new Date(0), notAfterDate }));
    const { first, logger } = await open();
    expect(first.notAfter.getTime()).toBeLessThan(Date.now());
    expect(logger.warn).toHaveBeenCalledWith(
      expect.objectContaining({ certPath }),
      "certificate has expired",
    );
  });

  test("names a missing file", async () => {
    unlinkSync(certPath);
    await expect(open()).rejects.toEqual(
      rejected(`cannot read certificate ${certPath}: no such file`),
    );
  });

  test("names a folder", async () => {
    unlinkSync(keyPath);
    mkdirSync(keyPath);
    await expect(open()).rejects.toEqual(
      rejected(`cannot read key ${keyPath}: not a regular file`),
    );
  });

  // Root may read and write everything: nothing is refused.
  test.skipIf(process.getuid?.() === 0)("names an unreadable file", async () => {
    chmodSync(keyPath, 0);
    await expect(open()).rejects.toEqual(rejected(`cannot read key ${keyPath}: permission denied`));
  });

  test("names a file that is too large", async () => {
    writeFileSync(certPath, old.cert.padEnd(1024 * 1024 + 1, "\n"));
    await expect(open()).rejects.toEqual(rejected("1048577 bytes, at most 1048576 allowed"));
  });

  test("names a file that is not PEM", async () => {
    writeFileSync(certPath, Buffer.from([0x30, 0x82, 0x01, 0x0a]));
    await expect(open()).rejects.toEqual(rejected(`certificate ${certPath} is not PEM`));
  });

  test("names files given the wrong way round", async () => {
    write({ cert: old.private, private: old.cert });
    await expect(open()).rejects.toEqual(rejected(`certificate ${certPath} is not valid`));
  });

  test("names a key of another certificate", async () => {
    write({ cert: old.cert, private: fresh.private });
    await expect(open()).rejects.toEqual(
      rejected(`key ${keyPath} does not belong to certificate ${certPath}`),
    );
  });

  test("does not repeat the key in its message", async () => {
    const body = readFileSync(keyPath, "utf8").split("\n")[1] ?? "";
    write({ cert: old.cert, private: old.private.replace("\n", "\nAAAA") });
    await expect(open()).rejects.toEqual(rejected(`key ${keyPath} is not valid`));
    await expect(open()).rejects.not.toEqual(rejected(body));
  });

  test("leaves nothing that keeps the process alive", async () => {
    const before = process.getActiveResourcesInfo();
    const { source } = await open();
    expect(process.getActiveResourcesInfo()).toEqual(before);
    source.close();
  });
});
