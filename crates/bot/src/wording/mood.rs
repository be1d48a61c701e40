//! Anger and complaints, by words alone. Single words that also praise things ("sick", "damn") are not in the lists; what is
//! weak for itself (capitals, "!!!", "terrible") counts from two on, and not beside praise.

use std::sync::LazyLock;

use regex::Regex;

use super::fold::fold;

/// The words by which a visitor is angry, if one is.
pub fn anger(text: &str) -> Option<String> {
    let folded = fold(text);
    let calm = NOT_ANGRY.replace_all(&folded, "§");
    if let Some(found) = STRONG.find(&calm) {
        return Some(found.as_str().trim().to_owned());
    }
    if PRAISE.is_match(&calm) {
        return None;
    }
    let weak: Vec<&str> = WEAK.find_iter(&calm).map(|found| found.as_str().trim()).collect();
    let shouts = is_shouted(text);
    let exclaims = folded.contains("!!!") || folded.contains("?!") && folded.contains("!!");
    (weak.len() + usize::from(shouts) + usize::from(exclaims) >= 2).then(|| {
        let mut words = weak.join(" ");
        if shouts {
            words.push_str(" CAPITALS");
        }
        if exclaims {
            words.push_str(" !!!");
        }
        words.trim().to_owned()
    })
}

/// The words by which a visitor complains in so many words, if one does.
pub fn complaint(text: &str) -> Option<String> {
    let folded = fold(text);
    let found = COMPLAINT.find(&folded)?;
    Some(found.as_str().trim().to_owned())
}

/// Several words, all of them in capitals.
fn is_shouted(text: &str) -> bool {
    let (mut capitals, mut words) = (0, 0);
    for word in text.split(|c: char| !c.is_alphabetic()).take(200) {
        if word.chars().any(char::is_lowercase) {
            return false;
        }
        let letters = word.chars().filter(|c| c.is_uppercase()).count();
        capitals += letters;
        words += usize::from(letters >= 2);
    }
    words >= 3 && capitals >= 10
}

static STRONG: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:fuck(?:ing|ed|er|ers)?|f\*+k(?:ing)?|wtf|bullshit|assholes?|bastards?|morons?|idiots?|scumbags?|imbeciles?|dumbass(?:es)?|piece of (?:shit|crap|garbage))\b",
        r"|\b(?:shit|shitty|crappy|stupid|useless|pathetic|worthless|dumb) (?:bot|robot|company|service|support|shop|store|website|people|answer|answers|machine|app)\b",
        r"|\byou(?:'re| are| guys are| people are)(?: all| such| just| a| an| so| nothing but| fucking| complete| total)* (?:thieves|thief|liars?|crooks?|scammers?|frauds?|useless|incompetent|criminals?|idiots?)\b",
        r"|\b(?:this|it|that)(?:'s| is)(?: such| just)? (?:a |an )?(?:total |complete |absolute )?(?:scam|rip-?off|fraud|robbery|theft)\b",
        r"|\b(?:i'm|i am|im)(?: so| really| very| absolutely| fucking)* (?:angry|furious|pissed(?: off)?|livid|outraged|fed up|sick of (?:this|you|your|waiting))\b",
        r"|\bi(?:'ll| will| am going to|'m going to)(?: \w+)? (?:sue|report) (?:you|your company|this company)\b|\b(?:see you in court|my lawyer will|worst (?:service|company|support|shop|store|customer service|experience) (?:ever|i|in))\b",
        r"|\bshut up\b|\bgo to hell\b|\bscrew you\b",
        r"|傻逼|傻b|煞笔|沙雕客服|他妈的|你妈的|特么的|妈的|草泥马|王八蛋|混蛋|混账|脑残|智障(?:客服|机器人|吗|啊|$)|神经病|去死|滚蛋|滚开|给我滚|狗屁|放屁|不要脸|臭不要脸|无耻|无良(?:商家|公司|平台|店)|奸商|黑心(?:商家|公司|平台|店)|黑店",
        r"|(?:你们|都|全|就)是(?:一群|一帮|个)?(?:大)?(?:骗子|骗钱|垃圾)|骗子(?:公司|平台|商家|店|客服)|(?:垃圾|破烂?)(?:公司|平台|商家|店家?|客服|服务|售后|机器人|态度)|什么(?:破|狗屁|垃圾|烂)(?:公司|平台|店|服务|东西|客服|态度|质量)",
        r"|气死(?:我|人)?了?|火大|太(?:过分|欺负人|坑人|气人|恶心)了?|忍无可忍|再不.{1,20}(?:就|我).{0,6}(?:投诉|举报|起诉|报警|曝光|差评|12315|消协|退货|找律师)",
        r"|(?:我要|我会|我去|准备|马上|要去|等着我?|去).{0,4}(?:起诉|举报|曝光|告)(?:你们|你|贵公司)|(?:打|拨打|找|告到|投诉到)\s*(?:12315|消协|消费者协会|工商局?|媒体)",
    ))
    .expect("the pattern is tested")
});

