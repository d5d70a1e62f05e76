//! Draws time and memory over the document's size as an SVG with two panels, both axes logarithmic. It computes no figure.

use super::{Contender, Row};

const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 70.0;
const TOP: f64 = 50.0;
const GAP: f64 = 100.0;

/// One of the two drawings.
struct Panel {
    title: &'static str,
    unit: &'static str,
    value: fn(&Row) -> Option<f64>,
}

/// The whole picture.
pub(super) fn svg(rows: &[Row]) -> String {
    let total = LEFT + 2.0 * WIDTH + GAP + 30.0;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {total} {}\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
        TOP + HEIGHT + 110.0
    );
    let sizes: Vec<f64> = rows.iter().map(|row| row.megabytes as f64).collect();
    let panels = [
        Panel { title: "盖章用时 Time to stamp", unit: "s", value: |row| Some(row.wall()) },
        Panel { title: "内存峰值 Peak memory", unit: "MB", value: Row::peak_mb },
    ];
    for (number, Panel { title, unit, value }) in panels.into_iter().enumerate() {
        let left = LEFT + number as f64 * (WIDTH + GAP);
        let values: Vec<f64> = rows.iter().filter_map(value).collect();
        let (Some(x), Some(y)) = (Axis::over(&sizes, left, left + WIDTH), Axis::over(&values, TOP + HEIGHT, TOP)) else { continue };
        text += &format!("<text x=\"{left}\" y=\"{}\" font-size=\"15\">{title} ({unit})</text>\n", TOP - 18.0);
        text += &frame(&x, &y, left);
        for contender in Contender::ALL {
            let of_it = rows.iter().filter(|row| row.contender == contender);
            let points: Vec<(f64, f64)> = of_it.filter_map(|row| Some((x.place(row.megabytes as f64), y.place(value(row)?)))).collect();
            text += &line(&points, colour(contender));
        }
    }
    let shown = Contender::ALL.into_iter().filter(|contender| rows.iter().any(|row| row.contender == *contender));
    for (number, contender) in shown.enumerate() {
        let (x, y) = (LEFT + (number % 3) as f64 * 300.0, TOP + HEIGHT + 62.0 + (number / 3) as f64 * 22.0);
        text += &format!("<rect x=\"{x}\" y=\"{}\" width=\"22\" height=\"4\" fill=\"{}\"/>", y - 6.0, colour(contender));
        text += &format!("<text x=\"{}\" y=\"{y}\">{}</text>\n", x + 30.0, contender.name());
    }
    text + "</svg>\n"
}

fn colour(contender: Contender) -> &'static str {
    match contender {
        Contender::Openssl => "#888888",
        Contender::OursInPlace => "#c1121f",
        Contender::OursFile => "#f4845f",
        Contender::PyHankoInPlace => "#1d4e89",
        Contender::PyHankoFile => "#7fb2dd",
    }
}

fn line(points: &[(f64, f64)], colour: &str) -> String {
    let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let dots: String = points.iter().map(|(x, y)| format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"{colour}\"/>")).collect();
    format!("<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" points=\"{}\"/>{dots}\n", path.join(" "))
}

/// Grid lines at the powers of ten, with their numbers.
fn frame(x: &Axis, y: &Axis, left: f64) -> String {
    let mut text = String::new();
    for power in x.powers() {
        let at = x.place(power);
        text += &format!(
            "<path d=\"M{at:.1} {TOP}v{HEIGHT}\" stroke=\"#ddd\"/><text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{power} MB</text>\n",
            TOP + HEIGHT + 18.0
        );
    }
    for power in y.powers() {
        let at = y.place(power);
        text += &format!(
            "<path d=\"M{left} {at:.1}h{WIDTH}\" stroke=\"#ddd\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{power}</text>\n",
            left - 6.0,
            at + 4.0
        );
    }
    text
}

/// From whole powers of ten to places in the picture.
struct Axis {
    low: i32,
    high: i32,
    from: f64,
    to: f64,
}

impl Axis {
    fn over(values: &[f64], from: f64, to: f64) -> Option<Self> {
        let logs = || values.iter().filter(|value| **value > 0.0 && value.is_finite()).map(|value| value.log10());
        let (low, high) = (logs().reduce(f64::min)?.floor(), logs().reduce(f64::max)?.ceil());
        let whole = |value: f64| (-300..=300).find(|number| f64::from(*number) >= value);
        let low = whole(low)?;
        Some(Self { low, high: whole(high)?.max(low + 1), from, to })
    }

    fn place(&self, value: f64) -> f64 {
        let part = (value.max(1e-300).log10() - f64::from(self.low)) / f64::from(self.high - self.low);
        self.from + part * (self.to - self.from)
    }

    fn powers(&self) -> impl Iterator<Item = f64> {
        // Written as decimal text and read back, so that 0.001 is printed as such.
        (self.low..=self.high).filter_map(|power| format!("1e{power}").parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Figure, Row};
    use super::{Axis, Contender, svg};

    #[test]
    fn axes_reach_from_power_to_power() {
        let axis = Axis::over(&[0.02, 3.0], 0.0, 300.0).unwrap();
        assert_eq!(axis.powers().collect::<Vec<_>>(), [0.01, 0.1, 1.0, 10.0]);
        assert!((axis.place(0.1) - 100.0).abs() < 1e-6 && (axis.place(10.0) - 300.0).abs() < 1e-6);
        assert!(Axis::over(&[], 0.0, 1.0).is_none());
    }

    #[test]
    fn what_was_not_measured_is_not_drawn() {
        let row = |contender, peak_kib| Row { megabytes: 10, contender, figures: vec![Figure { wall: 0.5, cpu: None, peak_kib }] };
        let drawn = svg(&[row(Contender::Openssl, None), row(Contender::OursInPlace, Some(20_000))]);
        assert_eq!(drawn.matches("<circle").count(), 3);
        assert!(drawn.contains("sealbridge in place") && !drawn.contains("pyHanko"));
    }
}
