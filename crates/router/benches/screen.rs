//! What the look at content costs on a message's way.
//!
//! Expected on a 2-core machine: nothing without rules; of 200 bytes with ten thousand words folding and one pass of
//! the automaton, a few microseconds; each pattern less than one microsecond more.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use frontdesk_core::chat::{Content, Text, content};
use frontdesk_router::{
    access::PrincipalKind,
    screen::{Action, AppliesTo, Kind, Rule, Screen, WORDS_MAX},
};

const ENGLISH: &str = "Hello, I ordered the blue kettle two weeks ago and it has still not arrived. The page says \
    that it was handed to the courier on Monday, order 20260501. Could you please find out where it is now? Thanks";
const CHINESE: &str = "你好，我两周前买的蓝色水壶还没有到，页面上说星期一就已经交给快递了，订单号是20260501。麻烦帮我查一下现在到哪里了，谢谢";

fn rule(name: &str, kind: Kind) -> Rule {
    Rule {
        name: name.to_owned(),
        kind,
        words: Vec::new(),
        pattern: String::new(),
        old_form: false,
        action: Action::Mask,
        applies_to: AppliesTo::Everyone,
    }
}

fn words(count: usize) -> Rule {
    let common: Vec<char> =
        ENGLISH.chars().chain(CHINESE.chars()).filter(|c| c.is_alphabetic()).collect();
    let mut seed = 7u64;
    let mut next = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    let mut word = || {
        let latin = next(2) == 0;
        let letters = if latin { 4 + next(6) } else { 2 + next(3) };
        let mut word = String::new();
        while word.chars().count() < letters {
            let letter = common[next(common.len())];
            if letter.is_ascii() == latin {
                word.push(letter);
            }
        }
        word
    };
    Rule { words: (0..count).map(|_| word()).collect(), ..rule("words", Kind::Words) }
}

fn look(criterion: &mut Criterion, name: &str, screen: &Screen, text: &str) {
    let kind = content::Kind::Text(Text { body: text.to_owned() });
    let content = Content { kind: Some(kind), ..Content::default() };
    criterion.bench_function(name, |bencher| {
        bencher.iter_batched(
            || content.clone(),
            |content| screen.screen(black_box(content), PrincipalKind::Visitor),
            BatchSize::SmallInput,
        );
    });
}

fn screens(criterion: &mut Criterion) {
    look(criterion, "screen/nothing/200_bytes", &Screen::default(), ENGLISH);
    let many = Screen::new(&[words(WORDS_MAX)]).expect("they can hold");
    look(criterion, "screen/10000_words/200_bytes_en", &many, ENGLISH);
    look(criterion, "screen/10000_words/200_bytes_zh", &many, CHINESE);
    let long = ENGLISH.repeat(64 * 1024 / ENGLISH.len());
    look(criterion, "screen/10000_words/64_kib_en", &many, &long);
    let numbers = Screen::new(&[rule("cards", Kind::Card), rule("ids", Kind::IdNumber)]);
    let numbers = numbers.expect("they can hold");
    look(criterion, "screen/numbers/200_bytes", &numbers, ENGLISH);
    let pattern = |number: usize| Rule {
        pattern: format!(r"(?i)\bcode{number}[- ]?\d{{4,8}}\b"),
        ..rule(&format!("pattern {number}"), Kind::Pattern)
    };
    let patterns: Vec<Rule> = (0..50).map(pattern).collect();
    let patterns = Screen::new(&patterns).expect("they can hold");
    look(criterion, "screen/50_patterns/200_bytes", &patterns, ENGLISH);
    let awkward = |number: usize| Rule {
        pattern: format!(r"[a-z ,]*e[a-z ,]{{{}}}x", 12 + number % 3),
        ..rule(&format!("pattern {number}"), Kind::Pattern)
    };
    let awkward: Vec<Rule> = (0..50).map(awkward).collect();
    let awkward = Screen::new(&awkward).expect("they can hold");
    look(criterion, "screen/50_awkward_patterns/200_bytes", &awkward, ENGLISH);
    look(criterion, "screen/50_awkward_patterns/64_kib", &awkward, &long);
    let all: Vec<Rule> =
        [words(WORDS_MAX), rule("cards", Kind::Card), rule("ids", Kind::IdNumber)].into();
    criterion.bench_function("screen/make_ready/10000_words", |bencher| {
        bencher.iter(|| Screen::new(black_box(&all)).expect("they can hold"));
    });
}

criterion_group!(benches, screens);
criterion_main!(benches);
