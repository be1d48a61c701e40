// Where intents lead in a place, and the form to say so: a team, skills, a priority.
import { enumerated, localText } from "@frontdesk/i18n";
import { useState } from "preact/hooks";
import type { IntentLead, IntentTarget, Team } from "../../../model/api";
import { knownIntents, leadOf, ownLead, parseSkills, priorities, priorityOf, skillsProblem, teamField, teamOf, withLead } from "../../../model/intent-settings";
import { useDesk } from "../../context";
import { Button, SelectField, TextField } from "../../parts/controls";
import { Icon } from "../../parts/icon";
import { IntentTag, intentName } from "../../parts/intent";
import { Dialog, DialogFoot } from "../../parts/overlay";
import { locale, t } from "../../text";
import { Confirm } from "../confirm";
import { Card, FormError, useSubmit } from "../page";
import { IntentField, nameTrouble } from "./name";
import type { Place } from "./place";

type Open = { readonly kind: "add" } | { readonly kind: "edit" | "reset"; readonly target: IntentTarget } | null;

export function Targets({ place }: { readonly place: Place }) {
  const [open, setOpen] = useState<Open>(null);
  const { targets, inherited, own } = place.sorting;
  const close = () => setOpen(null);
  return (
    <Card
      title={t("intents.targets")}
      text={t("intents.targets_text")}
      testid="intent-targets"
      action={
        <Button size="small" icon="plus" testid="add-target" onClick={() => setOpen({ kind: "add" })}>
          {t("intents.target_add")}
        </Button>
      }
    >
      {targets.length === 0 ? (
        <p class="meta">{t("intents.targets_none")}</p>
      ) : (
        <ul class="lines">
          {targets.map((target) => {
            const isOwn = ownLead(own, place.inbox, target.intent) !== null;
            const name = intentName(target.intent);
            const further = inherited.targets.some((other) => other.intent === target.intent);
            return (
              <li key={target.intent} class="line intent-line intent-target" data-testid="intent-target" data-intent={target.intent}>
                <span class="intent-what">
                  <IntentTag intent={target.intent} />
                </span>
                <span class="line-text">
                  <TargetText target={target} />
                </span>
                <span class="intent-actions">
                  <OwnTag own={isOwn} />
                  <Button size="small" kind="quiet" icon="pencil" label={t("intents.target_edit", { intent: name })} testid="edit-target" onClick={() => setOpen({ kind: "edit", target })} />
                  {isOwn && <Button size="small" kind="quiet" icon={further ? "rotate-ccw" : "trash-2"} label={further ? t("intents.target_reset", { intent: name }) : t("remove_named", { name })} testid="reset-target" onClick={() => setOpen({ kind: "reset", target })} />}
                </span>
              </li>
            );
          })}
        </ul>
      )}
      {open?.kind === "add" && <TargetDialog place={place} target={null} onClose={close} />}
      {open?.kind === "edit" && <TargetDialog place={place} target={open.target} onClose={close} />}
      {open?.kind === "reset" && <ResetTarget place={place} intent={open.target.intent} onClose={close} />}
    </Card>
  );
}

/** Says whether the place has something of its own, or has it from further out. */
export function OwnTag({ own }: { readonly own: boolean }) {
  return (
    <span class={own ? "tag tag-own" : "tag"} data-testid={own ? "own" : "inherited"}>
      {own ? t("intents.own") : t("intents.inherited")}
    </span>
  );
}

/** The team, skills and priority an intent leads to, in one line. */
export function TargetText({ target }: { readonly target: IntentTarget }) {
  const { inbox } = useDesk();
  const { teams, agents } = inbox.directory.value;
  // An account may have no team at all; somebody is always there once the names have been read.
  const lost = (target.team ?? "") !== "" && teamOf(target, teams) === null && agents.length > 0;
  return (
    <>
      <span>{targetWords(target, teams)}</span>
      {lost && (
        <span class="intent-lost">
          <Icon name="triangle-alert" size={12} />
          {t("intents.team_unknown")}
        </span>
      )}
    </>
  );
}

