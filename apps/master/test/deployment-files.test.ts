import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describeEnvironment } from "@nodepass/url-config";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { startMaster, temporaryFolder } from "./support/run-master.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const read = (path: string): string => readFileSync(`${root}/${path}`, "utf8");

/** What a master is deployed with, and what says how. */
const files = [
  "Dockerfile",
  "compose.yaml",
  "docs/operations.md",
  ...readdirSync(`${root}/deploy`, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(?:yaml|service|md)$/.test(name))
    .map((name) => `deploy/${name}`),
];

it("name only variables that a master reads", () => {
  const source = read("packages/master-server/src/master-environment.ts");
  const ours = [...source.matchAll(/\bNP_[A-Z_]+\b/g)].map(([name]) => name);
  // Which URL or file it has is the command's matter.
  const known = [
    ...ours,
    "NP_MASTER_URL",
    "NP_CONFIG",
    ...describeEnvironment().map(({ name }) => name),
  ];
  const named = files.flatMap((path) =>
    Array.from(read(path).matchAll(/\bNP_[A-Z_]+\b/g), ([name]) => ({ path, name })),
  );
  expect(named.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["NP_API_KEY_FILE", "NP_READ_KEY_FILE", "NP_SHOW_KEY", "NP_STATE_DIR"]),
  );
  expect(named.filter(({ name }) => !known.includes(name))).toEqual([]);
});

it("ask probes that answer, whatever the prefix of the API", async () => {
  const { spec } = parse(read("deploy/kubernetes/deployment.yaml")).spec.template;
  const [{ startupProbe, readinessProbe, livenessProbe }] = spec.containers;
  const paths = [startupProbe, readinessProbe, livenessProbe].map(({ httpGet }) => {
    expect(httpGet.port).toBe("api");
    return httpGet.path;
  });
  expect(paths).toEqual(["/healthz", "/readyz", "/healthz"]);
  const master = await startMaster(temporaryFolder(), { url: "master://127.0.0.1:0/elsewhere" });
  for (const path of paths) {
    const answer = await fetch(new URL(path, master.url));
    expect([path, answer.status]).toEqual([path, 200]);
    expect((await answer.text()).trim().split("\n")).toHaveLength(2);
  }
});

/** The one service of compose.yaml. */
const compose = () => parse(read("compose.yaml")).services.master;

it("compose limits what the master takes and what its log takes", () => {
  const master = compose();
  const { version } = JSON.parse(read("apps/master/package.json"));
  expect(master).toMatchObject({
    image: `nodepass-master:${version}`,
    mem_limit: "1g",
    cpus: 2,
    pids_limit: 256,
    ulimits: { nofile: 1_048_576 },
    logging: { driver: "json-file", options: { "max-size": "10m", "max-file": "5" } },
    read_only: true,
    cap_drop: ["ALL"],
    security_opt: ["no-new-privileges:true"],
  });
  // As the Deployment does, and with the time to end that it gives.
  const { spec } = parse(read("deploy/kubernetes/deployment.yaml")).spec.template;
  const [{ image, resources, env }] = spec.containers;
  expect(image).toBe(master.image);
  expect(resources.limits).toEqual({ cpu: String(master.cpus), memory: "1Gi" });
  expect(master.stop_grace_period).toBe(`${spec.terminationGracePeriodSeconds}s`);
  for (const { name, value } of env)
    expect([name, master.environment[name]]).toEqual([name, value]);
});

it("compose publishes the API on this host only, and keeps the state in a volume", () => {
  const { volumes } = parse(read("compose.yaml"));
  const master = compose();
  expect(master.ports).toEqual(["127.0.0.1:9090:9090"]);
  expect(master.volumes).toEqual(["state:/var/lib/nodepass"]);
  expect(Object.keys(volumes)).toEqual(["state"]);
});

it("the key of compose.key.yaml is the file that the master is told to read", () => {
  const { services, secrets } = parse(read("deploy/compose.key.yaml"));
  expect(Object.keys(services)).toEqual(Object.keys(parse(read("compose.yaml")).services));
  const { environment, secrets: used } = services.master;
  expect(used).toEqual(Object.keys(secrets));
  expect(environment).toEqual({ NP_API_KEY_FILE: `/run/secrets/${used[0]}` });
});

it("the folder of compose.config.yaml is where the master is told to look", () => {
  const { services } = parse(read("deploy/compose.config.yaml"));
  expect(Object.keys(services)).toEqual(Object.keys(parse(read("compose.yaml")).services));
  const { environment, volumes } = services.master;
  expect(volumes).toEqual([`\${NODEPASS_CONFIG:-./nodepass}:${environment.NP_CONFIG}:ro`]);
  expect(Object.keys(environment)).toEqual(["NP_CONFIG"]);
});

it("a lost key is renewed with the image and on the volume that the master has", () => {
  const [, section = ""] = read("docs/operations.md").split("\n## A lost key\n");
  const [text = ""] = section.split("\n## ");
  const master = compose();
  const dockerfile = read("Dockerfile");
  const [, state = "none"] = /NP_STATE_DIR=(\S+)/.exec(dockerfile) ?? [];
  expect(JSON.parse(/^ENTRYPOINT (.*)$/m.exec(dockerfile)?.[1] ?? "[]")).toEqual([
    "node",
    "/app/dist/main.js",
  ]);

  // The container: image and volume of the command that started it.
  const started = /^docker run -d --name (\S+) .*-v (\S+) .* (\S+)$/m.exec(
    read("deploy/README.md"),
  );
  const [, name = "none", volume = "none", image = "none"] = started ?? [];
  expect([volume.split(":")[1], image]).toEqual([state, master.image]);
  for (const command of [
    `docker stop ${name}`,
    `docker run --rm -v ${volume} ${image} --renew-key`,
    `docker start ${name}`,
  ])
    expect(text).toContain(`\`${command}\``);

  // Compose: the service itself, whose words after the name become those after the entrypoint.
  const [service] = Object.keys(parse(read("compose.yaml")).services);
  expect([master.entrypoint, master.command]).toEqual([undefined, undefined]);
  expect(master.volumes[0].split(":")[1]).toBe(state);
  for (const command of [`stop ${service}`, `run --rm ${service} --renew-key`, `start ${service}`])
    expect(text).toContain(`\`docker compose ${command}\``);

  // Kubernetes: the names that the commands have are those of the manifests.
  const job = parse(read("deploy/kubernetes/renew-key/job.yaml"));
  const deployment = parse(read("deploy/kubernetes/deployment.yaml"));
  const [{ volumeMounts, image: theirs }] = job.spec.template.spec.containers;
  expect([volumeMounts[0].mountPath, theirs]).toEqual([state, master.image]);
  for (const command of [
    `scale deployment/${deployment.metadata.name} --replicas=0`,
    "apply -k deploy/kubernetes/renew-key",
    `logs job/${job.metadata.name}`,
    "delete -k deploy/kubernetes/renew-key",
    `scale deployment/${deployment.metadata.name} --replicas=${deployment.spec.replicas}`,
  ])
    expect(text).toContain(`\`kubectl ${command}\``);
});
