import type { HubFigures } from "../hub.ts";
import type { HubFigure } from "./routes/metrics.ts";

/** A hub's own figures, for its metrics. */
export function hubFigures({
  counts,
  openOrders,
  badRecords,
  droppedEvents,
}: HubFigures): readonly HubFigure[] {
  const counter = (name: string, help: string, value: number): HubFigure => ({
    ...{ name: `nodepass_hub_${name}_total`, type: "counter", help, value },
  });
  const gauge = (name: string, help: string, value: number): HubFigure => ({
    ...{ name: `nodepass_hub_${name}`, type: "gauge", help, value },
  });
  return [
    gauge("open_orders", "Orders that members have not carried out", openOrders),
    gauge("bad_records", "Records of the store that can't be read", badRecords),
    counter("dropped_events", "Events of instances that were too many", droppedEvents),
    counter("syncs", "Members that were told what they are to run", counts.syncs),
    counter("busy", "Members that were told to come back for that", counts.busy),
    ...Object.entries(counts.bad).map(([place, value]) => ({
      ...counter("bad_messages", "Messages that could not be read", value),
      labels: { place },
    })),
  ];
}
