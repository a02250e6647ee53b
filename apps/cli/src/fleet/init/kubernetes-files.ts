import { ENGINE_VERSION, type FleetPlan, type PlannedFile, serverNames } from "./plan.ts";

/**
 * Manifests of three nats-servers and three hubs. Secrets are not among them: the kustomization makes
 * them of the folder's own files, so it is at the top of the folder.
 */
export function kubernetesFiles(plan: FleetPlan): PlannedFile[] {
  return [
    { path: "kustomization.yaml", text: kustomization(plan) },
    { path: "kubernetes/nats.yaml", text: nats(plan) },
    { path: "kubernetes/hub.yaml", text: hub(plan) },
    { path: "kubernetes/network-policy.yaml", text: networkPolicy(plan) },
  ];
}

const engineTls = ["server.crt", "server.key", "ca.crt"];
const hubTls = ["hub.crt", "hub.key"];

function kustomization(plan: FleetPlan): string {
  const confs = serverNames(plan).map((name) => `      - ${name}.conf=nats/${name}.conf`);
  const tls = (folder: string, names: readonly string[]) =>
    plan.tls ? names.map((name) => `      - ${name}=${folder}/${name}\n`).join("") : "";
  return `# Three nats-servers and three hubs of the fleet ${plan.name}:
#
#   kubectl create namespace nodepass-fleet
#   kubectl apply -n nodepass-fleet -k .
#
# The Secrets are made of this folder's own files.
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - kubernetes/nats.yaml
  - kubernetes/hub.yaml
  - kubernetes/network-policy.yaml
secretGenerator:
  - name: nodepass-nats
    files:
${confs.join("\n")}
${tls("nats/tls", engineTls)}  - name: nodepass-hub
    files:
      - fleet.json
      - hub.json
${tls("tls", hubTls)}images:
  # Where your nodes find them; by digest for what stays the same.
  - name: nats
    newName: nats
    newTag: ${ENGINE_VERSION}
  - name: nodepass
    newName: nodepass
    newTag: ${plan.version}
`;
}

const bounds = `          resources:
            requests: { cpu: 100m, memory: 128Mi }
            limits: { cpu: "2", memory: 1Gi }
          securityContext:
            readOnlyRootFilesystem: true
            allowPrivilegeEscalation: false
            capabilities:
              drop: [ALL]`;

const podSecurity = `      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        runAsUser: 1000
        runAsGroup: 1000
        fsGroup: 1000
        fsGroupChangePolicy: OnRootMismatch
        seccompProfile:
          type: RuntimeDefault
        sysctls:
          - name: net.ipv4.ip_unprivileged_port_start
            value: "0"`;

/** Never two of them on one node, as far as there are nodes. */
const spread = (app: string) => `      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels: { app.kubernetes.io/name: ${app} }`;

/** Nodes are emptied one at a time. */
const budget = (app: string) => `apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: ${app}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: { app.kubernetes.io/name: ${app} }`;

/** Files of a Secret, each with the path that it gets in the pod. */
const secretItems = (files: readonly (readonly [string, string])[], indent: string) =>
  files.map(([key, path]) => `${indent}- { key: ${key}, path: ${path} }`).join("\n");

const inTls = (names: readonly string[]) => names.map((name) => [name, `tls/${name}`] as const);
const atTop = (names: readonly string[]) => names.map((name) => [name, name] as const);

function nats(plan: FleetPlan): string {
  const { ports, servers, tls } = plan;
  const files = [
    ...atTop(serverNames(plan).map((name) => `${name}.conf`)),
    ...inTls(tls ? engineTls : []),
  ];
  return `# Each server by its own name, for the others and for hubs.
apiVersion: v1
kind: Service
metadata:
  name: nats
  labels: { app.kubernetes.io/name: nodepass-nats }
spec:
  clusterIP: None
  # Servers look for each other before they are ready.
  publishNotReadyAddresses: true
  selector: { app.kubernetes.io/name: nodepass-nats }
  ports:
    - { name: engine, port: ${ports.engine}, targetPort: engine }
    - { name: cluster, port: ${ports.cluster}, targetPort: cluster }
---
# For members, from outside.
apiVersion: v1
kind: Service
metadata:
  name: nodepass-engine
  labels: { app.kubernetes.io/name: nodepass-nats }
spec:
  type: LoadBalancer
  selector: { app.kubernetes.io/name: nodepass-nats }
  ports:
    - { name: engine, port: ${ports.engine}, targetPort: engine }
    - { name: websocket, port: ${ports.websocket}, targetPort: websocket }
---
# Two of three are a majority.
${budget("nodepass-nats")}
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: nats
  labels: { app.kubernetes.io/name: nodepass-nats }
spec:
  serviceName: nats
  replicas: ${servers}
  podManagementPolicy: Parallel
  selector:
    matchLabels: { app.kubernetes.io/name: nodepass-nats }
  template:
    metadata:
      labels: { app.kubernetes.io/name: nodepass-nats }
    spec:
${podSecurity}
${spread("nodepass-nats")}
      terminationGracePeriodSeconds: 60
      containers:
        - name: nats
          image: nats
          # Its configuration is named as the pod is; the paths in it begin at /fleet.
          command: ["nats-server", "-c", "nats/$(POD).conf"]
          workingDir: /fleet
          env:
            - name: POD
              valueFrom:
                fieldRef: { fieldPath: metadata.name }
          ports:
            - { name: engine, containerPort: ${ports.engine} }
            - { name: websocket, containerPort: ${ports.websocket} }
            - { name: cluster, containerPort: ${ports.cluster} }
          # Its own pages are on the pod's loopback only.
          startupProbe:
            tcpSocket: { port: engine }
            periodSeconds: 1
            failureThreshold: 120
          readinessProbe:
            tcpSocket: { port: engine }
            periodSeconds: 10
          livenessProbe:
            tcpSocket: { port: engine }
            periodSeconds: 30
            failureThreshold: 5
${bounds}
          volumeMounts:
            - { name: configuration, mountPath: /fleet/nats, readOnly: true }
            - { name: data, mountPath: /fleet/data }
      volumes:
        - name: configuration
          projected:
            defaultMode: 0440
            sources:
              - secret:
                  name: nodepass-nats
                  items:
${secretItems(files, " ".repeat(20))}
  volumeClaimTemplates:
    - metadata:
        name: data
      spec:
        accessModes: [ReadWriteOnce]
        resources:
          requests:
            storage: 5Gi
`;
}

