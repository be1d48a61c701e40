//! Decisions about single questions.

use std::sync::Arc;

use frontdesk_knowledge::{
    ARTICLES_MAX, Article, BODY_BYTES_MAX, Embed, Knowledge, Options, Outcome, demo,
};

use crate::article;

fn demo_knowledge() -> Knowledge {
    Knowledge::build(&demo::articles(), Options::default()).unwrap()
}

fn answered(knowledge: &Knowledge, question: &str, lang: &str) -> Option<String> {
    match knowledge.answer(question, lang) {
        Outcome::Answer(answer) => Some(answer.found.slug),
        Outcome::Between(_) | Outcome::Nothing => None,
    }
}

#[test]
fn a_title_is_answered_by_its_article_and_says_why() {
    let knowledge = demo_knowledge();
    let Outcome::Answer(answer) = knowledge.answer("When will I get my refund?", "en") else {
        panic!("{:?}", knowledge.find("When will I get my refund?", "en", 3));
    };
    let found = answer.found;
    assert_eq!((found.slug.as_str(), found.lang.as_str()), ("refund-time", "en"));
    assert!(found.score > 0.8 && found.score <= 1.0, "{}", found.score);
    assert!(found.words.contains(&"refund".to_owned()), "{:?}", found.words);
    assert!(!found.passage.contains("**") && !found.passage.is_empty());
    assert!(found.parts.title > 0.9 && found.parts.margin > 0.0, "{:?}", found.parts);
}

#[test]
fn every_title_of_the_demo_is_found_first_in_its_language() {
    let knowledge = demo_knowledge();
    for article in demo::articles() {
        for (lang, text) in &article.texts {
            let found = knowledge.find(&text.title, lang, 3);
            assert_eq!(found[0].slug, article.slug, "{}", text.title);
            assert_eq!(&found[0].lang, lang);
        }
    }
}

#[test]
fn a_question_in_traditional_characters_is_answered() {
    let knowledge = demo_knowledge();
    assert_eq!(answered(&knowledge, "退款多久到賬？", "zh-TW").as_deref(), Some("refund-time"));
}

#[test]
fn a_question_written_in_another_language_than_the_browsers_is_answered_in_its_own() {
    let knowledge = demo_knowledge();
    assert_eq!(knowledge.find("怎么办理退货", "en", 1)[0].lang, "zh-CN");
    assert_eq!(knowledge.find("how to send something back", "zh", 1)[0].lang, "en");
}

#[test]
fn an_english_article_answers_a_chinese_question_only_where_no_chinese_text_is() {
    let both = article(
        "refund-time",
        &[("en", "Refund", "The refund takes 3 days."), ("zh-CN", "营业时间", "九点开门。")],
    );
    let english = article("gift-cards", &[("en", "Gift cards", "How to use a gift card.")]);
    let knowledge = Knowledge::build(&[both, english], Options::default()).unwrap();
    let slugs = |question: &str| {
        let found = knowledge.find(question, "zh", 5);
        found.into_iter().map(|found| (found.slug, found.lang)).collect::<Vec<_>>()
    };
    assert_eq!(slugs("礼品卡"), [("gift-cards".to_owned(), "en".to_owned())]);
    assert_eq!(slugs("退款"), []);
}

#[test]
fn two_articles_that_may_both_be_meant_are_asked_back() {
    let articles = [
        article("parking-north", &[("en", "Parking at the northern gate", "Free on weekdays.")]),
        article("parking-south", &[("en", "Parking at the southern gate", "Free at weekends.")]),
        article("toilets", &[("en", "Where the toilets are", "On every floor.")]),
        article("lockers", &[("en", "Lockers for bags", "Next to the till.")]),
    ];
    let knowledge = Knowledge::build(&articles, Options::default()).unwrap();
    let Outcome::Between(found) = knowledge.answer("is there parking at a gate", "en") else {
        panic!("{:?}", knowledge.find("is there parking at a gate", "en", 3));
    };
    let mut slugs: Vec<&str> = found.iter().map(|found| found.slug.as_str()).collect();
    slugs.sort_unstable();
    assert_eq!(slugs, ["parking-north", "parking-south"]);
    let northern = "parking at the northern gate";
    assert_eq!(answered(&knowledge, northern, "en").as_deref(), Some("parking-north"));
}

