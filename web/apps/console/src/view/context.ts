import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Console, Desk } from "../model/console";

const ConsoleContext = createContext<Console | null>(null);
const DeskContext = createContext<Desk | null>(null);

export const ConsoleProvider = ConsoleContext.Provider;
export const DeskProvider = DeskContext.Provider;

export function useConsole(): Console {
  const console = useContext(ConsoleContext);
  if (console === null) throw new Error("a view stands outside the console");
  return console;
}

export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (desk === null) throw new Error("a view that needs a signed-in person stands outside the desk");
  return desk;
}
