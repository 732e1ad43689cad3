//! The plot of a simulated rollout, as SVG. Written by hand: `docs/decisions.md` has what a crate would cost.

use super::{Simulated, percent, setup};
use crate::{output::escaped, plan::purpose, simulate::Simulation};

/// Width and height of the image, and of the plot in it.
const SIZE: (u16, u16) = (960, 480);
const LEFT: f64 = 60.0;
const RIGHT: f64 = 940.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 410.0;
/// Parts of a line that is not made of steps.
const PARTS: u16 = 440;
/// The most labels of the time axis.
const LABELS: usize = 12;
/// The lines: meaning and style. They differ in colour (Okabe and Ito's, for people with colour blindness too), width
/// and dashes.
const LINES: [(&str, &str); 3] = [
    ("page views of new visitors", r##"stroke="#0072b2" stroke-width="2""##),
    ("page views of returning users", r##"stroke="#d55e00" stroke-width="4""##),
    ("logins that change version", r##"stroke="#555555" stroke-width="2" stroke-dasharray="6 4""##),
];

/// Draws the canary's share of page views, and the logins that change version, over time.
pub fn svg(simulated: &Simulated) -> String {
    let simulation = &simulated.simulation;
    let (width, height) = SIZE;
    let title = xml(&format!("Canary {} until its promotion", simulated.target));
    let mut text = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="14" role="img">
<title>{title}</title>
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="{LEFT}" y="26" font-size="18">{title}</text>
<g stroke="#cccccc" fill="none">
"##
    );
    for share in [0.0, 25.0, 50.0, 75.0, 100.0] {
        text.push_str(&format!("<path d=\"M{LEFT} {0}H{RIGHT}\"/>\n", y(share)));
    }
    text.push_str("</g>\n<g text-anchor=\"end\">\n");
    for share in [0.0, 25.0, 50.0, 75.0, 100.0] {
        text.push_str(&format!("<text x=\"{}\" y=\"{}\">{}</text>\n", LEFT - 8.0, y(share) + 5.0, percent(share)));
    }
    text.push_str("</g>\n<g text-anchor=\"middle\">\n");
    let every = simulation.steps.len().div_ceil(LABELS);
    for time in ends(simulation).step_by(every) {
        text.push_str(&format!(
            "<text x=\"{:.1}\" y=\"{}\">{}</text>\n",
            x(simulation, time),
            BOTTOM + 22.0,
            label(time)
        ));
    }
    text.push_str(&format!("</g>\n<text x=\"{LEFT}\" y=\"{}\">{}</text>\n", BOTTOM + 52.0, xml(&setup(simulated))));
    let shares = || {
        let times = (0..=PARTS).map(|part| simulation.length() * f64::from(part) / f64::from(PARTS));
        times.map(|time| (time, simulation.shares_at(time)))
    };
    let steps = ends(simulation).zip(ends(simulation).skip(1)).zip(&simulation.steps);
    let points = [
        shares().map(|(time, (new, _))| (time, new)).collect::<Vec<_>>(),
        shares().map(|(time, (_, returning))| (time, returning)).collect(),
        steps.flat_map(|((begin, end), step)| [(begin, step.moved), (end, step.moved)]).collect(),
    ];
    for (number, ((meaning, style), points)) in LINES.iter().zip(points).enumerate() {
        let points: Vec<_> =
            points.into_iter().map(|(time, share)| format!("{:.1},{:.1}", x(simulation, time), y(share))).collect();
        let line = TOP + 20.0 + 22.0 * f64::from(u8::try_from(number).unwrap_or_default());
        text.push_str(&format!(
            "<polyline fill=\"none\" {style} points=\"{}\"/>\n<path d=\"M{} {line}h32\" {style}/>\n<text x=\"{}\" y=\"{}\">{meaning}</text>\n",
            points.join(" "),
            LEFT + 12.0,
            LEFT + 52.0,
            line + 5.0
        ));
    }
    text + "</svg>\n"
}

/// Returns when the rollout begins, and when each of its steps ends.
fn ends(simulation: &Simulation) -> impl Iterator<Item = f64> {
    let step = simulation.length() / simulation.steps.iter().map(|_| 1.0).sum::<f64>();
    std::iter::successors(Some(0.0), move |end| Some(end + step)).take(simulation.steps.len() + 1)
}

fn x(simulation: &Simulation, time: f64) -> f64 {
    LEFT + (RIGHT - LEFT) * time / simulation.length()
}

fn y(share: f64) -> f64 {
    BOTTOM - (BOTTOM - TOP) * share / 100.0
}

/// Formats a time as `--interval` takes it.
#[expect(clippy::cast_possible_truncation, reason = "steps end at whole seconds")]
fn label(time: f64) -> String {
    purpose::seconds(time.round() as i64)
}

/// Makes a text one of XML: characters that it has no way to write (XML 1.0 section 2.2) are escaped or replaced.
fn xml(text: &str) -> String {
    let text = escaped(text).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}");
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        model::NamespacedName,
        simulate::{Pin, Setup, Simulation},
    };

    proptest! {
        #[test]
        fn a_plot_is_well_formed_whatever_the_name_and_the_numbers(
            name: String,
            steps in prop::collection::btree_set(1..=100_u8, 1..9),
            interval in prop_oneof![Just(10_i64), 10..1000_i64, Just(9_223_372_036_i64)],
            age in prop_oneof![Just(0_i64), Just(-1), any::<i64>()],
            flow in 1..86_400_i64,
        ) {
            let steps = steps.into_iter().collect();
            let setup = Setup { steps, interval, pin: Pin::of_max_age(Some(age)), flow, entry: false, logins: None };
            let simulation = Simulation::of(setup);
            let target = NamespacedName { namespace: None, name: format!("{name}\u{1b}[31m<&\"'>]]>\u{ffff}") };
            let text = svg(&Simulated { target, cookie: Some("flag"), max_age: Some(age), simulation });
            let document = roxmltree::Document::parse(&text).map_err(|error| TestCaseError::fail(error.to_string()))?;
            let root = document.root_element();
            prop_assert_eq!((root.tag_name().name(), root.tag_name().namespace()), ("svg", Some("http://www.w3.org/2000/svg")));
            // Title, axes, legend: none of them is lost.
            let texts = document.descendants().filter(|node| node.has_tag_name((root.tag_name().namespace().unwrap_or_default(), "text")));
            prop_assert!(texts.count() >= 12);
        }
    }
}
