// A flow as boxes and arrows. A box leads to its line.
import { useId } from "preact/hooks";
import type { FlowStep, StepKind } from "../../../model/flow-picture";
import { boxHeight, boxWidth, drawFlow } from "../../../model/flow-picture";
import type { Shape } from "../../icons";
import { icons } from "../../icons";
import { createElement } from "preact";
import { t } from "../../text";

const kindIcons = { say: "message-square", ask: "list-ordered", form: "message-square-text", answer: "book-open", set: "pencil", if: "split", handover: "arrow-right-left", close: "circle-check", end: "circle-check" } as const satisfies Record<StepKind, keyof typeof icons>;

/** Its words can still be read at this share of their size. */
const readable = 0.75;

function nameOf(kind: StepKind | null): string {
  return kind === null ? t("flows.kind_unknown") : t(`flows.kind_${kind}`);
}

export function FlowPicture({ steps, onStep }: { readonly steps: readonly FlowStep[]; readonly onStep: (line: number) => void }) {
  const id = useId();
  if (steps.length === 0) return <p class="meta">{t("flows.picture_none")}</p>;
  const picture = drawFlow(steps);
  return (
    <div class="flow-picture-scroll" tabIndex={0} role="region" aria-label={t("flows.picture")}>
      <svg class="flow-picture" width={picture.width} height={picture.height} viewBox={`0 0 ${picture.width} ${picture.height}`} style={{ minWidth: `${Math.round(picture.width * readable)}px` }} role="group" aria-label={t("flows.picture")} data-testid="flow-picture">
        <defs>
          <marker id={`${id}-head`} viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
            <path class="flow-arrow-head" d="M0 0 8 4 0 8z" />
          </marker>
        </defs>
        {picture.arrows.map((arrow, at) => (
          <path key={at} class={arrow.back ? "flow-arrow flow-arrow-back" : "flow-arrow"} d={arrow.path} marker-end={`url(#${id}-head)`} />
        ))}
        {picture.arrows.map((arrow, at) => arrow.label !== "" && (
          <text key={at} class="flow-arrow-label" x={arrow.labelX} y={arrow.labelY} text-anchor="middle">
            {short(wayName(arrow.label), 14)}
          </text>
        ))}
        {picture.boxes.map(({ step, x, y, lost }) => (
          <g
            key={step.name}
            class={`flow-box flow-box-${step.kind ?? "unknown"}${lost ? " flow-box-lost" : ""}`}
            transform={`translate(${x} ${y})`}
            role="button"
            // Names of attributes keep their case in a drawing.
            {...{ tabindex: 0 }}
            data-testid="flow-box"
            data-step={step.name}
            onClick={() => onStep(step.line)}
            onKeyDown={(event) => {
              if (event.key !== "Enter" && event.key !== " ") return;
              event.preventDefault();
              onStep(step.line);
            }}
          >
            <title>{describe(step, lost)}</title>
            <rect width={boxWidth} height={boxHeight} rx={8} />
            <g class="flow-box-icon" transform={`translate(12 ${boxHeight / 2 - 8}) scale(${16 / 24})`} aria-hidden="true">
              {(step.kind === null ? icons["circle-help"] : icons[kindIcons[step.kind]]).map(([tag, attributes]: Shape, at: number) => createElement(tag, { key: at, ...attributes }))}
            </g>
            <text class="flow-box-name" x={38} y={20}>
              {short(step.name, 15)}
            </text>
            <text class="flow-box-kind" x={38} y={36}>
              {nameOf(step.kind)}
            </text>
          </g>
        ))}
      </svg>
    </div>
  );
}

function wayName(label: string): string {
  return label === "then" || label === "else" || label === "found" || label === "nothing" ? t(`flows.way_${label}`) : label;
}

function describe(step: FlowStep, lost: boolean): string {
  const ways = step.ways.map((way) => (way.label === "" ? way.to : `${wayName(way.label)}: ${way.to}`)).join(", ");
  return [`${step.name} ${nameOf(step.kind)}`, ways === "" ? "" : t("flows.leads_to", { steps: ways }), lost ? t("flows.lost") : ""].filter((part) => part !== "").join(". ");
}

function short(text: string, max: number): string {
  return [...text].length > max ? `${[...text].slice(0, max - 1).join("")}…` : text;
}
