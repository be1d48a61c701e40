// Files dragged over the page. A conversation takes them anywhere on it; anywhere else they are
// refused, since a browser would leave the page to show them.
import { useState } from "preact/hooks";

function carriesFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") === true;
}

/** For the element that takes files: whether some are over it, and what to listen for. */
export function useDrop(onFiles: (files: readonly File[]) => void) {
  const [dropping, setDropping] = useState(false);
  return {
    dropping,
    target: {
      onDragOver: (event: DragEvent) => {
        if (!carriesFiles(event)) return;
        event.preventDefault();
        event.stopPropagation();
        setDropping(true);
      },
      onDragLeave: (event: DragEvent) => {
        // Entering a child leaves the parent too; only the way out counts.
        const { currentTarget, relatedTarget } = event;
        if (!(currentTarget instanceof Node && relatedTarget instanceof Node && currentTarget.contains(relatedTarget))) setDropping(false);
      },
      onDrop: (event: DragEvent) => {
        if (!carriesFiles(event)) return;
        event.preventDefault();
        setDropping(false);
        onFiles([...(event.dataTransfer?.files ?? [])]);
      },
    },
  };
}

/** Keeps the page where files miss what takes them. */
export function refuseFiles(page: Window): void {
  page.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    if (event.dataTransfer !== null) event.dataTransfer.dropEffect = "none";
  });
  page.addEventListener("drop", (event) => {
    if (carriesFiles(event)) event.preventDefault();
  });
}
