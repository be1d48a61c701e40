// The open conversation: who it is and what can be done, the timeline, the composer, the details.
import { enumerated } from "@frontdesk/i18n";
import { useState } from "preact/hooks";
import { useConsole, useDesk } from "../context";
import type { Chat } from "../../model/chat";
import { Avatar } from "../parts/avatar";
import { Button } from "../parts/controls";
import { Icon } from "../parts/icon";
import type { MenuItem } from "../parts/overlay";
import { Dialog, DialogFoot, Menu } from "../parts/overlay";
import { Empty, Failed, SkeletonTimeline } from "../parts/states";
import { locale, problem, t } from "../text";
import { waitClock, warmth } from "../../model/time";
import { ComposerView, takeOverTitle } from "./composer";
import { Details } from "./details";
import { useDrop } from "./drop";
import { Timeline } from "./timeline";
import { TransferDialog } from "./transfer";

export function ChatPane() {
  const desk = useDesk();
  const chat = desk.chat.value;
  if (chat === null) {
    return (
      <main class="chat-pane chat-none" id="main" tabIndex={-1}>
        <Empty icon="message-square-text" title={t("chat.none")}>
          <p>{t("chat.none_text")}</p>
        </Empty>
      </main>
    );
  }
  return <OpenChat key={chat.id} chat={chat} />;
}

function OpenChat({ chat }: { readonly chat: Chat }) {
  const [details, setDetails] = useState(false);
  const [transferring, setTransferring] = useState(false);
  const loaded = chat.conversation.loaded.value;
  const known = chat.details.value;
  const unreadable = !loaded && known.kind === "failed" && known.code !== "connection.lost";
  const writable = !unreadable && (chat.actions.value.reply || chat.actions.value.note);
  const { dropping, target } = useDrop((files) => chat.composer.attach(files));
  if (unreadable) return <Unreadable chat={chat} code={known.code} />;
  return (
    <>
      <main class="chat-pane" id="main" tabIndex={-1} data-testid="chat" {...(writable ? target : {})}>
        <ChatHead chat={chat} detailsOpen={details} onDetails={() => setDetails(!details)} onTransfer={() => setTransferring(true)} />
        {loaded ? <Timeline chat={chat} /> : <SkeletonTimeline />}
        <ComposerView chat={chat} />
        {writable && dropping && (
          <div class="drop-hint" data-testid="drop-hint">
            <Icon name="paperclip" />
            {t("composer.drop")}
          </div>
        )}
      </main>
      <Details chat={chat} open={details} onClose={() => setDetails(false)} />
      <Question chat={chat} />
      {transferring && <TransferDialog chat={chat} onClose={() => setTransferring(false)} />}
    </>
  );
}

/** A conversation that is not there, or not for this reader: nothing is known of it, so nothing is said. */
function Unreadable({ chat, code }: { readonly chat: Chat; readonly code: string }) {
  const app = useConsole();
  return (
    <main class="chat-pane chat-none" id="main" tabIndex={-1} data-testid="chat">
      <div class="only-narrow">
        <header class="chat-head">
          <Button icon="chevron-left" kind="quiet" label={t("back_to_list")} testid="back-button" onClick={() => app.openConversation(null)} />
        </header>
      </div>
      <Failed text={problem(code)} onRetry={() => void chat.loadDetails()} />
    </main>
  );
}

type HeadProps = { readonly chat: Chat; readonly detailsOpen: boolean; readonly onDetails: () => void; readonly onTransfer: () => void };

