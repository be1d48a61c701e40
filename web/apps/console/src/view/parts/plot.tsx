// Figures by day as small bars, one stack a day; the same as a table for who does not see them.
import { locale } from "../text";

export type PlotSeries = { readonly key: string; readonly label: string; readonly look: "strong" | "quiet" | "warning" };
export type PlotDay = { readonly date: string; readonly values: readonly number[] };

type PlotProps = {
  readonly label: string;
  readonly dayLabel: string;
  readonly series: readonly PlotSeries[];
  readonly days: readonly PlotDay[];
  readonly testid?: string;
};

const high = 120;
const wide = 600;
const gap = 0.28;

/** A round figure at or above the highest day: where the axis ends. */
function ceiling(max: number): number {
  if (max <= 4) return Math.max(1, max);
  const unit = 10 ** Math.floor(Math.log10(max));
  return [1, 2, 2.5, 5, 10].map((step) => step * unit).find((top) => top >= max) ?? max;
}

export function DayPlot({ label, dayLabel, series, days, testid }: PlotProps) {
  const sums = days.map((day) => day.values.reduce((sum, value) => sum + value, 0));
  const top = ceiling(Math.max(1, ...sums));
  const step = wide / Math.max(1, days.length);
  const day = (date: string) => new Date(`${date}T00:00:00`).toLocaleDateString(locale(), { day: "numeric", month: "short" });
  const figure = (value: number) => value.toLocaleString(locale(), { notation: value >= 10_000 ? "compact" : "standard" });
  const shown = days.length === 0 ? [] : [days[0], days[Math.floor((days.length - 1) / 2)], days[days.length - 1]];
  return (
    <figure class="day-plot" data-testid={testid}>
      <figcaption class="day-plot-legend">
        <span class="visually-hidden">{label}</span>
        {series.length > 1 &&
          series.map((one) => (
            <span key={one.key} class="day-plot-key">
              <i class={`day-plot-sign day-plot-${one.look}`} aria-hidden="true" />
              {one.label}
            </span>
          ))}
      </figcaption>
      <div class="day-plot-body">
        <div class="day-plot-axis number" aria-hidden="true">
          <span>{figure(top)}</span>
          <span>0</span>
        </div>
        <svg class="day-plot-picture" viewBox={`0 0 ${wide} ${high}`} preserveAspectRatio="none" aria-hidden="true">
          {[0, 0.5, 1].map((share) => (
            <line key={share} class="day-plot-line" x1={0} x2={wide} y1={high * share} y2={high * share} />
          ))}
          {days.map((one, at) => {
            let below = 0;
            return (
              <g key={one.date}>
                <title>{`${day(one.date)}: ${series.map((each, place) => `${each.label} ${figure(one.values[place] ?? 0)}`).join(", ")}`}</title>
                <rect x={at * step} y={0} width={step} height={high} class="day-plot-hover" />
                {one.values.map((value, place) => {
                  const height = (value / top) * high;
                  below += height;
                  return value <= 0 ? null : <rect key={place} class={`day-plot-${series[place]?.look ?? "quiet"}`} x={at * step + (step * gap) / 2} width={step * (1 - gap)} y={high - below} height={height} />;
                })}
              </g>
            );
          })}
        </svg>
        <div class="day-plot-days meta number" aria-hidden="true">
          {shown.map((one, at) => (
            <span key={at}>{one === undefined ? "" : day(one.date)}</span>
          ))}
        </div>
      </div>
      <div class="visually-hidden">
      <table>
        <caption>{label}</caption>
        <thead>
          <tr>
            <th scope="col">{dayLabel}</th>
            {series.map((one) => (
              <th key={one.key} scope="col">
                {one.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {days.map((one) => (
            <tr key={one.date}>
              <th scope="row">{day(one.date)}</th>
              {series.map((each, place) => (
                <td key={each.key}>{figure(one.values[place] ?? 0)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      </div>
    </figure>
  );
}
