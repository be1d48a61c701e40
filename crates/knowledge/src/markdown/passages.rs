//! A text cut into passages that can be shown alone, each from where a thought begins.
//!
//! Blocks stand under others: a paragraph under its heading, a list under the sentence that leads to it, a row under the
//! head of its table. A passage begins where nothing is torn apart: at a heading or a paragraph, in a long list at an item,
//! and never within a sentence. What its first block stands under is repeated above it, so that a reader sees what it is
//! about.

use frontdesk_script::simplified;

use super::{Block, Kind, blocks};

/// Characters of a passage that is put together of short blocks.
const CHARACTERS: usize = 500;
/// Characters of a passage that is shown, where its blocks belong together; one that is longer is cut.
pub const PASSAGE_CHARACTERS_MAX: usize = 900;
/// Passages of one text that can be shown; of what stands behind them only the words count.
const PASSAGES_MAX: usize = 200;
/// Blocks that are repeated above a passage, the nearest, and characters of each.
const ABOVE_MAX: usize = 3;
const ABOVE_CHARACTERS_MAX: usize = 120;

/// A part of a text that can be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Passage {
    /// What it stands under, from elsewhere in the text; empty where there is nothing.
    pub(crate) above: String,
    /// What it says.
    pub(crate) said: String,
}

impl Passage {
    /// As it is read.
    pub(crate) fn shown(&self) -> String {
        let mut shown = self.above.clone();
        push_line(&mut shown, &self.said);
        shown
    }
}

/// Markdown as passages, and what there is no passage for.
///
/// A text of many short sections has several of them in one passage, and one that is still longer has no more than a
/// question can be compared with in a moment.
pub(crate) fn passages(markdown: &str) -> (Vec<Passage>, String) {
    let outline = Outline::new(blocks(markdown));
    let mut passages = outline.together(true);
    if passages.len() > PASSAGES_MAX {
        passages = outline.together(false);
    }
    let behind = passages.split_off(passages.len().min(PASSAGES_MAX));
    let mut rest = String::new();
    for passage in &mut passages {
        let above = passage.above.chars().count();
        let room = PASSAGE_CHARACTERS_MAX - above - usize::from(above > 0);
        if let Some((end, _)) = passage.said.char_indices().nth(room) {
            push_line(&mut rest, &passage.said[end..]);
            passage.said.truncate(end);
            passage.said.push('…');
        }
    }
    for passage in behind {
        push_line(&mut rest, &passage.said);
    }
    (passages, rest)
}

/// How much is torn apart where a passage ends before a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Joint {
    /// Nothing: another thought begins.
    Free,
    /// It refers to what stands before it.
    RefersBack,
    /// A list, or a table, is continued.
    Listed,
    /// An item of a list is continued, or what was announced.
    Continued,
    /// A heading loses what it is the heading of.
    Headed,
}

/// The blocks of a text, with what each of them stands under.
struct Outline {
    blocks: Vec<Block>,
    /// The block that each stands under.
    above: Vec<Option<usize>>,
    joints: Vec<Joint>,
    /// Characters of all blocks before each, and of all, each with the end of its line.
    before: Vec<usize>,
}

impl Outline {
    fn new(blocks: Vec<Block>) -> Self {
        let mut above = Vec::with_capacity(blocks.len());
        let mut joints = Vec::with_capacity(blocks.len());
        let mut before = vec![0];
        let mut open: Vec<usize> = Vec::new();
        for (at, block) in blocks.iter().enumerate() {
            while open.last().is_some_and(|over| !holds(&blocks[*over], block)) {
                open.pop();
            }
            above.push(open.last().copied());
            open.push(at);
            joints.push(joint(at.checked_sub(1).map(|last| &blocks[last]), block));
            before.push(before[at] + line(&block.text));
        }
        Self { blocks, above, joints, before }
    }

