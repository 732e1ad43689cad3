//! The objects of one document.

use std::mem;

use serde_json::Value;

use super::document::{self, Document};
use super::inputs::{self, Named};
use super::{Manifests, Object, Place, tree};
use crate::error::{Error, Result};

/// Collects the objects of one document.
pub(super) struct Found<'r> {
    pub(super) text: &'r str,
    pub(super) document: &'r Document,
    /// The nodes of the document, parsed once it turns out to be a list.
    pub(super) root: Option<tree::Node>,
    /// What is found is added to these.
    pub(super) manifests: &'r mut Manifests,
    pub(super) named: Named,
}

impl Found<'_> {
    pub(super) fn add(&mut self, mut value: Value, place: Place) -> Result<()> {
        if value.is_null() {
            return Ok(());
        }
        let kind = value.get("kind").and_then(Value::as_str).unwrap_or_default();
        if kind.is_empty() {
            if self.named == Named::No {
                let is_kustomization =
                    place.name.rsplit('/').next().is_some_and(|name| name.starts_with("kustomization."));
                if is_patch(&value) || is_kustomization || place.name.ends_with(inputs::KUSTOMIZATION) {
                    self.manifests.without_kind.push(Object { value, place });
                }
                return Ok(());
            }
            let what = match &value {
                Value::Object(_) => "has no `kind`",
                value if is_patch(value) => "is a JSON patch",
                _ => "is not a mapping",
            };
            let message = format!("{}:{}: this {what}, so it is not a Kubernetes object", place.name, place.line);
            return Err(Error::usage(message));
        }
        let of_kind = kind.strip_suffix("List").map(str::to_owned);
        match (of_kind, value.get_mut("items").map(mem::take)) {
            (Some(of_kind), Some(Value::Array(items))) => {
                let version = value.get("apiVersion").cloned();
                let lines = self.lines(&place, items.len());
                for (index, mut item) in items.into_iter().enumerate() {
                    if let (Value::Object(fields), false, Some(version)) = (&mut item, of_kind.is_empty(), &version)
                        && !(fields.contains_key("kind") && fields.contains_key("apiVersion"))
                    {
                        fields.insert("apiVersion".to_owned(), version.clone());
                        fields.insert("kind".to_owned(), of_kind.clone().into());
                    }
                    let mut place = Place { line: lines[index], ..place.clone() };
                    place.items.push(index);
                    self.add(item, place)?;
                }
            }
            (Some(_), Some(Value::Null)) => {}
            (_, items) => {
                if let (Some(items), Some(field)) = (items, value.get_mut("items")) {
                    *field = items;
                }
                self.manifests.objects.push(Object { value, place });
            }
        }
        Ok(())
    }

    /// Returns the lines on which the items of a list begin.
    fn lines(&mut self, list: &Place, count: usize) -> Vec<usize> {
        if self.root.is_none() {
            self.root = tree::parse(self.text);
        }
        let mut node = self.root.as_ref();
        for index in &list.items {
            node = node.and_then(tree::Node::items).and_then(|items| items.get(*index));
        }
        let (mut line, mut at) = (self.document.line, 0);
        let items = node.and_then(tree::Node::items).unwrap_or_default();
        let mut lines: Vec<_> = items
            .iter()
            .map(|item| {
                line += document::breaks(&self.text[at..item.start]);
                at = item.start;
                line
            })
            .collect();
        lines.resize(count, list.line);
        lines
    }
}

/// Returns whether this is a JSON patch (RFC 6902).
fn is_patch(value: &Value) -> bool {
    let is_operation = |item: &Value| item.get("op").is_some() && item.get("path").is_some();
    value.as_array().is_some_and(|items| !items.is_empty() && items.iter().all(is_operation))
}