function hub({ ports, servers, tls }: FleetPlan): string {
  const scheme = tls ? "HTTPS" : "HTTP";
  const files = [...atTop(["fleet.json", "hub.json"]), ...inTls(tls ? hubTls : [])];
  const probe = (path: string) => `httpGet: { path: ${path}, port: api, scheme: ${scheme} }`;
  return `# For members and people, from outside.
apiVersion: v1
kind: Service
metadata:
  name: nodepass-hub
  labels: { app.kubernetes.io/name: nodepass-hub }
spec:
  type: LoadBalancer
  selector: { app.kubernetes.io/name: nodepass-hub }
  ports:
    - { name: api, port: ${ports.hub}, targetPort: api }
---
${budget("nodepass-hub")}
---
# Any of them answers; one leads. Each has a disk for its exports.
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: nodepass-hub
  labels: { app.kubernetes.io/name: nodepass-hub }
spec:
  serviceName: nodepass-hub
  replicas: ${servers}
  podManagementPolicy: Parallel
  selector:
    matchLabels: { app.kubernetes.io/name: nodepass-hub }
  template:
    metadata:
      labels: { app.kubernetes.io/name: nodepass-hub }
    spec:
${podSecurity}
${spread("nodepass-hub")}
      terminationGracePeriodSeconds: 15
      containers:
        - name: hub
          image: nodepass
          args: ["fleet", "hub", "/fleet", "--exports", "/exports"]
          ports:
            - { name: api, containerPort: ${ports.hub} }
          startupProbe:
            ${probe("/healthz")}
            periodSeconds: 1
            failureThreshold: 60
          readinessProbe:
            ${probe("/readyz")}
            periodSeconds: 10
            timeoutSeconds: 5
          livenessProbe:
            ${probe("/healthz")}
            periodSeconds: 30
            timeoutSeconds: 5
${bounds}
          volumeMounts:
            - { name: fleet, mountPath: /fleet, readOnly: true }
            # One each hour in which something changed; take them elsewhere, too: docs/fleet-recovery.md.
            - { name: exports, mountPath: /exports }
            - { name: tmp, mountPath: /tmp }
      volumes:
        - name: fleet
          secret:
            secretName: nodepass-hub
            # The hub refuses a file that others than its user and group may read.
            defaultMode: 0440
            items:
${secretItems(files, " ".repeat(14))}
        - name: tmp
          emptyDir: {}
  volumeClaimTemplates:
    - metadata:
        name: exports
      spec:
        accessModes: [ReadWriteOnce]
        resources:
          requests:
            storage: 1Gi
`;
}

function networkPolicy({ ports }: FleetPlan): string {
  return `# Members reach the engine and everybody the hubs' API; the engine's servers reach each other.
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: nodepass-nats
spec:
  podSelector:
    matchLabels: { app.kubernetes.io/name: nodepass-nats }
  policyTypes: [Ingress]
  ingress:
    - ports:
        - { protocol: TCP, port: ${ports.engine} }
        - { protocol: TCP, port: ${ports.websocket} }
    - from:
        - podSelector:
            matchLabels: { app.kubernetes.io/name: nodepass-nats }
      ports:
        - { protocol: TCP, port: ${ports.cluster} }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: nodepass-hub
spec:
  podSelector:
    matchLabels: { app.kubernetes.io/name: nodepass-hub }
  policyTypes: [Ingress]
  ingress:
    - ports:
        - { protocol: TCP, port: ${ports.hub} }
`;
}
