//! Properties of the printed undo commands: the program's own parser accepts them, and they restore the former state.

use clap::{Args, FromArgMatches};
use proptest::prelude::*;

use super::{remove::RemoveArgs, set};
use crate::{
    flagger::{Declared, NativeField},
    observed::Loaded,
    plan::{
        CookieChange, FieldChanges, Plan, Scope,
        change::before,
        properties::{applied, objects, scopes, sides, wishes},
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

fn parsed<A: Args + FromArgMatches>(words: &[String]) -> A {
    let command = A::augment_args(clap::Command::new("sticky").no_binary_name(true));
    let matches = command.try_get_matches_from(words).unwrap_or_else(|error| panic!("{words:?}: {error}"));
    A::from_arg_matches(&matches).unwrap_or_else(|error| panic!("{words:?}: {error}"))
}

fn set_of(fields: &FieldChanges, scope: Scope) -> CookieChange {
    CookieChange::Set { fields: fields.clone(), scope, if_malformed: String::new() }
}

/// Returns the objects after a command line is run.
fn run(line: &str, loaded: &Loaded) -> Loaded {
    let words = words(line);
    assert_eq!(words[0], "sticky", "{line}");
    let plan = match words[1].as_str() {
        "set" => {
            let args: set::SetArgs = parsed(&words[2..]);
            assert_eq!(args.canary.as_deref(), Some(loaded.observed.canary.target.name.as_str()), "{line}");
            let cookie = set_of(&args.cookie.wish, args.write.scope()).on(loaded).expect("nothing malformed");
            Plan::new(loaded, cookie.as_ref(), args.write.scope())
        }
        "remove" => {
            let args: RemoveArgs = parsed(&words[2..]);
            assert_eq!(args.name, loaded.observed.canary.target.name, "{line}");
            Plan::new(loaded, None, args.write.scope())
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
        let cookie = if take_away { Ok(None) } else { set_of(&wish, scope).on(&loaded) };
        let Ok(cookie) = cookie else { return Ok(()) };
        let Ok(plan) = Plan::new(&loaded, cookie.as_ref(), scope) else { return Ok(()) };
        let commands = undo::arguments(&plan, false);
        prop_assert_eq!(commands.is_empty(), plan.before == plan.after, "{:?}", commands);
        let undone = commands.iter().fold(applied(&loaded, &plan), |loaded, line| run(line, &loaded));
        prop_assert_eq!(sides(&undone), sides(&loaded), "{:?}", commands);
    }

    #[test]
    fn what_is_printed_under_a_guard_brings_back_what_was_declared_and_nothing_of_it_is_turned_back(
        loaded in objects(), wish in wishes(), take_away: bool, scope in scopes(),
    ) {
        let is_protected = |loaded: &Loaded| matches!(loaded.observed.canary.declared, Declared::Annotation(_));
        prop_assume!(loaded.native == NativeField::Absent && !matches!(loaded.observed.canary.declared, Declared::Malformed(..)));
        prop_assume!(scope != Scope::LiveOnly || !is_protected(&loaded));
        let cookie = if take_away { Ok(None) } else { set_of(&wish, scope).on(&loaded) };
        let Ok(cookie) = cookie else { return Ok(()) };
        let Ok(plan) = Plan::new(&loaded, cookie.as_ref(), scope) else { return Ok(()) };
        let mut undone = applied(&loaded, &plan);
        for line in undo::arguments(&plan, true) {
            prop_assert!(!line.ends_with("--live-only") || !is_protected(&undone), "{} is turned back", line);
            undone = run(&line, &undone);
        }
        let (now, before) = (sides(&undone), sides(&loaded));
        prop_assert_eq!(&now.declared, &before.declared);
        prop_assert!(now.live == before.live || now.live == before.declared, "{:?} {:?}", now, before);
    }

    #[test]
    fn the_command_that_stands_for_answers_gives_the_same_cookie(
        loaded in objects(), wish in wishes(), scope in scopes(),
    ) {
        let before = before(&loaded, scope);
        let cookie = wish.on(before);
        let line = undo::set_command("x", &cookie, before, scope);
        let args: set::SetArgs = parsed(&words(&line)[2..]);
        prop_assert_eq!(args.write.scope(), scope);
        prop_assert_eq!(args.cookie.wish.on(before), cookie, "{}", line);
    }
}
