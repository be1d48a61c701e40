import type { Catalog } from "../texts";
import { errorsZh } from "./errors.zh-CN";
import type { WidgetLaterKey } from "./widget-later.en";

export const widgetLaterZh: Catalog<WidgetLaterKey> = {
  ...errorsZh,
  "widget.end": "结束对话",
  "widget.end_question": "结束此次对话？",
  "widget.end_text": "您可以随时再次留言。",
  "widget.end_keep": "继续对话",
  "widget.forget": "结束并清除本设备上的记录",
  "widget.forget_question": "清除本设备上的对话？",
  "widget.forget_text": "本设备将不再显示此对话。团队会保留已发送的内容。",
  "widget.forget_do": "清除",
  "widget.rate_title": "您对本次服务满意吗？",
  "widget.rate_star": { other: "{count} 星（共 5 星）" },
  "widget.rate_comment": "说说您的感受（选填）",
  "widget.rate_send": "提交评价",
  "widget.rate_thanks": "感谢您的评价。",
  "widget.rate_later": "以后再说",
  "widget.rate_failed": "评价未能提交，请重试。",
  "widget.open_image": "查看图片 {name}",
  "widget.download": "下载 {name}",
  "widget.image_failed": "图片加载失败。",
  "widget.stopped": "暂时无法使用在线咨询。",
  "widget.stopped_origin": "此网站尚未开通在线咨询。",
  "widget.stopped_inbox": "此咨询入口不存在。",
  "widget.stopped_disabled": "此咨询入口已关闭。",
  "widget.stopped_identity": "登录后才能使用此咨询入口。",
  "widget.stopped_retry": "重试",
};
