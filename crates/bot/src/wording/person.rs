//! A visitor who wants a person.
//!
//! A text is cut into clauses. Phrases that only look like a wish (human resources, 人工智能) are taken out first; then
//! a clause that is nothing but a wish counts, and a phrase of asking inside one, unless it is negated.

use std::sync::LazyLock;

use regex::Regex;

use super::fold::{clauses, fold};

/// The words by which a text asks for a person, if it does.
pub fn wish_for_a_person(text: &str) -> Option<String> {
    let folded = fold(text);
    let text = NOT_A_PERSON.replace_all(&folded, "§");
    clauses(&text).find_map(|clause| {
        if let Some(found) = WHOLE.find(clause) {
            return Some(found.as_str().trim().to_owned());
        }
        if let Some(found) = NO_BOT.find(clause) {
            return Some(found.as_str().trim().to_owned());
        }
        ASKING
            .iter()
            .flat_map(|pattern| pattern.captures_iter(clause))
            .filter_map(|captures| captures.name("wish"))
            .find(|wish| !is_negated(&clause[..wish.start()]))
            .map(|wish| wish.as_str().trim().to_owned())
    })
}

/// Looks at the few words before a wish.
fn is_negated(before: &str) -> bool {
    let words: Vec<&str> = before.split_whitespace().collect();
    let near = &words[words.len().saturating_sub(4)..];
    let last: String = before.chars().rev().take(5).collect::<Vec<_>>().into_iter().rev().collect();
    let english = near.iter().enumerate().any(|(at, word)| match *word {
        "not" | "never" | "without" | "don't" | "dont" | "didn't" | "won't" | "wouldn't"
        | "than" | "stop" | "avoid" => true,
        // "no need to", but not "no i want to".
        "no" => near.get(at + 1).is_some_and(|next| *next == "need" || *next == "way"),
        // "instead of talking to"
        "of" => at > 0 && near[at - 1] == "instead",
        _ => false,
    });
    english || NEGATED.iter().any(|word| last.contains(word))
}

const NEGATED: [&str; 14] = [
    "不要",
    "不用",
    "别",
    "不需要",
    "无需",
    "不想",
    "没必要",
    "不必",
    "不是",
    "先不",
    "没有",
    "拒绝",
    "不会",
    "已经",
];

/// Things that have a wish's words in them and are none.
static NOT_A_PERSON: LazyLock<Regex> = LazyLock::new(|| {
    let english = r"\bhuman(?:s)? (?:resources?|rights?|error|errors|hair|body|anatomy|trafficking|nature|being's|capital|size|translation|translator|review|design|interface|readable|growth)\b|\b(?:real )?estate agents?\b|\b(?:travel|insurance|cleaning|user|shipping|sales|ticket|booking|customs|forwarding|letting|rental|property|literary|free|secret|ai|virtual|software|purchasing|buying|delivery|collection|transfer|registered|estate|leasing|parking|fbi|bleaching|foaming|chemical|raising|reducing|drying) agents?\b|\bagents? (?:orange|portal|login|code|commission|program|programme|fee|licen[sc]e|dashboard|seats?|account|api|app|plan)\b|\b(?:sales|company|legal|hr|official|tax|authori[sz]ed) representatives?\b|\b(?:phone|mobile|network|tour|boolean|cable|telephone) operators?\b|\bstaff (?:discount|room|only|account|accounts|training|uniform)\b|\bsupport (?:ticket|page|article|forum|plan|contract|fee|bracket)s?\b|\bcustomer service (?:job|jobs|course|software|number|hours|phone|email|training|skills|tool|tools|platform|team size)\b|\bperson(?:al)? (?:account|data|trainer|name)\b|\blive chat (?:feature|widget|software|plugin|plug-in|window|button|option|code|history|plan|tool|app|integration)s?\b";
    let chinese = r"代理人工?(?:费)?|(?:法定|委托|经纪|中介|合伙|负责|联系|收件|寄件|发件|收货|投保|被保险|当事|申请|经办|继承)人工|[手纯全半]工?人工|人工(?:费|智能|智慧|成本|湖|草|授精|受精|呼吸|降雨|降雪|合成|审核|审查|审批|岛|培育|养殖|种植|关节|耳蜗|心脏|晶体|晶状体|泪液|钻石|宝石|翻译|安装|检测|质检|校对|核对|打磨|制作|制造|洗|搬运|配送|分拣|录入|标注|糖|色素|甜味剂|香精|皮革|血管|骨|流产|繁殖|采摘|鱼|景|林|报价|服务费|客服费|处理费|操作|干预|神经|单价|工资|时薪|日薪|小时|工时|台时|作)|人工(?:客服|服务|坐席)?的?(?:工作时间|上班时间|服务时间|上班|几点|下班|电话|热线|号码|工资|招聘|岗位|培训|什么时候|多少钱|怎么收费|收费|外包|系统|软件|席位|功能|统计|时间)|真人(?:秀|版|模特|电影|cs|大小|照|拍摄|实拍|发|手办|出镜|比例|演唱|试穿|图片|配音|游戏|认证|兽)|客服(?:人员|专员)?的?(?:电话|热线|邮箱|号码|工作时间|上班时间|工资|岗位|招聘|系统|软件|费|培训|外包|席位|功能|统计|数量|绩效|考核)|工作人员的|专人(?:配送|送货|送达|负责|上门|安装)";
    Regex::new(&format!("{chinese}|{english}")).expect("the pattern is tested")
});

