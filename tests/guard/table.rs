//! The truth table: what stands after a write, for every kind of Canary, TraefikService and writer. Each row is
//! run on the real server with the policies in several orders, and `docs/guard.md` shows the table.

use canary_traefik::model::name::Group;
use serde_json::{Value, json};
use snapbox::{Data, data::DataFormat};
use testbed::bed::root;

use super::{
    cluster::cluster,
    event::{
        Event::{self, *},
        Kind, Outcome, Owner,
        Writer::{Kubectl, Nameless},
    },
    story::{
        Start::{self, HandWritten, Named, Older, Rollout},
        play,
    },
};

/// How often each row is run, each time with another order of the policies in each of its steps.
const ROUNDS: usize = 8;

const BEGIN: &str = "<!-- truth table: made by tests/guard -->";
const END: &str = "<!-- end -->";

/// What there is, what happens, the write that is looked at, and the cookie that stands after it.
type Row = (Start, Vec<Event>, Event, Outcome);

const COOKIE: &str = "login; Max-Age=300";
const OTHER: &str = "sso; Path=/; Secure";

fn declare(text: &str) -> Event {
    Declare(text.to_owned())
}

fn create(text: &str) -> Event {
    Create(Some(text.to_owned()))
}

fn hand() -> Value {
    json!({ "name": "hand" })
}

fn native() -> Value {
    json!({ "maxAge": 60, "name": "native" })
}

#[rustfmt::skip]
fn rows() -> Vec<Row> {
    vec![
        // Declared in the annotation.
        (Rollout, vec![declare(COOKIE)], Step, Outcome::Declared),
        (Rollout, vec![declare(COOKIE), Step], Step, Outcome::Declared),
        (Rollout, vec![declare(COOKIE), Step, declare(OTHER)], Step, Outcome::Declared),
        (Rollout, vec![declare(COOKIE), Step, Undeclare], Step, Outcome::None),
        (Rollout, vec![declare("")], Step, Outcome::Declared),
        (Named, vec![declare(COOKIE)], Step, Outcome::Declared),
        (Rollout, vec![declare(COOKIE), Step], Set(Kubectl, hand()), Outcome::Declared),
        (Rollout, vec![declare(COOKIE), Step], Set(Nameless, hand()), Outcome::Declared),
        (Rollout, vec![declare(COOKIE), Step], Unset(Kubectl), Outcome::Declared),
        (Rollout, vec![declare(COOKIE), Step], Unset(Nameless), Outcome::Declared),
        (Rollout, vec![declare(COOKIE), Step], Generate, Outcome::Declared),
        (Rollout, vec![declare(COOKIE), Step], Make(Kubectl, Some(hand())), Outcome::Declared),
        (Rollout, vec![declare(COOKIE), Step, declare("login; Max-Age=soon")], Step, Outcome::Declared),
        (Rollout, vec![declare(COOKIE), Provider(None)], Step, Outcome::Declared),
        // Nothing declared.
        (Rollout, vec![], Step, Outcome::None),
        (Rollout, vec![], Generate, Outcome::None),
        (Rollout, vec![], Set(Kubectl, hand()), Outcome::AsWritten),
        (Rollout, vec![], Set(Nameless, hand()), Outcome::None),
        (Rollout, vec![Set(Kubectl, hand())], Step, Outcome::None),
        (Rollout, vec![Set(Kubectl, hand())], Set(Kubectl, native()), Outcome::AsWritten),
        (Rollout, vec![Set(Kubectl, hand())], Unset(Kubectl), Outcome::AsWritten),
        (Rollout, vec![Set(Kubectl, hand())], Unset(Nameless), Outcome::None),
        (Rollout, vec![], Make(Kubectl, Some(hand())), Outcome::AsWritten),
        (Rollout, vec![], Make(Nameless, Some(hand())), Outcome::None),
        // Declared in the native field.
        (Rollout, vec![Native(native())], NativeStep, Outcome::AsWritten),
        (Rollout, vec![Native(native()), NativeStep, Native(hand())], NativeStep, Outcome::AsWritten),
        (Rollout, vec![Native(native()), NativeStep, Native(Value::Null)], NativeStep, Outcome::None),
        (Rollout, vec![declare(COOKIE), Native(native())], NativeStep, Outcome::AsWritten),
        (Rollout, vec![Native(native()), NativeStep], Set(Kubectl, hand()), Outcome::AsWritten),
        (Rollout, vec![Native(native()), NativeStep], Unset(Kubectl), Outcome::AsWritten),
        (Rollout, vec![Native(native()), NativeStep], Step, Outcome::AsBefore),
        // Malformed, and older than the guard.
        (Older, vec![], Step, Outcome::AsWritten),
        (Older, vec![], Set(Kubectl, hand()), Outcome::AsWritten),
        (Older, vec![], Set(Nameless, hand()), Outcome::AsWritten),
        (Older, vec![Set(Kubectl, hand())], Step, Outcome::AsBefore),
        (Older, vec![Set(Kubectl, hand())], Unset(Kubectl), Outcome::AsWritten),
        (Older, vec![Set(Kubectl, hand())], Generate, Outcome::AsWritten),
        (Older, vec![declare(COOKIE)], Step, Outcome::Declared),
        (Older, vec![Set(Kubectl, hand()), Undeclare], Step, Outcome::None),
        // No Canary, or not this one's.
        (Rollout, vec![declare(COOKIE), Step, Delete], Step, Outcome::AsBefore),
        (Rollout, vec![declare(COOKIE), Step, Delete], Unset(Kubectl), Outcome::AsWritten),
        (Rollout, vec![declare(COOKIE), Step, create(OTHER)], Step, Outcome::Declared),
        (Rollout, vec![declare(COOKIE), Step, Create(None)], Step, Outcome::None),
        (Rollout, vec![declare(COOKIE), Step, Control(Owner::AnotherCanary)], Set(Kubectl, hand()), Outcome::AsWritten),
        (Rollout, vec![declare(COOKIE), Step, Control(Owner::AnotherCanary)], Step, Outcome::AsBefore),
        (Rollout, vec![declare(COOKIE), Step, Control(Owner::Deployment)], Set(Kubectl, hand()), Outcome::AsWritten),
        (Rollout, vec![declare(COOKIE), Step, Control(Owner::Deployment)], Step, Outcome::AsWritten),
        (Rollout, vec![declare(COOKIE), Control(Owner::Nobody)], Step, Outcome::Declared),
        (Rollout, vec![Set(Kubectl, hand()), Control(Owner::Nobody)], Step, Outcome::None),
        (HandWritten, vec![], Set(Kubectl, hand()), Outcome::AsWritten),
        (HandWritten, vec![], Set(Nameless, hand()), Outcome::AsWritten),
        (HandWritten, vec![Set(Kubectl, hand())], Unset(Nameless), Outcome::AsWritten),
        (Rollout, vec![declare(COOKIE), Provider(Some("istio"))], Step, Outcome::AsWritten),
        (Rollout, vec![declare(COOKIE), Step, Provider(Some("istio"))], Step, Outcome::AsBefore),
        (Rollout, vec![Set(Kubectl, hand()), Provider(Some("istio"))], Set(Nameless, native()), Outcome::AsWritten),
        // Not weighted.
        (Rollout, vec![declare(COOKIE), Step], Turn(Kind::Mirroring), Outcome::None),
        (Rollout, vec![declare(COOKIE), Step], Turn(Kind::Failover), Outcome::None),
        (Rollout, vec![declare(COOKIE), Turn(Kind::Mirroring)], Turn(Kind::Failover), Outcome::None),
    ]
}

