//! Photographs the visitors of the scenes send: drawn here, so that the binary carries none.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};

const WIDTH: u32 = 640;
const HEIGHT: u32 = 480;

type Colour = [f32; 3];
type Point = (f32, f32);

const WOOD: [Colour; 2] = [[222.0, 203.0, 173.0], [176.0, 148.0, 110.0]];
const LINEN: [Colour; 2] = [[240.0, 236.0, 226.0], [206.0, 200.0, 186.0]];
const SHADE: Colour = [60.0, 48.0, 36.0];
const CELADON: Colour = [143.0, 186.0, 162.0];
const CELADON_DARK: Colour = [96.0, 142.0, 118.0];
const CELADON_LIGHT: Colour = [198.0, 222.0, 207.0];
const POWDER: Colour = [190.0, 211.0, 205.0];
const CARD: Colour = [196.0, 154.0, 104.0];
const CARD_DARK: Colour = [150.0, 112.0, 70.0];
const PAPER: Colour = [248.0, 247.0, 242.0];
const INK: Colour = [52.0, 52.0, 50.0];
const BAMBOO: Colour = [217.0, 186.0, 122.0];
const BAMBOO_DARK: Colour = [158.0, 122.0, 62.0];

/// The named picture as PNG; `None` for a name that no scene uses.
pub(super) fn draw(name: &str) -> Option<Vec<u8>> {
    let picture = match name {
        "cup_cracked.png" => cup_cracked(),
        "cup_chipped.png" => cup_chipped(),
        "parcel_dented.png" => parcel_dented(),
        "parcel_open.png" => parcel_open(),
        "tray_layout.png" => tray_layout(),
        "glaze_compare.png" => glaze_compare(),
        _ => return None,
    };
    let mut bytes = Cursor::new(Vec::new());
    picture.0.write_to(&mut bytes, ImageFormat::Png).ok()?;
    Some(bytes.into_inner())
}

/// A canvas; edges are softened by how far a pixel lies inside of a shape.
struct Canvas(RgbImage);

impl Canvas {
    /// A table seen from the front, lighter where the window is.
    fn table([near, far]: [Colour; 2]) -> Self {
        let mut image = RgbImage::new(WIDTH, HEIGHT);
        for (x, y, pixel) in image.enumerate_pixels_mut() {
            let down = y as f32 / HEIGHT as f32;
            let across = x as f32 / WIDTH as f32;
            let grain = (across * 9.0 + (down * 40.0).sin() * 0.3).sin() * 3.0;
            *pixel = rgb(std::array::from_fn(|at| {
                near[at] + (far[at] - near[at]) * (down * 0.7 + across * 0.3) + grain
            }));
        }
        Self(image)
    }

    fn blend(&mut self, x: u32, y: u32, colour: Colour, share: f32) {
        let pixel = self.0.get_pixel_mut(x, y);
        let under = pixel.0.map(f32::from);
        *pixel = rgb(std::array::from_fn(|at| under[at] + (colour[at] - under[at]) * share));
    }

    /// An ellipse, lighter towards the upper left by `gleam`.
    fn ellipse(&mut self, centre: Point, radius: Point, colour: Colour, alpha: f32, gleam: f32) {
        let (left, right) = span(centre.0, radius.0, WIDTH);
        let (top, bottom) = span(centre.1, radius.1, HEIGHT);
        for y in top..bottom {
            for x in left..right {
                let across = (x as f32 - centre.0) / radius.0;
                let down = (y as f32 - centre.1) / radius.1;
                let inside = (1.0 - across.hypot(down)) * radius.0.min(radius.1);
                if inside <= 0.0 {
                    continue;
                }
                let light = 1.0 - (across + down) * gleam;
                let lit = colour.map(|part| part * light);
                self.blend(x, y, lit, inside.clamp(0.0, 1.0) * alpha);
            }
        }
    }

    /// A convex polygon, its corners in the order of the clock.
    fn polygon(&mut self, corners: &[Point], colour: Colour) {
        let bounds = |part: fn(&Point) -> f32, end: u32| {
            let least = corners.iter().map(part).fold(f32::INFINITY, f32::min);
            let most = corners.iter().map(part).fold(0.0, f32::max);
            span(f32::midpoint(least, most), (most - least) / 2.0, end)
        };
        let (left, right) = bounds(|corner| corner.0, WIDTH);
        let (top, bottom) = bounds(|corner| corner.1, HEIGHT);
        for y in top..bottom {
            for x in left..right {
                let at = (x as f32, y as f32);
                let next = corners.iter().cycle().skip(1);
                let inside = corners
                    .iter()
                    .zip(next)
                    .map(|(from, to)| {
                        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
                        (dx * (at.1 - from.1) - dy * (at.0 - from.0)) / dx.hypot(dy).max(1.0)
                    })
                    .fold(f32::INFINITY, f32::min);
                self.blend(x, y, colour, inside.clamp(0.0, 1.0));
            }
        }
    }

