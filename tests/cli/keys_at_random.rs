//! Random keys, pastes, resizes and signals into questions and around editors: the program ends as documented, and the
//! terminal is as it was, whatever comes when.
#![expect(clippy::disallowed_methods, reason = "the seed is read, and said for who repeats the run")]

use std::{thread, time::Duration};

use testbed::{
    directory::Directory,
    editor::Editor,
    numbers::Numbers,
    pty::{Pty, Signal},
    run::Run,
};

use crate::{
    terminal::{ODD_KEYS, many},
    wizard::{place, set},
};

/// How many runs, and how many keys or the like in each.
const RUNS: u64 = 40;
const PRESSES: usize = 50;

const SIGNALS: [Signal; 4] = [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT];

/// Keys that mean something.
const KEYS: [&str; 19] = [
    "\r", "\n", "\x1b[A", "\x1b[B", "\x1bOA", "\x1b[C", "\x1b[D", "\x1b[H", "\x1b[F", "\x1b[3~", "\x7f", "\x15", " ",
    "-", "5m", "y", "n", "e", "/",
];
/// Keys that end a question without an answer: seldom, so that later questions are reached.
const WAYS_OUT: [&str; 4] = ["\x1b", "\x03", "\x04", "q"];
const PASTES: [&str; 5] =
    ["\x1b[200~a\r\nb\x1b[201~", "\x1b[200~", "one\rtwo\rthree\r", "\u{202e}\u{9b}2J", "日本\x1b[200~é\x1b[201~"];

/// What editors do; the last one until it is told to end.
const ROUNDS: [&str; 8] = [
    r#"echo 'maxAge: 60' >"$1""#,
    r#"echo 'maxAge: soon' >"$1""#,
    r#"printf '\377' >"$1""#,
    r#": >"$1""#,
    "exit 1",
    "stty raw -echo; kill -9 $$",
    r#"echo 'maxAge: 61' >"$1"; stty -icanon min 1; exit 0"#,
    r#"echo 'maxAge: 62' >"$1"; stty raw -echo; printf '\033[?25l'; exec sleep 1000"#,
];

/// A run at a terminal, and the folders that it needs.
fn begin(numbers: &mut Numbers) -> (Pty, Vec<Directory>, Editor) {
    let temporary = Directory::new();
    let rounds: Vec<_> = (0..6).map(|_| numbers.one_of(&ROUNDS)).collect();
    let editor = Editor::new(&rounds);
    let (folder, run) = match numbers.below(4) {
        0 => {
            let folder = many();
            let run = set(&folder, &[]);
            (folder, run)
        }
        1 => {
            let folder = place(Some("login; Max-Age=300"));
            let run = Run::new(["sticky", "edit", "podinfo", "-f", "canary.yaml"]).dir(folder.path());
            (folder, run)
        }
        _ => {
            let folder = place(None);
            let run = set(&folder, &["podinfo"]);
            (folder, run)
        }
    };
    let mut size = || {
        let most = if numbers.below(2) == 0 { 4 } else { 90 };
        u16::try_from(1 + numbers.below(most)).expect("small")
    };
    let (rows, columns) = (size(), size());
    let run = editor.of(run).env("TMPDIR", temporary.path());
    let pty = Pty::start_sized(run, rows, columns);
    (pty, vec![folder, temporary], editor)
}

/// One key or the like.
fn press(pty: &mut Pty, numbers: &mut Numbers) {
    match numbers.below(32) {
        0 => pty.resizes(
            u16::try_from(1 + numbers.below(5)).expect("small"),
            u16::try_from(1 + numbers.below(100)).expect("small"),
        ),
        1 | 2 => pty.types(numbers.one_of(&PASTES)),
        3..=6 => pty.types(numbers.one_of(&ODD_KEYS)),
        7 if numbers.below(6) == 0 => pty.types(numbers.one_of(&WAYS_OUT)),
        8 if numbers.below(12) == 0 => pty.signals(SIGNALS[numbers.below(4)]),
        9 => {
            // Bytes that are no text.
            let bytes: String =
                (0..numbers.below(6)).filter_map(|_| char::from_u32(u32::try_from(numbers.below(256)).ok()?)).collect();
            pty.types(&bytes.replace(['\x03', '\x1c'], ""));
        }
        10..=20 => pty.types("\r"),
        _ => pty.types(numbers.one_of(&KEYS)),
    }
}

/// How a run ends that is pressed at random, and at last told to.
fn ends_well(seed: u64, modes: &str) {
    let mut numbers = Numbers::new(seed);
    let (mut pty, _folders, _editor) = begin(&mut numbers);
    pty.wait_for_notice();
    for _ in 0..PRESSES {
        // Now and then without waiting for a question: what comes before is no answer, and no reason to break.
        if numbers.below(4) > 0 {
            pty.asks(Duration::from_millis(500));
        }
        press(&mut pty, &mut numbers);
    }
    pty.signals(Signal::TERM);
    let seen = pty.ends();
    let documented = [0, 2, 3, 4, 5, 129, 130, 131, 143];
    assert!(seen.code.is_some_and(|code| documented.contains(&code)), "CANARY_TRAEFIK_SEED={seed}: {}", seen.text);
    assert!(seen.restored, "CANARY_TRAEFIK_SEED={seed}: {}", seen.text);
    assert_eq!(seen.modes, modes, "CANARY_TRAEFIK_SEED={seed}");
}

#[test]
fn whatever_is_pressed_the_program_ends_as_documented_and_the_terminal_is_as_it_was() {
    let untouched = Pty::start(Run::of("/bin/true", [""; 0])).ends();
    let given = std::env::var("CANARY_TRAEFIK_SEED").ok().and_then(|seed| seed.parse().ok());
    if let Some(seed) = given {
        return ends_well(seed, &untouched.modes);
    }
    let first = std::time::UNIX_EPOCH.elapsed().map_or(0, |now| now.as_secs() * 1000);
    eprintln!("CANARY_TRAEFIK_SEED={first} and the {RUNS} after it");
    thread::scope(|scope| {
        for half in 0..2 {
            let modes = &untouched.modes;
            scope.spawn(move || (0..RUNS / 2).for_each(|run| ends_well(first + 2 * run + half, modes)));
        }
    });
}