/// Who is wished for, after "talk to".
const WHO: &str = r"(?:(?:real|live|actual|human|proper|customer|support|service|care)\s+)*(?:human(?:\s+being)?|person|agent|representative|rep|operator|someone|somebody|customer\s+(?:service|support|care)|support(?:\s+(?:team|staff))?|staff(?:\s+member)?|advis[oe]r|team\s+member|colleague|employee|supervisor|manager|real\s+people|humans)";
/// The same, where "need" or "want" stands before: words that mean many other things are not in it.
const WANTED: &str = r"(?:(?:real|live|actual|human)\s+)*(?:human(?:\s+being)?|person|agent|representative|rep|operator)";
const ARTICLE: &str = r"(?:an?|the|your|some|any|one\s+of\s+your|another|anyone|somebody)";
/// After "need a person" something may follow that makes it another wish.
const ENDS: &str = r"(?:$|\s+(?:please|pls|now|not|and|asap|instead|right|immediately|here|who|that|because|to\s+(?:help|talk|assist|answer|look|deal|handle|fix|sort|speak|respond|reply|take)))";

/// 人工 and what may follow it where it is meant.
const RENGONG: &str = r"(?:人工|真人|活人)(?:在线)?(?:客服|服务|坐席|座席|专员|接待)?(?:$|[\s吗嘛呢吧啊呀哦了来帮回接聊说谈谢在,§]|处理|解答|解决|沟通|对话|介入|对接|人员|一下|行|可以|好)";
/// Others who are asked for by 找 or 转.
const KEFU: &str = r"(?:在线|线上|文字|你们的?)?(?:客服(?:人员|专员|小姐姐|经理|主管|同事)?|专员|工作人员|值班人员|负责人员|专人|活人)";

/// A clause that is nothing but a wish.
static WHOLE: LazyLock<Regex> = LazyLock::new(|| {
    let english = r"(?:(?:please|pls|plz|hi|hello|hey|ok|okay|just|sorry|i\s+said|the|an?|my|i\s+want|i\s+need|want|need|give\s+me|get\s+me|now|real|live|actual|speak\s+to|talk\s+to|to|customer|support|service|another|any|some)\s+)*(?:human|human\s+being|human\s+agent|agent|person|representative|rep|operator|real\s+people|live\s+chat|customer\s+service|customer\s+support|customer\s+care|support\s+agent|someone\s+real)(?:\s+(?:please|pls|plz|now|asap|thanks|thank\s+you|required|needed|only|instead|support|help|here|service|agent|chat|person))*";
    let before = r"(?:请|麻烦|我|要|想|能|可以|能不能|可不可以|有没有|你们|你|有|是否有|求|快点?|赶紧|直接|立即|立刻|马上|现在|还是|就|给|帮|帮忙|来|叫|个|位|一|找|接入?|换成?|转接?|到|联系|呼叫|需要|切换|喂|的|\s)*";
    let after = r"(?:服务|在不在|在线|在|有人|有|吗|嘛|么|呢|吧|啊|呀|谢谢|一下|快点?|来|请|了|回复|出来|接|处理|帮忙|帮我|解决|没|就行|好吗|行吗|可以|\s|[!！])*";
    let strong = r"(?:人工(?:在线)?(?:客服|服务|坐席|座席|专员|接待|台)?|真人(?:在线)?(?:客服|服务)?|真实的人|活人|客服(?:人员|专员|小姐姐)|在线客服|线上客服)";
    let weak = r"(?:找|要|转接?|叫|接|联系|换|呼叫)(?:一下|一?[个位])?客服";
    let chinese = format!("{before}(?:{strong}|{weak}){after}|客服");
    Regex::new(&format!("^(?:{english}|{chinese})$")).expect("the pattern is tested")
});

