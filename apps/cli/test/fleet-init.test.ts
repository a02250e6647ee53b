import { spawn, spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decodeHubSecrets, readHubSecrets } from "@nodepass/fleet-hub";
import { diesWithUs, findNatsServer } from "test-support/nats";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { temporaryFolder } from "./support/folder.ts";
import { workspaceFolder } from "./support/pack.ts";
import { runCli, startCli } from "./support/run-cli.ts";

async function init(...argv: string[]) {
  const folder = join(temporaryFolder(), "fleet");
  const result = await runCli(["fleet", "init", folder, "--name", "prod", ...argv]);
  const read = (path: string) => readFileSync(join(folder, path), "utf8");
  return { ...result, folder, read };
}

const filesOf = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry) => {
    const path = join(entry.parentPath, entry.name);
    return { path, isFile: entry.isFile(), mode: statSync(path).mode & 0o777 };
  });

describe("fleet init", () => {
  it("writes what its owner alone may read, and prints the first admin token once", async () => {
    const { code, stdout, stderr, folder, read } = await init("--host", "hub.example.org");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^npf_[0-9a-f]{16}_[\w-]{43}\n$/);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    const files = filesOf(folder);
    for (const { path, isFile, mode } of files)
      expect([path, mode]).toEqual([path, isFile ? 0o600 : 0o700]);
    // The token is in no file, the operator's root in one that goes elsewhere.
    const secret = stdout.trim().replace(/^npf_[0-9a-f]{16}_/, "");
    const texts = files
      .filter(({ isFile }) => isFile)
      .map(({ path }) => [path, readFileSync(path, "utf8")] as const);
    expect(texts.filter(([, text]) => text.includes(secret))).toEqual([]);
    const seed = read("keep-elsewhere/operator.seed").trim();
    expect(seed).toMatch(/^SO[A-Z2-7]{56}$/);
    expect(texts.filter(([, text]) => text.includes(seed)).map(([path]) => path)).toEqual([
      join(folder, "keep-elsewhere/operator.seed"),
    ]);
    // What a server reads has none of the hubs' keys.
    for (const path of ["nats/nats-0.conf", "compose.yaml"]) {
      expect(read(path)).not.toMatch(/\bS[OAU][A-Z2-7]{56}\b|PRIVATE KEY/);
    }

    const hub = await readHubSecrets(folder);
    expect(hub).toMatchObject({
      servers: ["tls://hub.example.org:4222"],
      memberServers: ["tls://hub.example.org:4222", "wss://hub.example.org:443"],
      hubs: ["https://hub.example.org:9443/api"],
      ca: read("nats/tls/ca.crt"),
    });
    const [root, engine, web] = ["nats/tls/ca.crt", "nats/tls/server.crt", "tls/hub.crt"].map(
      (path) => new X509Certificate(read(path)),
    );
    for (const leaf of [engine, web]) {
      expect(leaf?.verify(root?.publicKey ?? neverHere())).toBe(true);
      expect(leaf?.checkHost("hub.example.org")).toBe("hub.example.org");
    }
    expect(stderr).toContain(`--pin ${web?.fingerprint256}`);
    expect(read("nats/nats-0.conf")).toMatch(/sync_interval: "?always/);
    expect(JSON.parse(read("hub.json"))).toMatchObject({ listen: "0.0.0.0:9443" });

    const again = await runCli(["fleet", "init", folder, "--name", "prod", "--host", "a.example"]);
    expect(again).toMatchObject({ code: 1, stdout: "" });
    expect(again.stderr).toContain("nothing is overwritten");
    expect(await readHubSecrets(folder)).toEqual(hub);
  });

  it("takes a certificate of one's own, and no TLS at all", async () => {
    const made = await init("--host", "hub.example.org");
    const [crt, key] = ["tls/hub.crt", "tls/hub.key"].map((path) => join(made.folder, path));
    const files = ["--tls", "files", "--crt", crt ?? "", "--crt-key", key ?? ""];
    const taken = await init("--host", "hub.example.org", ...files);
    expect(taken).toMatchObject({ code: 0 });
    expect(taken.read("nats/tls/server.crt")).toBe(made.read("tls/hub.crt"));
    expect(decodeHubSecrets(taken.read("fleet.json")).ca).toBe("");
    expect(taken.stderr).not.toContain("--pin");
    const plain = await init("--host", "127.0.0.1", "--tls", "none", "--port", "80");
    expect(decodeHubSecrets(plain.read("fleet.json"))).toMatchObject({
      servers: ["nats://127.0.0.1:4222"],
      hubs: ["http://127.0.0.1:80/api"],
    });
    expect(plain.read("nats/nats-0.conf")).not.toContain("cert_file");
  });

  it("has the engine's own page where it is wanted, or none", async () => {
    const page = async (...argv: string[]) =>
      /^http: .*$/m.exec(
        (await init("--host", "a.example", ...argv)).read("nats/nats-0.conf"),
      )?.[0];
    expect(await page()).toBe('http: "127.0.0.1:8222"');
    expect(await page("--monitor-port", "8333")).toBe('http: "127.0.0.1:8333"');
    expect(await page("--monitor-port", "0")).toBeUndefined();
  });

  it.each([
    [["--host", "a b"], 2, "allowed are host names and IP addresses"],
    [["--host", "a", "--host", "b", "--servers", "3"], 2, "one --host together, or one each"],
    [["--host", "a", "--servers", "2"], 2, "allowed: 1, 3"],
    [["--host", "a", "--port", "4222"], 2, "not all different: --port 4222, --engine-port 4222,"],
    [["--host", "a", "--servers", "3", "--port", "8224"], 2, "--monitor-port 8222, 8223, 8224;"],
    [["--host", "a", "--listen", "eth0"], 2, "allowed are an IP address, and host"],
    [["--host", "a", "--tls", "files"], 2, "--crt and --crt-key"],
    [["--host", "a", "--name", "Prod!"], 2, "1 to 32 lower-case letters"],
    [[], 2, "--host"],
  ])("refuses %j and says what is allowed", async (argv, code, text) => {
    const refused = await init(...argv);
    expect(refused).toMatchObject({ code, stdout: "" });
    expect(refused.stderr).toContain(text);
    expect(() => statSync(refused.folder)).toThrow();
  });
});