    /// Short blocks together; with `at_headings` a heading begins a new passage.
    fn together(&self, at_headings: bool) -> Vec<Passage> {
        let mut passages = Vec::new();
        let mut start = 0;
        let mut above = 0;
        let mut only_headings = true;
        let mut end = |from: &mut usize, above: &mut usize, to: usize| {
            passages.push(self.passage(*from, to));
            *from = to;
            *above = self.above_of(to).iter().map(|text| line(text)).sum();
        };
        for (at, block) in self.blocks.iter().enumerate() {
            let is_heading = matches!(block.kind, Kind::Heading(_));
            if at_headings && is_heading && !only_headings {
                end(&mut start, &mut above, at);
                only_headings = true;
            }
            only_headings &= is_heading;
            while let Some(to) = self.break_in(start, at, above) {
                end(&mut start, &mut above, to);
            }
        }
        if start < self.blocks.len() {
            passages.push(self.passage(start, self.blocks.len()));
        }
        passages
    }

    /// Where the blocks from `start` to `last` are divided, if they are too many: as late as they can be where the least
    /// is torn apart.
    fn break_in(&self, start: usize, last: usize, above: usize) -> Option<usize> {
        let characters = above + self.before[last + 1] - self.before[start];
        if characters <= CHARACTERS {
            return None;
        }
        let (joint, at) = (start + 1..=last)
            .map(|at| (self.joints[at], at))
            .min_by(|(joint, at), (other, other_at)| joint.cmp(other).then(other_at.cmp(at)))?;
        let is_full = match joint {
            Joint::Free => true,
            Joint::RefersBack | Joint::Listed | Joint::Continued => {
                characters > PASSAGE_CHARACTERS_MAX
            }
            // Nobody reads so many headings.
            Joint::Headed => self.before[last] - self.before[start] > PASSAGE_CHARACTERS_MAX,
        };
        is_full.then_some(at)
    }

    fn passage(&self, from: usize, to: usize) -> Passage {
        let mut said = String::new();
        for block in &self.blocks[from..to] {
            push_line(&mut said, &block.text);
        }
        Passage { above: self.above_of(from).join("\n"), said }
    }

    /// What is repeated above a passage that begins with this block, the outermost first.
    fn above_of(&self, at: usize) -> Vec<String> {
        let mut texts = Vec::new();
        let Some(block) = self.blocks.get(at) else { return texts };
        let mut in_section = matches!(block.kind, Kind::Heading(_));
        let mut next = self.above[at];
        while let Some(over) = next.filter(|_| texts.len() < ABOVE_MAX) {
            let block = &self.blocks[over];
            // A heading of the first level names all of the text, as its title does.
            let is_title = in_section && block.kind == Kind::Heading(1);
            in_section |= matches!(block.kind, Kind::Heading(_));
            texts.extend(introduction(block).filter(|_| !is_title));
            next = self.above[over];
        }
        texts.reverse();
        texts
    }
}

/// Whether a block stands under one before it: under a table nothing but its rows.
fn holds(over: &Block, block: &Block) -> bool {
    let of_table = matches!(over.kind, Kind::Head | Kind::Row);
    over.rank() < block.rank() && (!of_table || block.kind == Kind::Row)
}

/// What a text takes of a passage.
fn line(text: &str) -> usize {
    text.chars().count() + 1
}

/// What is torn apart between two blocks.
fn joint(last: Option<&Block>, block: &Block) -> Joint {
    let Some(last) = last else { return Joint::Free };
    let announces = last.text.ends_with([':', '：']);
    match block.kind {
        _ if matches!(last.kind, Kind::Heading(_) | Kind::Label) => Joint::Headed,
        Kind::Heading(_) => Joint::Free,
        Kind::Row if last.kind == Kind::Head => Joint::Headed,
        _ if announces => Joint::Continued,
        Kind::Item if block.depth == 1 => Joint::Listed,
        Kind::Head | Kind::Row => Joint::Listed,
        _ if block.depth > 0 => Joint::Continued,
        _ if refers_back(&block.text) => Joint::RefersBack,
        _ => Joint::Free,
    }
}

