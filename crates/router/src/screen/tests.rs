//! The screen as a whole: whom rules apply to, what wins, what is masked and what stays.

use frontdesk_core::chat::{
    Choice, Choices, FieldValue, File, Form, FormField, FormReply, Source, SystemText, Text,
    content::Kind as Said,
};
use proptest::prelude::*;

use super::*;

const VISITOR: PrincipalKind = PrincipalKind::Visitor;
const AGENT: PrincipalKind = PrincipalKind::Agent;
const BOT: PrincipalKind = PrincipalKind::Bot;

fn rule(name: &str, kind: Kind, action: Action, applies_to: AppliesTo) -> Rule {
    Rule {
        name: name.to_owned(),
        kind,
        words: Vec::new(),
        pattern: String::new(),
        old_form: false,
        action,
        applies_to,
    }
}

fn words(name: &str, words: &[&str], action: Action, applies_to: AppliesTo) -> Rule {
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    Rule { words, ..rule(name, Kind::Words, action, applies_to) }
}

fn pattern(name: &str, pattern: &str, action: Action) -> Rule {
    let pattern = pattern.to_owned();
    Rule { pattern, ..rule(name, Kind::Pattern, action, AppliesTo::Everyone) }
}

fn screen(rules: &[Rule]) -> Screen {
    Screen::new(rules).expect("they can hold")
}

fn said(kind: Said) -> Content {
    Content { kind: Some(kind), ..Content::default() }
}

fn text(body: &str) -> Content {
    said(Said::Text(Text { body: body.to_owned() }))
}

/// What passes and the rules that found something, or the rule that refuses.
fn outcome(
    screen: &Screen,
    body: &str,
    by: PrincipalKind,
) -> Result<(String, Vec<String>), String> {
    match screen.screen(text(body), by) {
        Ok(Passed { content: Content { kind: Some(Said::Text(text)), .. }, by }) => {
            Ok((text.body, by.into_iter().map(|hit| hit.rule).collect()))
        }
        Ok(other) => panic!("another kind: {other:?}"),
        Err(refused) => {
            assert_eq!(refused.code, &codes::MESSAGE_REFUSED);
            Err(refused.detail)
        }
    }
}

fn all() -> Screen {
    use Action::{Flag, Mask, Refuse};
    use AppliesTo::{Everyone, Team, Visitors};
    screen(&[
        words("rude", &["damn", "混蛋"], Mask, Everyone),
        words("secrets", &["密码"], Mask, Visitors),
        words("gambling", &["lottery", "赌博"], Refuse, Visitors),
        words("money", &["refund", "退款"], Flag, Team),
        pattern("wechat", r"(?i)\bwx[a-z0-9]{5,}", Mask),
        rule("cards", Kind::Card, Mask, Everyone),
        rule("ids", Kind::IdNumber, Refuse, Team),
    ])
}

#[test]
fn without_rules_everything_passes() {
    let nothing = Screen::default();
    assert!(nothing.is_empty());
    assert_eq!(outcome(&nothing, "anything", VISITOR), Ok(("anything".to_owned(), Vec::new())));
}

#[test]
fn rules_mask_refuse_and_flag_what_they_apply_to() {
    let screen = all();
    type Expected<'a> = Result<(&'a str, &'a [&'a str]), &'a str>;
    let table: &[(PrincipalKind, &str, Expected<'_>)] = &[
        (VISITOR, "dAMN it, damn", Ok(("**** it, ****", &["rude"]))),
        (VISITOR, "我的密碼是1，混 蛋", Ok(("我的**是1，***", &["rude", "secrets"]))),
        (AGENT, "我的密码是1", Ok(("我的密码是1", &[]))),
        (VISITOR, "win the LOTTERY, damn", Err("gambling")),
        (VISITOR, "来赌 博吧", Err("gambling")),
        (BOT, "win the lottery", Ok(("win the lottery", &[]))),
        (AGENT, "a refund, damn", Ok(("a refund, ****", &["rude", "money"]))),
        (VISITOR, "a refund", Ok(("a refund", &[]))),
        (VISITOR, "add WX12345678!", Ok(("add **********!", &["wechat"]))),
        (VISITOR, "4111 1111 1111 1111", Ok(("**** **** **** 1111", &["cards"]))),
        (VISITOR, "11010519491231002X", Ok(("11010519491231002X", &[]))),
        (AGENT, "他是11010519491231002X", Err("ids")),
        (PrincipalKind::Api, "11010519491231002X", Err("ids")),
    ];
    for (by, body, expected) in table {
        let expected = expected.map_err(ToOwned::to_owned).map(|(body, rules)| {
            (body.to_owned(), rules.iter().map(|rule| (*rule).to_owned()).collect())
        });
        assert_eq!(outcome(&screen, body, *by), expected, "{body}");
        // Whoever sends again hears the same.
        assert_eq!(outcome(&screen, body, *by), expected, "{body} again");
    }
}

