import type { Catalog } from "../texts";
import { timelineZh } from "./timeline.zh-CN";
import type { WidgetKey } from "./widget.en";

export const widgetZh: Catalog<WidgetKey> = {
  ...timelineZh,
  "widget.close": "关闭聊天窗口",
  "widget.menu": "更多",
  "widget.greeting": "您好！有什么可以帮您？",
  "widget.intro": "请在这里留言。您可以随时关闭窗口，对话会保留。",
  "widget.attended": "我们在线",
  "widget.unattended": "目前没有坐席在线",
  "widget.answers_in": { other: "通常 {count} 分钟内回复" },
  "widget.questions": "常见问题",
  "widget.emoji": "表情",
  "widget.reply": "回复这条消息",
  "widget.placeholder": "输入消息",
  "widget.typing": "{name} 正在输入",
  "widget.typing_somebody": "对方正在输入",
  "widget.conversation": "对话",
  "widget.you": "您",
  "widget.team": "团队",
  "widget.new_message_from": "{name} 发来新消息",
  "widget.unread_title": { other: "（{count}）条新消息" },
};
