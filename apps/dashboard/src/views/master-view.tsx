import { route } from "../router.ts";
import type { Master } from "../state/master.ts";
import { EditPage, NewPage } from "./edit/edit-page.tsx";
import { PairPage } from "./edit/pair-page.tsx";
import { MasterPage } from "./master/master-page.tsx";
import { PicturePage } from "./picture/picture-page.tsx";
import { TunnelPage } from "./tunnel/tunnel-page.tsx";
import { TunnelsPage } from "./tunnels/tunnels-page.tsx";

/** The page of a master that the address names. */
export function MasterView({ master }: { readonly master: Master }) {
  const here = route.value;
  switch (here.name) {
    case "tunnels":
      return <TunnelsPage master={master} />;
    case "tunnel":
      return <TunnelPage master={master} id={here.id} />;
    case "new":
      return <NewPage master={master} />;
    case "edit":
      return <EditPage master={master} id={here.id} />;
    case "pair":
      return <PairPage master={master} />;
    case "picture":
      return <PicturePage />;
    case "master":
      return <MasterPage master={master} />;
  }
}
