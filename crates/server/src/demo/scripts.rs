//! What the demo's visitors say, and what a colleague answers them while nobody else does.

use super::scenes::Language::{self, Chinese, English};

/// One visitor.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Script {
    pub(super) name: &'static str,
    pub(super) language: Language,
    pub(super) phone: bool,
    pub(super) page: &'static str,
    pub(super) referrer: &'static str,
    /// What the visitor asks the shop's bot first. Whoever asks it nothing writes to the advisers, who are people.
    pub(super) asks: &'static [&'static str],
    /// What the visitor says to people, and a fitting answer to it. The visitor waits for one each time; nothing
    /// where the bot's answers were enough.
    pub(super) turns: &'static [(&'static str, &'static str)],
    pub(super) thanks: &'static str,
    /// When nobody has answered for a while.
    pub(super) leaves: &'static str,
    /// 1 to 5; 0 for none.
    pub(super) rating: u32,
    pub(super) comment: &'static str,
}

const LEAVES_ZH: &str = "好像没人在，我晚点再来问吧。";
const LEAVES_EN: &str = "Seems nobody is around. I will try again later.";

/// They come in this order, again and again.
pub(super) const SCRIPTS: [Script; 18] = [
    Script {
        name: "苏晓",
        language: Chinese,
        phone: true,
        page: "/products/gaiwan",
        referrer: "https://www.xiaohongshu.com/",
        asks: &[],
        turns: &[
            ("你好，梅子青盖碗还有现货吗？", "您好，有现货，今天下午四点前下单当天发。"),
            ("新手用会不会烫手？", "碗沿外撇，拿沿不烫的；水别超过八分满就好。"),
        ],
        thanks: "好的，谢谢，我下单了",
        leaves: LEAVES_ZH,
        rating: 5,
        comment: "回复很快",
    },
    Script {
        name: "Nora Jensen",
        language: English,
        phone: false,
        page: "/products/teapot",
        referrer: "https://www.google.com/",
        asks: &[],
        turns: &[
            (
                "Hi! Does the teapot come with a strainer?",
                "Hello! Yes, there is a ball filter made of the same clay inside.",
            ),
            (
                "And can I use it for black tea too?",
                "You can. Many people keep one pot for one kind of tea, since clay remembers.",
            ),
        ],
        thanks: "That helps, thanks a lot!",
        leaves: LEAVES_EN,
        rating: 5,
        comment: "Friendly and quick",
    },
    Script {
        name: "赵敏",
        language: Chinese,
        phone: true,
        page: "/orders/2325",
        referrer: "",
        asks: &[],
        turns: &[(
            "我的订单怎么还没发货？昨天下的",
            "我查一下……已经打包好了，今天下午发出，单号会发短信给您。",
        )],
        thanks: "好，等短信",
        leaves: LEAVES_ZH,
        rating: 4,
        comment: "",
    },
    Script {
        name: "Oscar Lind",
        language: English,
        phone: true,
        page: "/orders/2319",
        referrer: "",
        asks: &["How do I change my delivery address?", "How do I get an invoice?"],
        turns: &[],
        thanks: "Thank you!",
        leaves: LEAVES_EN,
        rating: 5,
        comment: "An answer within a second",
    },
    Script {
        name: "Peter Novak",
        language: English,
        phone: false,
        page: "/orders/2311",
        referrer: "",
        asks: &[],
        turns: &[
            (
                "One of my cups arrived broken :(",
                "I am sorry about that! Which one is it, and what is your order number?",
            ),
            (
                "2311, the smaller one",
                "A new one leaves today. No need to send the broken one back.",
            ),
        ],
        thanks: "Wow, thank you",
        leaves: LEAVES_EN,
        rating: 5,
        comment: "Replaced at once, no fuss",
    },
    Script {
        name: "钟书",
        language: Chinese,
        phone: false,
        page: "/wholesale",
        referrer: "https://www.baidu.com/",
        asks: &[],
        turns: &[
            ("请问公司定制 60 套，最快多久？", "60 套大约 12 天，加刻字再多三天。"),
            ("能先看样品吗？", "可以，样品按零售价，正式下单时全额抵扣。"),
        ],
        thanks: "好的，我和同事商量一下",
        leaves: LEAVES_ZH,
        rating: 4,
        comment: "报价清楚",
    },
    Script {
        name: "Aisha Khan",
        language: English,
        phone: true,
        page: "/products/cups",
        referrer: "https://www.instagram.com/",
        asks: &[],
        turns: &[(
            "do you ship to Singapore?",
            "We do, and the parcel is insured until it is in your hands.",
        )],
        thanks: "perfect 🙏",
        leaves: LEAVES_EN,
        rating: 5,
        comment: "",
    },
    Script {
        name: "何沐",
        language: Chinese,
        phone: true,
        page: "/products/cups",
        referrer: "https://www.xiaohongshu.com/",
        asks: &["多久能收到货？"],
        turns: &[("周五要送人，今天下单能用特快吗？", "可以的，结账时选“特快”，明后天就到。")],
        thanks: "好，这就下单",
        leaves: LEAVES_ZH,
        rating: 5,
        comment: "机器人答得快，转人工也快",
    },
    Script {
        name: "温岚",
        language: Chinese,
        phone: true,
        page: "/products/tray",
        referrer: "",
        asks: &[],
        turns: &[
            ("茶盘的抽屉能单独拆下来洗吗", "能的，整个抽出来用清水冲，晾干再放回去。"),
            ("承重呢？我想放个大壶", "一公斤以内都没问题，大壶建议放在靠里的位置。"),
        ],
        thanks: "明白了谢谢",
        leaves: LEAVES_ZH,
        rating: 5,
        comment: "",
    },
    Script {
        name: "Julia Brandt",
        language: English,
        phone: false,
        page: "/products/gaiwan",
        referrer: "https://www.pinterest.com/",
        asks: &[],
        turns: &[
            (
                "Is the price including VAT for Germany?",
                "Chinese VAT is in it. German import VAT comes on top, and is paid to the carrier.",
            ),
            (
                "And gift wrapping?",
                "Of course, in cotton cloth for CNY 25 a box. The card with your words is free with it.",
            ),
        ],
        thanks: "Great service, thank you!",
        leaves: LEAVES_EN,
        rating: 5,
        comment: "Will come back",
    },
    Script {
        name: "陶然",
        language: Chinese,
        phone: true,
        page: "/orders/2330",
        referrer: "",
        asks: &[],
        turns: &[(
            "退款多久能到账？",
            "已经原路退回，微信一般 1 到 3 个工作日，银行卡 5 到 10 个工作日。",
        )],
        thanks: "到了到了，谢谢",
        leaves: LEAVES_ZH,
        rating: 5,
        comment: "效率高",
    },
    Script {
        name: "Sam Taylor",
        language: English,
        phone: true,
        page: "/",
        referrer: "",
        asks: &[],
        turns: &[
            (
                "which cup would you pick for green tea",
                "The celadon one: thin rim, and the colour of the tea looks lovely in it.",
            ),
            ("sold. how many ml is it", "60 ml to the brim, 50 ml as you drink it."),
        ],
        thanks: "cheers",
        leaves: LEAVES_EN,
        rating: 0,
        comment: "",
    },
    Script {
        name: "沈嘉",
        language: Chinese,
        phone: false,
        page: "/account/invoices",
        referrer: "",
        asks: &["怎么开发票？"],
        turns: &[],
        thanks: "谢谢",
        leaves: LEAVES_ZH,
        rating: 4,
        comment: "",
    },
    Script {
        name: "简宁",
        language: Chinese,
        phone: false,
        page: "/story",
        referrer: "",
        asks: &[],
        turns: &[
            ("这个月开窑是哪天？想带孩子去看", "每月第一个周六上午九点，提前一天说一声就行。"),
            ("可以自己做一只带走吗", "可以捏一只小杯，烧好后寄给您，孩子不收费。"),
        ],
        thanks: "太好了，我们一定来",
        leaves: LEAVES_ZH,
        rating: 5,
        comment: "期待！",
    },
    Script {
        name: "Helen Moore",
        language: English,
        phone: false,
        page: "/orders/2304",
        referrer: "",
        asks: &[],
        turns: &[(
            "I ordered two trays by mistake. Can you cancel one?",
            "Of course. One is cancelled, the refund is on its way to your card.",
        )],
        thanks: "Thank you so much",
        leaves: LEAVES_EN,
        rating: 4,
        comment: "",
    },
    Script {
        name: "丰年",
        language: Chinese,
        phone: true,
        page: "/products/teapot",
        referrer: "https://www.douyin.com/",
        asks: &[],
        turns: &[
            ("420 能优惠点不，老客户了", "这把没有折扣，不过可以送您一只同釉的公道杯。"),
            ("行，那公道杯多大的", "180 毫升，正好配 280 的壶。"),
        ],
        thanks: "成交",
        leaves: LEAVES_ZH,
        rating: 4,
        comment: "送了公道杯，不错",
    },
    Script {
        name: "Ruth Adler",
        language: English,
        phone: false,
        page: "/products/teapot",
        referrer: "https://www.google.com/",
        asks: &["Can you mend a broken teapot with gold?"],
        turns: &[(
            "It is my grandmother's. Could I send you a photo first?",
            "Please do, right here. Our potter tells you within a day what can be done.",
        )],
        thanks: "You are very kind, thank you",
        leaves: LEAVES_EN,
        rating: 5,
        comment: "A real person within seconds",
    },
    Script {
        name: "Marta Silva",
        language: English,
        phone: true,
        page: "/help/care",
        referrer: "",
        asks: &[],
        turns: &[(
            "Can I put the crackle cups into the microwave?",
            "Better not: the crackle holds a little water. By hand with warm water is best.",
        )],
        thanks: "Good that I asked!",
        leaves: LEAVES_EN,
        rating: 5,
        comment: "",
    },
];