    /// A line through all points.
    fn line(&mut self, points: &[Point], width: f32, colour: Colour) {
        for (from, to) in points.iter().zip(points.iter().skip(1)) {
            let steps = (to.0 - from.0).hypot(to.1 - from.1).max(1.0) * 2.0;
            for step in 0..steps as u32 {
                let along = step as f32 / steps;
                let at = (from.0 + (to.0 - from.0) * along, from.1 + (to.1 - from.1) * along);
                self.ellipse(at, (width, width), colour, 0.6, 0.0);
            }
        }
    }

    /// A cup from the front: shadow, body as slices, foot, mouth and what is in it.
    fn cup(&mut self, centre: Point, size: f32, glaze: Colour, tea: Colour) {
        let (x, y) = centre;
        self.ellipse(
            (x + size * 0.15, y + size * 0.98),
            (size * 1.15, size * 0.2),
            SHADE,
            0.3,
            0.0,
        );
        for slice in 0..=40_u8 {
            let down = f32::from(slice) / 40.0;
            let width = size * (1.0 - down.powi(3) * 0.5);
            let shade = 1.0 - down * 0.22;
            let colour = glaze.map(|part| part * shade);
            self.ellipse((x, y + down * size * 0.95), (width, size * 0.2), colour, 1.0, 0.12);
        }
        self.ellipse((x, y), (size, size * 0.25), glaze.map(|part| part * 1.08), 1.0, 0.05);
        self.ellipse((x, y + size * 0.03), (size * 0.92, size * 0.2), tea, 1.0, 0.15);
    }

    /// A parcel from the front with a label; `lid` draws it closed.
    fn parcel(&mut self, lid: bool) {
        self.ellipse((340.0, 410.0), (260.0, 34.0), SHADE, 0.35, 0.0);
        self.polygon(&[(110.0, 190.0), (530.0, 190.0), (520.0, 410.0), (120.0, 410.0)], CARD);
        if lid {
            self.polygon(
                &[(170.0, 120.0), (480.0, 120.0), (530.0, 192.0), (110.0, 192.0)],
                CARD_DARK,
            );
            let tape = [226.0, 208.0, 170.0];
            self.polygon(&[(300.0, 120.0), (345.0, 120.0), (352.0, 300.0), (292.0, 300.0)], tape);
        }
        self.polygon(&[(380.0, 300.0), (500.0, 300.0), (498.0, 385.0), (380.0, 385.0)], PAPER);
        for bar in 0..14_u8 {
            let x = 390.0 + f32::from(bar) * 7.0;
            self.line(&[(x, 346.0), (x, 376.0)], 0.8 + f32::from(bar % 3), INK);
        }
        for (row, end) in [(312.0, 480.0), (324.0, 455.0), (335.0, 470.0)] {
            self.line(&[(390.0, row), (end, row)], 1.4, INK);
        }
    }
}

fn rgb(colour: Colour) -> Rgb<u8> {
    Rgb(colour.map(|part| part.clamp(0.0, 255.0) as u8))
}

fn span(centre: f32, radius: f32, end: u32) -> (u32, u32) {
    ((centre - radius).max(0.0) as u32, ((centre + radius + 1.0).max(0.0) as u32).min(end))
}

fn cup_cracked() -> Canvas {
    let mut canvas = Canvas::table(WOOD);
    canvas.cup((320.0, 190.0), 150.0, CELADON, [176.0, 122.0, 52.0]);
    let crack = [(352.0, 226.0), (346.0, 250.0), (360.0, 272.0), (350.0, 300.0), (362.0, 326.0)];
    canvas.line(&crack, 1.6, INK);
    canvas.line(&[(360.0, 272.0), (378.0, 282.0)], 1.2, INK);
    canvas
}

fn cup_chipped() -> Canvas {
    let mut canvas = Canvas::table(LINEN);
    canvas.cup((310.0, 180.0), 160.0, [128.0, 94.0, 78.0], [92.0, 62.0, 48.0]);
    canvas.ellipse((372.0, 214.0), (26.0, 16.0), [222.0, 196.0, 168.0], 1.0, 0.1);
    canvas.ellipse((376.0, 219.0), (15.0, 9.0), [188.0, 152.0, 120.0], 1.0, 0.1);
    canvas.ellipse((486.0, 390.0), (22.0, 10.0), [128.0, 94.0, 78.0], 1.0, 0.2);
    canvas
}

fn parcel_dented() -> Canvas {
    let mut canvas = Canvas::table(LINEN);
    canvas.parcel(true);
    canvas.ellipse((170.0, 300.0), (58.0, 44.0), CARD_DARK, 0.85, -0.25);
    canvas.ellipse((162.0, 304.0), (34.0, 26.0), [104.0, 76.0, 46.0], 0.9, -0.2);
    canvas.line(
        &[(112.0, 262.0), (150.0, 290.0), (205.0, 284.0), (236.0, 318.0)],
        1.8,
        [96.0, 68.0, 40.0],
    );
    canvas.line(&[(140.0, 356.0), (176.0, 330.0), (220.0, 344.0)], 1.6, [96.0, 68.0, 40.0]);
    canvas
}

