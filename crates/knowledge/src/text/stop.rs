//! Words that say nothing of a question's matter.

use std::{collections::HashSet, sync::LazyLock};

const ENGLISH: &str = "a about after again all also am an and any anybody anyone anything are arent as at \
be been before being but by bye can cant could couldnt did didnt do does doesnt doing done dont each either else \
ever every few for from gonna got gotta guess had has hasnt have havent having he hello help her here hey hi him his hopefully how \
however i id if ill im in into is isnt it its ive just kind kinda know let lets lol like maybe me might mine more most much \
must my myself need no nor not now of off ok okay on once one only or other our out over own perhaps please pls plz \
possible quite rather really say see shall she should so some somebody someone something soon sorry still such sure \
tell than thank thanks that thats the their them then there theres these they thing things think this those through to \
too u ur um under until up us very want wanna wanted was wasnt way we well were werent what whats when where which while \
who whom whose why will with without wont wonder wondering would wouldnt yes yet you your youre yours guys folks \
actually basically anyway already always even really bit lot lots via per etc able get getting gets go going goes went \
come comes came make makes made give given gives take takes took put use used using question ask asking looking look \
find found tried try trying right good great nice im newbie total two day days today yesterday tomorrow";

const CHINESE: &str = "的 了 吗 呢 吧 啊 呀 嘛 哦 哈 哎 唉 诶 嗯 我 你 您 他 她 它 我们 你们 他们 咱们 您们 咱 大家 人家 自己 \
这 那 这个 那个 这些 那些 这样 那样 这么 那么 这里 那里 这儿 那儿 哪 哪个 哪些 哪里 哪儿 什么 怎么 怎样 怎么样 怎么办 为什么 为啥 啥 \
咋 咋办 谁 几 多少 是 不是 是不是 有 有没有 没有 没 不 别 要 想 想要 会 不会 会不会 能 能不能 可以 可不可以 可 能否 是否 行 行不行 \
在 到 从 给 跟 和 与 或 或者 还是 还 也 都 就 才 又 再 很 太 更 最 挺 比较 非常 真 真的 对 对于 把 被 让 将 为 为了 因为 所以 如果 \
的话 但 但是 不过 而 而且 然后 以后 之后 之前 以前 后 前 里 里面 上 下 中 外 内 时 时候 现在 今天 昨天 明天 刚 刚刚 刚才 已经 已 正在 一直 \
请 请问 麻烦 谢谢 你好 您好 亲 客服 老板 问 问下 问一下 想问 一下 知道 告诉 说 觉得 看 看看 帮 帮忙 帮我 一个 一些 一点 一 两 个 件 次 种 \
着 过 得 地 之 其 其他 另外 等 等等 用 做 弄 搞 去 来 出来 起来 拿 怎 么 呗 咧 喔 嘞 家 家里 朋友 东西 你家 您家 需要 应该 可能 只 只能 能够 \
那边 这边 本人 我家 我想 好 好的 多 少 大 小 二 三 天 点 下来 上面 下面 直接 当时 后来 突然 居然 竟然 到底 究竟 还有 同 同一";

static ENGLISH_WORDS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| ENGLISH.split_whitespace().collect());
static CHINESE_WORDS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| CHINESE.split_whitespace().collect());

/// Whether an English word, not yet stemmed, is one.
pub(crate) fn is_english_stop_word(word: &str) -> bool {
    ENGLISH_WORDS.contains(word)
}

/// Whether a Chinese word is one.
pub(crate) fn is_chinese_stop_word(word: &str) -> bool {
    CHINESE_WORDS.contains(word)
}