function targetWords(target: IntentTarget, teams: readonly Team[]): string {
  const team = teamOf(target, teams);
  const priority = priorityOf(target.priority ?? 0);
  const parts: string[] = [];
  if ((target.team ?? "") !== "") parts.push(t("intents.target_team", { team: team === null ? (target.team ?? "") : localText(team.names, locale()) }));
  if (target.skills.length > 0) parts.push(t("intents.target_skills", { skills: enumerated(target.skills, locale()) }));
  if (priority !== null) parts.push(t("intents.target_priority", { priority: t(`priority.${priority}`) }));
  return parts.length === 0 ? t("intents.target_nowhere") : parts.join(" · ");
}

type TargetDialogProps = { readonly place: Place; readonly target: IntentTarget | null; readonly onClose: () => void };

function TargetDialog({ place, target, onClose }: TargetDialogProps) {
  const { inbox: model } = useDesk();
  const { teams } = model.directory.value;
  const { sorting, inbox } = place;
  const [before] = useState<IntentLead>(() => (target === null ? { team: null, skills: [], priority: null } : leadOf(target, teams)));
  const [intent, setIntent] = useState(target?.intent ?? "");
  const [team, setTeam] = useState(before.team ?? "");
  const [words, setWords] = useState(before.skills.join(", "));
  const [priority, setPriority] = useState<string>(before.priority ?? "");
  const submit = useSubmit();
  const taken = target === null ? sorting.targets.map((other) => other.intent) : [];
  const known = knownIntents(sorting.rules).filter((name) => !taken.includes(name));
  const skills = parseSkills(words);
  const problem = skillsProblem(skills);
  const ready = intent !== "" && nameTrouble(intent, taken) === null && problem === null;
  const save = () => {
    const lead: IntentLead = { team: team === "" ? null : team, skills, priority: priorities.find((name) => name === priority) ?? null };
    return place.change((own) => withLead(own, inbox, intent, lead));
  };
  return (
    <Dialog title={target === null ? t("intents.target_add_title") : t("intents.target_edit", { intent: intentName(target.intent) })} onClose={onClose} testid="target-dialog">
      <form
        class="dialog-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) void submit.run(save).then((done) => done && onClose());
        }}
      >
        {target === null && <IntentField value={intent} known={known} taken={taken} onChange={setIntent} />}
        {target !== null && ownLead(sorting.own, inbox, target.intent) === null && <p class="meta">{inbox === "" ? t("intents.target_own_file") : t("intents.target_own_inbox", { inbox: model.inboxName(inbox) })}</p>}
        <SelectField
          label={t("intents.team")}
          help={t("intents.team_help")}
          value={team}
          choices={[{ value: "", label: t("intents.target_nowhere") }, ...teams.map((one) => ({ value: one.id, label: localText(one.names, locale()) }))]}
          onChange={setTeam}
          error={submit.errorOf(teamField(inbox, intent)) ?? (target !== null && (target.team ?? "") !== "" && before.team === null && team === "" ? t("intents.team_lost", { team: target.team ?? "" }) : null)}
          autofocus={target !== null}
          testid="target-team"
        />
        <TextField label={t("intents.skills")} help={t("intents.skills_help")} value={words} onInput={setWords} error={problem === null ? submit.errorOf("skills") : t(`skills.${problem}`)} placeholder={t("skills.placeholder")} testid="target-skills" />
        <SelectField label={t("intents.priority")} value={priority} choices={[{ value: "", label: t("intents.priority_same") }, ...priorities.map((name) => ({ value: name, label: t(`priority.${name}`) }))]} onChange={setPriority} testid="target-priority" />
        <FormError submit={submit} />
        <DialogFoot onCancel={onClose} action={t("save")} busy={submit.busy} disabled={!ready} testid="target-submit" />
      </form>
    </Dialog>
  );
}

/** Asks before an entry of one's own goes, and says what holds then. */
function ResetTarget({ place, intent, onClose }: { readonly place: Place; readonly intent: string; readonly onClose: () => void }) {
  const { inbox: model } = useDesk();
  const further = place.sorting.inherited.targets.find((other) => other.intent === intent);
  const name = intentName(intent);
  return (
    <Confirm
      title={further === undefined ? t("remove_named", { name }) : t("intents.target_reset", { intent: name })}
      text={further === undefined ? t("intents.target_remove_text", { intent: name }) : t("intents.target_reset_text", { intent: name, target: targetWords(further, model.directory.value.teams) })}
      action={further === undefined ? t("remove") : t("intents.reset")}
      run={() => place.change((own) => withLead(own, place.inbox, intent, null))}
      onClose={onClose}
    />
  );
}
