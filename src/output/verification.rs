//! The outcome of `verify`: as text, as JSON, and as the XML of `JUnit`.

use serde_json::{Value, json};

use super::{
    count, escaped,
    report::{named, published},
    style::{Meaning, Style},
    table::table,
};
use crate::{
    model::NamespacedName,
    traefik::Weight,
    verify::{Check, Finding, Outcome, Setup, Split, Verification},
};

/// Formats the tracks, and then each check with what was found.
pub fn text(verification: &Verification, style: Style) -> String {
    let rows = verification.tracks.iter().map(|track| {
        let weight = track.weight.map_or_else(|| "-".to_owned(), |weight| weight.in_traefik().to_string());
        vec![track.name.clone(), weight, track.pins.to_string(), track.requests.to_string()]
    });
    let mut text = table(&["TRACK", "WEIGHT", "PINS", "REQUESTS"], rows) + &split(&verification.split) + "\n";
    for (check, outcome) in &verification.checks {
        let claim = check.claim();
        match outcome {
            Outcome::Holds => text.push_str(&format!("{}       {claim}\n", style.paint(Meaning::Good, "ok"))),
            Outcome::Skipped(reason) => text.push_str(&format!("skipped  {claim}: {reason}\n")),
            Outcome::Fails(findings) => {
                text.push_str(&format!("{}   {claim}\n", style.paint(Meaning::Error, "failed")));
                text.extend(findings.iter().map(|finding| failure(finding, style)));
            }
        }
    }
    let browsers = count(verification.browsers, "browser", "browsers");
    let verdict = verification.verdict();
    text + &format!("\n{verdict} ({browsers}, {})\n", count(verification.requests, "request", "requests"))
}

fn failure(finding: &Finding, style: Style) -> String {
    let times = if finding.times > 1 { format!(" ({} times)", finding.times) } else { String::new() };
    let mut text = format!("  {}{times}\n", escaped(&finding.message));
    if let Some(fix) = &finding.fix {
        text.push_str(&format!("  {} {}\n", style.paint(Meaning::Hint, "fix:"), escaped(fix)));
    }
    text
}

/// Formats the split: `canary: 5 of 24 pins, 21 % (99 % confidence: 7 % to 47 %), 10 % expected`.
#[expect(clippy::cast_precision_loss, reason = "counts of requests")]
fn split(split: &Split) -> String {
    if split.drawn == 0 {
        return String::new();
    }
    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    let (low, high) = split.interval;
    let share = percent(split.canary as f64 / split.drawn as f64);
    let expected = split.expected.map_or_else(String::new, |share| format!(", {} expected", percent(share)));
    let pins = count(split.drawn, "pin", "pins");
    format!(
        "canary: {} of {pins}, {share} (99 % confidence: {} to {}){expected}\n",
        split.canary,
        percent(low),
        percent(high)
    )
}

/// Returns the outcome as JSON.
pub fn report(verification: &Verification, target: &NamespacedName, setup: &Setup) -> Value {
    let checks: Vec<_> = verification.checks.iter().map(|(check, outcome)| check_report(*check, outcome)).collect();
    let tracks = verification.tracks.iter().map(|track| {
        let weight = track.weight.map(Weight::in_traefik);
        json!({"name": track.name, "weight": weight, "pins": track.pins, "requests": track.requests})
    });
    let split = &verification.split;
    let mut value = json!({
        "cookieName": setup.names.first(),
        "urls": setup.pages.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "holds": verification.holds(),
        "browsers": verification.browsers,
        "requests": verification.requests,
        "tracks": tracks.collect::<Vec<_>>(),
        "split": {"canary": split.canary, "drawn": split.drawn, "low": split.interval.0, "high": split.interval.1,
            "expected": split.expected},
        "checks": checks,
    });
    if let Some(reason) = &verification.ended {
        value["error"] = reason.as_str().into();
    }
    published("Verification", named(target, value))
}

fn check_report(check: Check, outcome: &Outcome) -> Value {
    let mut value = json!({"name": check, "claim": check.claim()});
    match outcome {
        Outcome::Holds => value["outcome"] = "holds".into(),
        Outcome::Skipped(reason) => {
            value["outcome"] = "skipped".into();
            value["reason"] = reason.as_str().into();
        }
        Outcome::Fails(findings) => {
            value["outcome"] = "fails".into();
            let finding =
                |finding: &Finding| json!({"message": finding.message, "fix": finding.fix, "times": finding.times});
            value["findings"] = findings.iter().map(finding).collect();
        }
    }
    value
}

/// Returns the outcome as the XML of `JUnit`: one test case for each check.
pub fn junit(verification: &Verification, target: &NamespacedName) -> String {
    let of = |is: fn(&Outcome) -> bool| verification.checks.iter().filter(|(_, outcome)| is(outcome)).count();
    let failures = of(|outcome| matches!(outcome, Outcome::Fails(_)));
    let skipped = of(|outcome| matches!(outcome, Outcome::Skipped(_)));
    let errors = usize::from(verification.ended.is_some());
    let suite = xml(&format!("verify {target}"));
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"{suite}\" tests=\"{}\" \
         failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\">\n",
        verification.checks.len() + errors
    );
    for (check, outcome) in &verification.checks {
        let case = format!("    <testcase classname=\"{suite}\" name=\"{}\"", check.claim());
        text.push_str(&match outcome {
            Outcome::Holds => format!("{case}/>\n"),
            Outcome::Skipped(reason) => {
                format!("{case}>\n      <skipped message=\"{}\"/>\n    </testcase>\n", xml(reason))
            }
            Outcome::Fails(findings) => {
                let lines: String = findings.iter().map(|finding| failure(finding, Style::PLAIN)).collect();
                let first = findings.first().map_or("", |finding| finding.message.as_str());
                format!(
                    "{case}>\n      <failure message=\"{}\">\n{}</failure>\n    </testcase>\n",
                    xml(first),
                    xml(&lines)
                )
            }
        });
    }
    if let Some(reason) = &verification.ended {
        text.push_str(&format!(
            "    <testcase classname=\"{suite}\" name=\"every page answers\">\n      <error message=\"{}\"/>\n    \
             </testcase>\n",
            xml(reason)
        ));
    }
    text + "  </testsuite>\n</testsuites>\n"
}

/// Escapes text for XML (section 2.4), without the control characters that it cannot hold (section 2.2).
fn xml(text: &str) -> String {
    let text = text.replace(|c: char| c.is_control() && !"\n\t".contains(c), "\u{fffd}");
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