#[test]
fn another_way_to_ask_is_as_good_as_the_title() {
    let mut articles = demo::articles();
    let question = "do you do the thing with the ribbon";
    let knowledge = Knowledge::build(&articles, Options::default()).unwrap();
    assert_ne!(answered(&knowledge, question, "en").as_deref(), Some("gift-wrapping"));
    let wrapping = articles.iter_mut().find(|article| article.slug == "gift-wrapping").unwrap();
    wrapping.texts.get_mut("en").unwrap().questions.push(question.to_owned());
    let knowledge = Knowledge::build(&articles, Options::default()).unwrap();
    assert_eq!(answered(&knowledge, question, "en").as_deref(), Some("gift-wrapping"));
}

#[test]
fn what_no_article_knows_is_nothing() {
    let knowledge = demo_knowledge();
    for question in
        ["what is the capital of france", "帮我写一首诗", "", "👍👍", "???", "the", "的"]
    {
        assert!(
            !matches!(knowledge.answer(question, "en"), Outcome::Answer(_)),
            "{question}: {:?}",
            knowledge.find(question, "en", 1)
        );
    }
    let empty = Knowledge::build(&[], Options::default()).unwrap();
    assert!(empty.is_empty());
    assert_eq!(empty.answer("refund", "en"), Outcome::Nothing);
}

#[test]
fn what_is_asked_for_by_its_title_is_shown_from_its_beginning() {
    let knowledge = demo_knowledge();
    let passage = |question: &str| {
        let found = knowledge.find(question, "en", 1).remove(0);
        assert_eq!(found.slug, "delivery-time", "{question}");
        found.passage
    };
    let first = passage("How long does delivery take?");
    assert!(first.starts_with("Times count from") && first.contains("SF Express"), "{first}");
    // What is asked beyond the title leads to where it is said.
    let customs = passage("How long does delivery take when customs look into it?");
    assert!(customs.contains("Time spent in customs"), "{customs}");
}

#[test]
fn what_is_asked_of_a_thing_is_not_answered_by_what_the_thing_is() {
    let knowledge = demo_knowledge();
    for question in ["盖碗怎么退货", "盖碗可以退吗", "盖碗坏了怎么办"] {
        let found = knowledge.find(question, "zh", 1);
        assert_eq!(answered(&knowledge, question, "zh"), None, "{question}: {found:?}");
    }
    // The words of an article's own title are no coincidence, be there but one that counts.
    let articles = [
        article("gaiwan", &[("en", "The gaiwan", "A lidded bowl.")]),
        article("returns", &[("en", "How do I return something?", "Within 30 days.")]),
        article("lockers", &[("en", "Lockers for bags", "Next to the till.")]),
    ];
    let knowledge = Knowledge::build(&articles, Options::default()).unwrap();
    assert_eq!(answered(&knowledge, "the gaiwan", "en").as_deref(), Some("gaiwan"));
    assert_eq!(answered(&knowledge, "can I return the gaiwan", "en"), None);
}

#[test]
fn a_draft_is_never_found() {
    let mut draft = article("refund-time", &[("en", "Refund", "The refund takes 3 days.")]);
    draft.published = false;
    let other = article("gift-cards", &[("en", "Gift cards", "How to use a gift card.")]);
    let knowledge = Knowledge::build(&[draft, other], Options::default()).unwrap();
    assert_eq!(knowledge.len(), 1);
    assert_eq!(knowledge.find("refund", "en", 5), []);
}

#[test]
fn a_question_of_64_kib_is_read_to_a_bound() {
    let knowledge = demo_knowledge();
    let mut question = "When will I get my refund? ".to_owned();
    while question.len() < 64 * 1024 {
        question.push_str("lorem ipsum 茶茶茶 ﷺ ");
    }
    let found = knowledge.find(&question, "en", 3);
    assert!(found.len() <= 3);
    // A word behind the bound changes nothing.
    let longer = format!("{question} gift wrapping gift wrapping");
    assert_eq!(knowledge.find(&longer, "en", 3), found);
}

#[test]
fn articles_beyond_the_limits_are_refused_with_a_code() {
    let code =
        |articles: &[Article]| Knowledge::build(articles, Options::default()).unwrap_err().code();
    let body = "x".repeat(5 * 1024 * 1024);
    assert_eq!(code(&[article("huge", &[("en", "Huge", &body)])]), "article_body_too_long");
    let full = article("full", &[("en", "Full", &"x".repeat(BODY_BYTES_MAX))]);
    assert_eq!(code(&vec![full; 260]), "articles_too_much_text");
    let small = article("small", &[("en", "Small", "x")]);
    assert_eq!(code(&vec![small; ARTICLES_MAX + 1]), "articles_too_many");
}

