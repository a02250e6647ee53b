import type { PeerLink } from "@nodepass/model";
import { expect, test } from "vitest";
import { createAsked } from "./support/ask.ts";

const peer = (number: number, more: Partial<PeerLink> = {}): PeerLink => ({
  number,
  address: `192.0.2.${number}`,
  connected: true,
  reason: "",
  users: 7,
  tcps: 2,
  udps: 1,
  tcprx: 100,
  tcptx: 200,
  udprx: 30,
  udptx: 40,
  pool: 8,
  ping: 12,
  ...more,
});

test("each of several peers is in answers, the document and the metrics, by its number", async () => {
  const { ask, service } = createAsked();
  const peers = [peer(1), peer(2, { connected: false, reason: "refused", ping: 0, tcprx: 0.4 })];
  service.add({ id: "many", peers });
  service.add({ id: "one" });
  const shown = await (await ask("GET", "/instances/many")).json();
  expect(shown).toMatchObject({ peers: [peers[0], { ...peers[1], tcprx: 0 }] });
  // Where there can be one only, nothing is new.
  expect(await (await ask("GET", "/instances/one")).json()).not.toHaveProperty("peers");
  const metrics = await (await ask("GET", "/metrics")).text();
  const at = (which: number) => `{id="many",alias="",type="server",peer="${which}"}`;
  for (const line of [
    `nodepass_peer_up${at(1)} 1`,
    `nodepass_peer_up${at(2)} 0`,
    `nodepass_peer_ping_seconds${at(1)} 0.012`,
    `nodepass_peer_pool_connections${at(1)} 8`,
    `nodepass_peer_tcp_connections${at(1)} 2`,
    `nodepass_peer_udp_sessions${at(1)} 1`,
    `nodepass_peer_users_total${at(1)} 7`,
    `nodepass_peer_tcp_received_bytes_total${at(1)} 100`,
    `nodepass_peer_tcp_sent_bytes_total${at(1)} 200`,
    `nodepass_peer_udp_received_bytes_total${at(1)} 30`,
    `nodepass_peer_udp_sent_bytes_total${at(1)} 40`,
  ]) {
    expect(metrics).toContain(line);
  }
  // No address of a client is a label: their number has no bound.
  expect(metrics).not.toContain("192.0.2.");
  expect(metrics).not.toMatch(/^nodepass_peer_.*id="one"/m);
  const document = JSON.stringify(await (await ask("GET", "/openapi.json")).json());
  expect(document).toContain('"PeerLink"');
});