/// Phrases of asking.
static ASKING: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        format!(r"(?P<wish>\b(?:talk|speak|chat)(?:ing)?\s+(?:directly\s+)?(?:to|with)\s+(?:{ARTICLE}\s+)?{WHO})\b"),
        format!(r"(?P<wish>\b(?:connect|transfer|put|pass|switch|forward|redirect|hand|escalate|get|bring)\s+(?:(?:me|us|this|it|my\s+\w+)\s+)?(?:over\s+|through\s+|back\s+|up\s+)?(?:to|with)\s+(?:{ARTICLE}\s+)?{WHO})\b"),
        format!(r"(?:^|[^\w'])(?P<wish>(?:i|we)(?:\s+just|\s+really|\s+only)?\s+(?:want|need|would\s+like|prefer|demand)\s+(?:{ARTICLE}\s+)?{WANTED}){ENDS}"),
        format!(r"(?P<wish>\b(?:i'd\s+(?:like|prefer|rather\s+have)|give\s+me|get\s+me|gimme|can\s+i\s+(?:get|have)|could\s+i\s+(?:get|have)|let\s+me\s+have|send\s+me)\s+(?:{ARTICLE}\s+)?{WANTED}){ENDS}"),
        r"^(?P<wish>(?:is|are)\s+there\s+(?:an?|any)\s+(?:(?:real|live|actual|human)\s+)*(?:human|person|agent|representative|operator|humans|agents|people))(?:\s+(?:here|there|available|online|around|i\s+can\s+(?:talk|speak|chat).*))?$".to_owned(),
        r"(?P<wish>\b(?:human|live|real|actual)\s+(?:agent|representative|operator|rep|person|human|support))\s+(?:please|now|pls|asap)\b".to_owned(),
        format!(r"(?P<wish>转(?:接|到|给|去|换|至|为|成)?(?:一下|一?[个位])?(?:到|给)?(?:你们的?)?{RENGONG})"),
        format!(r"(?P<wish>(?:找|叫|换成?|接入?|接通|呼叫|联系|切换?(?:到|成)|连接|安排|派|给我|帮我|让|请)(?:一下|一?[个位]|你们的?|到|的|来|找|接)*{RENGONG})"),
        format!(r"(?P<wish>(?:^|我们?|就|还是|只|直接|现在|马上|请)(?:想要?|要|需要|只要|就要|来)(?:一?[个位])?{RENGONG})"),
        format!(r"(?P<wish>转(?:接|到|给)?(?:一下|一?[个位])?(?:到|给)?{KEFU})"),
        format!(r"(?P<wish>(?:我要|我想|帮我|给我|要求|直接|能不能|可以)(?:直接)?(?:找|叫|换|接|联系|呼叫)(?:一下|一?[个位])?{KEFU})"),
        format!(r"(?P<wish>(?:跟|和|与|同)(?:一?[个位]|你们的?)?(?:人工|真人|活人|真实的人|{KEFU})(?:客服)?(?:直接)?(?:聊|说|谈|讲|对话|沟通|交流|通话|联系))"),
        r"(?P<wish>有没有(?:人工|真人|活人)(?:客服|服务)?)(?:在|可以|能|$|啊|呀|的|吗)".to_owned(),
    ]
    .iter()
    .map(|pattern| Regex::new(pattern).expect("the pattern is tested"))
    .collect()
});