/// Words that a paragraph begins with which means what the one before it says.
const REFERRING: &[&str] = &[
    "it",
    "its",
    "they",
    "them",
    "their",
    "theirs",
    "this",
    "that",
    "these",
    "those",
    "he",
    "she",
    "his",
    "her",
    "both",
    "neither",
    "either",
    "such",
    "also",
    "too",
    "but",
    "however",
    "otherwise",
    "instead",
    "so",
    "then",
    "therefore",
    "thus",
    "still",
    "yet",
    "and",
    "or",
    "nor",
    "likewise",
    "similarly",
    "afterwards",
    "the same",
];
const REFERRING_ZH: &[&str] = &[
    "它", "他们", "她", "这", "那", "该", "此", "其", "两者", "二者", "也", "但", "不过", "然而",
    "否则", "因此", "所以", "于是", "同样", "另外", "同时", "然后", "接着", "之后", "而且", "并且",
    "以上", "上述", "如此", "还有",
];

/// Whether a paragraph begins with a word that means what stands before it.
fn refers_back(text: &str) -> bool {
    let text = text.trim_start_matches(|character: char| !character.is_alphanumeric());
    let head: String = text.chars().take(2).map(simplified).collect();
    if REFERRING_ZH.iter().any(|word| head.starts_with(word)) {
        return true;
    }
    let begins = |word: &str| {
        let head = text.get(..word.len()).filter(|head| head.eq_ignore_ascii_case(word));
        let next = text.get(word.len()..).and_then(|rest| rest.chars().next());
        head.is_some() && next.is_none_or(|next| !next.is_alphanumeric() && next != '-')
    };
    REFERRING.iter().any(|word| begins(word))
}

/// A block as it is repeated above what stands under it: of a long paragraph its last sentence, which leads to the list
/// behind it.
fn introduction(block: &Block) -> Option<String> {
    let fits = |text: &str| text.chars().count() <= ABOVE_CHARACTERS_MAX;
    if fits(&block.text) {
        return Some(block.text.clone());
    }
    if block.kind != Kind::Paragraph {
        let (end, _) = block.text.char_indices().nth(ABOVE_CHARACTERS_MAX - 1)?;
        return Some(format!("{}…", block.text[..end].trim_end()));
    }
    let last = last_sentence(&block.text);
    fits(last).then(|| last.to_owned())
}

/// From behind the last end of a sentence that something follows.
fn last_sentence(text: &str) -> &str {
    let mut last = text;
    for (at, mark) in text.char_indices() {
        let rest = &text[at + mark.len_utf8()..];
        let ends = match mark {
            '.' | '!' | '?' => rest.starts_with(char::is_whitespace),
            '。' | '！' | '？' | '\n' => true,
            _ => false,
        };
        if ends && !rest.trim().is_empty() {
            last = rest.trim_start();
        }
    }
    last
}

