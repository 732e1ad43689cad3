//! Random trees of files: valid manifests among many kinds of foreign ones. No run panics, no Canary is lost that is
//! there, whatever stands before and behind it, and a change changes its declaration and no other byte. `CANARY_TRAEFIK_SEED=7 CANARY_TRAEFIK_RUNS=1` repeats
//! one that failed.
#![expect(clippy::disallowed_methods, reason = "reads which runs are wanted")]

use std::{
    collections::{BTreeMap, BTreeSet},
    os::unix::fs::symlink,
};

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

/// Whole files of other tools, and objects that are no Canaries, with the names that they have.
const FOREIGN: [(&str, &str); 24] = [
    ("stream.json", "{\"kind\": \"ConfigMap\", \"apiVersion\": \"v1\"}\n{\"a\": 1} {\"b\": [2]}\n"),
    ("lists.yaml", "kind: List\nitems:\n- kind: List\n  items:\n  - {kind: ConfigMap, apiVersion: v1}\n  - null\n"),
    (
        "component/kustomization.yaml",
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches:\n- {path: p.yaml, target: {kind: Deployment}}\n",
    ),
    (
        "generators/kustomization.yml",
        "configMapGenerator:\n- {name: a, files: [a.properties]}\nimages: [{name: a, newTag: b}]\n",
    ),
    ("charts/x/Chart.yaml", "apiVersion: v2\nname: x\nversion: 0.1.0\n"),
    ("charts/x/templates/web.yaml", "{{- range .Values.hosts }}\nkind: Service\n{{- end }}\n"),
    ("main.jsonnet", "local k = import 'k.libsonnet';\n{ a: k.b('c') }\n"),
    (
        "secrets.enc.yaml",
        "apiVersion: v1\nkind: Secret\ndata: {a: 'ENC[AES256_GCM,data:aa==,iv:b=,tag:c==,type:str]'}\nsops: {mac: 'ENC[x]', version: 3.9.0}\n",
    ),
    ("main.tf", "resource \"kubernetes_manifest\" \"a\" {\n  manifest = yamldecode(file(\"a.yaml\"))\n}\n"),
    ("terraform.tfvars.json", "{\"a\": [1, {\"b\": null}]}\n"),
    (
        "apps.yaml",
        "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: apps}\nspec: {generators: [{git: {directories: [{path: '*'}]}}], template: {metadata: {name: '{{path.basename}}'}}}\n",
    ),
    (
        "flux.yaml",
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a}\nspec: {path: ./x, postBuild: {substitute: {a: b}}}\n",
    ),
    (
        "release.yaml",
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {generateName: a-}\nspec: {values: {a: [1, two]}}\n",
    ),
    ("empty.yaml", ""),
    ("comments.yaml", "# nothing\n---\n# at all\n"),
    ("nul.yaml", "a: \0\u{1}\n"),
    ("job.yaml", "apiVersion: batch/v1\nkind: Job\nmetadata:\n  generateName: a-\nspec: {}\n"),
    ("windows.yaml", "\u{feff}apiVersion: v1\r\nkind: ConfigMap\r\nmetadata:\r\n  name: a\r\n"),
    (".github/workflows/ci.yml", "on: push\njobs: {a: {steps: [{run: \"echo ${{ github.sha }}\"}]}}\n"),
    ("compose.yaml", "services:\n  web: &web\n    image: a\n  other: {<<: *web, image: b}\n"),
    ("template.yaml", "Resources:\n  A: !Sub '${B}'\n  C: !GetAtt D.E\n"),
    ("ytt.yaml", "#@ load('@ytt:data', 'data')\nkind: ConfigMap\nmetadata:\n  name: #@ data.values.name\n"),
    (
        "crd.yaml",
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {names: {kind: A}, versions: [{schema: {openAPIV3Schema: {properties: {kind: {type: string}}}}}]}\n",
    ),
    (
        "functions.yaml",
        "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- {apiVersion: v1, kind: Service}\n",
    ),
];