#[test]
fn overlapping_masks_cover_all_of_both_and_a_flag_covers_nothing() {
    let screen = screen(&[
        words("one", &["赌博网"], Action::Mask, AppliesTo::Everyone),
        words("two", &["网站"], Action::Mask, AppliesTo::Everyone),
        words("three", &["站点"], Action::Flag, AppliesTo::Everyone),
    ]);
    let (body, rules) = outcome(&screen, "上赌博网站点一", VISITOR).expect("it passes");
    assert_eq!((body.as_str(), rules.len()), ("上****点一", 3));
}

#[test]
fn every_text_that_is_read_is_looked_at() {
    let screen = all();
    let choice = |label: &str| Choice { id: "damn".to_owned(), label: label.to_owned() };
    let file = File { id: "damn".to_owned(), name: "damn.pdf".to_owned(), ..File::default() };
    let choices = Choices { body: "damn".to_owned(), choices: vec![choice("a damn")] };
    let field = FormField {
        id: "damn".to_owned(),
        label: "damn".to_owned(),
        options: vec![choice("混蛋")],
        ..FormField::default()
    };
    let form = Form { title: "damn".to_owned(), fields: vec![field], submit: "damn".to_owned() };
    let value = FieldValue {
        id: "damn".to_owned(),
        label: "damn".to_owned(),
        value: "damn 4111111111111111".to_owned(),
    };
    let system = SystemText {
        key: "damn".to_owned(),
        params: [("question", "damn"), ("article", "damn")]
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .into(),
    };
    let source = Source {
        article: "damn".to_owned(),
        title: "damn".to_owned(),
        path: "/help/damn".to_owned(),
    };
    let quoting = Content { sources: vec![source], choice: "damn".to_owned(), ..text("fine") };
    // Ids, keys and places are nobody's words: so many stay.
    for (content, expected, stay) in [
        (said(Said::File(file)), vec!["____.pdf"], 1),
        (said(Said::Choices(choices)), vec!["****", "a ****"], 1),
        (said(Said::Form(form)), vec!["****", "****", "**", "****"], 2),
        (
            said(Said::FormReply(FormReply { values: vec![value] })),
            vec!["****", "**** ************1111"],
            1,
        ),
        (said(Said::System(system)), vec!["****"], 2),
        (quoting, vec!["fine", "****"], 3),
    ] {
        let mut passed = screen.screen(content, BOT).expect("it passes").content;
        let mut texts = Vec::new();
        content::texts(&mut passed, &mut |text| texts.push(text.clone()));
        assert_eq!(texts, expected);
        assert_eq!(format!("{passed:?}").matches("damn").count(), stay, "{passed:?}");
    }
    let refused = said(Said::FormReply(FormReply {
        values: vec![FieldValue { value: "赌博".to_owned(), ..FieldValue::default() }],
    }));
    assert!(screen.screen(refused, VISITOR).is_err());
}

#[test]
fn what_the_product_says_of_a_conversation_is_masked_instead_of_refused() {
    let screen = screen(&[words("gambling", &["赌博"], Action::Refuse, AppliesTo::Everyone)]);
    let params = [("question".to_owned(), "能赌博吗".to_owned())].into();
    let why = said(Said::System(SystemText { key: "bot.why".to_owned(), params }));
    let passed = screen.screen(why, BOT).expect("it passes");
    let Some(Said::System(why)) = passed.content.kind else { panic!("a system text") };
    assert_eq!(why.params["question"], "能**吗");
}

#[test]
fn drafts_show_neither_what_is_masked_nor_what_is_refused_nor_a_number_bit_by_bit() {
    let screen = all();
    for (draft, shown) in [
        ("damn, the lott", "****, the lott"),
        ("the lottery", "the *******"),
        ("4111 11", "4111 11"),
        ("4111 1111 11", "4111 11** **"),
        ("4111 1111 1111 1111", "4111 11** **** ****"),
        ("call 12345", "call 12345"),
    ] {
        assert_eq!(screen.screen_draft(draft.to_owned(), VISITOR), shown);
    }
    let none = "4111111111111111 damn".to_owned();
    assert_eq!(Screen::default().screen_draft(none.clone(), VISITOR), none);
}

