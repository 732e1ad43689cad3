//! The workflow files: well-formed, and running what they say they run.

use std::fs;

use canary_traefik::yaml;
use snapbox::str;
use testbed::{bed, directory::Directory, run::Run};

use super::release::PATH;

fn check(files: &[String]) -> Run {
    let actionlint = bed::program("actionlint").unwrap_or_else(|error| panic!("{error}"));
    // Checkers of scripts that a machine may have or not.
    let run = Run::of(actionlint, ["-no-color", "-shellcheck=", "-pyflakes="]).arguments(files.iter());
    run.env("PATH", PATH).dir(bed::root())
}

fn workflows() -> Vec<String> {
    let folder = fs::read_dir(bed::root().join(".github/workflows")).expect("the folder of workflows");
    let mut files: Vec<_> = folder.map(|entry| entry.expect("an entry").path().display().to_string()).collect();
    files.sort();
    files
}

#[test]
fn the_workflows_are_well_formed() {
    check(&workflows()).run().shows(str![[r#"
exit: 0
--- stdout
--- stderr

"#]]);
}

#[test]
fn a_workflow_that_is_not_well_formed_would_be_found() {
    let folder = Directory::new();
    let text = fs::read_to_string(bed::root().join(".github/workflows/ci.yml")).expect("a workflow");
    let broken = text.replacen("runs-on:", "runs-no:", 1);
    let file = folder.write("broken.yml", broken).display().to_string();
    let output = check(&[file]).run();
    assert_eq!(output.code, Some(1), "{output}");
}

#[test]
fn every_script_that_a_workflow_runs_is_there() {
    let mut scripts = 0;
    for file in workflows() {
        let workflow = yaml::parse(&fs::read_to_string(&file).expect("a workflow")).expect("YAML");
        let jobs = workflow["jobs"].as_object().expect("jobs").values();
        let steps = jobs.flat_map(|job| job["steps"].as_array().expect("steps"));
        for word in steps.filter_map(|step| step["run"].as_str()).flat_map(str::split_whitespace) {
            if ["krew/", "image/", "tests/", ".ci/"].iter().any(|folder| word.starts_with(folder)) {
                assert!(bed::root().join(word).is_file(), "{file} runs {word}");
                scripts += 1;
            }
        }
    }
    assert_eq!(scripts, 5);
}
