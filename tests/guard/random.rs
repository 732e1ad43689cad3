//! Random sequences of events, random declarations and entries: CEL and Rust are of one mind.

use std::sync::Mutex;

use canary_traefik::{
    guard::refusal,
    model::{
        Entry,
        declaration::{self, ANNOTATION, Malformed},
        entry::ENTRY_ANNOTATION,
        name::Group,
    },
};
use serde_json::json;
use testbed::{namespace::Namespace, objects};

use super::{
    cluster::{canaries, cluster, each},
    event::Event,
    generate::{declarations, entries, entry_texts, seed, sequences, texts, values},
    story::{Start, Story, play},
};

const SEQUENCES: usize = 1000;
const WELL_FORMED: usize = 500;
const MALFORMED: usize = 500;

fn assert_no_difference(stories: &[Story]) {
    let wrong: Vec<_> =
        stories.iter().filter_map(|story| Some(format!("{}  {}", story.tell(), story.difference.as_ref()?))).collect();
    assert!(wrong.is_empty(), "{}: {} of {}:\n{}", seed(), wrong.len(), stories.len(), wrong.join("\n"));
}

#[test]
fn a_thousand_sequences_of_events_go_as_guard_decide_says_at_each_step() {
    let sequences = values(sequences()).take(SEQUENCES).enumerate();
    // One in five is about a Flagger before 1.42.
    let group = |number: usize| if number.is_multiple_of(5) { Group::TraefikContainoUs } else { Group::TraefikIo };
    let stories = play(cluster(), sequences.map(|(number, (start, events))| (group(number), start, events, 0)));
    assert_no_difference(&stories);
    let writes = stories.iter().flat_map(|story| &story.events).filter(|event| event.is_write()).count();
    assert!(writes > 2 * SEQUENCES, "hardly anything was compared: {writes} writes");
}

#[test]
fn the_cookie_of_a_declaration_is_the_one_that_the_parser_makes() {
    let texts: Vec<_> = values(declarations()).take(WELL_FORMED).collect();
    let stories = texts.chunks(2).map(|texts| {
        let events = texts.iter().flat_map(|text| [Event::Declare(text.clone()), Event::Step]).collect();
        (Group::TraefikIo, Start::Rollout, events, 0)
    });
    let stories = play(cluster(), stories);
    assert_no_difference(&stories);
    for (texts, story) in texts.chunks(2).zip(&stories) {
        let last = texts.last().expect("a chunk is not empty");
        let sticky = declaration::parse(last).expect("well-formed").to_sticky();
        assert_eq!(story.last.as_ref().expect("it ends with a write").sticky(), sticky, "{}: {last:?}", seed());
    }
}

/// Writes such texts into the annotation, until the parser has refused `MALFORMED` of them, and one that is very long.
/// Each is to be refused as by the parser.
fn assert_refused_as_parsed<T>(
    annotation: &str,
    texts: impl Iterator<Item = String>,
    parse: fn(&str) -> Result<T, Malformed>,
) {
    let cluster = cluster();
    let namespace = Namespace::on(&cluster.server, "texts");
    namespace.create_value(&objects::canary("podinfo"));
    let path = format!("{}/podinfo?dryRun=All", canaries(namespace.name()));
    let mut left = MALFORMED;
    let mut texts: Vec<_> = texts
        .take_while(|text| {
            left -= usize::from(parse(text).is_err());
            left > 0
        })
        .collect();
    texts.push("x".repeat(200_000));
    let wrong = Mutex::new(Vec::new());
    each(&texts, |text| {
        let answer =
            cluster.server.admin().merge(&path, &json!({ "metadata": { "annotations": { annotation: text } } }));
        let refusal = (answer.code != 200).then(|| (answer.code, answer.message()));
        let expected = parse(text)
            .err()
            .map(|malformed| (422, super::form::refusal("podinfo", &format!("annotation {annotation}: {malformed}"))));
        if refusal != expected {
            let line = format!("{text:?}\n  server: {refusal:?}\n  parser: {expected:?}");
            wrong.lock().expect("no other has panicked").push(line);
        }
    });
    let wrong = wrong.into_inner().expect("none has panicked");
    assert!(wrong.is_empty(), "{}: {} of {}:\n{}", seed(), wrong.len(), texts.len(), wrong.join("\n"));
}

#[test]
fn a_declaration_is_refused_exactly_when_the_parser_refuses_it_and_in_its_words() {
    assert_refused_as_parsed(ANNOTATION, values(texts()), declaration::parse);
}

#[test]
fn an_entry_is_refused_exactly_when_the_parser_refuses_it_and_in_its_words() {
    let well_formed: Vec<_> = values(entries()).take(WELL_FORMED / 2).collect();
    assert_refused_as_parsed(ENTRY_ANNOTATION, well_formed.into_iter().chain(values(entry_texts())), Entry::parse);
}

#[test]
fn a_canary_is_refused_as_guard_refusal_says_whichever_annotation_changes() {
    let cluster = cluster();
    let api = cluster.server.admin();
    let namespace = Namespace::on(&cluster.server, "changes");
    let well_formed = json!({ ANNOTATION: "login", ENTRY_ANNOTATION: "/login" });
    for (name, annotations) in [("without", json!(null)), ("with", well_formed)] {
        let mut canary = objects::canary(name);
        canary["metadata"]["annotations"] = annotations;
        namespace.create_value(&canary);
    }
    let (older, malformed) = cluster.older_canary();
    let places = [(namespace.name(), "without"), (namespace.name(), "with"), (older.as_str(), malformed.as_str())]
        .map(|(namespace, name)| (canaries(namespace), name));
    let mut refused = [0; 3];
    for ((path, name), refused) in places.iter().zip(&mut refused) {
        let old = api.get(&format!("{path}/{name}")).expect("a Canary");
        let before = |key: &str| old["metadata"]["annotations"][key].clone();
        let values = |key, good: &str, bad: &str| [before(key), json!(null), json!(good), json!(bad)];
        let entries = values(ENTRY_ANNOTATION, "/sso", "/sso, sso");
        for (cookie, entry) in values(ANNOTATION, "sso", "sso; Max-Age")
            .iter()
            .flat_map(|cookie| entries.iter().map(move |entry| (cookie, entry)))
        {
            let annotations = json!({ ANNOTATION: cookie, ENTRY_ANNOTATION: entry, "at": "another" });
            let patch = json!({ "metadata": { "annotations": annotations } });
            let mut create = objects::canary("created");
            create["metadata"]["annotations"] = annotations.clone();
            create["metadata"]["annotations"].as_object_mut().expect("a mapping").retain(|_, value| !value.is_null());
            let changed = api.merge(&format!("{path}/{name}?dryRun=All"), &patch);
            let created = api.post(&format!("{path}?dryRun=All"), &create);
            for (name, old, answer, code) in [(*name, Some(&old), changed, 200), ("created", None, created, 201)] {
                let answer = (answer.code, (answer.code != code).then(|| answer.message()));
                let expected = match refusal(old, &patch) {
                    Some(complaint) => (422, Some(super::form::refusal(name, &complaint))),
                    None => (code, None),
                };
                assert_eq!(answer, expected, "{name}: {annotations}");
                *refused += usize::from(expected.0 == 422);
            }
        }
    }
    // Seven of 16 changes bring something malformed. For a new Canary, what the older one already had is new as well.
    assert_eq!(refused, [14, 14, 7 + 12]);
}