#[test]
fn a_text_can_be_tried() {
    let tried = all().try_out("the lottery, damn".to_owned(), VISITOR);
    assert_eq!((tried.text.as_str(), tried.is_refused), ("the lottery, ****", true));
    let by: Vec<&str> = tried.by.iter().map(|hit| hit.rule.as_str()).collect();
    assert_eq!(by, ["rude", "gambling"]);
}

#[test]
fn a_single_text_is_looked_at_like_a_message() {
    let screen = all();
    let passed = screen.screen_text("damn good".to_owned(), VISITOR).expect("it passes");
    assert_eq!((passed.content.as_str(), passed.by.len()), ("**** good", 1));
    let passed = screen.screen_name("damn 4111111111111111.pdf".to_owned(), VISITOR);
    assert_eq!(passed.expect("it passes").content, "____ ____________1111.pdf");
    let refused = screen.screen_text("lottery".to_owned(), VISITOR);
    assert_eq!(refused.expect_err("it is refused").detail, "gambling");
}

#[test]
fn rules_that_cannot_hold_are_refused_with_their_place_and_reason() {
    use Action::Flag;
    use AppliesTo::Everyone;
    let fine = || words("fine", &["a"], Flag, Everyone);
    let named = |name: &str| Rule { name: name.to_owned(), ..fine() };
    let many = (0..=RULES_MAX).map(|number| named(&number.to_string())).collect();
    let list = |count: usize| vec!["a".to_owned(); count];
    let patterns = (0..=PATTERNS_MAX).map(|n| pattern(&n.to_string(), "a", Flag)).collect();
    let card = |rule: Rule| vec![Rule { kind: Kind::Card, ..rule }];
    let table: Vec<(Vec<Rule>, &str, &str)> = vec![
        (many, "rules", "more than 100"),
        (vec![named(" ")], "rules[0].name", "1 to 64 bytes"),
        (vec![named(&"x".repeat(65))], "rules[0].name", "1 to 64 bytes"),
        (vec![fine(), fine()], "rules[1].name", "called the same"),
        (vec![words("none", &[], Flag, Everyone)], "rules[0].words", "there is none"),
        (
            vec![words("long", &["a", &"x".repeat(129)], Flag, Everyone)],
            "rules[0].words[1]",
            "longer",
        ),
        (
            vec![words("signs", &["a", "b", "***"], Flag, Everyone)],
            "rules[0].words[2]",
            "no letter",
        ),
        (vec![words("edge", &["C++"], Flag, Everyone)], "rules[0].words[0]", "use a pattern"),
        (
            vec![
                Rule { words: list(WORDS_MAX), ..named("one") },
                Rule { words: list(1), ..named("two") },
            ],
            "rules[1].words",
            "more than 10000",
        ),
        (patterns, "rules[50].pattern", "more than 50"),
        (vec![fine(), pattern("p", "", Flag)], "rules[1].pattern", "1 to 512 bytes"),
        (
            vec![fine(), pattern("p", "ab(c", Flag)],
            "rules[1].pattern",
            "at character 3: unclosed group",
        ),
        (vec![pattern("p", r"a\b{2}(?=x)", Flag)], "rules[0].pattern", "look-around"),
        (vec![pattern("p", r"\w{900}", Flag)], "rules[0].pattern", "too large"),
        (vec![pattern("p", "a*", Flag)], "rules[0].pattern", "nothing"),
        (vec![pattern("p", &"(".repeat(40), Flag)], "rules[0].pattern", "unclosed group"),
        (
            vec![pattern("p", &format!("{}a{}", "(".repeat(40), ")".repeat(40)), Flag)],
            "rules[0].pattern",
            "within each other",
        ),
        (card(fine()), "rules[0].words", "only"),
        (card(pattern("p", "a", Flag)), "rules[0].pattern", "only"),
        (vec![Rule { old_form: true, ..fine() }], "rules[0].old_form", "only"),
    ];
    for (rules, field, reason) in table {
        let refused = Screen::new(&rules).expect_err(field);
        assert_eq!(refused.field, field, "{refused}");
        assert!(refused.reason.contains(reason), "{refused}");
    }
    let full: Vec<Rule> = (0..RULES_MAX).map(|number| named(&number.to_string())).collect();
    let last = outcome(&screen(&full), "a", VISITOR).expect("it passes");
    assert_eq!(last.1.len(), RULES_MAX);
}

