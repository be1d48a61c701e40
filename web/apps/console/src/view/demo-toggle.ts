import { useConsole, useDesk } from "./context";
import { t } from "./text";

type DemoToggle = { readonly paused: boolean; readonly label: string; readonly toggle: () => void };

/** Stops the scripted visitors of a demo, or lets them come again; null where there are none. */
export function useDemoToggle(): DemoToggle | null {
  const app = useConsole();
  const { demo } = useDesk();
  const state = demo.state.value;
  if (state === null) return null;
  const toggle = () => {
    demo.toggle().then(
      () => app.notices.show("info", demo.state.peek()?.paused === true ? "demo.paused" : "demo.resumed"),
      () => app.notices.show("danger", "demo.failed"),
    );
  };
  return { paused: state.paused, label: state.paused ? t("demo.resume") : t("demo.pause"), toggle };
}
