//! Variants of training texts, as the same visitor might have typed them in a hurry.
//!
//! Only training sees them. Whatever is put in stands before or within texts of every label alike, so that it
//! tells nothing about one of them.

use frontdesk_script::is_ideograph;

use super::{random::Random, wording::reworded};
use crate::{Example, Label, text::normalise};

const GREETINGS_ZH: [&str; 16] = [
    "你好",
    "您好",
    "在吗",
    "在不在",
    "你好，",
    "您好，",
    "亲",
    "嗨",
    "客服你好",
    "哈喽",
    "有人吗",
    "请问",
    "那个",
    "不好意思",
    "早",
    "麻烦了，",
];
const GREETINGS_EN: [&str; 14] = [
    "hi",
    "hello",
    "hey",
    "hi there,",
    "hello,",
    "good morning.",
    "hey there",
    "excuse me",
    "hiya",
    "good evening,",
    "sorry to bother you,",
    "anyone there?",
    "so",
    "ok so",
];
const EMOJI: [&str; 10] = ["😊", "🙏", "😅", "👀", "🙂", "😂", "😭", "🤔", "👍", "❤️"];
/// Characters that are typed for one another because they sound alike.
const HOMOPHONES: [&str; 22] = [
    "的得地",
    "在再",
    "吗嘛么",
    "那哪",
    "做作坐",
    "他她它",
    "你妳",
    "号好",
    "是事试",
    "有又",
    "已以",
    "到道",
    "带代",
    "还换",
    "买卖",
    "这着",
    "里理",
    "几己",
    "像向",
    "元圆",
    "退推",
    "会回",
];
const KEYS: [&str; 3] = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];

/// Share of the phrases with other wordings that get one.
const REWORDED: f32 = 0.3;
/// A greeting or an aside is at most this long; a text after it keeps its own label.
const ASIDE_CHARACTERS_MAX: usize = 10;

/// One variant of an example: its text and the label of it.
pub(crate) fn variant(
    examples: &[&Example],
    at: usize,
    strength: f32,
    random: &mut Random,
) -> (String, Label) {
    let example = examples[at];
    let mut text = normalise(&example.text);
    let mut label = example.label;
    let mut likely = |probability: f32| random.chance(probability * strength);
    let (joins, greets, drops, types, smiles, bare) =
        (likely(0.12), likely(0.15), likely(0.15), likely(0.2), likely(0.05), likely(0.1));
    if joins {
        let other = examples[random.below(examples.len())];
        if let Some(joined) = joined(other, example) {
            (text, label) = joined;
        }
    }
    text = reworded(&text, REWORDED * strength, random);
    if types {
        text = mistyped(&text, random);
    }
    if drops {
        text = text.trim_end_matches(['.', ',', '!', '?', '~']).to_owned();
    }
    if bare {
        text = text
            .chars()
            .map(|one| if matches!(one, ',' | '.' | ';') { ' ' } else { one })
            .filter(|one| *one != '\'')
            .collect();
    }
    if greets {
        let greeting = if text.chars().any(is_ideograph) {
            random.one_of(&GREETINGS_ZH)
        } else {
            random.one_of(&GREETINGS_EN)
        };
        text = format!("{greeting} {text}");
    }
    if smiles {
        text.push_str(EMOJI[random.below(EMOJI.len())]);
    }
    (text, label)
}

/// Two texts one after the other, where the label of both together is beyond doubt.
fn joined(first: &Example, second: &Example) -> Option<(String, Label)> {
    let is_aside = |example: &Example| {
        example.label == Label::Other && example.text.chars().count() <= ASIDE_CHARACTERS_MAX
    };
    // A settled matter after another one may be that one: only an aside may be of no matter.
    let is_plain = |example: &Example| example.label != Label::Other;
    let of_one_language = first.lang == second.lang;
    let plain = is_plain(second) && (is_plain(first) || is_aside(first));
    (of_one_language && plain).then(|| {
        let text = format!("{} {}", first.text, second.text);
        (text, first.label.stronger(second.label))
    })
}

/// A text with one slip of the fingers.
fn mistyped(text: &str, random: &mut Random) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    if characters.len() < 4 {
        return text.to_owned();
    }
    let at = random.below(characters.len());
    let character = characters[at];
    if is_ideograph(character) {
        let alike = HOMOPHONES.iter().find(|alike| alike.contains(character));
        if let Some(alike) = alike {
            let alike: Vec<char> = alike.chars().collect();
            characters[at] = *random.one_of(&alike);
        } else if random.chance(0.3) {
            characters.remove(at);
        }
        return characters.into_iter().collect();
    }
    match random.below(4) {
        0 => {
            characters.remove(at);
        }
        1 if at + 1 < characters.len() => characters.swap(at, at + 1),
        2 => characters.insert(at, character),
        _ => {
            let row = KEYS.iter().find(|row| row.contains(character.to_ascii_lowercase()));
            if let Some(row) = row {
                let keys: Vec<char> = row.chars().collect();
                let place = row.find(character.to_ascii_lowercase()).unwrap_or(0);
                let beside = if random.chance(0.5) { place + 1 } else { place.saturating_sub(1) };
                characters[at] = keys[beside.min(keys.len() - 1)];
            }
        }
    }
    characters.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_of_a_seed_are_the_same_and_differ_from_the_text() {
        let examples = [
            Example::of("我的快递到哪里了，怎么还没有到", Label::Consult),
            Example::of("这个多少钱", Label::Sales),
        ];
        let examples: Vec<&Example> = examples.iter().collect();
        let draw = |seed| {
            let mut random = Random::new(seed, 1);
            (0..50).map(|_| variant(&examples, 0, 1.0, &mut random).0).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert!(draw(1).iter().filter(|text| **text != examples[0].text).count() > 10);
        let mut random = Random::new(1, 1);
        assert_eq!(variant(&examples, 0, 0.0, &mut random).0, normalise(&examples[0].text));
    }

    #[test]
    fn joined_texts_have_the_graver_label_and_nothing_follows_a_matter_that_may_settle_it() {
        let consult = Example::of("怎么退货", Label::Consult);
        let complaint = Example::of("你们太慢了", Label::Complaint);
        let settled = Example::of("不用了，刚刚自己查到了，谢谢你们", Label::Other);
        let greeting = Example::of("在吗", Label::Other);
        assert_eq!(joined(&complaint, &consult).map(|one| one.1), Some(Label::Complaint));
        assert_eq!(joined(&greeting, &consult).map(|one| one.1), Some(Label::Consult));
        assert_eq!(joined(&consult, &settled), None);
        assert_eq!(joined(&settled, &consult), None);
    }
}
