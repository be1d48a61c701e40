import type { Catalog } from "../texts";
import type { ErrorKey } from "./errors.en";

export const errorsZh: Catalog<ErrorKey> = {
  "error.general": "出了点问题，请重试。",
  "error.network": "无法连接服务器，请检查网络后重试。",
  "error.rate_limited": "操作太频繁了，请稍候。",
  "error.overloaded": "服务器繁忙，稍后会自动重试。",
  "error.storage.full": "服务器暂时无法接收消息。您的消息已保留，稍后会发送。",
  "error.message.empty": "没有可发送的内容。",
  "error.message.too_large": "消息太长，请缩短后再发送。",
  "error.message.refused": "此消息不符合要求，未发送。",
  "error.file.too_large": "文件太大。",
  "error.file.type": "不支持此类型的文件。",
  "error.file.empty": "文件是空的。",
  "error.file.quota": "发送的文件太多，请稍后再试。",
  "error.file.unreadable": "文件已损坏，或内容与名称不符。",
  "error.file.unknown": "文件已不存在，请重新添加。",
  "error.session.taken": "{detail} 已接手此对话。",
  "error.timeout": "未及时收到回应，请重试。",
  "error.connection.lost": "无法连接服务器，请检查网络后重试。",
  "upload.progress": "{name}，已上传 {percent}%",
  "upload.cancel": "取消上传 {name}",
};