fn push_line(text: &mut String, line: &str) {
    if !text.is_empty() && !line.is_empty() {
        text.push('\n');
    }
    text.push_str(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(markdown: &str) -> Vec<String> {
        passages(markdown).0.iter().map(Passage::shown).collect()
    }

    /// About so many characters, in sentences.
    fn words(characters: usize) -> String {
        "Some words of it. ".repeat(characters / 18)
    }

    #[test]
    fn passages_are_short_and_keep_a_heading_with_its_text() {
        let paragraph = "Some words about tea. ".repeat(12);
        let text = format!("intro\n\n## First\n\n{paragraph}\n\n{paragraph}\n\n## Second\n\nend");
        let passages = shown(&text);
        assert_eq!(passages[0], "intro");
        assert!(passages[1].starts_with("First\nSome words"), "{}", passages[1]);
        assert!(passages[2].starts_with("First\nSome words"), "{}", passages[2]);
        assert_eq!(passages[3], "Second\nend");
        assert_eq!(passages.len(), 4);
    }

    #[test]
    fn a_section_of_a_section_says_of_which() {
        let text = format!(
            "# Returns of the shop\n\n## Returns\n\n{0}\n\n### Abroad\n\n{0}\n\n{0}\n\n## Repairs\n\n{0}",
            words(400)
        );
        let heads: Vec<String> = shown(&text)
            .iter()
            .map(|passage| passage.lines().take_while(|line| !line.starts_with("Some")))
            .map(|lines| lines.collect::<Vec<_>>().join(" / "))
            .collect();
        let abroad = "Returns / Abroad";
        assert_eq!(heads, ["Returns of the shop / Returns", abroad, abroad, "Repairs"]);
        let bold = format!("**After it has left:**\n\n{0}\n\n{0}", words(400));
        assert!(shown(&bold)[1].starts_with("After it has left:\nSome words"), "{bold}");
    }

    #[test]
    fn what_refers_back_stays_with_what_it_means() {
        for second in ["It does too, ", "**This** is free: ", "But ", "它也可以，", "這項服務"]
        {
            let text = format!("## Lids\n\n{0}\n\n{0}\n\n{second}{0}", words(300));
            let passages = shown(&text);
            assert_eq!(passages.len(), 2, "{second}");
            let plain = second.replace('*', "");
            assert!(passages[1].starts_with("Lids\nSome words"), "{}", passages[1]);
            assert!(passages[1].contains(plain.trim_end()), "{}", passages[1]);
        }
        for free in ["Items are cheap.", "Thisbe is free.", "So-called lids.", "Some lids."] {
            assert!(!refers_back(free), "{free}");
        }
    }

    #[test]
    fn a_list_stays_with_the_sentence_that_leads_to_it() {
        let item = |n| format!("- item {n}: {}\n", "tea ".repeat(10));
        let items = (0..6).map(item).collect::<Vec<String>>().concat();
        let text = format!("{}\n\nYou need:\n\n{items}\n{}", words(400), words(300));
        let passages = shown(&text);
        assert!(passages[1].starts_with("You need:\n- item 0"), "{passages:?}");
        let text = format!("{}\n\nBring these.\n\n{items}\n{}", words(400), words(300));
        let passages = shown(&text);
        assert!(passages[1].starts_with("Bring these.\n- item 0"), "{passages:?}");
    }

    #[test]
    fn a_long_list_goes_on_at_an_item_under_what_led_to_it() {
        let item = |n: u32| {
            format!("{n}. step {n}: {}\n    - of it\n\n    more of {n}\n", "tea ".repeat(30))
        };
        let items: String = (1..=20).map(item).collect();
        let lead = format!("{}Do it like this:", words(900));
        let passages = shown(&format!("## Steps\n\n{lead}\n\n{items}"));
        assert!(passages.len() > 2, "{passages:?}");
        for passage in &passages[1..] {
            let mut lines = passage.lines();
            let above = (lines.next(), lines.next());
            assert_eq!(above, (Some("Steps"), Some("Do it like this:")), "{passage}");
            let first = lines.next().unwrap_or_default();
            assert!(first.contains(". step "), "{passage}");
        }
        let all = passages.concat();
        assert!((1..=20).all(|n| all.contains(&format!("\n{n}. step {n}:"))), "{all}");
    }

    #[test]
    fn a_long_item_goes_on_under_its_beginning() {
        let paragraph = words(500);
        let text = format!("Notes:\n\n- first\n\n  {paragraph}\n\n  {paragraph}\n\n- second");
        let passages = shown(&text);
        assert!(passages[1].starts_with("Notes:\n- first\nSome words"), "{passages:?}");
    }

    #[test]
    fn a_long_table_goes_on_under_its_head() {
        let row = |n| format!("| size {n} | price of {n} |\n");
        let rows = (0..60).map(row).collect::<Vec<String>>().concat();
        let passages = shown(&format!("Prices:\n\n| size | price |\n|---|---|\n{rows}"));
        assert!(passages.len() > 1, "{passages:?}");
        for passage in &passages {
            assert!(passage.starts_with("Prices:\nsize  price\nsize "), "{passage}");
            assert!(!passage.ends_with('…'), "{passage}");
        }
        let all = passages.concat();
        assert!((0..60).all(|n| all.contains(&format!("size {n}  price of {n}"))), "{all}");
    }

    #[test]
    fn a_list_behind_a_table_stands_under_nothing_of_it() {
        let item = |n| format!("- item {n}: {}\n", words(200));
        let items = (0..6).map(item).collect::<Vec<String>>().concat();
        let table = "| size | price |\n|---|---|\n| L | 20 |";
        let passages = shown(&format!("## Terms\n\n{table}\n\nIn short:\n\n{items}"));
        assert!(passages.len() > 1, "{passages:?}");
        for passage in &passages[1..] {
            assert!(passage.starts_with("Terms\nIn short:\n- item"), "{passage}");
        }
        let passages = shown(&format!("## Terms\n\n{table}\n\n{items}"));
        for passage in &passages[1..] {
            assert!(passage.starts_with("Terms\n- item"), "{passage}");
        }
    }

    #[test]
    fn a_text_of_many_sections_has_a_bounded_number_of_passages() {
        let short: Vec<String> =
            (0..1_000).map(|number| format!("## Part {number}\n\nword\n\n")).collect();
        let (of_short, rest) = passages(&short.concat());
        assert!(of_short.len() < PASSAGES_MAX, "{}", of_short.len());
        assert!(of_short[0].said.contains("Part 0\n") && of_short[0].said.contains("Part 9\n"));
        assert!(of_short.last().is_some_and(|last| last.said.contains("Part 999")));
        assert!(rest.is_empty());
        let block = "x".repeat(CHARACTERS);
        let long: Vec<String> = (0..300).map(|number| format!("{block} {number}\n\n")).collect();
        let (of_long, rest) = passages(&long.concat());
        assert_eq!(of_long.len(), PASSAGES_MAX);
        assert!(of_long[199].said.ends_with(" 199"));
        assert!(rest.contains(" 200\n") && rest.ends_with(" 299"), "nothing is lost");
    }

    #[test]
    fn one_endless_paragraph_is_cut_at_a_character_and_its_rest_is_kept() {
        let (passages, rest) = passages(&"茶".repeat(50_000));
        assert_eq!(passages.len(), 1);
        assert_eq!(passages[0].shown().chars().count(), PASSAGE_CHARACTERS_MAX + 1);
        assert!(passages[0].said.ends_with('…'));
        assert_eq!(rest.chars().count(), 50_000 - PASSAGE_CHARACTERS_MAX);
    }

    #[test]
    fn nothing_of_a_text_is_lost_and_no_passage_is_long() {
        let heading = format!("## {}\n\n", "H ".repeat(400));
        for text in [
            "# a\n\n".repeat(2_000),
            format!("{heading}{}", format!("{}\n\n", words(600)).repeat(20)),
            "- a\n  - b\n    - c\n".repeat(500),
            format!("{}\n", "> deep\n>> deeper\n".repeat(300)),
            "**bold:**\n\n".repeat(2_000),
        ] {
            let (passages, rest) = passages(&text);
            for passage in &passages {
                let characters = passage.shown().chars().count();
                assert!(characters <= PASSAGE_CHARACTERS_MAX + 1, "{characters}");
            }
            let said: usize = passages.iter().map(|passage| passage.said.chars().count()).sum();
            let all: usize = blocks(&text).iter().map(|block| block.text.chars().count()).sum();
            assert!(said + rest.chars().count() >= all, "{said} of {all}");
        }
    }
}
