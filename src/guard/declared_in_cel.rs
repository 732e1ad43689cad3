//! The grammar of the declaration in CEL, generated from [`FIELDS`]. `model::declaration` is the same parser in Rust.

use super::cel::{PRINTABLE, has_annotation, text};
use crate::model::{
    FIELDS, Field,
    declaration::{self, ANNOTATION, MAX_LENGTH},
    field::FieldKind,
};

/// Returns the variables of a policy as names and expressions. Each expression may use the variables before it.
///
/// `subject` is the CEL expression for the Canary (`params` or `object`). The results are `declared` (whether the
/// annotation exists), `problem` (the first parse error, empty if well-formed) and `cookie` (the object under
/// `cookie:`).
pub(super) fn variables(subject: &str) -> Vec<(&'static str, String)> {
    vec![
        ("declared", has_annotation(subject, ANNOTATION)),
        ("text", format!("variables.declared ? {subject}.metadata.annotations[{}] : ''", text(ANNOTATION))),
        // The first part is the cookie name. The others are attributes: key in lower case, `=` if present, value.
        ("name", "variables.text.split(';')[0].trim()".into()),
        (
            "attributes",
            "variables.text.contains(';') ? variables.text.substring(variables.text.indexOf(';') + 1).split(';')\
             .map(part, part.trim())\
             .map(part, {'part': part, \
             'key': (part.contains('=') ? part.substring(0, part.indexOf('=')) : part).trim().lowerAscii(), \
             'equals': part.contains('=') ? '=' : '', \
             'value': part.contains('=') ? part.substring(part.indexOf('=') + 1).trim() : ''}) : []"
                .into(),
        ),
        ("problem", problem()),
        ("cookie", cookie()),
    ]
}

/// Returns an expression for the first error, in the order of `declaration::parse`, or an empty string.
fn problem() -> String {
    let names = whole(FIELDS[0].kind);
    let twice = declaration::attributes().rfold("''".to_owned(), |rest, attribute| {
        format!(
            "variables.attributes.filter(a, a.key == {}).size() > 1 ? {} : {rest}",
            text(&attribute.to_ascii_lowercase()),
            text(&format!("`{attribute}`: {}", declaration::TWICE))
        )
    });
    format!(
        "variables.text.size() > {MAX_LENGTH} ? {} : \
         !variables.text.matches({PRINTABLE}) ? {} : \
         variables.name != '' && !variables.name.matches({names}) ? '`' + variables.name + {} : \
         variables.attributes.exists(a, {attribute} != '') ? \
         variables.attributes.map(a, {attribute}).filter(problem, problem != '')[0] : {twice}",
        text(&declaration::too_long()),
        text(declaration::NOT_ASCII),
        text(&format!("`: {}", declaration::not_a_name())),
        attribute = attribute_problem(),
    )
}

/// Returns an expression for the error in the attribute `a`, or an empty string.
fn attribute_problem() -> String {
    let known = FIELDS.iter().rev().filter_map(|field| Some((field, field.attribute?))).fold(
        format!("'`' + a.part + {}", text(&format!("`: {}", declaration::unknown()))),
        |rest, (field, attribute)| {
            let good = match field.kind {
                FieldKind::Switch => "a.equals == ''".to_owned(),
                kind => format!("a.equals == '=' && a.value.matches({})", whole(kind)),
            };
            let wrong = text(&format!("`: {}", field.allowed()));
            format!(
                "a.key == {} ? ({good} ? '' : '`' + a.part + {wrong}) : {rest}",
                text(&attribute.to_ascii_lowercase())
            )
        },
    );
    format!("(a.part == '' ? {} : {known})", text(&declaration::missing()))
}

/// Returns an expression for the object under `cookie:`, given a well-formed declaration.
fn cookie() -> String {
    let entries: Vec<_> = FIELDS.iter().map(entry).collect();
    format!("{{{}}}", entries.join(", "))
}

fn entry(field: &Field) -> String {
    let key = text(field.key);
    let Some(attribute) = field.attribute else {
        return format!("?{key}: variables.name == '' ? optional.none() : optional.of(dyn(variables.name))");
    };
    let found = format!("variables.attributes.filter(a, a.key == {})", text(&attribute.to_ascii_lowercase()));
    let value = match field.kind {
        FieldKind::Switch => "true".to_owned(),
        FieldKind::Seconds => format!("int({found}[0].value)"),
        FieldKind::SameSite => format!("{found}[0].value.lowerAscii()"),
        FieldKind::Token | FieldKind::Path | FieldKind::Domain => format!("{found}[0].value"),
    };
    format!("?{key}: {found}.size() == 0 ? optional.none() : optional.of(dyn({value}))")
}

fn whole(kind: FieldKind) -> String {
    text(&format!("^(?:{})$", kind.pattern()))
}
