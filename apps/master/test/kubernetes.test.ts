import { spawnSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { temporaryFolder } from "./support/run-master.ts";

const folder = fileURLToPath(new URL("../../../deploy/kubernetes", import.meta.url));
const read = (path: string) => parse(readFileSync(join(folder, path), "utf8"));

const hasKubectl = spawnSync("kubectl", ["kustomize", "--help"]).status === 0;
if (!hasKubectl) console.info("kubernetes: `kubectl kustomize` left out, kubectl is missing");

const labels = { "app.kubernetes.io/name": "nodepass-master" };
const deployment = read("deployment.yaml");
const pod = deployment.spec.template;
const [master] = pod.spec.containers;
const job = read("renew-key/job.yaml");

interface Port {
  readonly protocol?: string;
  readonly port: number | string;
  readonly targetPort?: number | string;
}

/** What a policy must let in for the ports of a Service: where its traffic arrives in the pod. */
const arrivals = (ports: readonly Port[]) =>
  ports.map(({ protocol = "TCP", port, targetPort = port }) => ({ protocol, port: targetPort }));

it("the NetworkPolicy opens the ports of the Service to the own namespace, and no more", () => {
  const { kind, spec } = read("network-policy.yaml");
  const service = read("service.yaml").spec;
  expect(kind).toBe("NetworkPolicy");
  expect(spec.podSelector).toEqual({ matchLabels: labels });
  // Without it, what no rule names would be open.
  expect(spec.policyTypes).toEqual(["Ingress", "Egress"]);
  expect(spec.ingress).toEqual([{ from: [{ podSelector: {} }], ports: arrivals(service.ports) }]);
  expect(spec.egress).toEqual([{}]);
  expect(service.selector).toEqual(labels);
  expect(pod.metadata.labels).toEqual(labels);
  expect(deployment.spec.selector.matchLabels).toEqual(labels);
  // The port that has a name is the one that the master is told to listen on.
  expect(master.ports).toEqual([{ name: "api", containerPort: service.ports[0].port }]);
  const [{ value: url }] = master.env.filter(
    ({ name }: { name: string }) => name === "NP_MASTER_URL",
  );
  expect(new URL(url.replace("master:", "http:")).port).toBe(String(service.ports[0].port));
});

it("tunnel-port opens to everybody what its Service passes on", () => {
  const service = read("tunnel-port/service.yaml").spec;
  const { spec } = read("tunnel-port/network-policy.yaml");
  expect(service).toMatchObject({
    type: "LoadBalancer",
    externalTrafficPolicy: "Local",
    selector: labels,
    ports: [
      { protocol: "TCP", port: 10_101, targetPort: 10_101 },
      { protocol: "UDP", port: 10_101, targetPort: 10_101 },
    ],
  });
  expect(spec).toEqual({
    podSelector: { matchLabels: labels },
    policyTypes: ["Ingress"],
    ingress: [{ ports: arrivals(service.ports) }],
  });
});

it("metrics lets another namespace reach the port that its ServiceMonitor reads", () => {
  const service = read("service.yaml");
  const monitor = read("metrics/service-monitor.yaml").spec;
  const { spec } = read("metrics/network-policy.yaml");
  expect(service.metadata.labels).toMatchObject(monitor.selector.matchLabels);
  const scraped = service.spec.ports.filter(
    ({ name }: { name: string }) => name === monitor.endpoints[0].port,
  );
  expect(scraped).toHaveLength(1);
  expect(spec).toEqual({
    podSelector: { matchLabels: labels },
    policyTypes: ["Ingress"],
    ingress: [
      {
        from: [
          {
            namespaceSelector: {
              matchLabels: { "kubernetes.io/metadata.name": expect.stringMatching(/^[a-z-]+$/) },
            },
          },
        ],
        ports: arrivals(scraped),
      },
    ],
  });
  const { key } = monitor.endpoints[0].authorization.credentials;
  expect(patches()).toContainEqual(
    expect.objectContaining({ value: { name: "NP_READ_KEY_FILE", value: `${secret}/${key}` } }),
  );
});

const secret = "/run/secrets/nodepass";

function patches(component = "key"): readonly unknown[] {
  const [{ target, patch }] = read(`${component}/kustomization.yaml`).patches;
  expect(target).toEqual({ kind: deployment.kind, name: deployment.metadata.name });
  return parse(patch);
}

it("key gives the master both keys from files of the Secret", () => {
  const [add, container] = ["add", "/spec/template/spec/containers/0"];
  const mount = { name: "key", mountPath: secret, readOnly: true };
  const source = { name: "key", secret: { secretName: "nodepass-master-key", defaultMode: 0o440 } };
  expect(patches()).toEqual([
    {
      op: add,
      path: `${container}/env/-`,
      value: { name: "NP_API_KEY_FILE", value: `${secret}/key` },
    },
    {
      op: add,
      path: `${container}/env/-`,
      value: { name: "NP_READ_KEY_FILE", value: `${secret}/read-key` },
    },
    { op: add, path: `${container}/volumeMounts/-`, value: mount },
    { op: add, path: "/spec/template/spec/volumes/-", value: source },
  ]);
});

it("config gives the master files of a ConfigMap, as a folder that follows it", () => {
  expect(patches("config")).toMatchObject([
    { value: { name: "NP_CONFIG", value: "/etc/nodepass" } },
    // Without subPath, with which a mounted file never changes.
    { value: { name: "config", mountPath: "/etc/nodepass", readOnly: true } },
    { value: { name: "config", configMap: { name: "nodepass-config" } } },
  ]);
});

it("renew-key is the master's program on the master's volume, as the master's user", () => {
  const { spec } = job.spec.template;
  const [renew] = spec.containers;
  expect(renew.args).toEqual(["--renew-key"]);
  expect(renew.image).toBe(master.image);
  expect(renew.securityContext).toEqual(master.securityContext);
  expect(renew.volumeMounts).toEqual(master.volumeMounts);
  expect(spec.volumes).toEqual(pod.spec.volumes);
  expect(spec.volumes[0].persistentVolumeClaim.claimName).toBe(read("volume.yaml").metadata.name);
  for (const name of ["runAsNonRoot", "runAsUser", "runAsGroup", "fsGroup", "seccompProfile"])
    expect([name, spec.securityContext[name]]).toEqual([name, pod.spec.securityContext[name]]);
  expect([spec.restartPolicy, job.spec.backoffLimit]).toEqual(["Never", 0]);
});

const components = readdirSync(folder, { withFileTypes: true })
  // The fleet is a deployment of its own; who writes it tests it (apps/cli/test/fleet-init.test.ts).
  .filter((entry) => entry.isDirectory() && entry.name !== "fleet")
  .map(({ name }) => name);

it("the base and renew-key have the image of one component", () => {
  const used = read("renew-key/kustomization.yaml");
  expect([read("kustomization.yaml").components, used.components]).toEqual([
    ["image"],
    ["../image"],
  ]);
  const [{ name, newName, newTag }] = read("image/kustomization.yaml").images;
  expect([name, `${newName}:${newTag}`]).toEqual(["nodepass-master", master.image]);
});

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: { readonly template?: typeof pod };
}

