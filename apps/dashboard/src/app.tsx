import { Questions } from "./parts/ask.tsx";
import { Notices } from "./parts/notices.tsx";
import { route } from "./router.ts";
import type { Master } from "./state/master.ts";
import { currentMaster } from "./state/masters.ts";
import { MasterGone } from "./views/connection.tsx";
import { EditPage, NewPage } from "./views/edit/edit-page.tsx";
import { PairPage } from "./views/edit/pair-page.tsx";
import { Frame } from "./views/frame.tsx";
import { MasterPage } from "./views/master/master-page.tsx";
import { PicturePage } from "./views/picture/picture-page.tsx";
import { SignIn } from "./views/sign-in.tsx";
import { TunnelPage } from "./views/tunnel/tunnel-page.tsx";
import { TunnelsPage } from "./views/tunnels/tunnels-page.tsx";

/** All of the dashboard. */
export function App() {
  const master = currentMaster.value;
  return (
    <>
      {master === undefined ? (
        <SignIn />
      ) : (
        <Frame master={master}>
          <MasterGone master={master} />
          <Page key={master.url} master={master} />
        </Frame>
      )}
      <Questions />
      <Notices />
    </>
  );
}

function Page({ master }: { readonly master: Master }) {
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