/// What the colleague says to somebody who writes from the demo's shop: the first line, and those for
/// what they write after it. `{console}` is where the console is.
pub(super) fn shop_lines(language: Language) -> [&'static str; 3] {
    match language {
        Chinese => [
            "您好，欢迎来到云杉茶器！我是演示里的小云，由程序代答。想亲自回复这条消息？打开工作台 {console} ，点“以 Lin 林 的身份进入”，对话就会转给您。",
            "收到！坐席一上线，这段对话会马上交给坐席。工作台在这里：{console}",
            "我只会这几句😊 剩下的交给您：{console}",
        ],
        English => [
            "Hello and welcome to Spruce Tea! I am Yun, the demo's own colleague, and a program. Would you like to answer this yourself? Open the console at {console} , choose \"Continue as Lin 林\", and the conversation moves over to you.",
            "Got it! As soon as an agent is online, this conversation is theirs. The console is here: {console}",
            "That is all I know 😊 The rest is yours: {console}",
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_come_in_both_languages_and_can_be_played() {
        for language in [Chinese, English] {
            assert_eq!(SCRIPTS.iter().filter(|script| script.language == language).count(), 9);
            assert!(shop_lines(language).iter().all(|line| line.contains("{console}")));
        }
        for script in &SCRIPTS {
            let says = script.turns.len() + script.asks.len();
            assert!(says > 0 && script.rating <= 5, "{}", script.name);
            assert!(script.comment.is_empty() || script.rating > 0, "{}", script.name);
        }
        let (to_bot, to_people): (Vec<_>, Vec<_>) =
            SCRIPTS.iter().partition(|script| !script.asks.is_empty());
        assert!(to_people.len() >= to_bot.len() * 3, "most write to people");
        assert!(to_bot.iter().any(|script| script.turns.is_empty()), "somebody needs only the bot");
        assert!(to_bot.iter().any(|script| !script.turns.is_empty()), "somebody needs more");
    }
}
