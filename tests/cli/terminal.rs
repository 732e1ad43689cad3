//! The terminal under questions, editors and other programs: signals, small windows, odd keys, pasted text, and what
//! was typed before there was a question.

use std::os::unix::fs::PermissionsExt as _;

use testbed::{
    directory::Directory,
    editor::Editor,
    pty::{Key, Pty, Signal},
    run::Run,
};

use crate::{
    manifests::{canary, folder, service},
    wizard::{QUESTIONS, declared, place, set, takes},
};

const CONSENT: &str = "Change canary.yaml? [y]es / [N]o / [e]dit";

/// What ends a program from elsewhere, with the exit status.
const SIGNALS: [(Signal, i32); 4] = [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129), (Signal::QUIT, 131)];

/// Many Canaries, one of which declares a cookie.
fn canaries(declaring: &str) -> String {
    let names = (1..=12).map(|number| format!("web-{number}"));
    names.map(|name| canary(&name, (name == declaring).then_some("; Max-Age=300"))).collect()
}

pub(crate) fn many() -> Directory {
    folder(&[("canary.yaml", &canaries(""))])
}

#[test]
fn a_signal_at_any_question_leaves_the_terminal_whole() {
    for (signal, code) in SIGNALS {
        for count in [0, 1, 7, 8, 9] {
            let folder = place(None);
            let before = folder.read("canary.yaml");
            let mut pty = Pty::start(set(&folder, &["podinfo"]));
            takes(&mut pty, &QUESTIONS[..count]);
            pty.wait_for(QUESTIONS.get(count).unwrap_or(&CONSENT));
            pty.wait_for_keys();
            pty.signals(signal);
            let seen = pty.ends();
            assert_eq!((seen.code, seen.restored), (Some(code), true), "{signal:?} at {count}: {seen:?}");
            assert_eq!(folder.read("canary.yaml"), before, "{signal:?} at {count}");
        }
    }
}

#[test]
fn a_signal_at_the_list_of_canaries_leaves_the_terminal_whole() {
    for (signal, code) in SIGNALS {
        let folder = many();
        let mut pty = Pty::start(set(&folder, &[]));
        pty.wait_for("Which Canary?");
        pty.wait_for_keys();
        pty.signals(signal);
        let seen = pty.ends();
        assert_eq!((seen.code, seen.restored), (Some(code), true), "{signal:?}: {seen:?}");
    }
}

#[test]
fn a_signal_while_the_editor_runs_ends_it_and_keeps_what_was_typed() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129)] {
        for (round, kept) in [
            // The terminal is as an editor has it.
            (r#"stty raw -echo; printf '\033[?25l'; echo editing; exec sleep 1000"#, false),
            (r#"echo 'maxAge: 60' >"$1"; stty raw -echo; echo editing; exec sleep 1000"#, true),
            // One that does not take the hint.
            (r#"trap '' TERM HUP; echo 'maxAge: 60' >"$1"; stty raw -echo; echo editing; exec sleep 1000"#, true),
        ] {
            let (folder, temporary) = (place(Some("login")), Directory::new());
            let editor = Editor::new(&[round]);
            let run = Run::new(["sticky", "edit", "podinfo", "-f", "canary.yaml"]).dir(folder.path());
            let mut pty = Pty::start_with(editor.of(run).env("TMPDIR", temporary.path()), 160);
            pty.wait_for("editing");
            pty.signals(signal);
            let seen = pty.ends();
            assert_eq!((seen.code, seen.restored), (Some(code), true), "{signal:?} {round}: {seen:?}");
            let names = temporary.names();
            assert_eq!(names.len(), usize::from(kept), "{signal:?} {round}: {names:?}");
            let hint = names.first().map(|name| {
                format!("hint: your edit was saved to {}", temporary.path().join(name).join("podinfo.yaml").display())
            });
            let said = seen.screen.lines().find(|line| line.starts_with("hint: ")).map(str::to_owned);
            assert_eq!(said, hint, "{signal:?} {round}");
            assert_eq!(declared(&folder).as_deref(), Some("login"));
        }
    }
}

/// A program for `KUBECTL_EXTERNAL_DIFF` that waits for the test.
fn shows_differences(trap: &str) -> (Directory, Run, Directory) {
    let (folder, temporary) =
        (folder(&[("canary.yaml", &(canary("web", Some("login")) + &service("web", None)))]), Directory::new());
    let program =
        folder.write("show", format!("#!/bin/sh\n{trap}\nstty raw -echo\necho comparing\nread -r line\nexit 1\n"));
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("one's own file");
    let run = Run::new(["diff", "-f", "canary.yaml"]).dir(folder.path()).env("TMPDIR", temporary.path());
    (folder, run.env("PATH", "/bin:/usr/bin").env("KUBECTL_EXTERNAL_DIFF", program), temporary)
}

#[test]
fn a_signal_while_differences_are_shown_leaves_the_terminal_whole_and_no_folder() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129)] {
        let (_folder, run, temporary) = shows_differences("");
        let mut pty = Pty::start(run);
        pty.wait_for("comparing");
        pty.signals(signal);
        let seen = pty.ends();
        assert_eq!((seen.code, seen.restored), (Some(code), true), "{signal:?}: {seen:?}");
        assert_eq!(temporary.names(), [""; 0], "{signal:?}");
    }
}