describe("fleet rotate", () => {
  it("makes a new key in the secrets and in the servers' files", async () => {
    const { folder, read } = await init("--host", "127.62.4.4", "--listen", "host");
    const rotate = (...argv: string[]) => runCli(["fleet", "rotate", folder, ...argv]);
    const secretsNow = async () => (await readHubSecrets(folder)).secrets.reveal();
    const first = await secretsNow();
    const conf = read("nats/nats-0.conf");

    expect(await rotate("data")).toMatchObject({ code: 0, stdout: "wrote fleet.json\n" });
    const { dataKeys } = await secretsNow();
    expect(dataKeys).toHaveLength(2);
    expect(dataKeys[1]).toEqual(first.dataKeys[0]);
    expect(read("nats/nats-0.conf")).toBe(conf);

    const steps: unknown[] = [];
    for (const step of ["1 of 3", "2 of 3", "3 of 3"]) {
      const rotated = await rotate("box");
      expect(rotated).toMatchObject({ code: 0, stdout: "wrote fleet.json\n" });
      expect(rotated.stderr).toContain(step);
      const { boxKeys, nextBoxKey } = await secretsNow();
      steps.push([...boxKeys.map((key) => Buffer.from(key)), nextBoxKey?.byteLength]);
    }
    const [old = new Uint8Array()] = first.boxKeys;
    const [fresh] = (await secretsNow()).boxKeys;
    expect(fresh).not.toEqual(old);
    expect(steps).toEqual([
      [Buffer.from(old), 32],
      [Buffer.from(fresh ?? []), Buffer.from(old), undefined],
      [Buffer.from(fresh ?? []), undefined],
    ]);

    for (const which of ["members", "hubs"] as const) {
      const before = await secretsNow();
      const { code, stdout, stderr } = await rotate(which);
      expect([code, stdout]).toEqual([0, "wrote fleet.json, nats/nats-0.conf\n"]);
      expect(stderr).toContain("Restart the nats-servers");
      const now = await secretsNow();
      const seed = which === "members" ? "memberSeed" : "hubSeed";
      expect(now.account[seed]).not.toBe(before.account[seed]);
      expect(read("nats/nats-0.conf")).toContain(now.account.jwt);
      expect(read("nats/nats-0.conf")).not.toContain(before.account.jwt);
    }
    const early = await rotate("members", "--retire");
    expect([early.code, early.stdout]).toEqual([1, ""]);
    const days =
      (Date.parse(/until (\S+);/.exec(early.stderr)?.[1] ?? "") - Date.now()) / 86_400_000;
    expect(Math.round(days)).toBe(30);
    for (const argv of [
      ["members", "--retire", "--force"],
      ["hubs", "--retire"],
    ]) {
      const { code, stdout, stderr } = await rotate(...argv);
      expect([code, stdout]).toEqual([0, "wrote fleet.json, nats/nats-0.conf\n"]);
      expect(stderr).toContain("takes the former key from the engine");
    }
    expect((await secretsNow()).account.retired).toHaveLength(2);
    expect((await rotate("hubs", "--retire")).stderr).toContain("no former one");
    expect((await rotate("data", "--retire")).stderr).toContain("entries of the former key until");
    expect(await rotate("data", "--retire", "--force")).toMatchObject({ code: 0 });
    expect((await secretsNow()).dataKeys).toEqual(dataKeys.slice(0, 1));
    expect((await rotate("data", "--retire")).stderr).toContain("no former one");
    expect(await rotate("box", "--retire")).toMatchObject({ code: 2, stdout: "" });
    expect(await rotate("operator")).toMatchObject({ code: 2, stdout: "" });
    const seed = join(folder, "keep-elsewhere/operator.seed");
    expect(await rotate("operator", "--operator-seed", seed)).toMatchObject({ code: 0 });
    const last = await secretsNow();
    for (const jwt of [last.operator.jwt, last.system.jwt, last.account.jwt]) {
      expect(read("nats/nats-0.conf")).toContain(jwt);
    }
    expect(last.operator.jwt).not.toBe(first.operator.jwt);

    const { firstToken } = await readHubSecrets(folder);
    const replaced = await rotate("token");
    expect(replaced).toMatchObject({ code: 0, stdout: expect.stringMatching(/^npf_\S+\n$/) });
    expect(replaced.stderr).toContain("restart them");
    const { firstToken: now } = await readHubSecrets(folder);
    expect(now?.id).toBe(replaced.stdout.split("_")[1]);
    expect([now?.id, now?.hash]).not.toEqual([firstToken?.id, firstToken?.hash]);
    expect(await secretsNow()).toEqual(last);
    for (const { path, isFile, mode } of filesOf(folder)) {
      expect([path, mode]).toEqual([path, isFile ? 0o600 : 0o700]);
    }
  });
});

