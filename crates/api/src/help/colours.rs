//! The colours of an inbox on its help centre. Whatever accent a team chose, text on it and text in it can be read:
//! at least 4.5 to 1, by day and by night, as the widget does it.

type Rgb = [u8; 3];

const AA: f64 = 4.5;
const OWN: Rgb = [0x2f, 0x5f, 0xd0];
const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [0, 0, 0];
const LIGHT_PAGE: Rgb = WHITE;
const DARK_PAGE: Rgb = [0x17, 0x18, 0x1c];

/// An accent, and what goes with it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Colours {
    accent: Rgb,
    on_accent: Rgb,
    text_light: Rgb,
    text_dark: Rgb,
}

impl Colours {
    /// Of `#rrggbb`; of anything else the product's own.
    pub(super) fn of(accent: &str) -> Self {
        let accent = parse(accent).unwrap_or(OWN);
        // One of the two always reaches 4.5 to 1; people prefer white where it does.
        let on_accent = if contrast(accent, WHITE) >= AA { WHITE } else { BLACK };
        Self {
            accent,
            on_accent,
            text_light: towards(accent, BLACK, LIGHT_PAGE),
            text_dark: towards(accent, WHITE, DARK_PAGE),
        }
    }

    /// As variables of a sheet.
    pub(super) fn style(&self) -> String {
        format!(
            ":root{{--accent:{};--on-accent:{};--accent-text-light:{};--accent-text-dark:{}}}",
            write(self.accent),
            write(self.on_accent),
            write(self.text_light),
            write(self.text_dark),
        )
    }
}

fn parse(text: &str) -> Option<Rgb> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
    let number = digits.bytes().all(|b| b.is_ascii_hexdigit()).then_some(digits)?;
    let number = u32::from_str_radix(number, 16).ok()?;
    let [_, red, green, blue] = number.to_be_bytes();
    Some([red, green, blue])
}

fn write([red, green, blue]: Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn luminance(colour: Rgb) -> f64 {
    let [red, green, blue] = colour.map(|channel| {
        let share = f64::from(channel) / 255.0;
        if share <= 0.03928 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

fn contrast(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Moves a colour towards another one until it can be read on the page.
fn towards(colour: Rgb, end: Rgb, page: Rgb) -> Rgb {
    const STEPS: u16 = 20;
    let at = |step: u16| -> Rgb {
        std::array::from_fn(|channel| {
            let (from, to) = (u16::from(colour[channel]), u16::from(end[channel]));
            ((from * (STEPS - step) + to * step) / STEPS) as u8
        })
    };
    (0..=STEPS).map(at).find(|colour| contrast(*colour, page) >= AA).unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_accent_can_be_read() {
        for step in (0..=255_u32).step_by(15) {
            for (red, green, blue) in
                [(step, 0, 0), (0, step, 0), (step, step, 255), (step, step, step)]
            {
                let colours = Colours::of(&format!("#{red:02x}{green:02x}{blue:02x}"));
                assert!(contrast(colours.accent, colours.on_accent) >= AA, "{colours:?}");
                assert!(contrast(colours.text_light, LIGHT_PAGE) >= AA, "{colours:?}");
                assert!(contrast(colours.text_dark, DARK_PAGE) >= AA, "{colours:?}");
            }
        }
    }

    #[test]
    fn what_is_no_colour_is_the_products_own() {
        for bad in ["", "red", "#12", "#12345g", "#+12345", "};*{x:url(//evil)}"] {
            assert_eq!(Colours::of(bad), Colours::of("#2f5fd0"), "{bad}");
        }
        let style = Colours::of("#FFD700").style();
        assert!(style.starts_with(":root{--accent:#ffd700;--on-accent:#000000;"), "{style}");
    }
}
