//! The flows that are shipped as examples pass their own tests with the demo's articles, and files that are wrong are
//! refused with line and step.

use std::fs;
use std::path::Path;

use frontdesk_bot::{BotConfig, Flow, Mind, Problem, Severity, run_tests};
use frontdesk_knowledge::{Knowledge, Options, demo};

#[test]
fn every_example_passes_its_own_tests() {
    let knowledge = Knowledge::build(&demo::articles(), Options::default()).unwrap();
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/flows");
    let mut files = 0;
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let (flow, problems) = Flow::check(&fs::read_to_string(&path).unwrap());
        assert_eq!(problems, [], "{}", path.display());
        let flow = flow.unwrap();
        assert_eq!(path.file_stem().unwrap().to_str(), Some(flow.name.as_str()));
        let languages: Vec<&str> = flow.tests.iter().map(|test| test.language.as_str()).collect();
        assert!(languages.contains(&"en") && languages.contains(&"zh-CN"), "{languages:?}");
        let mind = Mind::new(BotConfig::default(), Some(knowledge.clone()), vec![flow.clone()]);
        for result in run_tests(&mind, &flow) {
            assert_eq!(result.mismatches, [], "{}: {}", path.display(), result.name);
        }
        files += 1;
    }
    assert_eq!(files, 2);
}

#[test]
fn the_flow_in_the_document_passes_its_own_tests() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/bot.md");
    let document = fs::read_to_string(document).unwrap();
    let (_, rest) = document.split_once("```yaml\n").unwrap();
    let (yaml, _) = rest.split_once("```").unwrap();
    let (flow, problems) = Flow::check(yaml);
    assert_eq!(problems, []);
    let flow = flow.unwrap();
    let mind = Mind::new(BotConfig::default(), None, vec![flow.clone()]);
    let results = run_tests(&mind, &flow);
    assert_eq!(results.len(), 1);
    assert_eq!(results[0].mismatches, []);
}

/// Everything that is wrong with a text.
fn problems(yaml: &str) -> Vec<Problem> {
    Flow::check(yaml).1
}

/// The problems as `code@line/step`.
fn short(yaml: &str) -> Vec<String> {
    problems(yaml)
        .into_iter()
        .map(|problem| format!("{}@{}/{}", problem.code, problem.line, problem.step))
        .collect()
}

#[test]
fn a_loop_that_does_not_wait_is_refused_with_its_path() {
    let yaml = "name: round\n\
                steps:\n  \
                  a:\n    say: { en: one }\n    goto: b\n  \
                  b:\n    set: { x: y }\n    goto: c\n  \
                  c:\n    if: { variable: x, equals: y, goto: a }\n    goto: d\n  \
                  d:\n    end: true\n";
    let found = problems(yaml);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].code.as_str(), found[0].line, found[0].step.as_str()),
        ("endless_loop", 3, "a")
    );
    assert!(found[0].reason.ends_with("a -> b -> c -> a"), "{}", found[0].reason);
    // With a step that waits it is none.
    let waits = yaml.replace("set: { x: y }\n    goto: c", "form:\n      title: { en: t }\n      fields: [{ id: x, kind: text, required: true, label: { en: x } }]\n    goto: c");
    assert_eq!(short(&waits), Vec::<String>::new());
    // A step that leads to itself is the smallest.
    assert_eq!(
        short("name: n\nsteps:\n  a:\n    say: { en: x }\n    goto: a\n"),
        ["endless_loop@3/a"]
    );
}

#[test]
fn a_step_that_is_not_there_is_named_and_the_nearest_is_offered() {
    let yaml = "name: n\nsteps:\n  begin:\n    say: { en: x }\n    goto: thank-you\n  thanks:\n    end: true\n";
    let found = problems(yaml);
    assert_eq!(found[0].code, "unknown_step");
    assert_eq!((found[0].line, found[0].step.as_str()), (5, "begin"));
    assert!(found[0].reason.contains("is it `thanks`?"), "{}", found[0].reason);
    // Nothing leads to `thanks` only because of that; it is not told about.
    assert_eq!(found.len(), 1);
}

