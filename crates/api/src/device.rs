//! What a visitor's browser says of itself, as agents read it: a few families, no versions. Rules of our
//! own instead of a database of thousands: the panel wants to know what to expect (a phone, a browser
//! inside of an app), and what no rule knows is said to be unknown.

use serde::Serialize;
use utoipa::ToSchema;

/// A browser and what it runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Device {
    /// `Chrome`, `Safari`, `Firefox`, `Edge`, `Opera`, `Samsung Internet`, `WeChat`, `WeCom`,
    /// `DingTalk`, `Alipay`, `QQ`, `UC`, `Huawei`; empty where it is not known.
    browser: &'static str,
    /// `Windows`, `macOS`, `iOS`, `Android`, `HarmonyOS`, `Linux`, `ChromeOS`; empty where it is not
    /// known.
    system: &'static str,
    /// A phone or tablet.
    mobile: bool,
}

/// What a browser's name shows by, the most special first: nearly all say to be Safari, and those made
/// of Chrome say to be Chrome as well.
const BROWSERS: &[(&str, &str)] = &[
    ("wxwork/", "WeCom"),
    ("MicroMessenger/", "WeChat"),
    ("DingTalk", "DingTalk"),
    ("AlipayClient", "Alipay"),
    ("QQBrowser/", "QQ"),
    (" QQ/", "QQ"),
    ("UCBrowser/", "UC"),
    ("HuaweiBrowser/", "Huawei"),
    ("ArkWeb/", "Huawei"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("Edg/", "Edge"),
    ("Edge/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// The same for systems: HarmonyOS may say to be Android, and Android says to be Linux.
const SYSTEMS: &[(&str, &str)] = &[
    ("HarmonyOS", "HarmonyOS"),
    ("OpenHarmony", "HarmonyOS"),
    ("Windows", "Windows"),
    ("iPhone", "iOS"),
    ("iPad", "iOS"),
    ("iPod", "iOS"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
];

impl Device {
    /// Reads a User-Agent header.
    pub(crate) fn of(user_agent: &str) -> Self {
        let family = |rules: &[(&str, &'static str)]| {
            rules.iter().find(|(sign, _)| user_agent.contains(sign)).map_or("", |(_, name)| name)
        };
        let system = family(SYSTEMS);
        // HarmonyOS runs on computers too, and says which.
        let mobile = match system {
            "iOS" | "Android" => true,
            "HarmonyOS" => !user_agent.contains("; PC"),
            _ => user_agent.contains("Mobile"),
        };
        Self { browser: family(BROWSERS), system, mobile }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browsers_people_use_are_told_apart() {
        const CASES: &[(&str, &str, &str, bool)] = &[
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/141.0.0.0 Safari/537.36",
                "Chrome",
                "Windows",
                false,
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
                "Edge",
                "Windows",
                false,
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like \
                 Gecko) Version/18.5 Safari/605.1.15",
                "Safari",
                "macOS",
                false,
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
                "Firefox",
                "Linux",
                false,
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, \
                 like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
                "Safari",
                "iOS",
                true,
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, \
                 like Gecko) CriOS/141.0.7390.41 Mobile/15E148 Safari/604.1",
                "Chrome",
                "iOS",
                true,
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, \
                 like Gecko) Mobile/15E148 MicroMessenger/8.0.50(0x18003231) NetType/WIFI \
                 Language/zh_CN",
                "WeChat",
                "iOS",
                true,
            ),
            (
                "Mozilla/5.0 (Linux; Android 14; V2302A) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Version/4.0 Chrome/116.0.0.0 Mobile Safari/537.36 XWEB/1160117 MMWEBSDK/20240404 \
                 MicroMessenger/8.0.49.2600(0x28003133) WeChat/arm64 Language/zh_CN",
                "WeChat",
                "Android",
                true,
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/116.0.0.0 Safari/537.36 wxwork/4.1.6 MicroMessenger/7.0.1",
                "WeCom",
                "Windows",
                false,
            ),
            (
                "Mozilla/5.0 (Phone; OpenHarmony 5.0) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/114.0.0.0 Safari/537.36 ArkWeb/4.1.6.1 Mobile HuaweiBrowser/5.0.4.300",
                "Huawei",
                "HarmonyOS",
                true,
            ),
            (
                "Mozilla/5.0 (Linux; Android 12; HarmonyOS; NOH-AN00) AppleWebKit/537.36 (KHTML, \
                 like Gecko) Chrome/99.0.4844.88 HuaweiBrowser/13.0.6.303 Mobile Safari/537.36",
                "Huawei",
                "HarmonyOS",
                true,
            ),
            (
                "Mozilla/5.0 (Linux; Android 15; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) \
                 SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
                "Samsung Internet",
                "Android",
                true,
            ),
            (
                "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/140.0.0.0 Safari/537.36",
                "Chrome",
                "ChromeOS",
                false,
            ),
            ("curl/8.5.0", "", "", false),
            ("", "", "", false),
        ];
        for (user_agent, browser, system, mobile) in CASES {
            let expected = Device { browser, system, mobile: *mobile };
            assert_eq!(Device::of(user_agent), expected, "{user_agent}");
        }
    }
}
