//! Which manifests are of different environments: the folders, or files, that hold objects of the same name. Pure.
//!
//! In `production/` and `staging/` with one Canary each, of one name, whatever else is below them belongs to that one alone.
//! What is in neither belongs to both.

use std::{
    cell::OnceCell,
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

use crate::model::ObjectKind;

/// An object: its kind, namespace and name.
pub type Identity<'a> = (ObjectKind, Option<&'a str>, &'a str);

/// The folders and files of different environments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environments {
    /// Position in `sets` of what each folder or file holds.
    holds: HashMap<String, usize>,
    /// Sets of objects, by number and sorted, of which there is one of the same name elsewhere.
    sets: Vec<Vec<usize>>,
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
        let mut held = BTreeMap::<_, Vec<usize>>::new();
        let several = by_identity.into_values().filter(|files| files.len() > 1);
        for (number, files) in several.enumerate() {
            for folder in files.into_iter().flat_map(folders) {
                let held = held.entry(folder).or_default();
                if held.last() != Some(&number) {
                    held.push(number);
                }
            }
        }
        let (mut all, mut numbers) = (Self::default(), HashMap::new());
        for (folder, set) in held {
            let number = *numbers.entry(set).or_insert_with_key(|set| {
                all.sets.push(set.clone());
                all.sets.len() - 1
            });
            all.holds.insert(folder.to_owned(), number);
        }
        all
    }

    /// Returns whether two files are of different environments: below where their paths part, both hold an object of the
    /// same name.
    pub fn are_apart(&self, one: &str, other: &str) -> bool {
        !self.are_one() && parting(one, other).is_some_and(|(one, other)| self.share(self.set(one), self.set(other)))
    }

    /// Returns whether there is only one environment.
    pub fn are_one(&self) -> bool {
        self.holds.is_empty()
    }

    fn set(&self, folder: &str) -> Option<usize> {
        self.holds.get(folder).copied()
    }

    fn share(&self, one: Option<usize>, other: Option<usize>) -> bool {
        let (Some(one), Some(other)) = (one, other) else { return false };
        let (few, many) = (&self.sets[one], &self.sets[other]);
        let (few, many) = if few.len() < many.len() { (few, many) } else { (many, few) };
        one == other || few.iter().any(|number| many.binary_search(number).is_ok())
    }
}

/// Things by their files, so that those of one environment are found among those of thousands.
#[derive(Debug)]
pub struct ByFile<'a, T> {
    items: Vec<(Option<&'a str>, T)>,
    index: OnceCell<Index>,
}

/// Positions of things.
#[derive(Debug, Default)]
struct Index {
    of_file: HashMap<Option<String>, Vec<usize>>,
    /// By a folder that they are in, and by the set of objects that the folder, or file, right below it holds.
    below: HashMap<String, BTreeMap<Option<usize>, Vec<usize>>>,
}

impl<T> Default for ByFile<'_, T> {
    fn default() -> Self {
        Self { items: Vec::new(), index: OnceCell::new() }
    }
}

impl<'a, T> ByFile<'a, T> {
    /// Adds a thing; one without a file is of every environment.
    pub fn push(&mut self, file: Option<&'a str>, item: T) {
        self.items.push((file, item));
        self.index.take();
    }

    /// Returns all of them.
    pub fn all(&self) -> impl Iterator<Item = &T> {
        self.items.iter().map(|(_, item)| item)
    }

    /// Returns those that are not of another environment than a file, with their files, in the order in which they were added.
    pub fn seen_from(&self, file: Option<&str>, environments: &Environments) -> Vec<(Option<&'a str>, &T)> {
        /// With so few, an index does not pay.
        const FEW: usize = 16;
        let own = file.filter(|_| !environments.are_one());
        match own {
            Some(own) if self.items.len() > FEW => {
                self.positions(own, environments).into_iter().map(|at| (self.items[at].0, &self.items[at].1)).collect()
            }
            own => {
                let is_apart =
                    |file: Option<&str>| own.zip(file).is_some_and(|(own, file)| environments.are_apart(own, file));
                let seen = self.items.iter().filter(|(file, _)| !is_apart(*file));
                seen.map(|(file, item)| (*file, item)).collect()
            }
        }
    }

    fn positions(&self, own: &str, environments: &Environments) -> Vec<usize> {
        let index = self.index.get_or_init(|| self.indexed(environments));
        let of_file = [Some(own.to_owned()), None].into_iter().filter_map(|file| index.of_file.get(&file));
        let mut found: Vec<usize> = of_file.flatten().copied().collect();
        for (parent, child) in levels(own) {
            let is_below = |at: &&usize| {
                let rest = self.items[**at].0.and_then(|file| file.strip_prefix(child));
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(std::path::is_separator))
            };
            let own = environments.set(child);
            for (set, all) in index.below.get(parent).into_iter().flatten() {
                if !environments.share(own, *set) {
                    found.extend(all.iter().filter(|at| !is_below(at)));
                }
            }
        }
        found.sort_unstable();
        found
    }

    fn indexed(&self, environments: &Environments) -> Index {
        let mut index = Index::default();
        for (at, (file, _)) in self.items.iter().enumerate() {
            index.of_file.entry(file.map(str::to_owned)).or_default().push(at);
            for (parent, child) in file.iter().copied().flat_map(levels) {
                index.below.entry(parent.to_owned()).or_default().entry(environments.set(child)).or_default().push(at);
            }
        }
        index
    }
}

/// Returns each folder that a file is in, with the folder, or the file, right below it.
fn levels(file: &str) -> impl Iterator<Item = (&str, &str)> {
    std::iter::once("").chain(folders(file)).zip(folders(file))
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
    let separators = file.match_indices(std::path::is_separator).map(|(at, _)| at).filter(|at| *at > 0);
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

    proptest::proptest! {
        #[test]
        fn the_index_finds_what_comparing_each_finds(
            files in proptest::collection::vec("[ab](/[abc]){0,2}/[xyz]", 1..60),
            names in proptest::collection::vec("[mno]", 60),
            own in "[ab](/[abc]){0,2}/[xyz]",
        ) {
            let mut files = files;
            files.sort();
            let objects = files.iter().zip(&names).map(|(file, name)| ((ObjectKind::Canary, None, name.as_str()), file.as_str()));
            let environments = Environments::among(objects);
            let mut by_file = ByFile::default();
            by_file.push(None, usize::MAX);
            for (number, file) in files.iter().enumerate() {
                by_file.push(Some(file.as_str()), number);
            }
            let compared = by_file.items.iter().enumerate();
            let compared = compared.filter(|(_, (file, _))| file.is_none_or(|file| !environments.are_apart(&own, file)));
            let compared: Vec<_> = compared.map(|(at, _)| at).collect();
            proptest::prop_assert_eq!(by_file.positions(&own, &environments), compared);
        }
    }
}
