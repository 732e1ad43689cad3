//! Random trees of files: valid manifests among many kinds of foreign ones. No run panics, no Canary is lost that is
//! there, whatever stands before and behind it, and a change changes its declaration and no other byte. `CANARY_TRAEFIK_SEED=7 CANARY_TRAEFIK_RUNS=1` repeats
//! one that failed.
#![expect(clippy::disallowed_methods, reason = "reads which runs are wanted")]

use std::collections::{BTreeMap, BTreeSet};

use testbed::{directory::Directory, numbers::Numbers, run::Run};

use crate::manifests::canary;

/// How many runs there are, each from a number of its own.
const RUNS: u64 = 80;

/// What the annotation to set looks like.
const ADDED: [&str; 2] = ["  annotations:\n", "    kubectl-canary-traefik/sticky-cookie: fuzz; Max-Age=60\n"];

/// Pieces of files of every kind that is found in repositories; joined at random, they rarely are YAML.
const PIECES: [&str; 24] = [
    "a: 1\n",
    "a: {{ .Values.a }}\n",
    "{% if a %}\n",
    "---\n",
    "...\n",
    "- b\n",
    "kind: ConfigMap\n",
    "kind: 5\n",
    "kind:\n",
    "apiVersion: v1\nkind: List\nitems:\n",
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  b: |\n    c\n",
    "<<<<<<< HEAD\n",
    "x: &x {a: 1}\n",
    "y: *x\n",
    "z: *nobody\n",
    "\tb: 1\n",
    "a: @B@\n",
    "{\"a\": 1}\n",
    "[1, {\"kind\": \"x\"}, null]\n",
    "b: !!python/name:c\n",
    "resources: [base]\npatches: [{path: p.yaml}, {patch: 5}, 3]\n",
    "%YAML 1.2\n---\n",
    "\u{feff}c: d\n",
    "e: \"f\n",
];

/// Names of files: most are read as manifests.
const NAMES: [&str; 8] = [
    "a.yaml",
    "values.yml",
    "package.json",
    "kustomization.yaml",
    "Chart.yaml",
    "notes.txt",
    "Kustomization",
    "x.yaml",
];

/// Folders.
const FOLDERS: [&str; 6] = ["", "base/", "overlays/prod/", "charts/web/", "charts/web/templates/", "deep/er/"];

/// A tree: what is in each file, and the file of each Canary, which is a document of its own there.
struct Tree {
    files: BTreeMap<String, Vec<u8>>,
    canaries: BTreeMap<String, String>,
}

impl Tree {
    fn of(numbers: &mut Numbers) -> Self {
        let mut files = BTreeMap::new();
        for _ in 0..=numbers.below(8) {
            let name = format!("{}{}", numbers.one_of(&FOLDERS), numbers.one_of(&NAMES));
            files.insert(name, foreign(numbers));
        }
        let mut canaries = BTreeMap::new();
        for number in 0..=numbers.below(3) {
            let name = format!("canary-{number}");
            let file = format!("{}{name}.yaml", numbers.one_of(&FOLDERS));
            let lines = if numbers.below(4) == 0 { "\r\n" } else { "\n" };
            let mut text = canary(&name, None);
            if numbers.below(2) == 0 {
                text = format!("{}\n{text}---\n{}", pieces(numbers), pieces(numbers));
            }
            files.insert(file.clone(), text.replace('\n', lines).into_bytes());
            canaries.insert(name, file);
        }
        Self { files, canaries }
    }

    fn write(&self) -> Directory {
        let directory = Directory::new();
        for (name, bytes) in &self.files {
            directory.write(name, bytes);
        }
        directory
    }
}

fn pieces(numbers: &mut Numbers) -> String {
    (0..numbers.below(6)).map(|_| numbers.one_of(&PIECES)).collect()
}

/// The bytes of a file of any kind.
fn foreign(numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = pieces(numbers).into_bytes();
    if numbers.below(6) == 0 {
        let at = numbers.below(bytes.len() + 1);
        bytes.insert(at, numbers.one_of(&[0, 0xe9, 0xff, b'{', b'\t', b':']));
    }
    bytes
}

/// What is wrong with how a tree is read and changed.
fn wrong(numbers: &mut Numbers) -> Option<String> {
    let tree = Tree::of(numbers);
    let directory = tree.write();
    let run = |line: &str| Run::new(line.split(' ')).dir(directory.path()).run();
    let shown = run("show -o name -R -f .");
    let names: BTreeSet<_> = shown.stdout.lines().map(|line| line.trim_start_matches("canary.flagger.app/")).collect();
    if shown.code != Some(0) || names != tree.canaries.keys().map(String::as_str).collect() {
        return Some(format!("{:?} were not found\n{shown}", tree.canaries));
    }
    let (name, file) = tree.canaries.iter().nth(numbers.below(tree.canaries.len())).expect("a Canary");
    let changed = run(&format!("sticky set {name} --name fuzz --max-age 60 --yes -R -f ."));
    let mut wanted = tree.files.clone();
    let text = String::from_utf8_lossy(&wanted[file]).into_owned();
    let ending = if text.contains('\r') { "\r\n" } else { "\n" };
    let own = format!("  name: {name}{ending}");
    let added = ADDED.concat().replace('\n', ending);
    wanted.insert(file.clone(), text.replacen(&own, &format!("{own}{added}"), 1).into_bytes());
    let read = |name: &String| std::fs::read(directory.path().join(name)).ok();
    let differing: Vec<_> = wanted.iter().filter(|(name, bytes)| read(name).as_ref() != Some(bytes)).collect();
    (changed.code != Some(0) || !differing.is_empty()).then(|| format!("{name} in {file}\n{changed}\n{differing:?}"))
}

#[test]
fn among_files_of_any_kind_every_canary_is_found_and_only_its_declaration_changed() {
    let chosen = |name: &str| std::env::var(name).ok().map(|text| text.parse().expect("a number"));
    let first = chosen("CANARY_TRAEFIK_SEED").unwrap_or(1);
    let count: u64 = chosen("CANARY_TRAEFIK_RUNS").unwrap_or(RUNS);
    let found: Vec<_> = (first..first + count)
        .filter_map(|seed| Some(format!("CANARY_TRAEFIK_SEED={seed}: {}", wrong(&mut Numbers::new(seed))?)))
        .collect();
    assert!(found.is_empty(), "{} of {count} runs:\n{}", found.len(), found.join("\n"));
}