/// Canaries in other forms than a document in block style, each with `NAME` for its name: they are found, and not changed.
const OTHER_FORMS: [&str; 6] = [
    "{\"apiVersion\": \"v1\", \"kind\": \"Secret\"}\n{\"apiVersion\": \"flagger.app/v1beta1\", \"kind\": \"Canary\", \"metadata\": {\"name\": \"NAME\"}, \"spec\": {\"provider\": \"traefik\", \"targetRef\": {\"name\": \"NAME\"}}}\n",
    "apiVersion: v1\nkind: List\nitems:\n- kind: ConfigMap\n- apiVersion: v1\n  kind: List\n  items:\n  - {apiVersion: flagger.app/v1beta1, kind: Canary, metadata: {name: NAME}, spec: {provider: traefik, targetRef: {name: NAME}}}\n",
    "apiVersion: flagger.app/v1beta1\nkind: CanaryList\nitems:\n- metadata: {name: NAME}\n  spec: {provider: traefik, targetRef: {name: NAME}}\n",
    "\u{feff}apiVersion: flagger.app/v1beta1\r\nkind: Canary\r\nmetadata: {name: NAME}\r\nspec: {provider: traefik, targetRef: {name: NAME}}\r\n",
    "%YAML 1.2\n---\n\"apiVersion\": flagger.app/v1beta1\n? kind\n: Canary\nmetadata: &m\n  \"name\": 'NAME'\nspec: {provider: traefik, targetRef: *m}\n",
    "kind: Job\nmetadata: {generateName: a-}\n---\n---\napiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: {name: NAME, labels: {a: \"b\"}}\nspec: {provider: traefik, targetRef: {name: NAME}}\n...\n",
];

/// Canaries that have no names yet, or are parts of others: nothing is lost with them.
const NO_CANARIES: [&str; 2] = [
    "apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: {generateName: canary-}\nspec: {provider: traefik, targetRef: {name: a}}\n",
    "apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: {name: nobody}\nspec: {suspend: true}\n",
];

/// Folders.
const FOLDERS: [&str; 6] = ["", "base/", "overlays/prod/", "charts/web/", "charts/web/templates/", "deep/er/"];

/// A tree: what is in each file, the file of each Canary that is a document of its own, the names of others, and links.
struct Tree {
    files: BTreeMap<String, Vec<u8>>,
    canaries: BTreeMap<String, String>,
    others: BTreeSet<String>,
    links: BTreeMap<String, &'static str>,
}

impl Tree {
    fn of(numbers: &mut Numbers) -> Self {
        let mut files = BTreeMap::new();
        for _ in 0..=numbers.below(8) {
            let name = format!("{}{}", numbers.one_of(&FOLDERS), numbers.one_of(&NAMES));
            files.insert(name, foreign(numbers));
        }
        for _ in 0..numbers.below(5) {
            let (name, text) = numbers.one_of(&FOREIGN);
            files.insert(format!("{}{name}", numbers.one_of(&FOLDERS)), text.as_bytes().to_vec());
        }
        if numbers.below(4) == 0 {
            files.insert("nobody.yaml".to_owned(), numbers.one_of(&NO_CANARIES).as_bytes().to_vec());
        }
        let mut others = BTreeSet::new();
        for number in 0..numbers.below(3) {
            let name = format!("other-{number}");
            let text = numbers.one_of(&OTHER_FORMS).replace("NAME", &name);
            files.insert(format!("{}{name}.yaml", numbers.one_of(&FOLDERS)), text.into_bytes());
            others.insert(name);
        }
        let link = [("dangling.yaml", "nowhere"), ("loop.yaml", "loop.yaml"), ("up", "..")];
        let links = (0..numbers.below(3)).map(|_| numbers.one_of(&link));
        let links = links.map(|(name, target)| (name.to_owned(), target)).collect();
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
        Self { files, canaries, others, links }
    }

    fn write(&self) -> Directory {
        let directory = Directory::new();
        for (name, bytes) in &self.files {
            directory.write(name, bytes);
        }
        for (name, target) in &self.links {
            symlink(target, directory.path().join(name)).expect("a link can be made");
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
    if shown.code != Some(0) || names != tree.canaries.keys().chain(&tree.others).map(String::as_str).collect() {
        return Some(format!("{:?} and {:?} were not found\n{shown}", tree.canaries, tree.others));
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
