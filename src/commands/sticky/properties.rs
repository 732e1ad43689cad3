//! Properties of the printed undo commands: the program's own parser accepts them, and they restore the former state.

use std::{cell::RefCell, thread::LocalKey};

use clap::{Args, FromArgMatches};
use proptest::prelude::*;

use super::{remove::RemoveArgs, set};
use crate::{
    flagger::{Declared, NativeField},
    model::Stickiness,
    observed::Loaded,
    plan::{
        Plan, Scope, Sides,
        change::before,
        properties::{Wish, applied, objects, scopes, sides, wishes},
        undo,
    },
};

/// Splits a command line into words like a shell; of the quotes, only single ones are supported.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            '\\' if !quoted => word.get_or_insert_default().extend(letters.next()),
            ' ' if !quoted => words.extend(word.take()),
            letter => {
                let plain = letter.is_ascii_alphanumeric() || "-_./:@%+=,".contains(letter);
                assert!(quoted || plain, "a shell does something with {letter} in {line}");
                word.get_or_insert_default().push(letter);
            }
        }
    }
    assert!(!quoted, "an open quote in {line}");
    words.extend(word);
    words
}

thread_local! {
    // Building a parser takes longer than parsing.
    static SET: RefCell<clap::Command> = RefCell::new(parser::<set::SetArgs>());
    static REMOVE: RefCell<clap::Command> = RefCell::new(parser::<RemoveArgs>());
}

fn parser<A: Args>() -> clap::Command {
    A::augment_args(clap::Command::new("sticky").no_binary_name(true))
}

fn parsed<A: FromArgMatches>(parser: &'static LocalKey<RefCell<clap::Command>>, words: &[String]) -> A {
    let matches = parser.with_borrow_mut(|parser| parser.try_get_matches_from_mut(words));
    matches.and_then(|matches| A::from_arg_matches(&matches)).unwrap_or_else(|error| panic!("{words:?}: {error}"))
}

/// Returns both sides without an entry that has no cookie, and so no effect.
fn with_effect(loaded: &Loaded) -> Sides {
    let sides = sides(loaded);
    Sides { live: undo::with_effect(&sides.live), ..sides }
}

/// Returns the objects after a command line is run.
fn run(line: &str, loaded: &Loaded) -> Loaded {
    let words = words(line);
    assert_eq!(words[0], "sticky", "{line}");
    let plan = match words[1].as_str() {
        "set" => {
            let args: set::SetArgs = parsed(&SET, &words[2..]);
            assert_eq!(args.canary.as_deref(), Some(loaded.observed.canary.target.name.as_str()), "{line}");
            let wish = Wish { fields: args.cookie.wish.clone(), entry: args.cookie.entry.clone() };
            let wanted = wish.on(loaded, args.write.scope()).expect("nothing malformed");
            Plan::new(loaded, &wanted, args.write.scope())
        }
        "remove" => {
            let args: RemoveArgs = parsed(&REMOVE, &words[2..]);
            assert_eq!(args.canary.name, loaded.observed.canary.target.name, "{line}");
            Plan::new(loaded, &Stickiness::default(), args.write.scope())
        }
        other => panic!("{other} in {line}"),
    };
    let plan = plan.unwrap_or_else(|error| panic!("{line}: {error}"));
    assert!(!plan.is_empty(), "{line} does nothing");
    applied(loaded, &plan)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]
    #[test]
    fn what_is_printed_to_undo_a_change_undoes_it(
        loaded in objects(), wish in wishes(), take_away: bool, scope in scopes(),
    ) {
        let wanted = if take_away { Some(Stickiness::default()) } else { wish.on(&loaded, scope) };
        let Some(wanted) = wanted else { return Ok(()) };
        let Ok(plan) = Plan::new(&loaded, &wanted, scope) else { return Ok(()) };
        let commands = undo::arguments(&plan, false);
        let is_same = plan.before.declared == plan.after.declared
            && undo::with_effect(&plan.before.live) == undo::with_effect(&plan.after.live);
        prop_assert_eq!(commands.is_empty(), is_same, "{:?}", commands);
        let undone = commands.iter().fold(applied(&loaded, &plan), |loaded, line| run(line, &loaded));
        prop_assert_eq!(with_effect(&undone), with_effect(&loaded), "{:?}", commands);
    }

    #[test]
    fn what_is_printed_under_a_guard_brings_back_what_was_declared_and_nothing_of_it_is_turned_back(
        loaded in objects(), wish in wishes(), take_away: bool, scope in scopes(),
    ) {
        let is_protected = |loaded: &Loaded| matches!(loaded.observed.canary.declared, Declared::Annotation(_));
        prop_assume!(loaded.native == NativeField::Absent && !matches!(loaded.observed.canary.declared, Declared::Malformed(..)));
        prop_assume!(scope != Scope::LiveOnly || !is_protected(&loaded));
        let wanted = if take_away { Some(Stickiness::default()) } else { wish.on(&loaded, scope) };
        let Some(wanted) = wanted else { return Ok(()) };
        let Ok(plan) = Plan::new(&loaded, &wanted, scope) else { return Ok(()) };
        let mut undone = applied(&loaded, &plan);
        for line in undo::arguments(&plan, true) {
            prop_assert!(!line.ends_with("--live-only") || !is_protected(&undone), "{} is turned back", line);
            undone = run(&line, &undone);
        }
        let (now, before) = (with_effect(&undone), with_effect(&loaded));
        prop_assert_eq!(&now.declared, &before.declared);
        prop_assert!(now.live == before.live || now.live == before.declared, "{:?} {:?}", now, before);
    }

    #[test]
    fn the_command_that_stands_for_answers_gives_the_same_cookie(
        loaded in objects(), wish in wishes(), scope in scopes(),
    ) {
        let Some(wanted) = wish.on(&loaded, scope) else { return Ok(()) };
        let line = undo::set_command("x", &wanted, &before(&loaded, scope), scope);
        let args: set::SetArgs = parsed(&SET, &words(&line)[2..]);
        prop_assert_eq!(args.write.scope(), scope);
        let typed = Wish { fields: args.cookie.wish.clone(), entry: args.cookie.entry.clone() };
        prop_assert_eq!(typed.on(&loaded, scope), Some(wanted), "{}", line);
    }
}
