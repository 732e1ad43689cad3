//! The sections of a description.

use super::{
    super::{
        escaped, show,
        style::Meaning,
        wrap::{columns, padded, wrapped},
    },
    Description, Page, meaning,
};
use crate::{
    flagger::Declared,
    model::{Event, NamespacedName, ObjectKind, name::Group},
    observed::{Observed, State},
    traefik::{Route, Weight},
};

/// Formats the tree of tracks: weight, Service, and the cookie that pins to the track.
pub(super) fn tracks(description: &Description, page: Page) -> String {
    let tracks = description.tracks();
    if tracks.is_empty() {
        return page.head("Tracks", "<none>: the Canary names no target");
    }
    let observed = &description.loaded.observed;
    let is_sticky = observed.cookie().is_some();
    let unseen = if is_sticky { "<unknown>" } else { "<none>" };
    let rows: Vec<[String; 4]> = tracks
        .into_iter()
        .map(|(track, cookie)| {
            let weight = match track.weight {
                Some(Weight::Number(weight)) => weight.to_string(),
                // Flagger's type omits a 0, which Traefik takes as 1.
                Some(Weight::Absent) => "1 (default)".to_owned(),
                None => "-".to_owned(),
            };
            let cells = [track.name, track.service, weight, cookie.unwrap_or_else(|| unseen.to_owned())];
            cells.map(|cell| escaped(&cell))
        })
        .collect();
    let widest = |at: usize| rows.iter().map(|row| columns(&row[at])).max().unwrap_or_default();
    let widths = [widest(0), widest(1), widest(2)];
    let wide = widths.iter().sum::<usize>() + widest(3) + 14 <= page.width;
    let service = observed.canary.service_name.as_deref().unwrap_or_default();
    let mut text = format!("Tracks:\n  {}\n", escaped(service));
    for (at, [name, service, weight, cookie]) in rows.iter().enumerate() {
        let (branch, trunk) = if at + 1 == rows.len() { ("└─", "  ") } else { ("├─", "│ ") };
        if wide {
            let [name, service, weight] =
                [(name, widths[0]), (service, widths[1]), (weight, widths[2])].map(|(cell, width)| padded(cell, width));
            text.push_str(&format!("  {branch} {name}   {service}   {weight}   {cookie}\n"));
        } else {
            text.push_str(&format!("  {branch} {} {weight}\n", padded(name, widths[0])));
            text.push_str(&format!("  {trunk}   {service}\n  {trunk}   {cookie}\n"));
        }
    }
    if is_sticky && description.namespace().is_none() {
        text.push_str(
            &page.line(2, "their cookies depend on the namespace, which the manifests do not set: use -n NAMESPACE"),
        );
    }
    text
}

/// Formats the cookie, field by field, declared and live.
pub(super) fn cookie(observed: &Observed, page: Page) -> String {
    let state = observed.state();
    let source = match &observed.canary.declared {
        Declared::Nothing if state == State::Undeclared => "only live".to_owned(),
        Declared::Nothing => "nothing is declared".to_owned(),
        Declared::Native(..) => "declared in spec.service.traefik.sticky.cookie".to_owned(),
        Declared::Annotation(_) => "declared in an annotation".to_owned(),
        Declared::Malformed(_, malformed) => format!("declared in an annotation: {malformed}"),
    };
    let mut text = page.meant("Cookie", &format!("{}, {source}", state.as_str()), meaning(state));
    let rows = show::fields(observed);
    if rows.is_empty() {
        return text;
    }
    let heads = ["FIELD", "DECLARED", "LIVE"].map(str::to_owned);
    let rows: Vec<[String; 3]> = std::iter::once(heads).chain(rows).map(|row| row.map(|cell| escaped(&cell))).collect();
    let widths = [0, 1, 2].map(|at| rows.iter().map(|row| columns(&row[at])).max().unwrap_or_default());
    let gap = if widths.iter().sum::<usize>() + 18 > page.width { "  " } else { "   " };
    for (at, [field, declared, live]) in rows.iter().enumerate() {
        let differs = at > 0 && state == State::Differs && declared != live;
        let mark = if differs { page.style.paint(Meaning::Warning, "differs") } else { String::new() };
        let [field, declared, live] =
            [(field, widths[0]), (declared, widths[1]), (live, widths[2])].map(|(cell, width)| padded(cell, width));
        text.push_str(&format!("  {}\n", [field, declared, live, mark].join(gap).trim_end()));
    }
    text
}

/// Formats the routes to the TraefikService, and those that were probably meant to lead there.
pub(super) fn routes(description: &Description, page: Page) -> String {
    let routes = &description.around.routes;
    let mut text: String = routes.seen.iter().map(|route| route_lines(description, route, page)).collect();
    for (kind, reason) in &routes.unknown {
        text.push_str(&page.line(2, &format!("{}: <unknown>: {}", kind.kind(), escaped(reason))));
    }
    let mut text = match (&routes.elsewhere_unknown, text.is_empty()) {
        (None, true) => page.head("Routes", "<none>: nothing leads to the TraefikService"),
        (None, false) => format!("Routes:\n{text}"),
        (Some(reason), is_empty) => {
            let line = format!("in other namespaces: <unknown>: {}", escaped(reason));
            let here = if is_empty { page.line(2, "in this namespace: <none>") } else { text };
            format!("Routes:\n{here}{}", page.line(2, &line))
        }
    };
    if !routes.near_misses.is_empty() {
        text.push_str("Routes that do not reach the TraefikService:\n");
    }
    for miss in &routes.near_misses {
        text.push_str(&page.line(2, &name(description, miss.kind, &miss.target)));
        text.push_str(&miss.rules.iter().map(|rule| page.line(4, &escaped(rule))).collect::<String>());
        text.push_str(&page.line(4, &escaped(&miss.problem)));
        text.push_str(&page.line(4, &format!("fix: {}", escaped(&miss.fix))));
    }
    text
}