function ChatHead({ chat, detailsOpen, onDetails, onTransfer }: HeadProps) {
  const app = useConsole();
  const { inbox, me } = useDesk();
  const [menu, setMenu] = useState(false);
  const row = chat.row.value;
  const session = chat.session.value;
  const actions = chat.actions.value;
  const name = row === null ? "" : inbox.nameOf(row);
  const online = row?.visitorOnline === true;
  const waitedMs = session.waitingSinceMs > 0 && session.status !== "closed" ? app.now.value - session.waitingSinceMs : 0;
  const team = inbox.teamName(session.team, locale());
  const state =
    session.status === "closed"
      ? t("chat.closed")
      : session.status === "queued"
        ? team === "" ? t("list.queued") : t("list.queued_in", { team })
        : session.owner === null
          ? ""
          : session.owner.id === me.id
            ? t("chat.with_you")
            : t("chat.with", { name: session.owner.name });
  const more: MenuItem[] = [];
  if (actions.join) more.push({ key: "join", label: t("join"), icon: "user-plus", testid: "join-button", run: () => void chat.command({ join: {} }) });
  if (actions.stepOut) more.push({ key: "step-out", label: t("step_out"), icon: "log-out", testid: "step-out-button", run: () => void chat.command({ stepOut: {} }) });
  if (actions.requeue) more.push({ key: "requeue", label: t("requeue"), icon: "undo-2", testid: "requeue-button", run: () => chat.ask({ kind: "requeue" }) });
  if (row !== null && session.status !== "closed") {
    for (const priority of [2, 3, 4]) {
      more.push({ key: `priority-${priority}`, separated: priority === 2 && more.length > 0, label: t(`priority.set_${priority}` as "priority.set_2"), icon: "circle-alert", checked: session.priority === priority, run: () => void chat.command({ setPriority: { priority } }) });
    }
  }
  return (
    <header class="chat-head">
      <span class="only-narrow">
        <Button icon="chevron-left" kind="quiet" label={t("back_to_list")} testid="back-button" onClick={() => app.openConversation(null)} />
      </span>
      {row !== null && <Avatar id={row.visitor} name={row.visitorName} {...(row.visitorName === "" ? { icon: "user" as const } : {})} {...(online ? { presence: "online" as const } : {})} />}
      <div class="chat-title">
        <h2 data-testid="chat-title">{name}</h2>
        <p class="meta">
          <span data-testid="chat-state">{state}</span>
          {session.status !== "closed" && session.owner?.kind === "bot" && (
            <span class="tag" data-testid="chat-bot">
              <Icon name="bot" size={12} />
              {t("bot")}
            </span>
          )}
          {waitedMs > 0 && (
            <span class={`wait wait-${warmth(waitedMs, inbox.directory.value.answerWithinMs)}`}>
              <Icon name="clock" size={12} />
              {t("chat.waiting", { time: waitClock(waitedMs) })}
            </span>
          )}
          <Viewers chat={chat} />
        </p>
      </div>
      <div class="chat-actions">
        {actions.take && (
          <Button kind="primary" icon="hand" testid="take-button" shortcut="t" label={t("take")} onClick={() => void chat.command({ take: {} })}>
            {t("take")}
          </Button>
        )}
        {actions.takeOver && (
          <Button icon="hand" testid="take-over-button" label={takeOverTitle(session)} onClick={() => void chat.command({ takeOver: {} })}>
            {t("take_over")}
          </Button>
        )}
        {actions.transfer && (
          <Button icon="arrow-right-left" testid="transfer-button" shortcut="a" label={t("transfer")} onClick={onTransfer}>
            {t("transfer")}
          </Button>
        )}
        {actions.close && (
          <Button icon="circle-check" testid="close-button" shortcut="e" label={t("close_session")} onClick={() => void chat.close()}>
            {t("close_session")}
          </Button>
        )}
        {actions.reopen && (
          <Button kind="primary" icon="rotate-ccw" testid="reopen-button" label={t("reopen")} onClick={() => void chat.command({ reopen: {} })}>
            {t("reopen")}
          </Button>
        )}
        {more.length > 0 && (
          <div class="menu-anchor">
            <Button icon="ellipsis" kind="quiet" label={t("more")} popup="menu" expanded={menu} testid="more-button" onClick={() => setMenu(!menu)} />
            {menu && <Menu label={t("more")} items={more} align="end" onClose={() => setMenu(false)} />}
          </div>
        )}
        <span class="only-folded">
          <Button icon="panel-right" kind="quiet" label={t("details.show")} expanded={detailsOpen} testid="details-button" onClick={onDetails} />
        </span>
      </div>
    </header>
  );
}

/** Asks once before what cannot be undone. */
function Question({ chat }: { readonly chat: Chat }) {
  const question = chat.question.value;
  if (question === null) return null;
  const { kind } = question;
  return (
    <Dialog title={t(`ask.${kind}`)} onClose={() => chat.ask(null)} testid="confirm-dialog">
      <div class="dialog-form">
        <p>{t(`ask.${kind}_text`)}</p>
        <DialogFoot onCancel={() => chat.ask(null)} action={t(kind)} kind={kind === "retract" ? "danger" : "primary"} testid="confirm-submit" onAction={() => void chat.confirmed()} />
      </div>
    </Dialog>
  );
}

/** Who else is looking at this conversation now. */
function Viewers({ chat }: { readonly chat: Chat }) {
  const viewers = chat.viewers.value;
  if (viewers.length === 0) return null;
  const names = enumerated(viewers.map((viewer) => viewer.name), locale());
  return (
    <span class="viewers" title={t("chat.viewers", { names })} data-testid="viewers">
      <Icon name="eye" size={12} />
      <span>{viewers.length === 1 ? names : t("chat.viewers_count", { count: viewers.length })}</span>
    </span>
  );
}
