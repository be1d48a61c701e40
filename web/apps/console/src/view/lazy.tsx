// Pages that few open: their code comes when they are opened for the first time.
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Failed, SkeletonRows } from "./parts/states";
import { problem } from "./text";

/** A component whose code is loaded with its first use; says so where it cannot be, and tries again. */
export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let loaded: ComponentType<P> | null = null;
  return function Lazy(props: P) {
    const [, redraw] = useState(0);
    const [failed, setFailed] = useState(false);
    const fetch = () => {
      setFailed(false);
      load().then(
        (component) => {
          loaded = component;
          redraw((version) => version + 1);
        },
        () => setFailed(true),
      );
    };
    useEffect(() => {
      if (loaded === null) fetch();
    }, []);
    const Loaded = loaded;
    if (Loaded !== null) return <Loaded {...props} />;
    return failed ? <Failed text={problem("network")} onRetry={fetch} /> : <SkeletonRows count={4} />;
  };
}