describe("of three", () => {
  it("compose gives each what it needs of the folder, and a server none of the hubs' secrets", async () => {
    const { read } = await init("--host", "hub.example.org", "--servers", "3");
    const { services } = parse(read("compose.yaml"), { merge: true });
    expect(Object.keys(services)).toEqual([
      "nats-0",
      "nats-1",
      "nats-2",
      "hub-0",
      "hub-1",
      "hub-2",
    ]);
    for (const [name, service] of Object.entries<Record<string, string[]>>(services)) {
      expect(service).toMatchObject({ read_only: true, cap_drop: ["ALL"], working_dir: "/fleet" });
      const mounted = (service.volumes ?? []).map((volume) => volume.split(":")[0]);
      expect(mounted).toEqual(
        name.startsWith("nats")
          ? ["./nats", `./data/${name}`]
          : ["./fleet.json", "./hub.json", "./tls", "./exports"],
      );
    }
    // Whom hubs and servers look for is there, and in the certificate.
    const { servers } = decodeHubSecrets(read("fleet.json"));
    const aliases = ["nats-0", "nats-1", "nats-2"].flatMap(
      (name) => services[name].networks.default.aliases,
    );
    expect(servers).toEqual(aliases.map((alias) => `tls://${alias}:4222`));
    const certificate = new X509Certificate(read("nats/tls/server.crt"));
    for (const alias of aliases) {
      expect(certificate.checkHost(alias)).toBe(alias);
      expect(read("nats/nats-1.conf")).toContain(`@${alias}:6222`);
    }
    const published = Object.values<{ ports: string[] }>(services).flatMap(({ ports }) => ports);
    expect(new Set(published.map((port) => port.split(":")[0])).size).toBe(published.length);
    const { version } = JSON.parse(
      readFileSync(new URL("../package.json", import.meta.url), "utf8"),
    );
    expect(services["hub-0"].image).toBe(`nodepass:${version}`);
    const file = (path: string) => readFileSync(`${workspaceFolder}/${path}`, "utf8");
    const image = file("deploy/hub.Dockerfile");
    expect(image).toContain(`-t nodepass:${version} .`);
    expect(image).toContain("sh deploy/build-image-tree.sh /app cli");
    const node = /^ARG NODE_IMAGE=.*$/m;
    expect(node.exec(image)?.[0]).toBe(node.exec(file("Dockerfile"))?.[0]);
    expect(services["hub-0"].build.dockerfile).toBe("deploy/hub.Dockerfile");
  });

  it("says how what was written is started: containers, or three machines", async () => {
    const one = await init("--host", "hub.example.org", "--servers", "3");
    expect(one.stderr).toMatch(
      /docker compose up -d\n[\s\S]*kubectl apply -n nodepass-fleet -k \.\n/,
    );
    expect(one.stderr).not.toMatch(/nats-server -c|fleet hub/);
    const hosts = ["a.example", "b.example", "c.example"];
    const each = ["--servers", "3", ...hosts.flatMap((host) => ["--host", host])];
    const { stderr } = await init(...each);
    expect(stderr).toMatch(/copy .* without keep-elsewhere to the same place on each/);
    for (const [index, host] of hosts.entries()) {
      const steps = `on ${host}:\n  nats-server -c nats/nats-${index}.conf\n`;
      expect(stderr).toContain(`${steps}  nodepass fleet hub .\n`);
    }
    const own = await init(...each, "--listen", "host");
    expect(JSON.parse(own.read("hub.json"))).toMatchObject({ listen: "a.example:9443" });
    expect(own.stderr).toContain("on a.example:\n  nats-server");
    expect(own.stderr).toContain(
      'on c.example:\n  (in hub.json: "listen": "c.example:9443")\n  nats-server',
    );
  });

  it("the manifests are those of deploy/kubernetes/fleet, and name what there is", async () => {
    const { folder, read } = await init("--host", "hub.example.org", "--servers", "3");
    const example = `${workspaceFolder}/deploy/kubernetes/fleet`;
    for (const name of readdirSync(`${folder}/kubernetes`)) {
      expect(read(`kubernetes/${name}`)).toBe(readFileSync(`${example}/${name}`, "utf8"));
    }
    const kustomization = parse(read("kustomization.yaml"));
    const maintained = parse(readFileSync(`${example}/kustomization.yaml`, "utf8"));
    expect(kustomization.images).toEqual(maintained.images);
    expect(kustomization.resources).toEqual(
      maintained.resources.map((name: string) => `kubernetes/${name}`),
    );

    const secrets = new Map<string, string[]>(
      kustomization.secretGenerator.map(({ name, files }: { name: string; files: string[] }) => [
        name,
        files.map((file) => file.split("=")[0]),
      ]),
    );
    for (const { files } of kustomization.secretGenerator) {
      for (const file of files) expect(() => read(file.split("=").at(-1))).not.toThrow();
    }
    const manifests = readdirSync(`${folder}/kubernetes`).flatMap((name) =>
      parseAllDocuments(read(`kubernetes/${name}`)).map((document) => document.toJS()),
    );
    const find = (kind: string, name: string) =>
      manifests.find((each) => each.kind === kind && each.metadata.name === name);
    const hub = find("StatefulSet", "nodepass-hub").spec;
    // Hourly exports outlive the pod: recovery needs them.
    const exportsOf = hub.template.spec.containers[0].args.at(-1);
    const mounts: { name: string; mountPath: string }[] =
      hub.template.spec.containers[0].volumeMounts;
    const kept = hub.volumeClaimTemplates.map((claim: { metadata: object }) => claim.metadata);
    expect(kept).toEqual([{ name: mounts.find((each) => each.mountPath === exportsOf)?.name }]);
    const nats = find("StatefulSet", "nats").spec;
    const itemsOf = (volume: { secret?: { items: object }; projected?: { sources: never[] } }) =>
      volume.secret ?? Object(volume.projected?.sources[0]).secret;
    const [fleetVolume] = hub.template.spec.volumes.map(itemsOf);
    const [natsVolume] = nats.template.spec.volumes.map(itemsOf);
    const keys = ({ items }: { items: { key: string }[] }) => items.map(({ key }) => key).sort();
    expect(keys(fleetVolume)).toEqual(secrets.get(fleetVolume.secretName)?.sort());
    expect(keys(natsVolume)).toEqual(secrets.get(natsVolume.name)?.sort());
    // The pods' names are the servers' names, in configurations, routes and the hubs' list.
    const pods = [0, 1, 2].map((ordinal) => `${nats.serviceName}-${ordinal}`);
    expect(pods.map((pod) => `${pod}.conf`)).toEqual(
      keys(natsVolume).filter((key: string) => key.endsWith(".conf")),
    );
    expect(decodeHubSecrets(read("fleet.json")).servers).toEqual(
      pods.map((pod) => `tls://${pod}.${nats.serviceName}:4222`),
    );
    for (const { template, selector, replicas } of [hub, nats]) {
      expect(template.metadata.labels).toEqual(selector.matchLabels);
      expect(replicas).toBe(3);
      const { securityContext, containers } = template.spec;
      expect(securityContext).toMatchObject({ runAsNonRoot: true });
      expect(containers[0].securityContext).toMatchObject({ readOnlyRootFilesystem: true });
      const policy = find(
        "NetworkPolicy",
        Object.values<string>(selector.matchLabels)[0] ?? "",
      ).spec;
      const open = policy.ingress.flatMap(({ ports }: { ports: { port: number }[] }) =>
        ports.map(({ port }) => port),
      );
      const listened = containers[0].ports.map(
        (each: { containerPort: number }) => each.containerPort,
      );
      expect(open.sort()).toEqual(listened.sort());
    }
    const hasKubectl = spawnSync("kubectl", ["kustomize", "--help"]).status === 0;
    for (const built of hasKubectl ? [folder, example] : []) {
      const { status, stdout, stderr } = spawnSync("kubectl", ["kustomize", built], {
        encoding: "utf8",
      });
      expect([status, stderr]).toEqual([0, ""]);
      expect(stdout).toContain("kind: StatefulSet");
    }
  });

  const program = findNatsServer();
  it.runIf(program !== undefined)(
    "real servers of machines of their own find each other by TLS",
    async () => {
      const hosts = ["127.62.4.1", "127.62.4.2", "127.62.4.3"];
      const { code, stdout, stderr, folder, read } = await init(
        ...hosts.flatMap((host) => ["--host", host]),
        ...["--servers", "3", "--listen", "host"],
      );
      expect(code).toBe(0);
      for (const [index, host] of hosts.entries()) {
        const path = join(folder, `nats/nats-${index}.conf`);
        // Its pages are on the loopback that all tests share.
        writeFileSync(
          path,
          read(`nats/nats-${index}.conf`).replace(/^http: .*$/m, `http: "${host}:8222"`),
        );
        const child = spawn(program ?? "", ["-c", path], {
          cwd: folder,
          stdio: ["ignore", "ignore", "pipe"],
        });
        let log = "";
        child.stderr.setEncoding("utf8").on("data", (text: string) => {
          log = (log + text).slice(-20_000);
        });
        diesWithUs(child);
        onTestFinished(async ({ task }) => {
          if (task.result?.state === "fail") console.log(log);
          if (child.exitCode !== null) return;
          const ended = once(child, "exit");
          child.kill("SIGKILL");
          await ended;
        });
      }
      for (const host of hosts) {
        await vi.waitFor(
          async () => {
            const answer = await fetch(`http://${host}:8222/jsz`);
            const { meta_cluster: cluster } = Object(await answer.json());
            expect(cluster).toMatchObject({
              name: "prod",
              cluster_size: 3,
              leader: expect.stringMatching(/^nats-/),
            });
          },
          { timeout: 60_000, interval: 100 },
        );
      }
      expect(decodeHubSecrets(read("fleet.json")).servers).toEqual(
        hosts.map((host) => `tls://${host}:4222`),
      );
      // Two hubs of the three, each on a machine of its own: one leads.
      const hubs = hosts
        .slice(1)
        .map((host) =>
          startCli(["fleet", "hub", folder, "--listen", `${host}:9443`, "--id", host]),
        );
      for (const hub of hubs) await hub.waitFor(/^Hub URL: https:/m);
      const [, pin = ""] = /--pin (\S+)/.exec(stderr) ?? [];
      for (const host of hosts.slice(1)) {
        const shown = await runCli(["fleet", "show", "--json", "--pin", pin], {
          environment: { NP_MASTER_URL: `https://${host}:9443`, NP_API_KEY: stdout.trim() },
        });
        expect([shown.code, shown.stderr]).toEqual([0, ""]);
        expect(JSON.parse(shown.stdout)).toMatchObject({
          hub: host,
          engine: { connected: true, servers: 3 },
        });
      }
      expect(readdirSync(folder)).not.toContain("compose.yaml");
      for (const name of ["nats-0", "nats-1", "nats-2", "hub"]) {
        expect(read(`systemd/nodepass-fleet-${name}.service`)).toContain(
          `WorkingDirectory=${folder}`,
        );
      }
    },
  );
});

function neverHere(): never {
  throw new Error("no certificate");
}
