//! What stands on the screens of those who watch a rollout.

use std::cell::RefCell;

use snapbox::str;

use crate::{
    rollouts::{ROLLOUTS, Rollout, over},
    shop::{DECLARATION, NAME, Shop, five_steps},
    support::{
        pty::{Key, Pty},
        run::exactly,
    },
};

/// A rollout that is over, and what its watchers saw.
pub(crate) struct Watched {
    pub(crate) rollout: Rollout,
    /// Each row of `show --watch`, without what changes every second.
    show: Vec<String>,
    /// The rows of the tracks in `describe --watch`, likewise.
    describe: Vec<String>,
    /// Whether each terminal was as before in the end.
    restored: bool,
}

/// A whole rollout, watched from before it begins.
pub(crate) fn watched(shop: &Shop) -> Watched {
    shop.create(&five_steps(), Some(DECLARATION));
    shop.reaches("Initialized");
    let mut show = Pty::start(shop.namespace().run(["show", "-w"]));
    let mut describe = Pty::start(shop.namespace().run(["describe", NAME, "-w"]));
    show.wait_for("Initialized");
    describe.wait_for("Initialized");
    shop.release();
    shop.reaches("Succeeded");
    let rows = |screen: &str| {
        let row = screen.lines().find(|line| line.starts_with(NAME))?;
        // Phase, weights and step; behind them is the time to the next one.
        Some(row.split_whitespace().skip(1).take(3).collect::<Vec<_>>().join(" "))
    };
    let tracks = |screen: &str| {
        let weight =
            |track: &str| Some(screen.lines().find(|line| line.contains(track))?.split_whitespace().nth(3)?.to_owned());
        Some(format!("{} {}", weight("─ primary")?, weight("─ canary")?))
    };
    let (show, is_whole) = end(show, rows);
    let (describe, is_whole_too) = end(describe, tracks);
    Watched { rollout: over(shop), show, describe, restored: is_whole && is_whole_too }
}

/// Ends a watch once it shows the end of the rollout. Returns what it had shown of this, each once in a row, and whether its
/// terminal is as before.
fn end(mut terminal: Pty, of: impl Fn(&str) -> Option<String>) -> (Vec<String>, bool) {
    let shown = RefCell::new(Vec::new());
    let is_over = terminal.sees("the end of the rollout", |screen| {
        let mut shown = shown.borrow_mut();
        if let Some(now) = of(screen).filter(|now| shown.last() != Some(now)) {
            shown.push(now);
        }
        screen.contains("Succeeded")
    });
    assert!(is_over, "the watch ended before the rollout:\n{}", terminal.screen());
    terminal.press(Key::CtrlC);
    let seen = terminal.ends();
    (shown.into_inner(), seen.restored && seen.code == Some(130))
}

pub(crate) fn who_watches_a_rollout_sees_each_step() {
    let watched = ROLLOUTS.created_later.get();
    exactly(&watched.show.join("\n"), str![]);
    exactly(&watched.describe.join("\n"), str![]);
    assert!(watched.restored, "both terminals are as before");
}