/// Returns an object's kind and name, with its namespace if that is not the Canary's.
fn name(description: &Description, kind: ObjectKind, target: &NamespacedName) -> String {
    let own = &description.loaded.observed.canary.target.namespace;
    let name = if target.namespace == *own { target.name.clone() } else { target.to_string() };
    format!("{}/{}", kind.kind(), escaped(&name))
}

fn route_lines(description: &Description, route: &Route, page: Page) -> String {
    let mut head = name(description, route.kind, &route.target);
    if !route.entry_points.is_empty() {
        head.push_str(&format!(" on {}", escaped(&route.entry_points.join(", "))));
    }
    if route.tls {
        head.push_str(" with TLS");
    }
    for service in &route.through {
        let kind = ObjectKind::TraefikService(Group::TraefikIo);
        head.push_str(&format!(", through {}", name(description, kind, service)));
    }
    if route.is_mirror {
        head.push_str(", as a mirror: its responses are discarded");
    }
    let rules = route.rules.iter().flat_map(|rule| {
        let refused = route.shown_refusals().filter(move |(refused, _)| refused == rule);
        let refused = refused.map(|(_, refusal)| page.line(6, &escaped(&refusal.to_string())));
        std::iter::once(page.line(4, &escaped(rule))).chain(refused)
    });
    let needs = route.requirements.iter().map(|needed| page.line(4, &escaped(&needed.to_string())));
    page.line(2, &head) + &rules.chain(needs).collect::<String>()
}

/// Formats the lint findings.
pub(super) fn findings(description: &Description, page: Page) -> String {
    let findings = &description.findings;
    if findings.is_empty() {
        return page.head("Findings", "<none>");
    }
    let lines = findings.iter().map(|finding| {
        let message = format!("{} {}: {}", finding.severity, finding.code, escaped(&finding.message));
        page.line(2, &message) + &page.line(4, &format!("fix: {}", escaped(&finding.help)))
    });
    format!("Findings:\n{}", lines.collect::<String>())
}

/// Formats the last events, as kubectl does.
pub(super) fn events(description: &Description, page: Page) -> String {
    let events = match &description.around.events {
        None => return String::new(),
        Some(Err(reason)) => return page.head("Events", &format!("<unknown>: {reason}")),
        Some(Ok(events)) if events.is_empty() => return page.head("Events", "<none>"),
        Some(Ok(events)) => events,
    };
    let cells = |event: &Event| {
        let age = age(event, description.now);
        [event.kind.clone(), event.reason.clone(), age, event.from.clone()].map(|cell| escaped(&cell))
    };
    let heads = ["Type", "Reason", "Age", "From"].map(str::to_owned);
    let rules = ["----", "------", "----", "----"].map(str::to_owned);
    let mut rows = vec![(heads, "Message".to_owned()), (rules, "-------".to_owned())];
    // A line break in a message would start a new row.
    rows.extend(events.iter().map(|event| (cells(event), escaped(&event.message.replace('\n', " ")))));
    let widths = [0, 1, 2, 3].map(|at| rows.iter().map(|(row, _)| columns(&row[at])).max().unwrap_or_default());
    let before = 2 + widths.iter().map(|width| width + 2).sum::<usize>();
    let mut text = "Events:\n".to_owned();
    for (at, (row, message)) in rows.into_iter().enumerate() {
        let row: String = row.iter().zip(widths).map(|(cell, width)| padded(cell, width + 2)).collect();
        if before + 20 <= page.width {
            text.push_str(&format!("  {row}{}\n", wrapped(&message, page.width, before, before)));
        } else if at < 2 {
            text.push_str(&format!("  {}\n", row.trim_end()));
        } else {
            text.push_str(&format!("  {}\n{}", row.trim_end(), page.line(4, &message)));
        }
    }
    text
}

/// Formats the age of an event, such as `3m12s (x4 over 10m)`, as kubectl does
/// (`pkg/describe/describe.go:translateMicroTimestampSince`).
fn age(event: &Event, now: i64) -> String {
    let since = |moment: &Option<String>| show::age(moment.as_deref(), now);
    let (first, last) = &event.seen;
    if event.count > 1 { format!("{} (x{} over {})", since(last), event.count, since(first)) } else { since(last) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_repeated_event_says_how_often_and_since_when() {
        let event = |count: i64, last: &str| {
            Event::from_object(
                &json!({"count": count, "firstTimestamp": "1970-01-01T00:00:00Z", "lastTimestamp": last}),
            )
        };
        assert_eq!(age(&event(1, "1970-01-01T00:08:20Z"), 600), "100s");
        assert_eq!(age(&event(4, "1970-01-01T00:08:20Z"), 600), "100s (x4 over 10m)");
        assert_eq!(age(&event(1, "yesterday"), 600), "<unknown>");
    }
}
