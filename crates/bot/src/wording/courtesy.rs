//! Messages that are nothing but manners: greetings, thanks, good-byes, and "that did not help".

use std::sync::LazyLock;

use regex::Regex;

use super::fold::{clauses, fold, has_words};

/// What a message is, when it is nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Courtesy {
    /// "Hello"
    Greeting,
    /// "Thank you", "ok"
    Thanks,
    /// "Bye", "that is all"
    Bye,
    /// "That did not help"
    Unhelped,
}

const GREETING: &str = r"(?:hello|hi+|hey+|hiya|howdy|greetings|good (?:morning|afternoon|evening|day)|yo|hi there|hello there|hey there|there|anyone there|anybody there|is (?:anyone|anybody|someone) there|are you there|how are you|nice to meet you|team|everyone|sir|madam|你好呀?|您好|妳好|哈喽|哈啰|嗨|hello|在吗|在么|在不在|在嘛|在|有人吗|有人在吗|有人么|客服在吗|客服你好|客服您好|你好客服|您好客服|亲|早|早安|早上好|上午好|中午好|下午好|晚上好|晚安|大家好|请问|请问在吗|请问一下|你好在吗|您好在吗|你好请问|您好请问|打扰了|打扰一下)";
const THANKS: &str = r"(?:thanks?(?: (?:a lot|so much|very much|again|you|everyone|for (?:your|the) (?:help|answer|support|info|information|quick reply|reply|time)))*|thank you(?: (?:so much|very much|again|for (?:your|the) (?:help|answer|support|info|information|quick reply|reply|time)))*|thx|tks|ty|tysm|cheers|much appreciated|i appreciate it|appreciated|great|perfect|awesome|cool|nice|good|wonderful|excellent|lovely|ok(?:ay)?|k|alright|all right|got it|i see|understood|makes sense|that helps|that helped|that's helpful|very helpful|so much|you're the best|谢谢(?:你|您|了|啦|哈|你们|您的帮助|你的帮助)?|多谢(?:了)?|感谢(?:您|你)?|非常感谢|太感谢了|谢了|谢啦|3q|好的?|好的呢|好滴|好吧|嗯+|嗯嗯|哦+|噢|行|可以|明白(?:了)?|懂了|知道了|了解(?:了)?|收到(?:了)?|太好了|辛苦了|麻烦(?:了|你了|您了)|ok了)";
const BYE: &str = r"(?:bye+|bye bye|goodbye|good bye|see you(?: (?:later|soon))?|see ya|cya|have a (?:nice|good|great) (?:day|one|evening|weekend)|that's all|that is all|that was all|that'll be all|nothing else|no that's all|no thanks?|no thank you|nope|no|that's it|i'm done|all good|good night|再见|拜拜|拜|88|回见|没事了|没事|没有了|没有|没了|不用了?|不用谢谢|不需要了|就这样(?:吧)?|就这些|没别的了?|没问题了|先这样(?:吧)?)";
const UNHELPED: &str = r"(?:(?:that|this|it)(?: (?:did not|didn't|does not|doesn't))(?: really)? help(?: me)?(?: at all)?|that's not (?:helpful|what i (?:asked|meant|want|mean)|it|my question|the answer)|this is not (?:helpful|what i (?:asked|meant|want|mean)|my question)|not helpful|unhelpful|not what i (?:asked|meant)|wrong answer|no help|you (?:did not|didn't) answer my question|you don't understand(?: me)?|没用|没有用|没帮助|没有帮助|不是这个|不是这个意思|不是我要的|答非所问|没有?解决(?:我的问题)?|没解决|还是不行|还是没用|看不懂|你没懂|你没明白|没有回答我的问题|不对)";

fn whole(pattern: &str) -> Regex {
    Regex::new(&format!("^(?:{pattern}\\s*)+$")).expect("the pattern is tested")
}

static KINDS: LazyLock<[(Courtesy, Regex); 4]> = LazyLock::new(|| {
    let greeting = whole(GREETING);
    // "ok thanks bye" is a good-bye, and "hello, thanks" thanks.
    let thanks = whole(&format!("(?:{THANKS}|{GREETING})"));
    let bye = whole(&format!("(?:{BYE}|{THANKS}|{GREETING})"));
    [
        (Courtesy::Unhelped, whole(UNHELPED)),
        (Courtesy::Greeting, greeting),
        (Courtesy::Thanks, thanks),
        (Courtesy::Bye, bye),
    ]
});

/// What a message is, when it is nothing but manners.
pub fn courtesy(text: &str) -> Option<Courtesy> {
    // Nobody is polite at length.
    if text.chars().nth(80).is_some() {
        return None;
    }
    let folded = fold(text);
    // Letters, digits, apostrophes and single spaces are left: emoji and marks say nothing here.
    let mut words = String::new();
    for clause in clauses(&folded) {
        for character in clause.chars() {
            if character.is_alphanumeric() || character == '\'' {
                words.push(character);
            } else if !words.ends_with(' ') {
                words.push(' ');
            }
        }
        if !words.ends_with(' ') {
            words.push(' ');
        }
    }
    let words = words.trim();
    if !has_words(words) {
        return None;
    }
    // Words are not cut in the middle: "hithere" is a greeting all the same.
    KINDS.iter().find(|(_, pattern)| pattern.is_match(words)).map(|(kind, _)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manners_are_told_from_questions() {
        for (text, expected) in [
            ("hello", Some(Courtesy::Greeting)),
            ("Hi there!", Some(Courtesy::Greeting)),
            ("Good morning 🙂", Some(Courtesy::Greeting)),
            ("你好", Some(Courtesy::Greeting)),
            ("您好，在吗？", Some(Courtesy::Greeting)),
            ("有人吗", Some(Courtesy::Greeting)),
            ("妳好", Some(Courtesy::Greeting)),
            ("hi, where is my order", None),
            ("你好，怎么退货", None),
            ("thanks!", Some(Courtesy::Thanks)),
            ("Thank you so much for your help", Some(Courtesy::Thanks)),
            ("ok", Some(Courtesy::Thanks)),
            ("great, thanks", Some(Courtesy::Thanks)),
            ("謝謝", Some(Courtesy::Thanks)),
            ("好的，谢谢您", Some(Courtesy::Thanks)),
            ("thank you but where is it", None),
            ("好的尺码怎么选", None),
            ("bye", Some(Courtesy::Bye)),
            ("no thanks, bye", Some(Courtesy::Bye)),
            ("that's all, thank you", Some(Courtesy::Bye)),
            ("再見", Some(Courtesy::Bye)),
            ("没有了，谢谢", Some(Courtesy::Bye)),
            ("没有收到货", None),
            ("that didn't help", Some(Courtesy::Unhelped)),
            ("答非所问！", Some(Courtesy::Unhelped)),
            ("没用", Some(Courtesy::Unhelped)),
            ("this coupon does not help", None),
            ("", None),
            ("👍", None),
            ("?", None),
        ] {
            assert_eq!(courtesy(text), expected, "{text}");
        }
    }
}
