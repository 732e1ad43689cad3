//! What stands on the screens of those who watch a rollout.

use std::cell::RefCell;

use snapbox::str;
use testbed::{
    pty::{Key, Pty},
    run::exactly,
};

use crate::{
    rollouts::{ROLLOUTS, Rollout, over},
    shop::{DECLARATION, NAME, Shop, five_steps},
};

/// A rollout that is over, and what its watchers saw.
pub(crate) struct Watched {
    pub(crate) rollout: Rollout,
    /// Each row of `show --watch`, without what changes every second.
    show: Vec<String>,
    /// The primary's weight in `describe --watch`.
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
    // Lines are drawn one after the other; that of the other track changes with it.
    let weight = |screen: &str| {
        Some(screen.lines().find(|line| line.contains("─ primary"))?.split_whitespace().nth(3)?.to_owned())
    };
    let (show, is_whole) = end(show, rows);
    let (describe, is_whole_too) = end(describe, weight);
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
    // The phase follows the weights at once: whether what is between the two is drawn is a matter of luck.
    let lasting = |row: &&String| *row != "Promoting 100/- 5/5";
    let show: Vec<_> = watched.show.iter().filter(lasting).map(String::as_str).collect();
    exactly(
        &show.join("\n"),
        str![[r#"
Initialized 100/- -
Progressing 100/- 0/5
Progressing 90/10 1/5
Progressing 80/20 2/5
Progressing 70/30 3/5
Progressing 60/40 4/5
Progressing 50/50 5/5
Promoting 50/50 5/5
Finalising 100/- 5/5
Succeeded 100/- -
"#]],
    );
    exactly(&watched.describe.join(" "), str!["100 90 80 70 60 50 100"]);
    assert!(watched.restored, "both terminals are as before");
}