/// Somebody who has enough of the bot.
static NO_BOT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:don't|dont|do\s+not)\s+(?:want|wanna|like)\s+(?:to\s+)?(?:(?:talk|speak|chat|deal)(?:ing)?\s+)?(?:(?:to|with)\s+)?(?:(?:an?|the|this|your)\s+)?(?:(?:chat\s*|ro)?bots?|machines?|ai)$",
        r"|不(?:想|要)(?:再)?(?:跟|和|与)?(?:机器人|机器|智能客服|ai)(?:客服)?(?:聊天?|说话?|对话|回复|沟通)?(?:了)?$",
    ))
    .expect("the pattern is tested")
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_for_a_person_is_understood() {
        for text in [
            "human",
            "Human please",
            "HUMAN!!!",
            "agent",
            "Representative",
            "real person please",
            "I want to talk to a human",
            "can I speak to a person?",
            "Could you connect me with an agent?",
            "please transfer me to a human agent",
            "let me talk to someone",
            "I'd like to speak with a representative about my invoice",
            "I need to talk to somebody from customer service",
            "put me through to an operator",
            "I want a human",
            "I need a real person",
            "give me a human now",
            "Can I get a human, please?",
            "is there a real person here?",
            "Is there an agent available",
            "I don't want to talk to a bot",
            "not a bot, a human please",
            "This is not helping. Talk to a real person",
            "speak to your manager",
            "live agent please",
            "I would like a human to help me",
            "connect me to support",
            "hi, live chat please",
            "can’t I just talk to someone?",
            "人工",
            "转人工",
            "转人工！",
            "人工客服",
            "我要人工",
            "我要人工客服",
            "真人",
            "有真人吗",
            "请转人工服务",
            "帮我转接人工客服，谢谢",
            "能不能转人工",
            "怎么转人工",
            "找人工",
            "我要找客服",
            "找客服",
            "客服人员",
            "有人工客服吗",
            "你们有没有人工",
            "人工在吗",
            "你好，我想和真人聊",
            "我想跟你们客服人员沟通一下",
            "别给我自动回复了，直接转人工",
            "不要机器人",
            "我不想和机器人聊",
            "请人工回复我",
            "转接专员",
            "在线客服",
            "说了半天没用，叫人工来",
            // Traditional characters.
            "轉人工",
            "請幫我轉接真人客服",
            "我要找真人",
            "有沒有人工客服",
            "我想跟客服人員談",
            "線上客服",
            "幫我轉專員",
        ] {
            assert!(wish_for_a_person(text).is_some(), "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_it_is_not_taken_for_it() {
        for text in [
            "",
            "hello",
            "Where is my order?",
            "How do I contact human resources?",
            "I want to talk to human resources",
            "is this an agent for human rights?",
            "my real estate agent told me to use this",
            "can I speak to a real estate agent",
            "I am a travel agent, do you have a programme?",
            "I want to become an agent",
            "what commission does an agent get",
            "how many agents can I add to my plan",
            "agent login does not work",
            "the user agent string is wrong",
            "do you sell human hair wigs",
            "it was a human error",
            "was this written by a person?",
            "are you a human?",
            "am I talking to a robot?",
            "how many people are in your company",
            "the delivery person was very friendly",
            "I talked to an agent yesterday",
            "I don't want to talk to a human, just tell me the price",
            "no need to transfer me to an agent",
            "do I need an agent to import this?",
            "I need a person to sign for the parcel, is that right?",
            "does the live chat widget work on Shopify?",
            "can a person under 18 order?",
            "which support plan do I need?",
            "is this cleaning agent safe",
            "the sales representative gave me a discount code",
            "support for Windows 11?",
            "I bought a present for someone",
            "does someone have to be at home?",
            "代理人工费怎么算",
            "代理人工费",
            "人工费多少钱",
            "人工智能是什么",
            "你们用人工智能吗",
            "我想转人工智能专业",
            "安装需要人工费吗",
            "安装需要人工吗",
            "这个是人工制作的吗",
            "人工客服几点上班",
            "人工客服的工作时间",
            "客服电话是多少",
            "人工成本太高了",
            "需要人工审核多久",
            "纯人工打磨",
            "有人工草坪卖吗",
            "法定代理人工作证明",
            "帮我找人工作",
            "联系人工作单位怎么填",
            "不用转人工，我自己看看",
            "不要转人工",
            "先不转人工",
            "我不是要人工",
            "有真人模特图吗",
            "真人秀的票怎么买",
            "客服系统多少钱",
            "你们招聘客服吗",
            "收货人工号填错了",
            "人工湖附近能送吗",
            // Traditional characters.
            "人工費怎麼算",
            "人工智慧是什麼",
            "代理人工費",
            "不用轉人工",
            "客服電話是多少",
        ] {
            assert_eq!(wish_for_a_person(text), None, "{text}");
        }
    }

    #[test]
    fn a_long_text_takes_no_long_time() {
        let started = std::time::Instant::now();
        for text in ["talk to a ".repeat(8 << 10), "人".repeat(64 << 10), "转一个".repeat(20 << 10)]
        {
            wish_for_a_person(&text);
        }
        assert!(started.elapsed() < std::time::Duration::from_secs(5));
    }
}
