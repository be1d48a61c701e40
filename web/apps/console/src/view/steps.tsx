// The frame of a first start: where one is, and the card with the step itself.
import type { ComponentChildren } from "preact";
import { InsecureBanner } from "./banners";
import { Icon } from "./parts/icon";
import { LanguageSwitch, Mark } from "./sign-in";
import { t } from "./text";

export const setUpSteps = ["you", "team", "site", "snippet", "test", "invite"] as const;
export type SetUpStep = (typeof setUpSteps)[number];

export function StepFrame({ step, children }: { readonly step: SetUpStep | null; readonly children: ComponentChildren }) {
  return (
    <div class="entrance">
      <InsecureBanner />
      <main class="entrance-card entrance-wide" data-testid="set-up" data-step={step ?? ""}>
        <Mark />
        {step !== null && <Steps step={step} />}
        {children}
      </main>
      <LanguageSwitch />
    </div>
  );
}

function Steps({ step }: { readonly step: SetUpStep }) {
  const current = setUpSteps.indexOf(step);
  return (
    <>
      <ol class="steps" aria-label={t("set_up.steps")}>
        {setUpSteps.map((name, at) => (
          <li key={name} class={at < current ? "step step-done" : at === current ? "step step-now" : "step"} aria-current={at === current ? "step" : undefined}>
            <span class="step-mark">{at < current ? <Icon name="check" size={12} /> : at + 1}</span>
            <span class="step-name">
              {t(`set_up.step_${name}`)}
              {at < current && <span class="visually-hidden"> ({t("done")})</span>}
            </span>
          </li>
        ))}
      </ol>
      <p class="steps-short meta" aria-hidden="true">
        {t("set_up.step_of", { at: current + 1, of: setUpSteps.length })}
      </p>
    </>
  );
}
