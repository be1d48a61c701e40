//! Words and phrases a visitor might have used instead of one another.
//!
//! Members of a group can be swapped in most texts without another label becoming right, though not always without
//! hurting the grammar. What a group holds together is what a few thousand texts do not show often enough:
//! that 退钱 is 退款, and that `let down` is `disappointed`.

use std::{collections::HashMap, sync::LazyLock};

use super::random::Random;
use frontdesk_script::is_ideograph;

const GROUPS: &[&str] = &[
    // Blame.
    "垃圾|辣鸡|太烂了|烂透了|差劲|太差了|渣",
    "离谱|过分|扯淡|荒唐|太夸张了|不像话",
    "无语|服了|醉了|无语死了|没话说",
    "敷衍|糊弄|应付|打发|搪塞|忽悠",
    "踢皮球|推来推去|互相推诿|推卸责任|甩锅",
    "坑人|坑爹|宰人|坑钱|黑心",
    "骗子|骗人|欺骗消费者|骗钱|诈骗",
    "没人管|没人理|没人处理|不闻不问|石沉大海|没下文|没人回|装死",
    "投诉|举报|打12315|找消协|曝光|起诉",
    "三番五次|一而再再而三|反反复复|好几次|无数次|好几遍",
    "到底|究竟",
    "差评|一星|打差评|给你们一星",
    "失望|寒心|心寒|伤心|憋屈|窝火|来气",
    "忍无可忍|受够了|受不了了|忍不了|没耐心了",
    "态度恶劣|态度差|态度很差|爱答不理|阴阳怪气|不耐烦",
    "拖|拖延|一拖再拖|拖着不办",
    "破损|坏了|烂了|碎了|裂了|散架了",
    "没收到|还没到|没到货|没影|没动静|没消息",
    "说好的|答应的|承诺的|保证过的|口口声声说",
    "赔偿|赔|补偿|赔付|给个说法|给个交代",
    "欺负人|欺人太甚|店大欺客|霸王条款|不把人当回事",
    "浪费时间|耽误事|耽误时间|白等",
    "乱扣费|乱收费|多扣钱|偷偷扣费|莫名其妙扣钱",
    "再也不买|再也不来|拉黑|卸载|最后一次",
    "天天催|催了又催|催了好几次|催了三次|问了好几遍",
    "不负责任|不专业|不靠谱|太随意",
    "呵呵|真行啊|可真会做生意|厉害了",
    // Questions about what somebody has.
    "怎么|咋|如何|怎样|要怎么",
    "请问|想问下|问一下|问下|咨询一下|想咨询|打听一下",
    "在哪|哪里|哪儿|去哪|在哪里",
    "什么时候|啥时候|几时|何时|大概多久",
    "能不能|可以|能否|可不可以|可否",
    "修改|更改|改一下|变更|换一下",
    "取消|撤销|退掉",
    "查询|查一下|看一下|查查",
    "帮我|麻烦帮我|帮忙|给我",
    "快递|包裹|物流|快件|件",
    "发票|票据|电子发票",
    "账号|帐号|账户|号",
    "登录|登陆|登入|登上去",
    "密码|口令",
    "绑定|关联",
    "注销|销号|删号",
    "教程|使用说明|操作指南|说明",
    "退款|退钱|返款|退费|把钱退",
    "退货|退回去|寄回去|退掉",
    "到账|到帐|打到卡里|收到钱",
    "提示|显示|跳出来|弹出",
    "流程|步骤|手续",
    "规定|规则|政策|要求",
    "续费|续期|续",
    "地址|收货地址|收件地址",
    "手机号|电话|号码|联系方式",
    // Leads.
    "多少钱|什么价|啥价|价格多少|怎么卖|什么价位|咋卖|怎么收费",
    "便宜点|优惠点|打个折|少点|再便宜点|抹个零",
    "有货|有现货|有没有货|还有吗|有库存|还有没有",
    "报价|报个价|价目表|报价单|价格表",
    "购买|入手|下单|拿下|购入|买",
    "批发|批量|团购|大量采购|量大|大单",
    "试用|体验一下|试一下|免费试用|先试试",
    "套餐|方案|版本|档",
    "升级|换更高的|升一档|升到",
    "开通|办理|办一个|开一个",
    "预订|预约|订|约一下|定",
    "合作|代理|加盟|经销|谈合作",
    "优惠|活动|折扣|满减|促销|优惠券",
    "推荐|介绍|安利",
    "想要|想买|想入|看中了|相中|打算买|考虑买",
    "尺码|尺寸|大小|规格",
    "几个人|多少人|10个人|二十来个人",
    // Nothing for the team.
    "谢谢|多谢|感谢|谢啦|谢谢啦|蟹蟹",
    "不用了|不必了|算了|不需要了|不麻烦了",
    "搞定了|解决了|弄好了|已经好了|可以了|找到了",
    "打扰了|打扰啦|不好意思打扰",
    "你好|您好|哈喽|嗨",
    "再见|拜拜|回见|下次聊|晚安",
    "招聘|应聘|求职|找工作|投简历|还招人吗",
    "推广|引流|代运营|获客|刷单",
    "哈哈|嘻嘻|嘿嘿|哈哈哈",
    "很棒|厉害|给力|优秀|点赞|好用",
    "收到|知道了|明白|了解|好的|嗯嗯|行",
    "发错了|发错人了|点错了|走错了",
    // Anything.
    "你们|贵司|你们家|店家|商家|你家",
    "非常|特别|超级|太|贼|很",
    "现在|目前|这会儿|眼下|到现在",
    "今天|今儿|今日",
    "昨天|前天|上周|上个月|前几天",
    "一个星期|一周|七天|一礼拜|十来天|半个月",
    "东西|商品|产品|货|宝贝",
    "老公|老婆|对象|我妈|我爸|闺女|儿子|朋友|同事|室友",
    "孩子|娃|宝宝|小孩|小朋友",
    "用不了|不能用|不好使|失灵|没反应|打不开",
    "一直|老是|总是|总",
    "马上|立刻|赶紧|尽快|立马|今天之内",
    "什么|啥",
    "周一|周二|周三|周四|周五|周六|周日|星期三",
    "裙子|裤子|衬衫|外套|毛衣|鞋子|卫衣",
    "耳机|键盘|音箱|鼠标|充电器|平板",
    "冰箱|空调|洗衣机|热水器|油烟机",
    "沙发|床垫|书桌|衣柜|茶几",
    "课|课程|班|训练营",
    "会员|年卡|季卡|月卡",
    "酒店|民宿|房间|套房",
    "机票|车票|票|航班",
    "贷款|信用卡|理财|保险",
    "系统|软件|平台|后台",
    // Blame.
    "terrible|awful|horrible|appalling|dreadful|shocking|atrocious|pathetic",
    "ridiculous|a joke|absurd|laughable|beyond a joke|insane",
    "unacceptable|disgraceful|outrageous|not good enough|shameful|not on",
    "fed up|sick and tired|had enough|done waiting|losing patience|at the end of my rope",
    "rip off|rip-off|scam|daylight robbery|con|swindle",
    "useless|hopeless|worthless|pointless|rubbish|garbage|trash|crap",
    "disappointed|let down|frustrated|annoyed|upset|furious|livid|gutted",
    "no reply|no response|nobody replied|radio silence|no answer|total silence|nobody got back to me",
    "promised|assured me|swore|guaranteed",
    "third time|3rd time|second time|fourth time|fifth time|umpteenth time",
    "still no|still haven't got|still waiting for|yet to see|still don't have",
    "yet again|once again|for the nth time|and again",
    "broken|damaged|cracked|smashed|faulty|defective|in pieces",
    "late|delayed|overdue|behind schedule",
    "rude|dismissive|condescending|impolite|snarky",
    "chargeback|trading standards|small claims|ombudsman|my lawyer|the regulator|my bank",
    "compensation|a goodwill credit|something for my trouble",
    "fix this|sort this out|sort it|make this right|do something about it|deal with this",
    "nobody|no one|not one person",
    "wasted|lost|burned",
    "overcharged|double charged|charged twice|billed for nothing",
    "passed around|sent in circles|bounced between departments|given the runaround",
    "joke of a|so-called|excuse for a",
    // Questions about what somebody has.
    "how do i|how can i|how to|what's the way to|where do i go to",
    "can i|could i|may i|am i able to|is it possible to",
    "where is|where's|any idea where",
    "change|update|edit|modify|amend",
    "parcel|package|delivery|shipment|order",
    "invoice|receipt|bill|statement",
    "password|passcode|pin",
    "reset|recover|retrieve",
    "opening hours|business hours|what time do you open|when are you open",
    "send back|return|ship back",
    "refund|money back|reimbursement",
    "tracking|tracking number|tracking link",
    "error|error message|warning|weird message",
    "settings|options|preferences|the menu",
    "when will|when does|how soon will|what day will",
    "quick question|just wondering|question|could you tell me|wanted to ask",
    // Leads.
    "how much is|what's the price of|how much for|what do you charge for|what's the cost of|price on",
    "do you have|have you got|do you stock|do you carry|got any",
    "in stock|available|still available|on the shelf",
    "buy|purchase|get|pick up|grab",
    "discount|deal|promo|coupon|money off|voucher",
    "quote|estimate|pricing|price list|proposal",
    "free trial|trial|demo|test drive|pilot",
    "upgrade|move up|go up a tier",
    "book|reserve|schedule|pencil in",
    "bulk|wholesale|volume|large order",
    "plan|package|tier|subscription",
    "interested in|looking for|thinking of getting|in the market for|considering",
    "recommend|suggest|advise|go for",
    "sign up|join|enroll|register|get started",
    "partnership|partnering|reselling|distribution",
    // Nothing for the team.
    "thanks|thank you|ty|thx|cheers|much appreciated|thanks a lot",
    "never mind|nvm|forget it|ignore that|scratch that|disregard",
    "sorted|fixed|resolved|all good|solved|figured it out|found it",
    "hello|hi|hey|hiya|good morning",
    "bye|goodbye|see ya|take care|have a good one",
    "great|awesome|lovely|brilliant|fantastic|amazing|wonderful",
    "hiring|any job openings|vacancies|any open positions|careers",
    "seo|backlinks|lead generation|web design services|link building",
    "wrong chat|wrong window|wrong number|wrong person",
    "lol|haha|lmao|hehe",
    // Anything.
    "please|pls|plz|kindly",
    "you|u",
    "your|ur",
    "because|cause|cuz|bc|since",
    "don't|dont|do not",
    "can't|cant|cannot",
    "i'm|im|i am",
    "isn't|isnt|is not",
    "doesn't|doesnt|does not",
    "didn't|didnt|did not",
    "i've|ive|i have",
    "it's|its|it is",
    "that's|thats|that is",
    "my son|my daughter|my wife|my husband|my mum|my dad|my kid|my boss|my sister|my roommate",
    "monday|tuesday|wednesday|thursday|friday|saturday|sunday",
    "two weeks|ten days|a fortnight|three weeks|a month|nine days",
    "yesterday|last night|this morning|last week|the other day",
    "jacket|dress|shirt|coat|jeans|sweater|boots",
    "laptop|phone|tablet|headphones|monitor|keyboard|charger",
    "sofa|mattress|desk|wardrobe|lamp",
    "fridge|dishwasher|oven|washing machine|dryer",
    "really|very|so|super|extremely",
    "company|business|team|firm|startup",
    "course|class|lesson|workshop",
    "hotel|room|suite|apartment",
    "flight|ticket|train|booking",
    "app|website|portal|page|site",
    "guys|folks|people|team",
];

