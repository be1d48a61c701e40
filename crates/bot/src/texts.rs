//! What the bot says in words of its own: in English and Chinese, each to be replaced by the team's.

use serde::{Deserialize, Serialize};

use crate::{BotConfig, Language, template};

/// One of the bot's own texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextKey {
    /// To a greeting; may use `{name}`.
    Greeting,
    /// To thanks.
    Thanks,
    /// To a good-bye.
    Bye,
    /// After something was done without a word.
    AnythingElse,
    /// When nothing was understood.
    Rephrase,
    /// Above the titles when several articles fit.
    AskBack,
    /// The last of those choices.
    NoneOfThese,
    /// When a choice was expected and something else came.
    ChooseAgain,
    /// When a form was expected and something else came.
    FillAgain,
    /// When a field was filled in wrongly; may use `{field}`.
    WrongField,
    /// To the visitor at a handover.
    Handover,
    /// At a handover when nobody is there; may use `{opens}`.
    Away,
    /// The same when it is not known when somebody is there.
    AwayUnknown,
    /// Above the form that asks how to reach the visitor.
    ContactTitle,
    /// Beside its first field.
    ContactEmail,
    /// Beside its second field.
    ContactPhone,
    /// When it was filled in.
    ContactNoted,
}

impl TextKey {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Greeting,
        Self::Thanks,
        Self::Bye,
        Self::AnythingElse,
        Self::Rephrase,
        Self::AskBack,
        Self::NoneOfThese,
        Self::ChooseAgain,
        Self::FillAgain,
        Self::WrongField,
        Self::Handover,
        Self::Away,
        Self::AwayUnknown,
        Self::ContactTitle,
        Self::ContactEmail,
        Self::ContactPhone,
        Self::ContactNoted,
    ];

    /// What is said where the team has no text of its own.
    pub fn default_text(self, language: Language) -> &'static str {
        let (english, chinese) = match self {
            Self::Greeting => (
                "Hello! I am {name}, an automatic assistant. What can I do for you? Write \"human\" at any time to talk to a person.",
                "您好！我是{name}，一个自动助手。请问有什么可以帮您？随时发送“转人工”即可联系人工客服。",
            ),
            Self::Thanks => (
                "You are welcome! Is there anything else I can do for you?",
                "不客气！还有什么可以帮您的吗？",
            ),
            Self::Bye => {
                ("Thank you for writing to us. Have a nice day!", "感谢您的咨询，祝您生活愉快！")
            }
            Self::AnythingElse => {
                ("Done. Is there anything else I can do for you?", "好的。还有什么可以帮您的吗？")
            }
            Self::Rephrase => (
                "I am not sure I understand. Could you put it differently, with a few more words?",
                "抱歉，我没太明白。您能换个说法，再说得具体一点吗？",
            ),
            Self::AskBack => ("Which of these do you mean?", "请问您想了解的是哪一个？"),
            Self::NoneOfThese => ("None of these", "都不是"),
            Self::ChooseAgain => (
                "Please choose one of these, or write what you need.",
                "请从下面选择，或直接说明您的需求。",
            ),
            Self::FillAgain => ("Please fill in this form.", "请填写以下信息。"),
            Self::WrongField => (
                "\"{field}\" does not look right. Please check it.",
                "“{field}”似乎有误，请检查一下。",
            ),
            Self::Handover => (
                "I am passing you on to a colleague. One moment, please.",
                "正在为您转接人工客服，请稍候。",
            ),
            Self::Away => (
                "Nobody of our team is here right now. We have your message and answer from {opens}.",
                "我们的客服人员现在不在线。您的留言已收到，我们将从{opens}起回复您。",
            ),
            Self::AwayUnknown => (
                "Nobody of our team is here right now. We have your message and answer as soon as we are back.",
                "我们的客服人员现在不在线。您的留言已收到，我们会尽快回复您。",
            ),
            Self::ContactTitle => (
                "How can we reach you? An e-mail address or a phone number is enough.",
                "请留下您的联系方式，邮箱或电话均可。",
            ),
            Self::ContactEmail => ("E-mail", "邮箱"),
            Self::ContactPhone => ("Phone", "电话"),
            Self::ContactNoted => ("Thank you, we will get back to you.", "谢谢，我们会联系您。"),
        };
        language.pick(english, chinese)
    }
}

impl BotConfig {
    /// One of the bot's own texts as this team has it, with values in the place of names.
    pub(crate) fn text(&self, key: TextKey, language: Language, values: &[(&str, &str)]) -> String {
        let own = self.texts.get(&key).and_then(|texts| texts.get(language.tag()));
        let text = own.map(|text| text.trim()).filter(|text| !text.is_empty());
        let text = text.unwrap_or(key.default_text(language));
        template::expand(text, |name| {
            values.iter().find(|(of, _)| *of == name).map(|(_, value)| *value)
        })
    }

    /// What the bot calls itself.
    pub fn own_name(&self, language: Language) -> &str {
        let own = [language, Language::English].iter().find_map(|of| self.name.get(of.tag()));
        let own = own.map(|name| name.trim()).filter(|name| !name.is_empty());
        own.unwrap_or(language.pick("Frontdesk", "小前台"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_team_replaces_what_it_likes() {
        let mut config = BotConfig::default();
        let greeting = |config: &BotConfig, language| {
            let name = config.own_name(language);
            config.text(TextKey::Greeting, language, &[("name", name)])
        };
        assert!(greeting(&config, Language::English).contains("I am Frontdesk,"));
        assert!(greeting(&config, Language::Chinese).contains("我是小前台"));
        config.name.insert("en".to_owned(), "Dot".to_owned());
        let texts = config.texts.entry(TextKey::Greeting).or_default();
        texts.insert("zh-CN".to_owned(), "欢迎，我是{name}".to_owned());
        assert!(greeting(&config, Language::English).contains("I am Dot,"));
        assert_eq!(greeting(&config, Language::Chinese), "欢迎，我是Dot");
    }

    #[test]
    fn every_text_is_there_in_both_languages_and_has_a_name_of_its_own() {
        let mut names = std::collections::BTreeSet::new();
        for key in TextKey::ALL {
            for language in Language::ALL {
                assert!(!key.default_text(language).is_empty(), "{key:?}");
            }
            assert!(names.insert(serde_json::to_string(&key).unwrap()));
        }
    }
}