fn parcel_open() -> Canvas {
    let mut canvas = Canvas::table(WOOD);
    canvas.polygon(&[(60.0, 130.0), (160.0, 90.0), (180.0, 200.0), (110.0, 216.0)], CARD_DARK);
    canvas.polygon(&[(470.0, 90.0), (580.0, 130.0), (530.0, 216.0), (460.0, 200.0)], CARD_DARK);
    canvas.polygon(
        &[(130.0, 110.0), (510.0, 110.0), (530.0, 240.0), (110.0, 240.0)],
        [120.0, 88.0, 54.0],
    );
    // Moss around the cups.
    for knot in 0..60_u8 {
        let across = 140.0 + f32::from(knot % 20) * 19.0;
        let down = 150.0 + f32::from(knot / 20) * 26.0;
        let green = [104.0 + f32::from(knot % 5) * 8.0, 132.0, 78.0];
        canvas.ellipse((across, down), (16.0, 11.0), green, 0.9, 0.2);
    }
    for x in [205.0, 305.0, 405.0] {
        canvas.ellipse((x, 178.0), (40.0, 34.0), CELADON, 1.0, 0.12);
        canvas.ellipse((x, 178.0), (31.0, 26.0), CELADON_DARK, 1.0, 0.1);
    }
    canvas.ellipse((478.0, 190.0), (30.0, 24.0), [70.0, 92.0, 52.0], 0.9, 0.0);
    canvas.parcel(false);
    canvas
}

fn tray_layout() -> Canvas {
    let mut canvas = Canvas::table(LINEN);
    canvas.ellipse((330.0, 400.0), (280.0, 30.0), SHADE, 0.25, 0.0);
    canvas.polygon(&[(70.0, 90.0), (570.0, 90.0), (590.0, 390.0), (50.0, 390.0)], BAMBOO_DARK);
    canvas.polygon(&[(84.0, 102.0), (556.0, 102.0), (574.0, 376.0), (66.0, 376.0)], BAMBOO);
    for slit in 0..9_u8 {
        let y = 126.0 + f32::from(slit) * 29.0;
        canvas.line(&[(100.0, y), (540.0, y)], 2.0, BAMBOO_DARK);
    }
    let clay = [128.0, 94.0, 78.0];
    canvas.ellipse((226.0, 232.0), (92.0, 88.0), clay, 1.0, 0.15);
    canvas.ellipse((226.0, 232.0), (46.0, 44.0), [104.0, 74.0, 60.0], 1.0, 0.15);
    canvas.ellipse((226.0, 232.0), (11.0, 10.0), clay, 1.0, 0.3);
    canvas.line(&[(310.0, 210.0), (344.0, 196.0)], 13.0, clay);
    for at in [(410.0, 170.0), (500.0, 170.0), (410.0, 290.0), (500.0, 290.0)] {
        canvas.ellipse(at, (38.0, 37.0), CELADON_LIGHT, 1.0, 0.1);
        canvas.ellipse(at, (30.0, 29.0), [186.0, 140.0, 72.0], 1.0, 0.1);
    }
    canvas
}

fn glaze_compare() -> Canvas {
    let mut canvas = Canvas::table(WOOD);
    canvas.cup((190.0, 190.0), 112.0, CELADON_DARK, [78.0, 118.0, 98.0]);
    canvas.cup((452.0, 190.0), 112.0, POWDER, [168.0, 190.0, 184.0]);
    canvas.polygon(&[(120.0, 400.0), (262.0, 400.0), (262.0, 440.0), (120.0, 440.0)], PAPER);
    canvas.polygon(&[(382.0, 400.0), (524.0, 400.0), (524.0, 440.0), (382.0, 440.0)], PAPER);
    for (left, right) in [(136.0, 240.0), (398.0, 490.0)] {
        canvas.line(&[(left, 414.0), (right, 414.0)], 2.0, INK);
        canvas.line(&[(left, 427.0), (right - 30.0, 427.0)], 1.4, INK);
    }
    canvas
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_small_and_can_be_read() {
        for name in [
            "cup_cracked.png",
            "cup_chipped.png",
            "parcel_dented.png",
            "parcel_open.png",
            "tray_layout.png",
            "glaze_compare.png",
        ] {
            let bytes = draw(name).expect("it is drawn");
            assert!(bytes.len() < 400_000, "{name}: {} bytes", bytes.len());
            let picture = image::load_from_memory(&bytes).expect("a picture");
            assert_eq!((picture.width(), picture.height()), (WIDTH, HEIGHT), "{name}");
        }
        assert_eq!(draw("nothing.png"), None);
    }
}