#[test]
fn a_difference_that_was_interrupted_is_no_answer() {
    for (signal, code) in [(Signal::INT, 130), (Signal::QUIT, 131)] {
        // It takes no notice, and ends as if it had found a difference.
        let (_folder, run, temporary) = shows_differences("trap '' INT QUIT");
        let mut pty = Pty::start(run);
        pty.wait_for("comparing");
        pty.signals(signal);
        pty.types("\n");
        let seen = pty.ends();
        assert_eq!((seen.code, seen.restored), (Some(code), true), "{signal:?}: {seen:?}");
        assert_eq!(temporary.names(), [""; 0], "{signal:?}");
    }
}

#[test]
fn a_signal_while_input_is_awaited_ends_the_program() {
    for (signal, code) in SIGNALS {
        let mut pty = Pty::start(Run::new(["show", "-f", "-"]));
        pty.wait_for_notice();
        pty.signals(signal);
        let seen = pty.ends();
        assert_eq!((seen.code, seen.restored), (Some(code), true), "{signal:?}: {seen:?}");
    }
}

#[test]
fn a_signal_that_is_to_be_ignored_is_ignored() {
    let program = env!("CARGO_BIN_EXE_kubectl-canary_traefik");
    // The shell hands on what it ignores; of the two signals the one that is not ignored ends the program.
    let script = "trap '' HUP; exec \"$0\" show -f -";
    let mut pty = Pty::start(Run::of("/bin/sh", ["-c", script, program]));
    pty.wait_for_notice();
    pty.signals(Signal::HUP);
    pty.signals(Signal::TERM);
    assert_eq!(pty.ends().code, Some(143));
}

#[test]
fn a_panic_at_a_terminal_leaves_it_whole() {
    let folder = place(None);
    let output = Pty::start(set(&folder, &["podinfo"]).env("RUST_MIN_STACK", "1152921504606846976")).ends();
    assert_eq!((output.code, output.restored), (Some(70), true), "{output:?}");
}

#[test]
fn the_wizard_works_in_the_smallest_windows() {
    for rows in [1, 2, 3] {
        let folder = place(None);
        let mut pty = Pty::start_sized(set(&folder, &["podinfo", "--yes"]), rows, 80);
        for question in QUESTIONS {
            // The list of one row is the marked item alone.
            let shown = match (rows, question) {
                (1, "How long a cookie pins a user:") => "> one login",
                (1, "same-site:") => "> lax",
                (_, "How long a cookie pins a user:") => "How long a cookie pins a user (1 of 4):",
                (_, "same-site:") => "same-site (3 of 4):",
                (_, other) => other,
            };
            pty.wait_for(shown);
            pty.wait_for_keys();
            pty.press(Key::Enter);
        }
        let seen = pty.ends();
        assert_eq!((seen.code, seen.restored), (Some(0), true), "{rows}: {seen:?}");
        assert_eq!(declared(&folder).as_deref(), Some("podinfo-track; Max-Age=120; HttpOnly; SameSite=Lax"));
    }
}

#[test]
fn lists_and_lines_work_in_the_smallest_windows() {
    for rows in [1, 2, 3, 4] {
        for columns in [1, 8, 80] {
            let folder = many();
            let mut pty = Pty::start_sized(set(&folder, &["--max-age", "5m", "--yes"]), rows, columns);
            pty.wait_for_list();
            for key in [Key::Down, Key::Down, Key::Up, Key::Enter] {
                pty.press(key);
            }
            let seen = pty.ends();
            assert_eq!((seen.code, seen.restored), (Some(0), true), "{rows}x{columns}: {seen:?}");
            // By name: web-1, web-10.
            assert_eq!(folder.read("canary.yaml"), canaries("web-10"), "{rows}x{columns}");
        }
    }
}

#[test]
fn a_window_may_change_its_size_in_mid_question() {
    let folder = place(None);
    let mut pty = Pty::start(set(&folder, &["podinfo", "--yes"]));
    for (index, question) in QUESTIONS.iter().enumerate() {
        pty.wait_for(question);
        pty.wait_for_keys();
        for size in [(1, 80), (2, 20), (3, 1), (1, 1), (50, 80)] {
            pty.resizes(size.0, size.1);
            if index == 0 || index == 7 {
                pty.press(Key::Down);
                pty.press(Key::Up);
            } else {
                pty.types("x\x7f");
            }
        }
        pty.press(Key::Enter);
    }
    let seen = pty.ends();
    assert_eq!((seen.code, seen.restored), (Some(0), true), "{seen:?}");
    assert_eq!(declared(&folder).as_deref(), Some("podinfo-track; Max-Age=120; HttpOnly; SameSite=Lax"));
}