#[test]
fn patterns_people_write_fit() {
    for (regex, text) in [
        (r"1[3-9]\d{9}", "打13800138000"),
        (r"[\w.+-]+@[\w-]+\.[\w.]+", "mail a.b+c@example.com.cn now"),
        (r"(?i)(微信|vx|wechat)号?\s*[:：]?\s*[a-z0-9_-]{6,20}", "加微信号：abc_123456"),
        (r"https?://\S+", "see https://example.com/x"),
        (r"\p{Han}{2,4}先生", "找王小明先生"),
        (r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}\b", "DE89 3704 0044 0532 0130"),
    ] {
        let screen = screen(&[pattern("p", regex, Action::Mask)]);
        let (body, rules) = outcome(&screen, text, VISITOR).expect("it passes");
        assert!(rules == ["p"] && body.contains("****"), "{regex}: {body}");
    }
}

#[test]
fn a_document_is_read_as_it_is_written() {
    let rules = vec![
        words("w", &["a"], Action::Mask, AppliesTo::Visitors),
        Rule { old_form: true, ..rule("i", Kind::IdNumber, Action::Flag, AppliesTo::Team) },
    ];
    let written = serde_json::to_string(&rules).expect("it is written");
    assert!(written.contains(r#""kind":"id_number""#), "{written}");
    assert_eq!(serde_json::from_str::<Vec<Rule>>(&written).expect("it is read"), rules);
    let short = r#"[{"name":"c","kind":"card","action":"refuse","applies_to":"everyone"}]"#;
    assert_eq!(serde_json::from_str::<Vec<Rule>>(short).expect("it is read")[0].kind, Kind::Card);
    assert!(serde_json::from_str::<Vec<Rule>>(&short.replace("name", "nome")).is_err());
}

/// Letters and signs that are in no word of [`all`] and close no Latin word.
fn harmless() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![
            Just("你"),
            Just("好"),
            Just("，"),
            Just("。"),
            Just(" "),
            Just("!"),
            Just("\u{200b}"),
            Just("🙂"),
            Just("é"),
            Just("zz "),
            Just("12"),
            Just("*"),
            Just("-"),
            Just("\n"),
            Just("한"),
            Just("ﬁ"),
        ],
        0..30,
    )
    .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn a_text_in_which_nothing_is_found_passes_without_a_change(body in "\\PC{0,200}") {
        let screen = all();
        let tried = screen.try_out(body.clone(), VISITOR);
        if tried.by.is_empty() {
            prop_assert_eq!(tried.text, body);
        }
    }

    #[test]
    fn harmless_texts_pass_without_a_change(body in harmless()) {
        prop_assert_eq!(outcome(&all(), &body, VISITOR), Ok((body, Vec::new())));
    }

    #[test]
    fn masking_keeps_every_character_or_makes_it_an_asterisk(
        parts in proptest::collection::vec(
            prop_oneof![
                "\\PC{0,8}",
                Just("damn".to_owned()), Just("混 蛋".to_owned()), Just("ＤＡＭＮ".to_owned()),
                Just("4111-1111 11111111".to_owned()), Just("wx1234567".to_owned()), Just(" ".to_owned()),
            ],
            0..20,
        ),
    ) {
        let body = parts.concat();
        let masked = all().try_out(body.clone(), VISITOR).text;
        prop_assert_eq!(masked.chars().count(), body.chars().count());
        for (is, was) in masked.chars().zip(body.chars()) {
            prop_assert!(is == was || is == '*', "{was} became {is}");
        }
    }

    #[test]
    fn a_mask_covers_exactly_what_was_found(
        before in harmless(),
        letters in proptest::sample::select(vec!["混蛋", "混 蛋", "混*\u{200b}蛋", "混.蛋"]),
        after in harmless(),
    ) {
        let stars = "*".repeat(letters.chars().count());
        let (body, _) = outcome(&all(), &format!("{before}{letters}{after}"), VISITOR)
            .map_err(TestCaseError::fail)?;
        prop_assert_eq!(body, format!("{before}{stars}{after}"));
    }

    #[test]
    fn a_mask_of_a_latin_word_covers_exactly_it(
        before in harmless(),
        letters in proptest::sample::select(vec!["damn", "DaMn", "d.a.m.n", "d a m n", "ｄａｍｎ", "da\u{301}mn"]),
        after in harmless(),
    ) {
        let stars = "*".repeat(letters.chars().count());
        let (body, _) = outcome(&all(), &format!("{before}，{letters}，{after}"), VISITOR)
            .map_err(TestCaseError::fail)?;
        prop_assert_eq!(body, format!("{before}，{stars}，{after}"));
    }
}