/// Phrases by their first character, the longest first, each with its group.
static PHRASES: LazyLock<HashMap<char, Vec<(&'static str, usize)>>> = LazyLock::new(|| {
    let mut phrases: HashMap<char, Vec<(&'static str, usize)>> = HashMap::new();
    for (group, members) in GROUPS.iter().enumerate() {
        for phrase in members.split('|') {
            let first = phrase.chars().next().expect("a phrase is not empty");
            phrases.entry(first).or_default().push((phrase, group));
        }
    }
    for phrases in phrases.values_mut() {
        phrases.sort_by_key(|(phrase, group)| (std::cmp::Reverse(phrase.len()), *group));
    }
    phrases
});

/// A normalised text in which each phrase of a group has become another one of it with this probability.
pub(crate) fn reworded(text: &str, probability: f32, random: &mut Random) -> String {
    let mut reworded = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let found = phrase_at(rest, before);
        if let Some((phrase, group)) = found
            && random.chance(probability)
        {
            let members: Vec<&str> = GROUPS[group].split('|').collect();
            reworded.push_str(members[random.below(members.len())]);
            rest = &rest[phrase.len()..];
            before = phrase.chars().next_back().unwrap_or(first);
            continue;
        }
        // A phrase that stays is passed as a whole, so that no part of it is taken for another one.
        let passed = found.map_or(first.len_utf8(), |(phrase, _)| phrase.len());
        reworded.push_str(&rest[..passed]);
        before = rest[..passed].chars().next_back().unwrap_or(first);
        rest = &rest[passed..];
    }
    reworded
}

