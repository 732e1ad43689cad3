//! A simulated rollout as text, and as the published type `Simulation`.

mod chart;
pub mod plot;

use serde_json::{Value, json};

use super::{
    report::{named, published},
    table::table,
    wrap::wrapped,
};
use crate::{
    model::NamespacedName,
    plan::purpose,
    simulate::{self, Finding, Pin, REQUESTS, Setup},
};

/// A simulated rollout of a Canary.
#[derive(Debug)]
pub struct Simulated {
    /// The Canary.
    pub target: NamespacedName,
    /// Where the cookie comes from: `declared`, `live` (and not declared) or `flag` (`--max-age`); `None` without one.
    pub cookie: Option<&'static str>,
    /// Its Max-Age, as declared, live or typed.
    pub max_age: Option<i64>,
    /// The rollout.
    pub simulation: simulate::Simulation,
}

/// Returns what is simulated, in one line.
pub fn setup(simulated: &Simulated) -> String {
    let Setup { interval, flow, entry, .. } = simulated.simulation.setup;
    let cookie = match (simulated.cookie, simulated.max_age) {
        (None, _) => "no cookie".to_owned(),
        (Some(source), None | Some(0)) => format!("session cookie ({source})"),
        (Some(source), Some(age)) => format!("cookie with Max-Age={age} ({source})"),
    };
    let entry = if entry { "with an entry" } else { "no entry" };
    format!("{cookie}, {entry}; logins of {}, an interval of {}", purpose::seconds(flow), purpose::seconds(interval))
}

/// Returns the text: what is simulated, the table, the chart, and what is wrong.
pub fn text(simulated: &Simulated, width: usize) -> String {
    let simulation = &simulated.simulation;
    let mut text = format!("{}\n\n{}\n", wrapped(&setup(simulated), width, 0, 2), rows(simulation));
    let chart = chart::chart(simulation, width);
    if !chart.is_empty() {
        text.push_str(&format!("{chart}\n"));
    }
    for finding in simulate::findings(simulation) {
        text.push_str(&wrapped(&sentence(finding, &simulation.setup), width, 0, 2));
        text.push('\n');
    }
    text
}

fn rows(simulation: &simulate::Simulation) -> String {
    let step = |(number, step): (usize, &simulate::Step)| {
        let shares = [step.new, step.returning, step.moved].map(percent);
        [vec![(number + 1).to_string(), step.weight.to_string()], shares.to_vec()].concat()
    };
    let dash = || "-".to_owned();
    let promotion = vec!["promotion".into(), dash(), dash(), dash(), percent(simulation.promotion)];
    let means = [simulation.mean(|step| step.new), simulation.mean(|step| step.returning), simulation.moved];
    let rollout = [vec!["rollout".into(), dash()], means.map(percent).to_vec()].concat();
    let rows = simulation.steps.iter().enumerate().map(step).chain([promotion, rollout]);
    table(&["STEP", "WEIGHT", "NEW", "RETURNING", "LOGINS MOVED"], rows)
}

/// Formats a percentage: whole, and never as 0 if it is more.
fn percent(number: f64) -> String {
    if number > 0.0 && number < 0.5 { "<1 %".into() } else { format!("{number:.0} %") }
}

/// Returns what is wrong as a sentence.
pub fn sentence(finding: Finding, setup: &Setup) -> String {
    match finding {
        Finding::Starved { seen, wanted } => {
            let who = if setup.entry { "returning users who do not log in" } else { "returning users" };
            format!(
                "{who} see the canary in {} of their page views during the steps, instead of {}",
                percent(seen),
                percent(wanted)
            )
        }
        Finding::Routing(moved) => {
            let why = match setup.pin {
                Pin::Nothing => "without a cookie, Traefik chooses a version for each request",
                _ => "the cookie expires during the login",
            };
            let flow = purpose::seconds(setup.flow);
            format!("{} of logins that take {flow} change version during the steps: {why}", percent(moved))
        }
        Finding::Promotion(moved) => format!(
            "{} of logins under way change version when the promotion replaces the primary's pods",
            percent(moved)
        ),
    }
}

/// Returns the published report.
pub fn report(simulated: &Simulated) -> Value {
    let simulation = &simulated.simulation;
    let step = |step: &simulate::Step| {
        let simulate::Step { weight, new, returning, moved } = step;
        json!({"weight": weight, "newShare": new, "returningShare": returning, "loginsMoved": moved})
    };
    let value = json!({
        "cookie": simulated.cookie.unwrap_or("none"),
        "maxAge": simulated.max_age,
        "entry": simulation.setup.entry,
        "flow": simulation.setup.flow,
        "requests": REQUESTS,
        "interval": simulation.setup.interval,
        "steps": simulation.steps.iter().map(step).collect::<Vec<_>>(),
        "promotion": {"loginsMoved": simulation.promotion},
        "loginsMoved": simulation.moved,
    });
    published("Simulation", named(&simulated.target, value))
}

/// Returns the names of the steps as they are typed and written: `10, 30, 100`.
pub fn steps(steps: &[u8], separator: &str) -> String {
    steps.iter().map(u8::to_string).collect::<Vec<_>>().join(separator)
}