/** What `kubectl kustomize` makes of a folder in a copy of ours, with more components. */
function build(copy: string, part: string, ...more: readonly string[]): Manifest[] {
  const path = join(copy, part, "kustomization.yaml");
  const text = parse(readFileSync(path, "utf8"));
  writeFileSync(path, JSON.stringify({ ...text, components: [...text.components, ...more] }));
  const { status, stdout, stderr } = spawnSync("kubectl", ["kustomize", join(copy, part)], {
    encoding: "utf8",
  });
  expect([status, stderr]).toEqual([0, ""]);
  return parseAllDocuments(stdout).map((document) => document.toJS());
}

it.runIf(hasKubectl)("kubectl builds the base, each component and all of them", () => {
  const built = (part: string, ...more: string[]) => {
    const copy = join(temporaryFolder(), "kubernetes");
    cpSync(folder, copy, { recursive: true });
    const image = join(copy, "image/kustomization.yaml");
    const text = readFileSync(image, "utf8").replace(/newName: .*/, "newName: example.com/ours");
    writeFileSync(image, text.replace(/newTag: .*/, "newTag: 9.9.9"));
    return build(copy, part, ...more);
  };
  const names = (manifests: readonly Manifest[]) =>
    manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort();
  const base = [
    "Deployment nodepass-master",
    "NetworkPolicy nodepass-master",
    "PersistentVolumeClaim nodepass-master",
    "Service nodepass-master",
  ];
  const added: Record<string, string[]> = {
    key: [],
    config: [],
    metrics: ["NetworkPolicy nodepass-metrics", "ServiceMonitor nodepass-master"],
    "tunnel-port": ["NetworkPolicy nodepass-tunnel-10101", "Service nodepass-tunnel-10101"],
  };
  expect([...Object.keys(added), "image", "renew-key"].sort()).toEqual(components.sort());
  expect(names(built("."))).toEqual(base);
  for (const [name, more] of Object.entries(added))
    expect(names(built(".", name))).toEqual([...base, ...more].sort());
  const whole = built(".", ...Object.keys(added));
  expect(names(whole)).toEqual([...base, ...Object.values(added).flat()].sort());

  const find = (manifests: readonly Manifest[], kind: string) =>
    manifests.find((manifest) => manifest.kind === kind)?.spec.template?.spec;
  const [container] = find(whole, "Deployment").containers;
  expect(container.env.map(({ name }: { name: string }) => name)).toEqual(
    expect.arrayContaining(["NP_MASTER_URL", "NP_API_KEY_FILE", "NP_READ_KEY_FILE"]),
  );
  expect(find(whole, "Deployment").volumes).toContainEqual({
    name: "key",
    secret: { secretName: "nodepass-master-key", defaultMode: 0o440 },
  });
  // What a user sets in one place is in both.
  const renewed = built("renew-key");
  expect(names(renewed)).toEqual(["Job nodepass-renew-key"]);
  for (const spec of [find(whole, "Deployment"), find(renewed, "Job")])
    expect(spec.containers[0].image).toBe("example.com/ours:9.9.9");
});
