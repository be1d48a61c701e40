//! A table of questions and answers, as spreadsheets write them.
//!
//! The first row names the columns, in any order: `question` and `answer`, and if wanted `lang`, `category`, `slug`,
//! `summary` and `questions` (other ways to ask, `|` between them). Comma, semicolon or tab between columns, quotes and
//! line breaks within a field, UTF-8 with or without a byte order mark.

use csv::{Reader, ReaderBuilder, StringRecord};

use super::{Draft, Problem, language, language_by_letters, slug_or};
use crate::article::{ARTICLES_MAX, ArticleText};

/// Bytes of a table.
pub const TABLE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Problems that are told; more help nobody.
const PROBLEMS_MAX: usize = 100;

/// What a table holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// What can be imported.
    pub drafts: Vec<Draft>,
    /// What cannot, with its lines.
    pub problems: Vec<Problem>,
}

/// Reads a table. A row that is wrong is a problem; the others are read.
pub fn csv(text: &str) -> Table {
    let mut table = Table::default();
    if text.len() > TABLE_BYTES_MAX {
        let reason = format!("the table has {} bytes, at most {TABLE_BYTES_MAX}", text.len());
        table.problems.push(
            Problem::new(0, "table_too_long", reason).with("limit", &(TABLE_BYTES_MAX >> 20)),
        );
        return table;
    }
    let text = text.trim_start_matches('\u{feff}');
    let mut reader =
        ReaderBuilder::new().delimiter(delimiter(text)).flexible(true).from_reader(text.as_bytes());
    if let Err(problem) = read(&mut reader, &mut table) {
        table.problems.push(problem);
    }
    table
}

fn delimiter(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    let count = |mark: u8| header.bytes().filter(|byte| *byte == mark).count();
    // Of two that are as frequent the first counts.
    [b',', b';', b'\t'].into_iter().rev().max_by_key(|mark| count(*mark)).unwrap_or(b',')
}

struct Columns {
    question: usize,
    answer: usize,
    lang: Option<usize>,
    category: Option<usize>,
    slug: Option<usize>,
    summary: Option<usize>,
    questions: Option<usize>,
}

impl Columns {
    fn of(header: &StringRecord) -> Result<Self, Problem> {
        let find = |names: &[&str]| {
            header.iter().position(|column| names.contains(&column.trim().to_lowercase().as_str()))
        };
        let missing = |name: &str| {
            let reason = format!("the first row names no column \"{name}\"");
            Problem::new(1, "table_columns", reason).with("column", name)
        };
        Ok(Self {
            question: find(&["question", "title", "问题", "标题"])
                .ok_or_else(|| missing("question"))?,
            answer: find(&["answer", "body", "答案", "回答", "内容"])
                .ok_or_else(|| missing("answer"))?,
            lang: find(&["lang", "language", "语言"]),
            category: find(&["category", "分类"]),
            slug: find(&["slug"]),
            summary: find(&["summary", "摘要"]),
            questions: find(&["questions", "相似问题"]),
        })
    }
}

fn read(reader: &mut Reader<&[u8]>, table: &mut Table) -> Result<(), Problem> {
    let header = reader.headers().map_err(|error| broken(&error))?.clone();
    let columns = Columns::of(&header)?;
    for record in reader.records() {
        if table.problems.len() >= PROBLEMS_MAX {
            return Err(Problem::new(0, "table_problems", "more problems are not told"));
        }
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                table.problems.push(broken(&error));
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        if record.iter().all(|field| field.trim().is_empty()) {
            continue;
        }
        if table.drafts.len() == ARTICLES_MAX {
            let reason = format!("more than {ARTICLES_MAX} rows; the rest is left out");
            let problem = Problem::new(line, "articles_too_many", reason);
            return Err(problem.with("limit", &ARTICLES_MAX));
        }
        match draft(&record, &columns, line) {
            Ok(draft) => table.drafts.push(draft),
            Err(problem) => table.problems.push(problem),
        }
    }
    Ok(())
}

