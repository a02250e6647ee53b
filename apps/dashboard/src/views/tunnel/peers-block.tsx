import type { RemoteInstance } from "@nodepass/master-client";
import { formatBytes, formatNumber } from "../../format/units.ts";
import { texts } from "../../i18n/index.ts";

/** Each of several peers: clients of a server, or servers of a client. */
export function Peers({ instance }: { readonly instance: RemoteInstance }) {
  const t = texts();
  if (instance.peers.length === 0) return null;
  return (
    <section class="block" aria-labelledby="peers-title">
      <h2 id="peers-title">{t.tunnel.peers}</h2>
      <ul class="peers">
        {instance.peers.map(
          ({
            number,
            address,
            connected,
            reason,
            tcps,
            udps,
            ping,
            tcprx,
            tcptx,
            udprx,
            udptx,
          }) => (
            <li key={number}>
              <span class={`dot ${connected ? "up" : "waiting"}`} aria-hidden="true" />
              <span class="mono cut">{address}</span>
              <span class="dim">
                {connected
                  ? t.tunnel.peerNow(
                      formatNumber(tcps + udps),
                      formatNumber(ping),
                      formatBytes(tcprx + udprx),
                      formatBytes(tcptx + udptx),
                    )
                  : reason || t.links.down}
              </span>
            </li>
          ),
        )}
      </ul>
    </section>
  );
}