/// The longest phrase a text begins with, at the border of a word where it is made of letters.
fn phrase_at(text: &str, before: char) -> Option<(&'static str, usize)> {
    let first = text.chars().next()?;
    let is_letter = |character: char| character.is_alphanumeric() && !is_ideograph(character);
    let phrases = PHRASES.get(&first)?;
    phrases.iter().copied().find(|(phrase, _)| {
        let Some(after) = text.strip_prefix(phrase) else {
            return false;
        };
        let last = phrase.chars().next_back().unwrap_or(first);
        let begins = !is_letter(first) || !is_letter(before);
        let ends = !is_letter(last) || !after.starts_with(is_letter);
        begins && ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_phrases_become_others_of_their_group() {
        let mut random = Random::new(1, 1);
        let text = "what a ripper, thanks";
        let variants: Vec<String> = (0..50).map(|_| reworded(text, 1.0, &mut random)).collect();
        assert!(variants.iter().all(|variant| variant.starts_with("what a ripper, ")));
        assert!(variants.iter().any(|variant| variant.ends_with("cheers")));
        assert_eq!(reworded(text, 0.0, &mut random), text);
        let refunds = (0..50).map(|_| reworded("怎么退款", 1.0, &mut random));
        assert!(refunds.into_iter().any(|variant| variant.ends_with("退钱")));
    }
}
