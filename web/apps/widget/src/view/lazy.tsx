// Loads a component when it is first shown: what most visitors never see costs them nothing.
import type { ComponentType, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Chat } from "../model/chat";

type LazyProps<P> = {
  readonly load: () => Promise<ComponentType<P>>;
  readonly props: P;
  /** Stands there until it is loaded. */
  readonly meanwhile?: JSX.Element;
};

export function Lazy<P extends { readonly chat: Chat }>({ load, props, meanwhile }: LazyProps<P>): JSX.Element | null {
  const [loaded, setLoaded] = useState<{ readonly Component: ComponentType<P> } | undefined>(undefined);
  useEffect(() => {
    let wanted = true;
    Promise.all([load(), props.chat.later()]).then(
      ([Component]) => wanted && setLoaded({ Component }),
      // Offline: it is asked for again the next time it is shown.
      () => undefined,
    );
    return () => {
      wanted = false;
    };
  }, [load]);
  return loaded ? <loaded.Component {...props} /> : (meanwhile ?? null);
}
