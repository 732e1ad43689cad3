//! The cookie flags of `sticky set`, generated from [`FIELDS`].

use clap::{
    Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches,
    builder::{PossibleValuesParser, TypedValueParser},
    error::ErrorKind,
};

use crate::{
    model::{
        Entry, FIELDS, Field, FieldValue, entry,
        field::{FieldKind, SAME_SITE},
    },
    output::draft::{ENTRY, ENTRY_HELP},
    plan::{EntryChange, FieldChanges},
};

/// Values of the cookie flags.
#[derive(Debug, Clone, Default)]
pub(super) struct CookieArgs {
    /// Fields to set and to unset.
    pub(super) wish: FieldChanges,
    /// The change of the entry.
    pub(super) entry: EntryChange,
}

impl CookieArgs {
    /// Returns whether nothing is requested.
    pub(super) fn is_empty(&self) -> bool {
        self.wish.0.is_empty() && self.entry == EntryChange::Keep
    }
}

impl Args for CookieArgs {
    fn augment_args(command: Command) -> Command {
        let flags = FIELDS.iter().map(|field| flag(field).help_heading("Cookie"));
        let unset = Arg::new("unset")
            .long("unset")
            .value_name("FIELD")
            .help("Remove a field; repeat or separate with commas")
            .action(ArgAction::Append)
            .value_delimiter(',')
            .value_parser(PossibleValuesParser::new(FIELDS.iter().map(|field| field.flag).chain([ENTRY])))
            .help_heading("Cookie");
        let entry = Arg::new(ENTRY)
            .long(ENTRY)
            .value_name("PATH")
            .help(format!("{ENTRY_HELP}; repeat or separate with commas"))
            .action(ArgAction::Append)
            .value_delimiter(',')
            .value_parser(entry::check_path)
            .help_heading("Cookie");
        command.args(flags).arg(entry).arg(unset)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn flag(field: &'static Field) -> Arg {
    let arg = Arg::new(field.flag).long(field.flag).help(field.describe());
    let value = move |text: &str| field.parse_typed(text);
    match field.kind {
        FieldKind::Switch => arg
            .value_name("BOOL")
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_parser(clap::value_parser!(bool)),
        FieldKind::SameSite => arg.value_name("WHEN").ignore_case(true).value_parser(
            PossibleValuesParser::new(SAME_SITE.map(|(lower, _)| lower)).try_map(move |text| value(&text)),
        ),
        FieldKind::Seconds => arg.value_name("DURATION").allow_negative_numbers(true).value_parser(value),
        FieldKind::Token => arg.value_name("NAME").value_parser(value),
        FieldKind::Path => arg.value_name("PATH").value_parser(value),
        FieldKind::Domain => arg.value_name("DOMAIN").value_parser(value),
    }
}

impl FromArgMatches for CookieArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut wish = FieldChanges::default();
        for field in &FIELDS {
            let value = if field.kind == FieldKind::Switch {
                let Some(on) = matches.get_one::<bool>(field.flag) else { continue };
                on.then_some(FieldValue::On)
            } else {
                let Some(value) = matches.get_one::<FieldValue>(field.flag) else { continue };
                Some(value.clone())
            };
            wish.0.push((field, value));
        }
        let paths: Vec<String> = matches.get_many::<String>(ENTRY).into_iter().flatten().cloned().collect();
        let mut entry = EntryChange::Keep;
        if !paths.is_empty() {
            let paths = Entry::of(&paths).map_err(|malformed| {
                clap::Error::raw(ErrorKind::ValueValidation, format!("--{ENTRY}: {malformed}\n"))
            })?;
            entry = EntryChange::Set(paths);
        }
        for flag in matches.get_many::<String>("unset").into_iter().flatten() {
            if matches.contains_id(flag) {
                return Err(together(flag));
            }
            match Field::by_flag(flag) {
                Some(field) => wish.0.push((field, None)),
                None => entry = EntryChange::Unset,
            }
        }
        Ok(Self { wish, entry })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn together(flag: &str) -> clap::Error {
    let message = format!("--{flag} and --unset {flag} cannot be given together\n");
    clap::Error::raw(ErrorKind::ArgumentConflict, message)
}
