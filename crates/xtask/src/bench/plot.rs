//! Draws time and memory over the document's size as an SVG with two panels, both axes logarithmic. It computes no figure.

const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 70.0;
const TOP: f64 = 50.0;
const GAP: f64 = 100.0;

/// One of the drawings, side by side.
pub(super) struct Panel {
    pub(super) title: &'static str,
    pub(super) unit: &'static str,
    pub(super) series: Vec<Series>,
}

/// One line in a drawing: values over the document's size in MB.
pub(super) struct Series {
    pub(super) name: &'static str,
    pub(super) colour: &'static str,
    pub(super) points: Vec<(f64, f64)>,
}

/// The whole picture. A series without points is left out.
pub(super) fn svg(panels: &[Panel]) -> String {
    let count = panels.len() as f64;
    let total = LEFT + count * WIDTH + (count - 1.0).max(0.0) * GAP + 30.0;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {total} {}\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
        TOP + HEIGHT + 110.0
    );
    let of_all = |part: fn(&(f64, f64)) -> f64, panels: &[Panel]| -> Vec<f64> {
        panels.iter().flat_map(|panel| &panel.series).flat_map(|series| &series.points).map(part).collect()
    };
    let sizes = of_all(|(size, _)| *size, panels);
    let mut shown: Vec<&Series> = Vec::new();
    for (number, panel) in panels.iter().enumerate() {
        let Panel { title, unit, series } = panel;
        let left = LEFT + number as f64 * (WIDTH + GAP);
        let values = of_all(|(_, value)| *value, std::slice::from_ref(panel));
        let (Some(x), Some(y)) = (Axis::over(&sizes, left, left + WIDTH), Axis::over(&values, TOP + HEIGHT, TOP)) else { continue };
        text += &format!("<text x=\"{left}\" y=\"{}\" font-size=\"15\">{title} ({unit})</text>\n", TOP - 18.0);
        text += &frame(&x, &y, left);
        for series in series.iter().filter(|series| !series.points.is_empty()) {
            let points: Vec<(f64, f64)> = series.points.iter().map(|(size, value)| (x.place(*size), y.place(*value))).collect();
            text += &line(&points, series.colour);
            if !shown.iter().any(|other| other.name == series.name) {
                shown.push(series);
            }
        }
    }
    for (number, Series { name, colour, .. }) in shown.into_iter().enumerate() {
        let (x, y) = (LEFT + (number % 3) as f64 * 300.0, TOP + HEIGHT + 62.0 + (number / 3) as f64 * 22.0);
        text += &format!("<rect x=\"{x}\" y=\"{}\" width=\"22\" height=\"4\" fill=\"{colour}\"/>", y - 6.0);
        text += &format!("<text x=\"{}\" y=\"{y}\">{name}</text>\n", x + 30.0);
    }
    text + "</svg>\n"
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
    use super::{Axis, Panel, Series, svg};

    #[test]
    fn axes_reach_from_power_to_power() {
        let axis = Axis::over(&[0.02, 3.0], 0.0, 300.0).unwrap();
        assert_eq!(axis.powers().collect::<Vec<_>>(), [0.01, 0.1, 1.0, 10.0]);
        assert!((axis.place(0.1) - 100.0).abs() < 1e-6 && (axis.place(10.0) - 300.0).abs() < 1e-6);
        assert!(Axis::over(&[], 0.0, 1.0).is_none());
    }

    #[test]
    fn what_was_not_measured_is_not_drawn() {
        let series = |name, points| Series { name, colour: "#000", points };
        let time = Panel { title: "Time", unit: "s", series: vec![series("one", vec![(10.0, 0.5)]), series("two", vec![(10.0, 0.7)])] };
        let memory = Panel { title: "Memory", unit: "MB", series: vec![series("one", vec![(10.0, 20.0)]), series("three", vec![])] };
        let drawn = svg(&[time, memory]);
        assert_eq!(drawn.matches("<circle").count(), 3);
        assert_eq!(drawn.matches(">one<").count(), 1, "each name stands once below the drawings");
        assert!(drawn.contains(">two<") && !drawn.contains("three"));
    }
}
