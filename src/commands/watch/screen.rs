//! A watch on a terminal: as many rows as fit into the window, and how many more there are.

use super::board::Board;
use crate::output::{escaped, fit, show, wrap::cut};

/// Returns the lines of a window of this size.
pub(super) fn frame(
    board: &Board,
    columns: show::Columns,
    nothing: &str,
    outage: Option<String>,
    (lines, width): (usize, usize),
) -> Vec<String> {
    let outage = outage.map(|sentence| cut(&escaped(&sentence), width));
    // The headings take a line, too.
    let room = lines.saturating_sub(1 + usize::from(outage.is_some())).max(1);
    let mut names = board.shown(false);
    let all = names.len();
    let mut more = None;
    if all > room {
        let room = room.saturating_sub(1).max(1);
        names = board.shown(true);
        names.truncate(room);
        more = Some(format!("… and {} more (rollouts come first)", grouped(all - room)));
    }
    let rows: Vec<_> = names.into_iter().filter_map(|name| board.observed(name)).collect();
    let mut shown = if rows.is_empty() {
        vec![cut(nothing, width)]
    } else {
        fit::lines(show::heads(columns), rows.iter().map(|observed| show::row(observed, columns)).collect(), width)
    };
    shown.extend(more.map(|more| cut(&more, width)));
    shown.extend(outage);
    shown
}

/// Formats a number with commas between thousands.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::{board::Watched, follow::News},
        *,
    };
    use crate::{apiserver::Event, cluster::GuardCoverage, model::name::Group};

    /// A board with these Canaries; every tenth is in a rollout.
    fn board(count: usize) -> Board {
        let mut board = Board::new([]);
        for group in Group::ALL {
            board.take(Watched::Services(group), News::Event(Event::InitDone));
        }
        for number in 0..count {
            let phase = if number % 10 == 9 { "Progressing" } else { "Succeeded" };
            let canary = json!({"metadata": {"namespace": "shop", "name": format!("web-{number:05}")},
                "spec": {"provider": "traefik", "targetRef": {"name": "web"}}, "status": {"phase": phase}});
            board.take(Watched::Canaries, News::Event(Event::InitApply(canary)));
        }
        board.take(Watched::Canaries, News::Event(Event::InitDone));
        let surroundings =
            super::super::board::Surroundings { guard: GuardCoverage::Absent, routing: None, mesh_provider: None };
        board.surround(surroundings);
        board
    }

    const COLUMNS: show::Columns =
        show::Columns { namespace: false, wide: false, file: false, step: true, next: true, headers: true, now: 0 };

    #[test]
    fn what_fits_is_shown_in_order_and_else_rollouts_come_first() {
        let frame = |count, lines, width| frame(&board(count), COLUMNS, "nothing", None, (lines, width));
        assert_eq!(frame(0, 9, 60), ["nothing"]);
        assert_eq!(
            frame(2, 9, 44),
            [
                "NAME        PHASE       WEIGHT   STEP",
                "web-00000   Succeeded   <none>   -",
                "web-00001   Succeeded   <none>   -",
            ]
        );
        assert_eq!(
            frame(10_000, 4, 44),
            [
                "NAME        PHASE         WEIGHT   STEP",
                "web-00009   Progressing   <none>   -",
                "web-00019   Progressing   <none>   -",
                "… and 9,998 more (rollouts come first)",
            ]
        );
    }

    #[test]
    fn no_frame_is_larger_than_its_window() {
        for count in [0, 1, 5, 50] {
            for lines in 2..9 {
                for width in [1, 10, 40, 80, 200] {
                    for outage in [None, Some("not up to date".to_owned())] {
                        let shown = frame(&board(count), COLUMNS, "nothing", outage, (lines, width));
                        assert!(shown.len() <= lines.max(4), "{count} in {lines}: {shown:?}");
                        assert!(shown.iter().all(|line| crate::output::wrap::columns(line) <= width), "{shown:?}");
                    }
                }
            }
        }
    }
}
