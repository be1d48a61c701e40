// Typed events. A listener that throws, or whose promise is rejected, ends no connection and no program: its error is told
// as the event "error", and where nobody listens to that it is written to the console.

export class Emitter<Events extends { error: [error: unknown] }> {
  private readonly listeners = new Map<PropertyKey, Set<(...args: unknown[]) => unknown>>();

  /** Listens; the answer ends it. The listener may be asynchronous; nobody waits for it. */
  on<Name extends keyof Events>(name: Name, listener: (...args: Events[Name] & unknown[]) => unknown): () => void {
    const plain = listener as (...args: unknown[]) => unknown;
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
    const failed = (error: unknown): void => {
      if (name === "error") console.error("frontdesk:", error);
      else this.failed(error);
    };
    for (const listener of [...set]) {
      try {
        const answer = listener(...args);
        if (answer instanceof Promise) answer.catch(failed);
      } catch (error) {
        failed(error);
      }
    }
    return true;
  }
}
