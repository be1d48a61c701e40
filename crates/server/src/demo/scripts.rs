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
    /// What the visitor says, and a fitting answer to it. The visitor waits for one each time.
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
pub(super) const SCRIPTS: [Script; 14] = [
    Script {
        name: "苏晓",
        language: Chinese,
        phone: true,
        page: "/products/gaiwan",
        referrer: "https://www.xiaohongshu.com/",
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
        name: "Peter Novak",
        language: English,
        phone: false,
        page: "/orders/2311",
        referrer: "",
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
        turns: &[("do you ship to Dubai?", "We do, eight to ten days, and the parcel is insured.")],
        thanks: "perfect 🙏",
        leaves: LEAVES_EN,
        rating: 5,
        comment: "",
    },
    Script {
        name: "温岚",
        language: Chinese,
        phone: true,
        page: "/products/tray",
        referrer: "",
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
        turns: &[
            (
                "Is the price including VAT for Germany?",
                "It is. For orders above EUR 150 customs is paid by us as well.",
            ),
            (
                "And gift wrapping?",
                "Free. Tell us what to write on the card and we put it in by hand.",
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
        turns: &[("退款多久能到账？", "已经原路退回，银行卡一般 3 到 5 个工作日，微信当天就到。")],
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
        name: "简宁",
        language: Chinese,
        phone: false,
        page: "/story",
        referrer: "",
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
        name: "Marta Silva",
        language: English,
        phone: true,
        page: "/help/care",
        referrer: "",
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
            assert_eq!(SCRIPTS.iter().filter(|script| script.language == language).count(), 7);
            assert!(shop_lines(language).iter().all(|line| line.contains("{console}")));
        }
        for script in &SCRIPTS {
            assert!(!script.turns.is_empty() && script.rating <= 5, "{}", script.name);
            assert!(script.comment.is_empty() || script.rating > 0, "{}", script.name);
        }
    }
}
