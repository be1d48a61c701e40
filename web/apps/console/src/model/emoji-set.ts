// The emoji the picker offers: a small set for talking to customers, with the names they are found by
// in both languages. Loaded when the picker opens.
import { soundsAt } from "./pinyin";

export type Emoji = { readonly sign: string; readonly en: string; readonly zh: string };
export type EmojiGroup = "faces" | "hands" | "hearts" | "things" | "signs";

/** `sign|English words|中文词`, the first word being the name. */
const written: Readonly<Record<EmojiGroup, string>> = {
  faces: `😀|grin happy|开心 微笑
😄|smile happy laugh|大笑 高兴
😁|beam grin|呲牙 嘻嘻
😂|joy tears laugh|笑哭 哈哈
😊|blush smile|微笑 害羞
🙂|slight smile|浅笑 微笑
😉|wink|眨眼
😍|heart eyes love|花痴 喜欢
🥰|adore love|喜爱 爱慕
😘|kiss|飞吻 亲亲
😋|yum tasty|好吃 馋
😎|cool sunglasses|酷 墨镜
🤗|hug|拥抱 抱抱
🤔|thinking hmm|思考 想想
🤫|hush quiet|嘘 安静
😅|sweat smile phew|尴尬 流汗
😌|relieved|放心 安心
😴|sleep tired|睡觉 困
😮|surprised oh|惊讶 哦
😢|cry sad|哭 难过
😭|sob cry|大哭 伤心
😔|pensive sorry|失落 抱歉
😟|worried|担心
😕|confused|困惑
😡|angry|生气 愤怒
😤|huff|哼 不满
🥺|please pleading|拜托 可怜
🙈|see no evil oops|捂脸 不看
🤦|facepalm|扶额 无语
🤷|shrug|摊手 不知道`,
  hands: `👍|thumbs up good ok yes|赞 好的 同意
👎|thumbs down bad no|踩 不好
👌|ok fine|好的 没问题
🙏|thanks please pray|谢谢 感谢 拜托
👏|clap applause|鼓掌 厉害
🙌|hooray raise hands|欢呼 太好了
🤝|handshake deal|握手 合作
👋|wave hello bye|挥手 你好 再见
✌️|victory peace|胜利 耶
🤞|fingers crossed luck|祈祷 好运
💪|strong muscle|加油 强壮
👉|point right|向右 看这里
👇|point down|向下 看下面
☝️|point up|向上 一
✍️|write|写字 记下
🫶|heart hands|比心`,
  hearts: `❤️|heart love|爱心 红心
🧡|orange heart|橙心
💚|green heart|绿心
💙|blue heart|蓝心
💛|yellow heart|黄心
💔|broken heart|心碎
💕|two hearts|双心 喜欢
✨|sparkles|闪亮 星星
🎉|party celebrate congratulations|庆祝 恭喜 撒花
🎁|gift present|礼物 礼盒
🌹|rose flower|玫瑰 鲜花
🌸|blossom flower|樱花 花
🍀|clover luck|幸运 四叶草
🎂|cake birthday|蛋糕 生日
🧧|red envelope|红包`,
  things: `📦|package parcel order|包裹 快递 发货
🚚|truck delivery shipping|货车 配送 物流
✈️|plane flight|飞机 航班
🛒|cart shopping|购物车 下单
🛍️|bags shopping|购物袋
💰|money|钱 退款
💳|card payment|银行卡 支付
🧾|receipt invoice|发票 收据
🏷️|price tag label|价格 标签
📷|camera photo|照片 相机
📱|phone mobile|手机
💻|laptop computer|电脑
📞|call telephone|电话
📧|mail email|邮件 邮箱
📎|clip attachment|附件 回形针
📄|page document|文件 文档
🔗|link|链接
📅|calendar date|日历 日期
⏰|alarm time|闹钟 时间
⏳|hourglass wait|等待 沙漏
📍|pin place address|位置 地址
🏠|home house|家
🏪|shop store|商店 门店
🔑|key password|钥匙 密码
🔧|wrench repair|维修 扳手
💡|idea bulb|主意 灯泡
🍵|tea cup|茶 喝茶
🫖|teapot|茶壶
☕|coffee|咖啡
🌧️|rain|下雨
☀️|sun|太阳 晴天`,
  signs: `✅|check done yes|完成 对 好
❌|cross no wrong|错 不
⚠️|warning|警告 注意
❗|exclamation important|感叹号 重要
❓|question|问号 疑问
💯|hundred perfect|满分 一百
🔥|fire hot|火 热门
⭐|star|星 好评
🆗|ok button|好
🆕|new|新品 新
🔝|top|顶
➡️|right arrow|右箭头
⬇️|down arrow|下箭头
🔄|refresh exchange|换货 刷新
🔍|search look|搜索 查找
📢|announcement|公告 通知
🚫|forbidden|禁止`,
};

export const emojiGroups: readonly EmojiGroup[] = ["faces", "hands", "hearts", "things", "signs"];

function read(group: EmojiGroup): readonly Emoji[] {
  return written[group].split("\n").map((line) => {
    const [sign = "", en = "", zh = ""] = line.split("|");
    return { sign, en, zh };
  });
}

export const emoji: Readonly<Record<EmojiGroup, readonly Emoji[]>> = {
  faces: read("faces"),
  hands: read("hands"),
  hearts: read("hearts"),
  things: read("things"),
  signs: read("signs"),
};

/** What an emoji is called in a language: the first of its words. */
export function emojiName(of: Emoji, chinese: boolean): string {
  return chinese ? (of.zh.split(" ")[0] ?? "") : of.en;
}

/** What people mean most, for who has typed nothing yet. */
const favourites = ["👍", "🙏", "😊", "😄", "👌", "🎉", "❤️", "✅"];

export function findEmoji(query: string, max: number): Emoji[] {
  const all = emojiGroups.flatMap((group) => emoji[group]);
  const wanted = query.trim().toLowerCase();
  if (wanted === "") return favourites.flatMap((sign) => all.filter((known) => known.sign === sign)).slice(0, max);
  const rank = (known: Emoji): number => {
    const words = known.en.split(" ");
    if (words[0]?.startsWith(wanted) === true || known.zh.split(" ").some((word) => word.startsWith(wanted))) return 0;
    if (words.some((word) => word.startsWith(wanted))) return 1;
    if (known.zh.split(" ").some((word) => soundsAt(word, wanted) === 0)) return 2;
    return known.en.includes(wanted) ? 3 : -1;
  };
  return all
    .map((known) => ({ known, rank: rank(known) }))
    .filter((found) => found.rank >= 0)
    .sort((a, b) => a.rank - b.rank)
    .slice(0, max)
    .map((found) => found.known);
}
