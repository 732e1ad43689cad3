//! Whether what `lint -o sarif` prints is SARIF, by its schema.
#![expect(clippy::disallowed_methods, reason = "reads what the program does not")]

use std::{path::Path, process::Command};

use serde_json::{Value, json};
use testbed::bed;

use crate::{
    lint::shop,
    manifests::{canary, folder, run},
};

/// The schema of SARIF 2.1.0, which the crate with its types is made from.
fn sarif_schema() -> Value {
    let arguments = ["metadata", "--format-version=1", "--offline", "--locked"];
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(bed::root()).output().expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let sarif = packages.iter().find(|package| package["name"] == "serde-sarif").expect("a dependency");
    let manifest = Path::new(sarif["manifest_path"].as_str().expect("a path"));
    let schema = std::fs::read(manifest.with_file_name("src").join("schema.json")).expect("the schema");
    serde_json::from_slice(&schema).expect("JSON")
}

#[test]
fn sarif_is_valid_by_its_schema() {
    let schema = sarif_schema();
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    let id = schema["$id"].as_str().expect("an id").to_owned();
    compiler.add_resource(&id, schema).expect("a schema");
    let index = compiler.compile(&id, &mut schemas).expect("a schema");
    let odd = folder(&[("a:b,c% é.yaml", &canary("podinfo", Some("'login; Max-Age=-1; Path=x'")))]);
    for folder in [&shop(), &odd] {
        let output = run(folder, "lint -f . -o sarif");
        let log: Value = serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output}"));
        schemas.validate(&log, index).unwrap_or_else(|error| panic!("{error:#}"));
        let results = log["runs"][0]["results"].as_array().expect("results");
        assert!(!results.is_empty(), "{output}");
        // The schema is not one that everything passes.
        let mut wrong = log.clone();
        wrong["runs"][0]["tool"]["driver"]["rules"][0]["helpUri"] = json!(1);
        assert!(schemas.validate(&wrong, index).is_err());
    }
}