/// What terminals send for keys that mean nothing here, and when they are asked what they are.
pub(crate) const ODD_KEYS: [&str; 26] = [
    "\x1bOP",                // F1
    "\x1bOR",                // F3
    "\x1b[[A",               // F1 of the Linux console
    "\x1b[15~",              // F5
    "\x1b[24;2~",            // Shift-F12
    "\x1b[1;5C",             // Ctrl-Right
    "\x1b[1;3D",             // Alt-Left
    "\x1b[1;2A",             // Shift-Up
    "\x1bOc",                // Ctrl-Right of rxvt
    "\x1b[2~",               // Insert
    "\x1b[5~",               // Page up
    "\x1b[Z",                // Shift-Tab
    "\x1bx",                 // Alt-x
    "\x1b\x1b[C",            // Alt-Right of rxvt
    "\t",                    // Tab
    "\x0b",                  // Ctrl-K
    "\x1a",                  // Ctrl-Z
    "\x1c",                  // Ctrl-\
    "\x1b[27;5;13~",         // Ctrl-Enter by modifyOtherKeys
    "\x1b[97;5u",            // Ctrl-a by the kitty protocol
    "\x1b[I\x1b[O",          // the window was entered and left
    "\x1b[<0;10;10M",        // a click
    "\x1b[?62;22c",          // what kind of terminal it is
    "\x1b[12;40R",           // where the cursor is
    "\x1b]11;rgb:0/0/0\x07", // which colour the background has
    "\x1bP1$r0m\x1b\\",      // how text is set off
];

#[test]
fn keys_that_mean_nothing_here_leave_no_letter() {
    let folder = place(None);
    let mut pty = Pty::start(set(&folder, &["podinfo", "--yes"]));
    for (index, question) in QUESTIONS.iter().enumerate() {
        pty.wait_for(question);
        pty.wait_for_keys();
        pty.types(&ODD_KEYS.concat());
        if index == 1 {
            // One byte at a time, as over a slow line.
            for byte in ODD_KEYS.iter().flat_map(|key| key.bytes()) {
                pty.types(std::str::from_utf8(&[byte]).expect("ASCII"));
            }
            pty.types("ab");
            pty.types(&ODD_KEYS.concat());
            pty.types("c");
        }
        pty.press(Key::Enter);
    }
    let seen = pty.ends();
    assert_eq!((seen.code, seen.restored), (Some(0), true), "{seen:?}");
    assert_eq!(declared(&folder).as_deref(), Some("abc; Max-Age=120; HttpOnly; SameSite=Lax"));
}

#[test]
fn keys_that_mean_nothing_here_do_not_narrow_a_list_down() {
    let folder = many();
    let mut pty = Pty::start(set(&folder, &["--max-age", "5m", "--yes"]));
    pty.wait_for("Which Canary?");
    pty.wait_for_keys();
    pty.types(&ODD_KEYS.concat());
    pty.types("12");
    pty.types(&ODD_KEYS.concat());
    pty.wait_for("Which Canary? 12|");
    pty.press(Key::Enter);
    let seen = pty.ends();
    assert_eq!((seen.code, seen.restored), (Some(0), true), "{seen:?}");
    assert_eq!(folder.read("canary.yaml"), canaries("web-12"));
}

#[test]
fn pasted_lines_are_one_value_and_answer_no_further_question() {
    let folder = place(None);
    let mut pty = Pty::start(set(&folder, &["podinfo", "--yes"]));
    takes(&mut pty, &QUESTIONS[..1]);
    pty.wait_for(QUESTIONS[1]);
    pty.wait_for_keys();
    // From a terminal that says what is pasted: nothing is answered by it, and a line break is no letter.
    pty.types("\x1b[200~one\r\n\x1b[201~");
    pty.wait_for("[podinfo-track]: one");
    pty.types("\x15\x1b[200~a\nb\x1b[201~");
    pty.wait_for("[podinfo-track]: a b");
    pty.press(Key::Enter);
    pty.wait_for("`a b`:");
    // From one that does not: the lines after the first are no answers to what comes next.
    pty.wait_for(QUESTIONS[1]);
    pty.types("two\rthree\rfour\r");
    takes(&mut pty, &QUESTIONS[2..]);
    let seen = pty.ends();
    assert_eq!((seen.code, seen.restored), (Some(0), true), "{seen:?}");
    assert_eq!(declared(&folder).as_deref(), Some("two; Max-Age=120; HttpOnly; SameSite=Lax"));
}

#[test]
fn what_was_typed_before_a_question_is_no_answer_to_it() {
    let folder = place(Some("login"));
    let editor = Editor::new(&[r#"stty -echo; echo editing; hold; echo 'maxAge: 60' >"$1""#]);
    let run = Run::new(["sticky", "edit", "podinfo", "-f", "canary.yaml"]).dir(folder.path());
    let mut pty = Pty::start(editor.of(run));
    pty.wait_for("editing");
    pty.types("y\ry\r\n");
    editor.release(1);
    pty.wait_for(CONSENT);
    pty.wait_for_keys();
    pty.press(Key::Enter);
    let seen = pty.ends();
    assert_eq!((seen.code, declared(&folder).as_deref()), (Some(3), Some("login")), "{seen:?}");
}
