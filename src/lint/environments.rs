//! Which manifests are of different environments: the folders, or files, that hold objects of the same name. Pure.
//!
//! In `production/` and `staging/` with one Canary each, of one name, whatever else is below them belongs to that one alone.
//! What is in neither belongs to both.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

use crate::model::ObjectKind;

/// An object: its kind, namespace and name.
pub type Identity<'a> = (ObjectKind, Option<&'a str>, &'a str);

/// The folders and files of different environments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environments {
    /// The objects, by number, that each folder or file holds, if there is one of the same name elsewhere. Sorted.
    holds: HashMap<String, Vec<usize>>,
}

impl Environments {
    /// Finds them among objects, each with its file, in the order of the files.
    pub fn among<'a>(objects: impl Iterator<Item = (Identity<'a>, &'a str)>) -> Self {
        let mut by_identity = BTreeMap::<_, Vec<&str>>::new();
        for (identity, file) in objects {
            let files = by_identity.entry(identity).or_default();
            if files.last() != Some(&file) {
                files.push(file);
            }
        }
        let mut holds = HashMap::<String, Vec<usize>>::new();
        let several = by_identity.into_values().filter(|files| files.len() > 1);
        for (number, files) in several.enumerate() {
            for folder in files.into_iter().flat_map(folders) {
                let held = holds.entry(folder.to_owned()).or_default();
                if held.last() != Some(&number) {
                    held.push(number);
                }
            }
        }
        Self { holds }
    }

    /// Returns whether two files are of different environments: below where their paths part, both hold an object of the
    /// same name.
    pub fn are_apart(&self, one: &str, other: &str) -> bool {
        if self.holds.is_empty() {
            return false;
        }
        let held = parting(one, other).and_then(|(one, other)| self.holds.get(one).zip(self.holds.get(other)));
        held.is_some_and(|(one, other)| {
            let (few, many) = if one.len() < other.len() { (one, other) } else { (other, one) };
            few.iter().any(|number| many.binary_search(number).is_ok())
        })
    }

    /// Returns whether there is only one environment.
    pub fn are_one(&self) -> bool {
        self.holds.is_empty()
    }
}

/// Returns two paths as far as the first part that differs; `None` if they are the same.
fn parting<'p>(one: &'p str, other: &'p str) -> Option<(&'p str, &'p str)> {
    let same = one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count();
    let end = |path: &str| {
        let rest = path.as_bytes()[same..].iter();
        rest.take_while(|byte| !std::path::is_separator(char::from(**byte))).count() + same
    };
    let (one, other) = (&one[..end(one)], &other[..end(other)]);
    (one != other).then_some((one, other))
}

/// Returns what is nearest to a file: what has the most folders in common with it; of several, the first.
pub fn nearest<'t, T>(file: &str, all: impl Iterator<Item = (&'t str, T)>) -> Option<T> {
    let in_common = |other: &str| folders(file).zip(folders(other)).take_while(|(own, other)| own == other).count();
    let (_, nearest) = all.min_by_key(|(other, _)| Reverse(in_common(other)))?;
    Some(nearest)
}

/// Returns the folders that a file is in, the outermost first, and the file itself.
fn folders(file: &str) -> impl Iterator<Item = &str> {
    let separators = file.match_indices(std::path::is_separator).map(|(at, _)| at);
    separators.chain([file.len()]).map(|end| &file[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn among(objects: &[(&'static str, &'static str)]) -> Environments {
        Environments::among(objects.iter().map(|(name, file)| ((ObjectKind::Canary, None, *name), *file)))
    }

    #[test]
    fn folders_with_objects_of_one_name_are_apart_and_what_is_beside_them_belongs_to_both() {
        let all = among(&[
            ("shop", "./deploy/production/canary.yaml"),
            ("shop", "./deploy/staging/canary.yaml"),
            ("other", "./deploy/base/other.yaml"),
            ("twice", "./one.yaml"),
            ("twice", "./one.yaml"),
        ]);
        for (one, other, apart) in [
            ("./deploy/production/canary.yaml", "./deploy/staging/routes/web.yaml", true),
            ("./deploy/production/canary.yaml", "./deploy/production/routes/web.yaml", false),
            ("./deploy/production/canary.yaml", "./deploy/base/other.yaml", false),
            ("./deploy/staging/canary.yaml", "./web.yaml", false),
            ("./one.yaml", "./deploy/staging/canary.yaml", false),
        ] {
            assert_eq!((all.are_apart(one, other), all.are_apart(other, one)), (apart, apart), "{one} {other}");
        }
        assert!(!all.are_one() && among(&[("shop", "a.yaml"), ("cart", "b.yaml")]).are_one());
    }

    #[test]
    fn paths_part_at_whole_names() {
        assert_eq!(parting("a/b/c", "a/bc/d"), Some(("a/b", "a/bc")));
        assert_eq!(parting("a/ä.yaml", "a/ö.yaml"), Some(("a/ä.yaml", "a/ö.yaml")));
        assert_eq!(parting("a/b", "a/b"), None);
    }

    #[test]
    fn files_can_be_environments_and_so_can_folders_within_folders() {
        let files = among(&[("shop", "production.yaml"), ("shop", "staging.yaml")]);
        assert!(files.are_apart("production.yaml", "staging.yaml"));
        let nested = among(&[("shop", "a/eu/c.yaml"), ("shop", "a/us/c.yaml"), ("shop", "b/c.yaml")]);
        assert!(nested.are_apart("a/eu/c.yaml", "a/us/r.yaml") && nested.are_apart("a/r.yaml", "b/c.yaml"));
        assert!(!nested.are_apart("a/eu/c.yaml", "a/r.yaml"));
    }

    #[test]
    fn what_is_in_the_same_folder_is_nearest_and_of_two_as_near_the_first() {
        let among = |files: &[&'static str]| nearest("./a/b/c.yaml", files.iter().map(|file| (*file, *file)));
        assert_eq!(among(&["./x.yaml", "./a/b/d.yaml", "./a/e.yaml"]), Some("./a/b/d.yaml"));
        assert_eq!(among(&["./a/x/1.yaml", "./a/y/2.yaml"]), Some("./a/x/1.yaml"));
        assert_eq!(among(&[]), None);
    }
}