#[test]
fn one_article_of_the_largest_size_is_indexed() {
    let body = "茶 tea\n\n".repeat(BODY_BYTES_MAX / 10);
    let largest = article("largest", &[("en", "Largest", &body)]);
    let knowledge = Knowledge::build(&[largest], Options::default()).unwrap();
    assert_eq!(knowledge.find("tea", "en", 1)[0].slug, "largest");
}

/// Texts about water are one direction, all others another.
fn embed() -> Embed {
    Arc::new(|text: &str| {
        let wet = ["rain", "wet", "umbrella", "drizzle"].iter().any(|word| text.contains(word));
        Some(if wet { vec![1.0, 0.0] } else { vec![0.0, 1.0] })
    })
}

#[test]
fn a_sentence_model_finds_what_shares_no_word() {
    let articles = [
        article("umbrellas", &[("en", "Borrow an umbrella", "At the till.")]),
        article("lockers", &[("en", "Lockers for bags", "Next to the till.")]),
    ];
    let words = Knowledge::build(&articles, Options::default()).unwrap();
    assert_eq!(words.find("it might drizzle", "en", 3), []);
    let options = Options { embed: Some(embed()), ..Options::default() };
    let meaning = Knowledge::build(&articles, options).unwrap();
    let found = meaning.find("it might drizzle", "en", 3);
    assert_eq!(found[0].slug, "umbrellas");
    assert_eq!(found[0].parts.cosine, Some(1.0));
    assert!(found[0].score > found[1].score);
}

#[test]
fn a_sentence_model_that_fails_leaves_the_words() {
    let options = Options { embed: Some(Arc::new(|_| None)), ..Options::default() };
    let knowledge = Knowledge::build(&demo::articles(), options).unwrap();
    let plain = demo_knowledge();
    let question = "how long does a refund take";
    assert_eq!(knowledge.find(question, "en", 3), plain.find(question, "en", 3));
}

#[test]
fn one_index_answers_many_threads_alike() {
    let knowledge = demo_knowledge();
    let expected = knowledge.find("refund to paypal", "en", 3);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    assert_eq!(knowledge.clone().find("refund to paypal", "en", 3), expected);
                }
            });
        }
    });
}

#[test]
fn an_account_of_very_many_languages_is_found_in_each_of_them() {
    // Some with more articles than others, and more languages than have a shelf of their own.
    let letters = "abcdefghijklmnop";
    let tags: Vec<String> = letters
        .chars()
        .flat_map(|one| ["q", "x", "w", "k"].map(|two| format!("{two}{one}z")))
        .collect();
    let mut articles: Vec<Article> = tags
        .iter()
        .enumerate()
        .map(|(at, tag)| {
            article(&format!("plain-{at}"), &[(tag, &format!("zanzibar{tag}"), "Some text.")])
        })
        .collect();
    articles.push(article(
        "common",
        &tags[..3].iter().map(|tag| (tag.as_str(), "quintessence", "More.")).collect::<Vec<_>>(),
    ));
    let knowledge = Knowledge::build(&articles, Options::default()).unwrap();
    for (at, tag) in tags.iter().enumerate() {
        let found = knowledge.find(&format!("zanzibar{tag}"), tag, 3);
        assert_eq!(
            (found[0].slug.as_str(), found[0].lang.as_str()),
            (&*format!("plain-{at}"), tag.as_str())
        );
    }
    let found = knowledge.find("quintessence", &tags[2], 3);
    assert_eq!((found.len(), found[0].lang.as_str()), (1, tags[2].as_str()));
}

#[test]
fn what_stands_behind_the_passages_of_a_long_text_is_found() {
    let block = "Some words about tea. ".repeat(24);
    let mut body = format!("{block}\n\n").repeat(300);
    body.push_str("The zanzibar clause is here.");
    let articles =
        [article("long", &[("en", "Tea", &body)]), article("other", &[("en", "Coffee", "Beans.")])];
    let knowledge = Knowledge::build(&articles, Options::default()).unwrap();
    let found = knowledge.find("zanzibar", "en", 3);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].slug.as_str(), found[0].words.as_slice()),
        ("long", &["zanzibar".to_owned()][..])
    );
    assert!(found[0].parts.coverage > 0.9, "{:?}", found[0].parts);
}
