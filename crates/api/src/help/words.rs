//! What the pages themselves say, in English and Chinese. A reader of another language gets English around articles in
//! that language.

/// All words of the pages.
pub(super) struct Words {
    pub(super) help_centre: &'static str,
    pub(super) skip: &'static str,
    pub(super) language: &'static str,
    pub(super) path: &'static str,
    pub(super) how_can_we_help: &'static str,
    pub(super) search: &'static str,
    pub(super) search_for: &'static str,
    pub(super) found: &'static str,
    pub(super) nothing_found: &'static str,
    pub(super) nothing_found_hint: &'static str,
    pub(super) nothing_yet: &'static str,
    pub(super) nothing_yet_hint: &'static str,
    pub(super) others: &'static str,
    pub(super) all_of: &'static str,
    pub(super) more_categories: &'static str,
    pub(super) updated: &'static str,
    pub(super) helpful: &'static str,
    pub(super) yes: &'static str,
    pub(super) no: &'static str,
    pub(super) thanks: &'static str,
    pub(super) related: &'static str,
    pub(super) pages: &'static str,
    pub(super) before: &'static str,
    pub(super) after: &'static str,
    pub(super) not_found: &'static str,
    pub(super) not_found_hint: &'static str,
    pub(super) to_the_start: &'static str,
    pub(super) still: &'static str,
    pub(super) write_to_us: &'static str,
    pub(super) description: &'static str,
}

impl Words {
    pub(super) fn of(language: &str) -> &'static Self {
        if language == "zh-CN" { &CHINESE } else { &ENGLISH }
    }
}

static ENGLISH: Words = Words {
    help_centre: "Help centre",
    skip: "Skip to the content",
    language: "Language",
    path: "You are here",
    how_can_we_help: "How can we help?",
    search: "Search",
    search_for: "Search for answers",
    found: "Results for",
    nothing_found: "Nothing found for",
    nothing_found_hint: "Try other or fewer words, or write to us.",
    nothing_yet: "There is nothing to read yet",
    nothing_yet_hint: "Write to us, and we will answer.",
    others: "More articles",
    all_of: "All articles",
    more_categories: "There is more than this page shows. Search for what you need.",
    updated: "Updated",
    helpful: "Was this helpful?",
    yes: "Yes",
    no: "No",
    thanks: "Thank you for telling us.",
    related: "Related articles",
    pages: "Pages",
    before: "Back",
    after: "Next",
    not_found: "This page does not exist",
    not_found_hint: "It may have moved, or it was never there.",
    to_the_start: "Go to the help centre",
    still: "Did you not find what you need?",
    write_to_us: "Write to us",
    description: "Answers to common questions.",
};

static CHINESE: Words = Words {
    help_centre: "帮助中心",
    skip: "跳到正文",
    language: "语言",
    path: "当前位置",
    how_can_we_help: "您需要什么帮助？",
    search: "搜索",
    search_for: "搜索问题",
    found: "搜索结果：",
    nothing_found: "没有找到相关内容：",
    nothing_found_hint: "请换个说法或减少关键词，也可以直接联系我们。",
    nothing_yet: "这里还没有内容",
    nothing_yet_hint: "请直接联系我们，我们会为您解答。",
    others: "其他文章",
    all_of: "全部文章",
    more_categories: "本页未显示全部内容，请搜索您需要的文章。",
    updated: "更新于",
    helpful: "这篇文章对您有帮助吗？",
    yes: "有帮助",
    no: "没有帮助",
    thanks: "感谢您的反馈。",
    related: "相关文章",
    pages: "分页",
    before: "上一页",
    after: "下一页",
    not_found: "页面不存在",
    not_found_hint: "它可能已被移动，或从未存在。",
    to_the_start: "前往帮助中心",
    still: "没有找到您需要的内容？",
    write_to_us: "联系我们",
    description: "常见问题解答。",
};

/// What a language calls itself; of one that is not known here, its tag.
pub(super) fn name_of(language: &str) -> &str {
    match language {
        "en" => "English",
        "zh-CN" => "简体中文",
        "de" => "Deutsch",
        "fr" => "Français",
        "es" => "Español",
        "pt" => "Português",
        "it" => "Italiano",
        "nl" => "Nederlands",
        "pl" => "Polski",
        "ru" => "Русский",
        "tr" => "Türkçe",
        "ja" => "日本語",
        "ko" => "한국어",
        "vi" => "Tiếng Việt",
        "th" => "ไทย",
        "id" => "Bahasa Indonesia",
        "ar" => "العربية",
        "he" => "עברית",
        other => other,
    }
}

pub(super) fn is_right_to_left(language: &str) -> bool {
    matches!(language, "ar" | "he" | "fa" | "ur")
}