#[test]
fn unknown_fields_and_wrong_values_are_refused_with_their_line() {
    for (yaml, line, word) in [
        ("name: n\nsteps:\n  a:\n    end: true\n    colour: red\n", 5, "colour"),
        (
            "name: n\nsteps:\n  a:\n    ask:\n      text: { en: x }\n      choices: []\n      hint: y\n",
            7,
            "hint",
        ),
        ("name: n\nmode: x\nsteps: {}\n", 2, "mode"),
        ("name: n\nsteps:\n  a:\n    end: maybe\n", 4, ""),
        (
            "name: n\nsteps:\n  a:\n    form:\n      title: { en: x }\n      fields:\n        - { id: x, kind: date, label: { en: x } }\n",
            7,
            "date",
        ),
        ("name: n\nsteps: [a, b]\n", 2, ""),
        (
            "name: n\nsteps:\n  a: {end: true}\ntests:\n  - name: t\n    say: [x]\n    expect: [{ handover: soon }]\n",
            7,
            "soon",
        ),
        (
            "name: n\nsteps:\n  a: {end: true}\ntests:\n  - name: t\n    say: [{ shout: x }]\n    expect: [{}]\n",
            6,
            "shout",
        ),
        ("name: [", 1, ""),
        ("", 1, ""),
    ] {
        let found = problems(yaml);
        assert_eq!(found.len(), 1, "{yaml}: {found:?}");
        assert_eq!(
            (found[0].code.as_str(), found[0].line),
            ("unreadable", line),
            "{yaml}: {found:?}"
        );
        assert!(found[0].reason.contains(word), "{yaml}: {}", found[0].reason);
    }
}

#[test]
fn what_cannot_be_read_is_of_a_kind_and_has_a_column() {
    let step = "name: n\nsteps:\n  a:\n";
    for (yaml, kind, name) in [
        (format!("{step}    end: true\n    colour: red\n"), "unknown_field", "colour"),
        (
            format!(
                "{step}    form: {{ title: {{ en: x }}, fields: [{{ id: x, kind: date, label: {{ en: x }} }}] }}\n"
            ),
            "unknown_value",
            "date",
        ),
        ("steps:\n  a: { end: true }\n".to_owned(), "missing_field", "name"),
        ("name: n\nname: m\nsteps: {}\n".to_owned(), "duplicate_key", "name"),
        ("name: n\nsteps: [a, b]\n".to_owned(), "not_mapping", ""),
        (format!("{step}    say: hello\n"), "not_mapping", ""),
        (format!("{step}    ask: {{ text: {{ en: x }}, choices: yes }}\n"), "not_list", ""),
        (format!("{step}    goto: [b]\n"), "not_text", ""),
        ("name: n\nversion: two\nsteps: {}\n".to_owned(), "not_number", ""),
        ("name: n\nstart: { default: perhaps }\nsteps: {}\n".to_owned(), "not_boolean", ""),
        (format!("{step}    end: maybe\n"), "not_end", ""),
        (format!("{step}    end: false\n"), "not_end", ""),
        (
            format!(
                "{step}    end: true\ntests:\n  - {{ name: t, say: [{{}}], expect: [{{}}] }}\n"
            ),
            "not_said",
            "",
        ),
        (
            format!(
                "{step}    end: true\ntests:\n  - {{ name: t, say: [x], expect: [{{ text: {{ en: x }} }}] }}\n"
            ),
            "not_texts",
            "",
        ),
        (
            format!(
                "{step}    end: true\ntests:\n  - {{ name: t, say: [x], expect: [{{ handover: soon }}] }}\n"
            ),
            "unknown_value",
            "soon",
        ),
        (
            format!(
                "{step}    end: true\ntests:\n  - {{ name: t, say: [x], expect: [{{ handover: [x] }}] }}\n"
            ),
            "not_handover",
            "",
        ),
        (String::new(), "empty", ""),
        ("name: n\nsteps: {}\n---\nname: m\nsteps: {}\n".to_owned(), "several_documents", ""),
        (format!("{step}    goto: *b\n"), "unknown_anchor", ""),
        ("name: n\nsteps: { a: { end: true }\n".to_owned(), "unclosed_bracket", ""),
        ("name: [".to_owned(), "not_text", ""),
        ("name: n\nsteps: { a: { end: true ] }\n".to_owned(), "wrong_bracket", ""),
        ("name: n\nsteps: { a: { end: true } }}\n".to_owned(), "needless_bracket", ""),
        ("name: n\nsteps: { a: { end: true } b: { end: true } }\n".to_owned(), "missing_comma", ""),
        ("name: 'n\nsteps: {}\n".to_owned(), "unclosed_quote", ""),
        ("name: 'n' m\nsteps: {}\n".to_owned(), "after_quote", ""),
        (format!("{step}    if: {{ variable: x, matches: \"\\d\", goto: a }}\n"), "escape", ""),
        ("name: n\nsteps:\n\ta:\n\t\tend: true\n".to_owned(), "tab", ""),
        (
            "name: n\nsteps:\n  a:\n    end: true\n   b:\n    end: true\n".to_owned(),
            "indentation",
            "",
        ),
        ("name: n\nsteps:\n  a:\n    end: true\n    goto\n".to_owned(), "missing_colon", ""),
        ("name: what: that\nsteps: {}\n".to_owned(), "colon", ""),
        ("name: @n\nsteps: {}\n".to_owned(), "character", ""),
    ] {
        let found = problems(&yaml);
        let params = &found[0].params;
        let param = |name: &str| params.get(name).map(String::as_str).unwrap_or_default();
        assert_eq!(found.len(), 1, "{yaml}: {found:?}");
        assert_eq!((param("kind"), param("name")), (kind, name), "{yaml}: {found:?}");
        assert!(!param("detail").is_empty(), "{yaml}: {found:?}");
        assert!(kind == "empty" || !param("column").is_empty(), "{yaml}: {found:?}");
    }
}

