//! The conversation with ten thousand messages: a tea house that has ordered day by day for more than
//! a year. Drawn from a fixed seed, so that it is the same on every machine.

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// Messages of one day, and so of one session.
const PER_DAY: u32 = 24;

const ASKED: [&str; 24] = [
    "早，今天补 {n} 套盖碗、{m} 只小杯。",
    "昨天那批收到了，一件没破，辛苦仓库。",
    "粗陶壶客人反馈很好，再来 {n} 把。",
    "本周五之前能到吗？周末店里有茶会。",
    "{m} 只杯子釉色偏深，能不能下次带几只换？",
    "对账单麻烦发一下，财务在催。",
    "新店下月开业，先备 {m} 套小杯。",
    "这窑的颜色真好，客人都说像雨后的山。",
    "款已经转了，尾号 {t}。",
    "物流单号发我一下。",
    "竹茶盘还有多少现货？",
    "加急 {n} 套，能今天出吗？",
    "和上次一样的包装，苔藓多放点。",
    "有客人想刻字，“清欢”两个字，{n} 只。",
    "上次说的 90 毫升小盖碗出来了吗？",
    "好的。",
    "收到，谢谢！",
    "明白，等你消息。",
    "价格还是七折吧？",
    "先这样，晚点再补。",
    "帮我看看订单 {t} 到哪了。",
    "店里断货了，小杯能先发 {n} 只吗？",
    "下周二我过来看窑，方便吗？",
    "有一套盖子不太严，拍了视频给你微信。",
];

const ANSWERED: [&str; 22] = [
    "收到，订单号 {t}，今天下午发。",
    "盖碗现货 {m} 套，不够的等周六出窑。",
    "已发，顺丰 SF13{t}{m}，明天到。",
    "对账单发您邮箱了，本月合计 {t} 元。",
    "可以换，下次一起带给您，旧的不用寄回。",
    "价格不变，满 200 件七折。",
    "这一窑成品率 {p}%，最好的给您留着了。",
    "好的，已备注。",
    "款收到了，谢谢老板。",
    "周五一定到，发的次日达。",
    "刻字可以，多等三天，样稿晚上给您看。",
    "竹茶盘还有 {n} 个，要的话先锁给您。",
    "加急没问题，四点前都能出。",
    "欢迎来，提前一天说，我去车站接。",
    "苔藓管够，师傅今早刚采的。",
    "您的反馈转给烧窑师傅了，他高兴坏了。",
    "查到了，已经到中转站，今晚派送。",
    "小杯先发 {n} 只，剩下的跟下一车。",
    "收到视频了，这套给您换新的。",
    "好嘞！",
    "稍等，我去仓库点一下。",
    "点好了，没问题。",
];

/// One day with the shop: what was said, oldest first, each with its time before now.
pub(super) struct Day {
    pub(super) messages: Vec<(i64, Said)>,
}

/// Who said it.
pub(super) enum Said {
    Visitor(String),
    Owner(String),
}

/// The days before the lines of the scene, oldest first, `count` messages in all.
pub(super) fn days(count: u32) -> Vec<Day> {
    let mut dice = Dice(0x5eed_7ea5);
    let total = count.div_ceil(PER_DAY);
    (0..total)
        .map(|day| {
            let left = count - day * PER_DAY;
            // Yesterday is the last one; each begins some hours into the working day.
            let began_ms = i64::from(total - day) * DAY_MS + i64::from(dice.below(120)) * 60_000;
            let mut at_ms = began_ms;
            let messages = (0..left.min(PER_DAY)).map(|number| {
                at_ms -= 25_000 + i64::from(dice.below(600)) * 1_000;
                let by_visitor = number == 0 || dice.below(100) < 52;
                let said = if by_visitor {
                    Said::Visitor(dice.fill(&ASKED))
                } else {
                    Said::Owner(dice.fill(&ANSWERED))
                };
                (at_ms, said)
            });
            Day { messages: messages.collect() }
        })
        .collect()
}

/// A small generator: good enough for small talk.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u32) -> u32 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % u64::from(end)) as u32
    }

    fn fill(&mut self, texts: &[&str]) -> String {
        let text = texts[self.below(texts.len() as u32) as usize];
        text.replace("{n}", &(2 + self.below(11)).to_string())
            .replace("{m}", &(12 + self.below(60)).to_string())
            .replace("{t}", &(1_000 + self.below(9_000)).to_string())
            .replace("{p}", &(71 + self.below(22)).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_days_hold_exactly_what_was_asked_for_in_order() {
        for count in [1, 24, 25, 10_000] {
            let days = days(count);
            let all: Vec<i64> =
                days.iter().flat_map(|day| &day.messages).map(|(at_ms, _)| *at_ms).collect();
            assert_eq!(all.len(), count as usize);
            assert!(all.windows(2).all(|pair| pair[0] > pair[1]), "time passes");
            assert!(
                all.iter().all(|before_ms| *before_ms > 60 * 60 * 1_000),
                "before today's lines"
            );
            assert!(days.iter().all(|day| matches!(day.messages[0].1, Said::Visitor(_))));
        }
    }
}
