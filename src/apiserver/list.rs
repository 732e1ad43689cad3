//! Parsing of lists item by item, so that 10,000 objects are never in memory as parsed values at once. Callers that
//! only display objects get them without `managedFields`, which is half of the text.

use std::{cell::Cell, fmt};

use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;

use crate::apiserver::{
    ApiServer, Collection, Failure, Verb,
    parts::{Part, Seed},
};

/// The metadata of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Head {
    /// The resourceVersion of the list.
    pub(crate) resource_version: String,
    /// The `continue` token of the next page; empty on the last one.
    #[serde(rename = "continue")]
    pub(crate) next: String,
}

impl ApiServer {
    /// Lists a collection in one answer, whatever its page size, and returns the results of `view` for its objects.
    pub(crate) async fn list<T: Send + 'static>(
        &self,
        collection: &Collection,
        view: impl Fn(Value) -> Option<T> + Send + 'static,
    ) -> Result<Vec<T>, Failure> {
        let answer = self.ask(&collection.call(Verb::List), &collection.query("")).await?;
        read(answer.body, collection.part, view).await
    }
}

/// Parses a Kubernetes list and returns the results of `view` for its items. Uses a separate thread, so that two lists
/// that arrive at the same time are parsed in parallel.
pub(crate) async fn read<T: Send + 'static>(
    body: Vec<u8>,
    part: &'static Part,
    view: impl Fn(Value) -> Option<T> + Send + 'static,
) -> Result<Vec<T>, Failure> {
    let reading = tokio::task::spawn_blocking(move || {
        let mut seen = Vec::new();
        each(&body, part, |object| seen.extend(view(object)))?;
        Ok(seen)
    });
    reading.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

/// Passes each item of a Kubernetes list to `take`.
pub(crate) fn each(body: &[u8], part: &'static Part, take: impl FnMut(Value)) -> Result<Head, Failure> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    Ok(List(take, part).deserialize(&mut deserializer)?)
}

struct List<F>(F, &'static Part);

impl<'de, F: FnMut(Value)> DeserializeSeed<'de> for List<F> {
    type Value = Head;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Head, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, F: FnMut(Value)> Visitor<'de> for List<F> {
    type Value = Head;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a Kubernetes list")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Head, A::Error> {
        let mut head = Head::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "items" => map.next_value_seed(Items(&mut self.0, self.1))?,
                "metadata" => head = map.next_value()?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(head)
    }
}

struct Items<'a, F>(&'a mut F, &'static Part);

impl<'de, F: FnMut(Value)> DeserializeSeed<'de> for Items<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: FnMut(Value)> Visitor<'de> for Items<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the items of a list")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let is_truncated = Cell::new(false);
        while let Some(item) = items.next_element_seed(Seed { part: self.1, is_truncated: &is_truncated })? {
            (self.0)(item);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn items(body: &str, part: &'static Part) -> Vec<Value> {
        let mut seen = Vec::new();
        each(body.as_bytes(), part, |item| seen.push(item)).unwrap();
        seen
    }

    #[test]
    fn items_come_one_by_one_and_nothing_else_matters() {
        let body = r#"{"kind":"CanaryList","metadata":{"x":[1]},"items":[{"a":[1,-2,0.5,true,null,"b"]},2]}"#;
        for part in [&Part::Whole, &Part::WithoutManagedFields] {
            assert_eq!(items(body, part), [json!({"a": [1, -2, 0.5, true, null, "b"]}), json!(2)]);
            assert_eq!(items(r#"{"items":null}"#, part), Vec::<Value>::new());
        }
    }

    #[test]
    fn a_list_says_as_of_when_it_is_and_where_it_goes_on() {
        let body = br#"{"metadata":{"x":[1],"continue":"c","resourceVersion":"7"},"items":[]}"#;
        let head = each(body, &Part::Whole, |_| unreachable!()).unwrap();
        assert_eq!(head, Head { resource_version: "7".into(), next: "c".into() });
    }

    #[test]
    fn who_only_looks_does_not_read_managed_fields() {
        let body = r#"{"items":[{"metadata":{"managedFields":[{"f:a":{}}],"name":"a"}}]}"#;
        assert_eq!(items(body, &Part::WithoutManagedFields), [json!({"metadata": {"name": "a"}})]);
        assert_eq!(items(body, &Part::Whole), [json!({"metadata": {"managedFields": [{"f:a": {}}], "name": "a"}})]);
    }
}