#[test]
fn a_pattern_that_cannot_be_used_says_where_and_why() {
    let yaml = "name: n\nsteps:\n  a: { set: { x: y }, goto: b }\n  b: { if: { variable: x, matches: '订单(', goto: c }, goto: c }\n  c: { end: true }\n";
    let found = problems(yaml);
    assert_eq!(found.len(), 1, "{found:?}");
    let params: Vec<_> = found[0].params.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(
        params,
        [
            ("at", "3"),
            ("detail", "error: unclosed group"),
            ("kind", "group_unclosed"),
            ("part", "(")
        ]
    );
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let long = "x".repeat(5_000);
    for (steps, expected) in [
        ("  a: {}\n".to_owned(), vec!["empty_step@3/a"]),
        ("  a: { end: true, close: true }\n".to_owned(), vec!["several_kinds@3/a"]),
        ("  a: { say: { en: x } }\n".to_owned(), vec!["missing_goto@3/a"]),
        ("  a: { end: true, goto: a }\n".to_owned(), vec!["needless_goto@3/a"]),
        (
            "  a: { say: { fr: x }, goto: b }\n  b: { end: true }\n".to_owned(),
            vec!["unknown_language@3/a"],
        ),
        (
            "  a: { say: { en: ' ' }, goto: b }\n  b: { end: true }\n".to_owned(),
            vec!["no_text@3/a"],
        ),
        (
            format!("  a: {{ say: {{ en: {long} }}, goto: b }}\n  b: {{ end: true }}\n"),
            vec!["text_too_long@3/a"],
        ),
        ("  a: { end: true }\n  b:\n    end: true\n".to_owned(), vec!["unreachable_step@4/b"]),
        (
            "  a: { say: { en: 'hi {name}' }, goto: b }\n  b: { end: true }\n".to_owned(),
            vec!["unknown_variable@3/a"],
        ),
        (
            "  a: { set: { Name: x }, goto: b }\n  b: { end: true }\n".to_owned(),
            vec!["bad_variable@3/a"],
        ),
        (
            "  a: { if: { variable: x, goto: b }, goto: b }\n  b: { end: true }\n".to_owned(),
            vec!["bad_condition@3/a"],
        ),
        (
            "  a: { if: { variable: x, matches: '(', goto: b }, goto: b }\n  b: { end: true }\n"
                .to_owned(),
            vec!["bad_pattern@3/a"],
        ),
        ("  a: { ask: { text: { en: x }, choices: [] } }\n".to_owned(), vec!["no_choices@3/a"]),
        ("  '': { end: true }\n".to_owned(), vec!["empty_name@3/"]),
        ("  a: { handover: { team: '' } }\n".to_owned(), vec!["empty_name@3/a"]),
    ] {
        let found = short(&format!("name: n\nsteps:\n{steps}"));
        let found: Vec<&str> = found.iter().map(String::as_str).collect();
        // A variable that is never saved is a warning beside what a case is about.
        let is_about_it = expected[0].starts_with("unknown_variable");
        let found: Vec<&str> = found
            .into_iter()
            .filter(|of| is_about_it || !of.starts_with("unknown_variable"))
            .collect();
        assert_eq!(found.first(), expected.first(), "{steps}: {found:?}");
    }
    let choice = |n| format!("        - {{ id: c{n}, label: {{ en: c{n} }}, goto: b }}\n");
    let choices = (0..11).map(choice).collect::<Vec<_>>().concat();
    let yaml = format!(
        "name: n\nsteps:\n  a:\n    ask:\n      text: {{ en: x }}\n      choices:\n{choices}  b: {{ end: true }}\n"
    );
    assert_eq!(short(&yaml), ["too_many_choices@3/a"]);
    let step = |n| format!("  s{n}: {{ end: true }}\n");
    let steps = (0..201).map(step).collect::<Vec<_>>().concat();
    assert_eq!(short(&format!("name: n\nsteps:\n{steps}")), ["too_many_steps@203/"]);
    assert_eq!(short("name: ''\nsteps:\n  a: { end: true }\n"), ["empty_name@1/"]);
    // Patterns stay in memory: twenty of a flow, each of 64 KiB.
    let matching = |n, pattern: &str| {
        format!(
            "  s{n}: {{ if: {{ variable: x, matches: '{pattern}', goto: s{} }}, goto: e }}\n",
            n + 1
        )
    };
    let first = "name: n\nsteps:\n  s0: { set: { x: y }, goto: s1 }\n";
    let with = |steps: String, last| {
        let found =
            short(&format!("{first}{steps}  s{last}: {{ end: true }}\n  e: {{ end: true }}\n"));
        found.into_iter().filter(|of| of.contains("pattern")).collect::<Vec<_>>()
    };
    let many = |count| (1..=count).map(|n| matching(n, "^[0-9]{10}$")).collect::<String>();
    assert!(with(many(20), 21).is_empty());
    assert_eq!(with(many(21), 22), ["too_many_patterns@24/s21"]);
    assert_eq!(with(matching(1, r"^\w{100}$"), 2), ["large_pattern@4/s1"]);
    assert_eq!(short("name: n\nsteps: {}\n"), ["no_steps@1/"]);
    assert_eq!(
        short(&format!("name: n\n# {}\nsteps: {{}}\n", "x".repeat(300 << 10))),
        ["too_large@0/"]
    );
}

