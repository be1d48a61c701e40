//! The figures of the demo's help centre over files of questions, and what was not found.
//!
//! `judge FILE.. [--misses]`

use std::{env, fs};

use anyhow::Result;
use frontdesk_knowledge::{Knowledge, Options, Outcome, demo, eval};

#[expect(clippy::print_stdout, reason = "an example speaks to who runs it")]
fn main() -> Result<()> {
    let (flags, files): (Vec<String>, Vec<String>) =
        env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let knowledge = Knowledge::build(&demo::articles(), Options::default())?;
    for file in files {
        let questions = eval::read_questions(&fs::read_to_string(&file)?)?;
        let report = eval::evaluate(&knowledge, &questions);
        println!("{file} {}", serde_json::to_string_pretty(&report)?);
        if flags.is_empty() {
            continue;
        }
        for question in &questions {
            let found = knowledge.find(&question.question, &question.lang, 3);
            let first = found.first();
            let right = first.map(|found| &found.slug) == question.article.as_ref();
            let answered =
                matches!(knowledge.answer(&question.question, &question.lang), Outcome::Answer(_));
            if right && answered || question.article.is_none() && !answered {
                continue;
            }
            let list: Vec<String> = found
                .iter()
                .map(|found| format!("{} {:.2} {:?}", found.slug, found.score, found.words))
                .collect();
            println!(
                "{} -> {:?} right={right} answered={answered}\n   {}",
                question.question,
                question.article,
                list.join("\n   ")
            );
        }
    }
    Ok(())
}
