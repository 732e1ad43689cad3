//! Random sequences of events, and random declarations: CEL and Rust are of one mind.

use std::sync::Mutex;

use canary_traefik::model::{
    declaration::{self, ANNOTATION},
    name::Group,
};
use serde_json::json;

use super::{
    cluster::{canaries, cluster, each},
    event::Event,
    generate::{declarations, seed, sequences, texts, values},
    story::{Start, Story, play},
};
use crate::support::{namespace::Namespace, objects};

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

#[test]
fn a_declaration_is_refused_exactly_when_the_parser_refuses_it_and_in_its_words() {
    let cluster = cluster();
    let namespace = Namespace::on(&cluster.server, "texts");
    namespace.create_value(&objects::canary("podinfo"));
    let path = format!("{}/podinfo?dryRun=All", canaries(namespace.name()));
    let mut left = MALFORMED;
    let mut texts: Vec<_> = values(texts())
        .take_while(|text| {
            left -= usize::from(declaration::parse(text).is_err());
            left > 0
        })
        .collect();
    texts.push("x".repeat(200_000));
    let wrong = Mutex::new(Vec::new());
    each(&texts, |text| {
        let answer =
            cluster.server.admin().merge(&path, &json!({ "metadata": { "annotations": { ANNOTATION: text } } }));
        let refusal = (answer.code != 200).then(|| (answer.code, answer.message()));
        let expected = declaration::parse(text)
            .err()
            .map(|malformed| (422, super::form::refusal(&format!("annotation {ANNOTATION}: {malformed}"))));
        if refusal != expected {
            let line = format!("{text:?}\n  server: {refusal:?}\n  parser: {expected:?}");
            wrong.lock().expect("no other has panicked").push(line);
        }
    });
    let wrong = wrong.into_inner().expect("none has panicked");
    assert!(wrong.is_empty(), "{}: {} of {}:\n{}", seed(), wrong.len(), texts.len(), wrong.join("\n"));
}
