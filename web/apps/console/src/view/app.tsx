import { useConsole } from "./context";
import { DeskProvider } from "./context";
import { Notices } from "./notices";
import { Shell } from "./shell";
import { SignIn } from "./sign-in";
import { SetUp } from "./set-up";
import { Failed } from "./parts/states";
import { problem, t } from "./text";

export function App() {
  const app = useConsole();
  return (
    <>
      <Page />
      <Notices notices={app.notices} />
    </>
  );
}

function Page() {
  const app = useConsole();
  const state = app.account.state.value;
  const route = app.route.value;
  const desk = app.desk.value;
  switch (state.kind) {
    case "loading":
      return <div class="page-loading" role="status" aria-label={t("loading")} />;
    case "failed":
      return (
        <main class="page-centre">
          <Failed text={problem(state.code === "connection.lost" ? "network" : state.code)} onRetry={() => void app.account.load()} />
        </main>
      );
    case "signed-out":
      return route.page === "setup" ? <SetUp token={route.token} /> : <SignIn state={state} />;
    case "signed-in":
      if (desk === null) return null;
      return (
        <DeskProvider value={desk}>
          <Shell />
        </DeskProvider>
      );
  }
}