fn draft(record: &StringRecord, columns: &Columns, line: u64) -> Result<Draft, Problem> {
    let field = |column: Option<usize>| {
        column.and_then(|column| record.get(column)).unwrap_or_default().trim()
    };
    let question = field(Some(columns.question));
    let answer = field(Some(columns.answer));
    if question.is_empty() {
        return Err(Problem::new(line, "table_no_question", "the question is empty"));
    }
    if answer.is_empty() {
        return Err(Problem::new(line, "table_no_answer", "the answer is empty"));
    }
    let lang = match field(columns.lang) {
        "" => language_by_letters(question),
        written => language(written).ok_or_else(|| {
            let written: String = written.chars().take(40).collect();
            Problem::new(line, "article_language", format!("\"{written}\" is no language"))
                .with("lang", &written)
        })?,
    };
    let questions = field(columns.questions).split('|').map(str::trim);
    let draft = Draft {
        slug: slug_or(field(columns.slug), question),
        category: field(columns.category).to_owned(),
        lang,
        text: ArticleText {
            title: question.to_owned(),
            summary: field(columns.summary).to_owned(),
            body: answer.to_owned(),
            questions: questions.filter(|one| !one.is_empty()).map(str::to_owned).collect(),
            category: String::new(),
        },
    };
    draft.check().map_err(|error| Problem::of(line, &error))?;
    Ok(draft)
}

fn broken(error: &csv::Error) -> Problem {
    let line = error.position().map_or(0, csv::Position::line);
    Problem::new(line, "table_row", error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_a_spreadsheet_is_read() {
        let text = "\u{feff}Question;Answer;Lang;Category;Slug\r\n\"How long; really?\";\"Two days.\r\nOr \"\"three\"\".\";en;delivery;how-long\r\n多久到？;两天。;;;\r\n";
        let table = csv(text);
        assert_eq!(table.problems, []);
        let [first, second] = &table.drafts[..] else { panic!("{table:?}") };
        assert_eq!(first.text.title, "How long; really?");
        assert_eq!(first.text.body, "Two days.\r\nOr \"three\".");
        assert_eq!(
            (first.slug.as_str(), first.category.as_str(), first.lang.as_str()),
            ("how-long", "delivery", "en")
        );
        assert_eq!(second.lang, "zh-CN");
        assert!(second.slug.starts_with("a-"));
    }

    #[test]
    fn other_ways_to_ask_stand_in_one_field() {
        let table = csv("question,answer,questions\nReturns?,Yes.,send back | give back ||\n");
        assert_eq!(table.drafts[0].text.questions, ["send back", "give back"]);
    }

    #[test]
    fn a_wrong_row_has_its_line_and_the_others_are_read() {
        let text = "question,answer,lang\nA?,yes,en\n,no,en\n\"B\nb?\",,en\nC?,yes,martian language\n\n   \nD?,yes\n";
        let table = csv(text);
        let slugs: Vec<&str> = table.drafts.iter().map(|draft| draft.slug.as_str()).collect();
        assert_eq!(slugs, ["a", "d"]);
        let problems: Vec<(u64, &str)> =
            table.problems.iter().map(|problem| (problem.line, problem.code)).collect();
        assert_eq!(
            problems,
            [(3, "table_no_question"), (4, "table_no_answer"), (6, "article_language")]
        );
    }

    #[test]
    fn a_table_without_the_columns_says_so() {
        for text in ["", "a,b\n1,2\n", "question\nx\n", "\u{0}\u{1}"] {
            let table = csv(text);
            assert!(table.drafts.is_empty());
            assert_eq!(table.problems[0].code, "table_columns", "{text:?}");
        }
    }

    #[test]
    fn a_huge_table_and_a_table_of_mistakes_are_bounded() {
        let table = csv(&"x".repeat(TABLE_BYTES_MAX + 1));
        assert_eq!(table.problems[0].code, "table_too_long");
        let table = csv(&format!("question,answer\n{}", ",x\n".repeat(5_000)));
        assert_eq!(table.problems.len(), PROBLEMS_MAX + 1);
        let table = csv(&format!("question,answer\n{}", "x,x\n".repeat(ARTICLES_MAX + 5)));
        assert_eq!(table.drafts.len(), ARTICLES_MAX);
        assert_eq!(table.problems[0].code, "articles_too_many");
    }
}
