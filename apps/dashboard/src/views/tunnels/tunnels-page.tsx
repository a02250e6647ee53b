// biome-ignore-all lint/a11y/useSemanticElements: laid out as grids, table elements lose their roles
import { texts } from "../../i18n/index.ts";
import { GuardedLink } from "../../parts/guarded-link.tsx";
import { Icon } from "../../parts/icon.tsx";
import { VirtualList } from "../../parts/virtual-list.tsx";
import { hrefOf } from "../../router.ts";
import type { Master } from "../../state/master.ts";
import { openedMember } from "../../state/masters.ts";
import { narrow } from "../../state/screen.ts";
import { conditionOf } from "../../state/status.ts";
import { type ListItem, listItems, shownColumns } from "../../state/tunnel-list.ts";
import { whyNotChange } from "../../state/why-not-change.ts";
import { BulkBar } from "./bulk-bar.tsx";
import { gridOf } from "./columns.ts";
import { HeadRow } from "./head-row.tsx";
import { ListTools } from "./list-tools.tsx";
import { moveFocus } from "./move-focus.ts";
import { GroupRow, TunnelRow } from "./tunnel-row.tsx";

/** Heights of a line, px; the style sheet has the same. */
const ROW_HEIGHT = 44;
const CARD_HEIGHT = 92;

/** Every instance of a master, as it is now. */
export function TunnelsPage({ master }: { readonly master: Master }) {
  const t = texts();
  // Drawn anew when something has come in.
  void master.changes.value;
  const { rows } = master;
  const why = whyNotChange(master);
  const items = listItems(rows);
  const isNarrow = narrow.value;
  const grid = gridOf(shownColumns.value);
  return (
    <section class="tunnels" aria-labelledby="tunnels-title">
      <div class="page-head">
        <h1 id="tunnels-title">{t.pages.tunnels}</h1>
        <Summary master={master} />
        <div class="spring" />
        {master === openedMember.value ? null : (
          <GuardedLink why={why} href={hrefOf({ name: "pair" })}>
            <Icon name="link" /> {t.tunnels.newPair}
          </GuardedLink>
        )}
        <GuardedLink why={why} href={hrefOf({ name: "new" })} class="primary">
          <Icon name="plus" /> {t.tunnels.add}
        </GuardedLink>
      </div>
      <ListTools master={master} />
      {rows.size === 0 ? (
        <Empty master={master} />
      ) : items.length === 0 ? (
        <p class="empty">{t.tunnels.noneFound}</p>
      ) : (
        <div
          class={`table ${isNarrow ? "cards" : ""}`}
          role="table"
          aria-label={t.pages.tunnels}
          aria-rowcount={items.length + 1}
          style={{ "--grid": grid }}
          onKeyDown={moveFocus}
        >
          <HeadRow rows={rows} items={items} />
          <VirtualList
            items={items}
            rowHeight={isNarrow ? CARD_HEIGHT : ROW_HEIGHT}
            keyOf={keyOf}
            render={(item, index) =>
              item.kind === "group" ? (
                <GroupRow name={item.name} count={item.count} index={index + 2} />
              ) : (
                <TunnelRow master={master} row={item.row} index={index + 2} />
              )
            }
          />
        </div>
      )}
      <BulkBar master={master} />
    </section>
  );
}

function keyOf(item: ListItem): string {
  return item.kind === "group" ? `group ${item.name}` : item.row.instance.id;
}

/** How many there are, and how they are. */
function Summary({ master }: { readonly master: Master }) {
  const t = texts();
  // A part is drawn anew by what it reads, not by what it is part of.
  void master.changes.value;
  const counts = { up: 0, waiting: 0, failing: 0, stopped: 0 };
  for (const { instance } of master.rows.list()) counts[conditionOf(instance)] += 1;
  return (
    <ul class="summary" aria-label={t.tunnels.summary}>
      {(["up", "waiting", "failing", "stopped"] as const)
        .filter((condition) => counts[condition] > 0)
        .map((condition) => (
          <li key={condition}>
            <span class={`dot ${condition}`} aria-hidden="true" />
            {counts[condition]} {t.conditions[condition]}
          </li>
        ))}
    </ul>
  );
}

function Empty({ master }: { readonly master: Master }) {
  const t = texts();
  if (!master.isLoaded.value) return <p class="empty">{t.loading}</p>;
  return (
    <div class="empty">
      <p>{t.tunnels.none}</p>
      <GuardedLink why={whyNotChange(master)} href={hrefOf({ name: "new" })} class="primary">
        <Icon name="plus" /> {t.tunnels.add}
      </GuardedLink>
    </div>
  );
}