#[test]
fn warnings_let_a_flow_pass() {
    let yaml = "name: n\nsteps:\n  a: { end: true }\n  b: { end: true }\n";
    let (flow, problems) = Flow::check(yaml);
    assert_eq!(problems[0].severity, Severity::Warning);
    assert_eq!(flow.unwrap().steps_count(), 2);
}

#[test]
fn a_test_that_fails_says_what_came() {
    let yaml = "name: n\n\
                start: { when: { words: [go] } }\n\
                steps:\n  a: { say: { en: hello there }, goto: b }\n  b: { handover: { team: Sales } }\n\
                tests:\n  - name: wrong\n    say: [go]\n    expect:\n      - { text: good-bye, handover: asked, team: Support }\n";
    let flow = Flow::parse(yaml).unwrap();
    let mind = Mind::new(BotConfig::default(), None, vec![flow.clone()]);
    let results = run_tests(&mind, &flow);
    let mismatches = &results[0].mismatches;
    assert!(!results[0].passed());
    let of: Vec<(&str, &str)> =
        mismatches.iter().map(|mismatch| (mismatch.of, mismatch.expected.as_str())).collect();
    assert_eq!(of, [("text", "good-bye"), ("handover", "asked"), ("team", "Support")]);
    assert!(mismatches[0].got.starts_with("hello there"));
    assert_eq!((mismatches[1].got.as_str(), mismatches[2].got.as_str()), ("flow", "Sales"));
    assert_eq!((mismatches[0].line, mismatches[0].after.as_str()), (10, "go"));
}
