//! The texts an intent model is trained on and judged by (`datasets/intent`): each line is whole and known, nothing is there
//! twice, and what a model is judged by is nothing it was trained on.

use std::collections::{HashMap, HashSet};

use super::Report;
use crate::tree::SourceFile;

const TRAINING: &str = "datasets/intent/train/";
const EVALUATION: &str = "datasets/intent/eval/";
const LABELS: [&str; 4] = ["complaint", "consult", "sales", "other"];
const LANGUAGES: [&str; 4] = ["zh", "zh-Hant", "en", "mix"];
/// Characters of the longest text: what a visitor writes in one message, not a letter.
const CHARACTERS_MAX: usize = 400;
/// Share of the pairs of letters two texts have in common of all they have, from which on they count as one.
const NEAR: f64 = 0.7;
/// Texts of fewer letters are compared as a whole: they have too few pairs.
const SHORT: usize = 6;

/// A text of the set, and where it stands.
struct Line {
    place: String,
    letters: Vec<char>,
}

pub(super) fn check(files: &[SourceFile], report: &mut Report) {
    let mut read = |folder: &str| {
        let of = files.iter().filter(|file| file.path.starts_with(folder));
        of.flat_map(|file| lines_of(&file.path, &file.text, report)).collect::<Vec<_>>()
    };
    let (training, evaluation) = (read(TRAINING), read(EVALUATION));
    for set in [&training, &evaluation] {
        let mut seen: HashMap<&[char], &str> = HashMap::new();
        for line in set {
            if let Some(first) = seen.insert(&line.letters, &line.place) {
                report.error(format!("{}: the text of {first} again", line.place));
            }
        }
    }
    for (of, near) in near_duplicates(&evaluation, &training) {
        report.error(format!("{}: {} is nearly the same", of.place, near.place));
    }
}

/// The lines of a file; what is wrong with one is told.
fn lines_of(path: &str, text: &str, report: &mut Report) -> Vec<Line> {
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let place = format!("{path}:{number}");
        match written(line) {
            Ok(letters) => lines.push(Line { place, letters }),
            Err(what) => report.error(format!("{place}: {what}")),
        }
    }
    lines
}

/// The letters and digits of a line's text, in lower case.
fn written(line: &str) -> Result<Vec<char>, String> {
    let value: serde_json::Value =
        serde_json::from_str(line).map_err(|error| format!("no JSON: {error}"))?;
    let field = |name: &str| value[name].as_str().ok_or_else(|| format!("no field {name:?}"));
    let (text, label, language) = (field("text")?, field("label")?, field("lang")?);
    if !LABELS.contains(&label) {
        return Err(format!("{label:?} is no label"));
    }
    if !LANGUAGES.contains(&language) {
        return Err(format!("{language:?} is no language of the set"));
    }
    if text.trim().is_empty() || text.chars().count() > CHARACTERS_MAX {
        return Err(format!("a text has 1 to {CHARACTERS_MAX} characters"));
    }
    let letters: Vec<char> = text
        .chars()
        .filter(|letter| letter.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    // Signs alone are a text too.
    Ok(if letters.is_empty() { text.trim().chars().collect() } else { letters })
}

/// Texts of one set that have nearly the same in the other one.
fn near_duplicates<'a>(of: &'a [Line], among: &'a [Line]) -> Vec<(&'a Line, &'a Line)> {
    let pairs = |line: &Line| -> HashSet<(char, char)> {
        line.letters.iter().copied().zip(line.letters.iter().skip(1).copied()).collect()
    };
    let all: Vec<HashSet<(char, char)>> = among.iter().map(pairs).collect();
    let mut with: HashMap<(char, char), Vec<usize>> = HashMap::new();
    for (place, pairs) in all.iter().enumerate() {
        for pair in pairs {
            with.entry(*pair).or_default().push(place);
        }
    }
    let whole: HashMap<&[char], &Line> =
        among.iter().map(|line| (&line.letters[..], line)).collect();
    let mut found = Vec::new();
    for line in of {
        if let Some(same) = whole.get(&line.letters[..]) {
            found.push((line, *same));
            continue;
        }
        if line.letters.len() < SHORT {
            continue;
        }
        let own = pairs(line);
        let mut common: HashMap<usize, usize> = HashMap::new();
        for place in own.iter().filter_map(|pair| with.get(pair)).flatten() {
            *common.entry(*place).or_default() += 1;
        }
        let is_near = |(place, common): &(usize, usize)| {
            let either = own.len() + all[*place].len() - common;
            among[*place].letters.len() >= SHORT && *common as f64 >= NEAR * either as f64
        };
        if let Some((place, _)) = common.into_iter().find(is_near) {
            found.push((line, &among[place]));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(texts: &[&str]) -> Vec<Line> {
        let json = |text: &&str| format!(r#"{{"text":"{text}","label":"consult","lang":"en"}}"#);
        let text: Vec<String> = texts.iter().map(json).collect();
        let mut report = Report::default();
        let lines = lines_of("x", &text.join("\n"), &mut report);
        assert_eq!(report.errors, [""; 0]);
        lines
    }

    #[test]
    fn what_differs_in_signs_or_a_word_is_nearly_the_same() {
        let training =
            lines(&["how long does the delivery to Leeds take?", "你好", "什么时候能到货啊"]);
        let evaluation = lines(&[
            "How long does the delivery to Leeds take",
            "how long does a delivery to leeds take??",
            "你好！",
            "您好",
            "how long will you keep my parcel",
            "什么时候到货",
        ]);
        let near = near_duplicates(&evaluation, &training);
        let near: Vec<&str> = near.iter().map(|(line, _)| &*line.place).collect();
        assert_eq!(near, ["x:1", "x:2", "x:3"]);
    }

    #[test]
    fn a_line_that_is_not_whole_is_told() {
        for (line, what) in [
            ("", "no JSON"),
            (r#"{"text":"hi","label":"other"}"#, "no field \"lang\""),
            (r#"{"text":"hi","label":"praise","lang":"en"}"#, "is no label"),
            (r#"{"text":"hi","label":"other","lang":"fr"}"#, "is no language"),
            (r#"{"text":" ","label":"other","lang":"en"}"#, "1 to 400 characters"),
        ] {
            let said = written(line).expect_err("it is wrong");
            assert!(said.contains(what), "{said}");
        }
    }
}
