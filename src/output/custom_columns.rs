//! `-o custom-columns=HEADER:PATH,…`: kubectl's columns over the published JSON
//! (`k8s.io/kubectl/pkg/cmd/get/customcolumn.go`).

use serde_json::Value;

use super::{jsonpath::Template, table::table};
use crate::error::Result;

/// Columns by heading and path.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomColumns(Vec<(String, Template)>);

impl CustomColumns {
    /// Parses `HEADER:PATH,…`.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let column = |column: &str| {
            let (head, path) = column.split_once(':').ok_or_else(|| format!("`{column}` is not HEADER:PATH"))?;
            Ok((head.to_owned(), Template::parse_path(path)?))
        };
        text.split(',').map(column).collect::<Result<_, _>>().map(Self)
    }

    /// Returns the headings.
    pub fn heads(&self) -> Vec<&str> {
        self.0.iter().map(|(head, _)| head.as_str()).collect()
    }

    /// Returns the cells of one object. Several values are separated by commas; for none, and for `null`, the cell is
    /// `<none>`.
    ///
    /// # Errors
    ///
    /// As [`Template::fill`].
    pub fn cells(&self, object: &Value) -> Result<Vec<String>> {
        let cell = |(_, path): &(String, Template)| {
            let values = path.values(object)?;
            let shown: Vec<_> = values.iter().map(printed).collect();
            Ok(if shown.is_empty() { "<none>".to_owned() } else { shown.join(",") })
        };
        self.0.iter().map(cell).collect()
    }

    /// Returns the table of one object, or of the items of a list.
    ///
    /// # Errors
    ///
    /// As [`Template::fill`].
    pub fn table(&self, value: &Value, headers: bool) -> Result<String> {
        let objects = match value.get("items").and_then(Value::as_array) {
            Some(items) => items.as_slice(),
            None => std::slice::from_ref(value),
        };
        let rows = objects.iter().map(|object| self.cells(object)).collect::<Result<Vec<_>>>()?;
        let heads = if headers { self.heads() } else { Vec::new() };
        Ok(table(&heads, rows))
    }
}

/// Returns a value as Go prints it (`fmt.Sprint`).
fn printed(value: &Value) -> String {
    match value {
        Value::Null => "<none>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(list) => format!("[{}]", list.iter().map(printed).collect::<Vec<_>>().join(" ")),
        Value::Object(fields) => {
            let fields: Vec<_> = fields.iter().map(|(key, value)| format!("{key}:{}", printed(value))).collect();
            format!("map[{}]", fields.join(" "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_are_filled_in_as_kubectl_does() {
        let value = json!({"items": [
            {"name": "a", "phase": null, "weights": {"canary": 10, "primary": 90}, "tags": ["x", "y"]},
            {"name": "long-name", "phase": "Failed"},
        ]});
        let columns = CustomColumns::parse("N:.name,PHASE:phase,ALL:{.weights},T:{tags[*]},L:tags").unwrap();
        assert_eq!(
            columns.table(&value, true).unwrap(),
            "N           PHASE    ALL                         T        L\n\
             a           <none>   map[canary:10 primary:90]   x,y      [x y]\n\
             long-name   Failed   <none>                      <none>   <none>\n"
        );
        assert_eq!(CustomColumns::parse("N:.name").unwrap().table(&value, false).unwrap(), "a\nlong-name\n");
    }

    #[test]
    fn what_is_wrong_with_columns_is_named() {
        for (text, problem) in [
            ("", "`` is not HEADER:PATH"),
            ("NAME", "`NAME` is not HEADER:PATH"),
            ("NAME:", "`` is not a path such as .name"),
            ("NAME:.a{.b}", "`.a{.b}` is not a path such as .name"),
            ("NAME:.a[", "[ without ]"),
        ] {
            assert_eq!(CustomColumns::parse(text).unwrap_err(), problem, "{text}");
        }
    }
}
