//! HTML that is put together without ever forgetting to escape: what is no literal of this crate can only be added as
//! text, as an attribute's value or as Markdown.

/// A piece of HTML.
#[derive(Debug, Default)]
pub(crate) struct Html(String);

impl Html {
    /// Markup of ours.
    pub(crate) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// A text of anybody's.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        escape(text, &mut self.0);
        self
    }

    /// An attribute with a value of anybody's, behind the name of an open tag.
    pub(crate) fn attribute(&mut self, name: &'static str, value: &str) -> &mut Self {
        self.0.push(' ');
        self.0.push_str(name);
        self.0.push_str("=\"");
        escape(value, &mut self.0);
        self.0.push('"');
        self
    }

    /// A style of ours: digits, letters and signs that cannot end it.
    pub(crate) fn style(&mut self, style: &str) -> &mut Self {
        debug_assert!(!style.contains('<'), "a style of ours has no tags");
        self.0.extend(style.chars().filter(|c| *c != '<'));
        self
    }

    /// Markdown of anybody's; its own HTML is shown as the text it is.
    pub(crate) fn markdown(&mut self, markdown: &str) -> &mut Self {
        self.0.push_str(&frontdesk_knowledge::markdown::html(markdown));
        self
    }

    /// Another piece.
    pub(crate) fn append(&mut self, other: &Self) -> &mut Self {
        self.0.push_str(&other.0);
        self
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

/// Text as it may stand between tags and in quoted attributes.
fn escape(text: &str, html: &mut String) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\n' | '\t' => html.push(c),
            _ if c.is_control() => {}
            _ => html.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_somebody_wrote_is_a_text() {
        let attack = "<script>alert(1)</script>\" onload='x' &amp;\u{0}";
        let mut html = Html::default();
        html.raw("<p").attribute("title", attack).raw(">").text(attack).raw("</p>");
        let escaped = "&lt;script&gt;alert(1)&lt;/script&gt;&quot; onload=&#39;x&#39; &amp;amp;";
        assert_eq!(html.into_string(), format!("<p title=\"{escaped}\">{escaped}</p>"));
    }

    #[test]
    fn markdown_carries_no_markup_of_its_author() {
        let mut html = Html::default();
        html.markdown("**bold** <img src=x onerror=alert(1)> [link](javascript:alert(1))");
        let html = html.into_string();
        assert!(html.contains("<strong>bold</strong>"), "{html}");
        assert!(!html.contains("<img") && !html.contains("javascript:"), "{html}");
    }
}
