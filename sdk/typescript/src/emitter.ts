// Typed events. A listener that throws ends no connection: its error is told as the event "error", and where nobody
// listens to that it is written to the console.

export class Emitter<Events extends { error: [error: unknown] }> {
  private readonly listeners = new Map<PropertyKey, Set<(...args: unknown[]) => void>>();

  /** Listens; the answer ends it. */
  on<Name extends keyof Events>(name: Name, listener: (...args: Events[Name] & unknown[]) => void): () => void {
    const plain = listener as (...args: unknown[]) => void;
    const set = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, set);
    set.add(plain);
    return () => set.delete(plain);
  }

  /** Tells everybody who listens. */
  protected emit<Name extends keyof Events>(name: Name, ...args: Events[Name] & unknown[]): void {
    this.tell(name, args);
  }

  /** Tells of an error that nothing else answers for. */
  protected failed(error: unknown): void {
    if (!this.tell("error", [error])) console.error("frontdesk:", error);
  }

  /** False where nobody listens. */
  protected tell(name: PropertyKey, args: readonly unknown[]): boolean {
    const set = this.listeners.get(name);
    if (set === undefined || set.size === 0) return false;
    for (const listener of [...set]) {
      try {
        listener(...args);
      } catch (error) {
        if (name === "error") console.error("frontdesk:", error);
        else this.failed(error);
      }
    }
    return true;
  }
}