#[test]
fn every_row_holds_in_both_groups_whatever_the_order_of_the_policies() {
    let rows = rows();
    let mut wrong = Vec::new();
    let runs: Vec<_> = (0..ROUNDS)
        .flat_map(|round| Group::ALL.map(|group| (round, group)))
        .flat_map(|(round, group)| rows.iter().map(move |row| (round, group, row)))
        .collect();
    let stories = play(
        cluster(),
        runs.iter().map(|(round, group, (start, events, write, _))| {
            (*group, *start, events.iter().chain([write]).cloned().collect(), *round)
        }),
    );
    for ((_, _, (_, _, _, outcome)), story) in runs.iter().zip(&stories) {
        let last = story.last.as_ref().expect("every row ends with a write");
        if let Some(difference) = &story.difference {
            wrong.push(format!("{}  {difference}", story.tell()));
        } else if last.sticky() != last.meant(*outcome) {
            wrong.push(format!("{}  {} stands, not {outcome}", story.tell(), last.sticky()));
        }
    }
    assert!(wrong.is_empty(), "{} of {} runs are wrong:\n{}", wrong.len(), runs.len(), wrong.join("\n"));
}

fn markdown() -> String {
    let mut text = "| before | write | cookie after it |\n|---|---|---|\n".to_owned();
    for (start, events, write, outcome) in rows() {
        let start = match start {
            Rollout => None,
            Named => Some("the TraefikService is named by `spec.service.name`"),
            Older => Some("the declaration is malformed and older than the guard"),
            HandWritten => Some("no Canary, a TraefikService made by hand"),
        };
        let before: Vec<_> = start.map(str::to_owned).into_iter().chain(events.iter().map(Event::to_string)).collect();
        let before = if before.is_empty() { "nothing is declared".to_owned() } else { before.join("; ") };
        text.push_str(&format!("| {before} | {write} | {outcome} |\n"));
    }
    text
}

#[test]
fn the_documentation_shows_the_table() {
    let path = root().join("docs/guard.md");
    let text = std::fs::read_to_string(&path).expect("docs/guard.md can be read");
    let between = text
        .split_once(&format!("{BEGIN}\n"))
        .and_then(|(before, rest)| rest.split_once(&format!("{END}\n")).map(|(_, after)| (before, after)));
    let (before, after) = between.expect("docs/guard.md has the two markers, on lines of their own");
    let whole = format!("{before}{BEGIN}\n{}{END}\n{after}", markdown());
    snapbox::Assert::new()
        .action_env(snapbox::assert::DEFAULT_ACTION_ENV)
        .eq(whole, Data::read_from(&path, Some(DataFormat::Text)).raw());
}
