//! What is claimed of the playground and of the documents that were played on it.
#![expect(clippy::disallowed_methods, reason = "the test bed reads the environment")]

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use libtest_mimic::Trial;
use testbed::{bed, directory::Directory, pty::Pty, run::Run, transcript, wait::until};

use super::scene;
use crate::cluster::Cluster;
use crate::trial;

/// All of them.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial("policies::every_command_of_the_readme_shows_what_the_readme_says", the_readme),
        trial("policies::every_command_of_the_guide_shows_what_the_guide_says", the_guide),
        trial("policies::the_playground_is_reached_from_outside_rolls_out_at_a_key_and_leaves_nothing", the_playground),
    ]
}

fn the_readme() {
    in_the_scene(|kubeconfig, goes_on| transcript::holds("README.md", kubeconfig, goes_on));
}

fn the_guide() {
    in_the_scene(|kubeconfig, goes_on| transcript::holds("docs/guide.md", kubeconfig, goes_on));
}

fn in_the_scene(play: impl FnOnce(&Path, &dyn Fn(bool))) {
    let (cluster, directory) = (scene::start(), Directory::new());
    let checked = Instant::now();
    play(&kubeconfig(cluster, &directory), &|goes_on| {
        if goes_on {
            after_a_check(checked);
        }
        cluster.let_flagger_go_on(goes_on);
    });
}

/// Waits until Flagger would just have made one of its checks, of which one was made at `checked`. When it goes on it makes up
/// for it at once, and the next one follows after nearly a whole interval, which is enough to stop it in between.
fn after_a_check(checked: Instant) {
    const HALF_A_SECOND: Duration = Duration::from_millis(500);
    let interval = scene::INTERVAL.as_millis();
    let since = checked.elapsed().as_millis() % interval;
    let left = Duration::from_millis(u64::try_from(interval - since).expect("an interval is short"));
    std::thread::sleep(left + HALF_A_SECOND);
}

fn kubeconfig(cluster: &Cluster, directory: &Directory) -> PathBuf {
    directory.write("kubeconfig", cluster.server.admin_kubeconfig(scene::NAMESPACE))
}

fn the_playground() {
    let this = std::env::current_exe().expect("a process can know its program");
    let play = Run::of(this, ["play"]).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    // The path of a socket has to be short.
    let play = play.env("TMPDIR", std::env::temp_dir());
    let play = match std::env::var_os("CANARY_TRAEFIK_BED") {
        Some(bed) => play.env("CANARY_TRAEFIK_BED", bed),
        None => play,
    };
    let mut play = Pty::start_with(play.dir(env!("CARGO_MANIFEST_DIR")), 200);
    play.wait_for("Keys:");
    let screen = play.screen.text();
    let after = |what: &str| {
        let (_, rest) = screen.split_once(what).unwrap_or_else(|| panic!("no {what} in\n{screen}"));
        rest.split_whitespace().next().expect("something follows").to_owned()
    };
    let kubeconfig = PathBuf::from(after("KUBECONFIG="));
    let kubectl = bed::program("kubectl").unwrap_or_else(|error| panic!("{error}"));
    Run::of(kubectl, ["get", "canary", "--no-headers", "-o", "custom-columns=NAME:.metadata.name"])
        .kubeconfig(&kubeconfig)
        .run()
        .shows(snapbox::str![[r#"
exit: 0
--- stdout
checkout
--- stderr

"#]]);
    play.types("r");
    for shown in ["weights 90/10", "weights 70/30", "weights 50/50", "weights 1/100", "the rollout has succeeded"] {
        play.wait_for(shown);
    }
    play.types("q");
    assert_eq!(play.ends().code, Some(0));
    until("the playground to be gone", || (!kubeconfig.ancestors().nth(2).is_some_and(Path::exists)).then_some(()));
}