static WEAK: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:terrible|awful|horrible|ridiculous|unacceptable|disgusting|disgraceful|useless|pathetic|outrageous|appalling|nonsense|joke|worst|shit|crap|damn|liars?|scam|fraud|how dare you|what the hell|sick of|fed up|again and again|still (?:no|not|nothing|waiting)|for the (?:third|fourth|fifth|tenth|hundredth) time|nobody (?:answers|cares|helps|responds)|answer me|hello\?\?+)",
        r"|太差(?:劲)?|太慢|差劲|垃圾|坑人|坑爹|骗人|骗子|恶心|烦死|无语|离谱|搞什么|什么意思|到底(?:想|要|还|有|管|什么|能)|没人(?:管|理|回|处理)|怎么还(?:不|没)|还要等多久|几天了|多少天了|多少次了|说了多少遍|不负责任|敷衍|推卸|推来推去|态度(?:差|恶劣)|糊弄|忽悠",
    ))
    .expect("the pattern is tested")
});

/// What has the words of anger in it and is none.
static NOT_ANGRY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"垃圾(?:桶|袋|分类|箱|处理|邮件|短信|筒|车|食品|清理|回收)|混蛋(?:这个词|是什么意思)|神经病(?:学|院|理)|idiot[- ]?proof|no[- ]bullshit|(?:防|反|举报|识别|遇到|被|碰到|小心)骗子?|voodoo|phishing scam|scam (?:alert|protection|filter)|fraud (?:protection|alert|department|prevention|filter)|no joke|(?:not|isn't|wasn't) (?:terrible|awful|bad)|for dummies")
        .expect("the pattern is tested")
});

static PRAISE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\b(?:thanks?|thank you|thx|love|loved|great|awesome|amazing|perfect|wonderful|excellent|best|happy|congrat\w*|wow|yay|nice)\b|谢谢|感谢|太好了|太棒|喜欢|好评|满意|厉害|爱了|哈哈")
        .expect("the pattern is tested")
});

static COMPLAINT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"\bi(?:'d| would)? (?:want|like|need|wish|have) to (?:make|file|lodge|submit|raise) (?:a|an|another|my)(?: formal| official)? complaint\b|\bi (?:want|would like|need|wish) to complain\b|\bi(?:'m| am) (?:complaining|filing a complaint)\b",
        r"|(?:我要|我想|我要求|必须|准备|现在就|马上)投诉(?:你们|你|他|她|客服|商家|快递|卖家|店家|这|一下|!|。|,|$)",
    ))
    .expect("the pattern is tested")
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anger_is_heard() {
        for text in [
            "This is bullshit",
            "you are all thieves",
            "You guys are liars!",
            "it's a scam",
            "what a useless service, stupid bot",
            "WHERE IS MY ORDER!!!",
            "THIS IS RIDICULOUS AND UNACCEPTABLE",
            "I'm so angry right now",
            "I am really fed up",
            "I will sue you",
            "I'm going to report your company",
            "worst service ever",
            "this is terrible, nobody answers!!!",
            "are you fucking kidding me",
            "shut up",
            "你们就是骗子",
            "垃圾公司",
            "什么破服务",
            "再不发货我就投诉",
            "再不退款就打12315",
            "再不處理我就去消協投訴",
            "气死我了",
            "你们太过分了",
            "他妈的到底发不发货",
            "奸商！",
            "我要曝光你们",
            "到底有没有人处理，没人管吗",
            "太差劲了!!!",
            "都几天了，怎么还不发货",
            "垃圾客服",
            "無良商家",
            "說了多少遍了，態度恶劣",
        ] {
            assert!(anger(text).is_some(), "{text}");
        }
    }

    #[test]
    fn who_is_only_loud_or_speaks_of_such_things_is_not_angry() {
        for text in [
            "",
            "hello!!!",
            "THANKS SO MUCH, YOU ARE THE BEST!!!",
            "I LOVE THIS PHONE!!!",
            "PLEASE HELP ME RESET MY PASSWORD",
            "MY ORDER NUMBER IS AB-1001",
            "FYI: USB-C, HDMI",
            "Where is my order?",
            "still waiting for my parcel",
            "is the battery terrible in cold weather?",
            "how do I report a scam e-mail",
            "is this fraud protection included?",
            "my child made a mess, is it washable?",
            "the manual says it is idiot-proof",
            "what a crappy day, anyway: how do returns work?",
            "can I sue for damages in Germany?",
            "holy shit this is great",
            "the worst case is a refund, right?",
            "How long does it take?!",
            "垃圾桶有多大",
            "有垃圾袋卖吗",
            "垃圾邮件怎么屏蔽",
            "滚筒洗衣机怎么用",
            "投诉电话是多少",
            "怎么举报骗子",
            "这个防骗吗",
            "什么时候发货",
            "怎么还款",
            "太好了！！！谢谢",
            "我气色不好能用吗",
            "神经病学的书有吗",
            "這個垃圾桶多少錢",
        ] {
            assert_eq!(anger(text), None, "{text}");
        }
    }

    #[test]
    fn a_complaint_in_so_many_words_is_heard() {
        for (text, expected) in [
            ("I want to file a complaint", true),
            ("I would like to make a formal complaint", true),
            ("I want to complain about the courier", true),
            ("我要投诉", true),
            ("我要投訴你們", true),
            ("我想投诉快递", true),
            ("how are complaints dealt with?", false),
            ("no complaints so far", false),
            ("投诉电话是多少", false),
            ("投诉流程是怎样的", false),
            ("where do I file a complaint with customs?", false),
        ] {
            assert_eq!(complaint(text).is_some(), expected, "{text}");
        }
    }
}
