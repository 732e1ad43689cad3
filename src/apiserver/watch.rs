//! List and watch of a collection. One call lasts until the server ends the watch; the caller decides how long to wait
//! before the next one.

use std::{borrow::Cow, time::Duration};

use http_body_util::BodyExt;
use hyper::body::Bytes;
use kube::client::Body;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::{
    apiserver::{
        ApiServer, Call, Collection, Failure, Verb,
        endpoint::Endpoint,
        http::Opened,
        items::{self, Item, Items},
        list::Head,
        parts::{self, Part},
        request::{get, percent_encoded},
    },
    model::NamespacedName,
};

/// An event of a list or watch.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A list begins.
    Init,
    /// An object of the list.
    InitApply(Value),
    /// An object that was added or modified.
    Apply(Value),
    /// An object whose requested part is too large; its name if that could be read.
    TooLarge(Option<NamespacedName>),
    /// The list is complete: objects that were not in it no longer exist.
    InitDone,
    /// A deleted object, in its last state.
    Delete(Value),
}

/// Duration of a watch, after which the server ends it. It is short, so that a silently dead connection is noticed
/// within seconds: the server either ends the watch in time or is no longer reachable. Bookmarks come only once a
/// minute, and shortly before the end (`k8s.io/apiserver/pkg/storage/cacher/cache_watcher.go`).
const WATCH: Duration = Duration::from_secs(10);
/// Timeout for the start of an answer and for each further piece of it.
const PATIENCE: Duration = Duration::from_secs(15);

impl ApiServer {
    /// Lists the collection, unless `place` already is a resourceVersion, then watches it from there and passes every event
    /// to `take`. Returns `Ok` when the server ends the watch normally or the resourceVersion has expired; the next call
    /// continues correctly in either case.
    ///
    /// # Errors
    ///
    /// The server refuses, or is unreachable. `place` is kept.
    pub async fn follow(
        &self,
        collection: &Collection,
        place: &mut String,
        take: &mut (dyn FnMut(Event) + Send),
    ) -> Result<(), Failure> {
        if place.is_empty() {
            *place = self.list_pages(collection, take).await?;
        }
        match self.watch(collection, place, take).await {
            Err(failure) if failure.is_gone() => {
                place.clear();
                Ok(())
            }
            result => result,
        }
    }

    async fn list_pages(
        &self,
        collection: &Collection,
        take: &mut (dyn FnMut(Event) + Send),
    ) -> Result<String, Failure> {
        let mut next = String::new();
        loop {
            let is_first = next.is_empty();
            let uri = collection.query(&format!("limit={}&continue={next}", collection.page));
            let mut opened = self.open_in_time(&collection.call(Verb::List), &uri).await?;
            if is_first {
                take(Event::Init);
            }
            let mut items = Items::default();
            while let Some(data) = self.next_piece(opened.response.body_mut()).await? {
                items.push(&data, |item| of_item(&item, collection.part, true).map(&mut *take))?;
            }
            let frame = items.into_frame();
            let Ok(Framed { metadata: head }) = serde_json::from_slice(&frame) else {
                return Err(self.endpoint.not_json(opened.response.status(), opened.response.headers()));
            };
            if head.next.is_empty() {
                take(Event::InitDone);
                return Ok(head.resource_version);
            }
            next = percent_encoded(&head.next);
        }
    }

    async fn watch(
        &self,
        collection: &Collection,
        place: &mut String,
        take: &mut (dyn FnMut(Event) + Send),
    ) -> Result<(), Failure> {
        let more = format!(
            "watch=true&allowWatchBookmarks=true&timeoutSeconds={}&resourceVersion={}",
            WATCH.as_secs(),
            percent_encoded(place)
        );
        let call = &collection.call(Verb::Watch);
        let mut opened = self.open_in_time(call, &collection.query(&more)).await?;
        let (mut line, mut is_too_long) = (Vec::new(), false);
        while let Some(data) = self.next_piece(opened.response.body_mut()).await? {
            for (number, piece) in data.split(|&byte| byte == b'\n').enumerate() {
                // There is a line break between two pieces.
                if number > 0 {
                    if std::mem::take(&mut is_too_long) {
                        take(Event::TooLarge(None));
                    } else if !line.is_empty() {
                        self.handle_line(call, &line, collection.part, place, take)?;
                    }
                    items::clear(&mut line);
                }
                is_too_long = is_too_long || line.len() + piece.len() > items::LONGEST;
                if !is_too_long {
                    line.extend_from_slice(piece);
                }
            }
        }
        Ok(())
    }

    /// Handles one line of a watch.
    fn handle_line(
        &self,
        call: &Call<'_>,
        line: &[u8],
        part: &'static Part,
        place: &mut String,
        take: &mut (dyn FnMut(Event) + Send),
    ) -> Result<(), Failure> {
        let event: Line<'_> = serde_json::from_slice(line)?;
        let text = event.object.map_or("null", RawValue::get).as_bytes();
        if event.kind == "ERROR" {
            let object: Value = serde_json::from_slice(text)?;
            let code = object["code"].as_u64().and_then(|code| u16::try_from(code).ok()).unwrap_or(500);
            let code = http::StatusCode::from_u16(code).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
            return Err(self.endpoint.refused(call, code, &http::HeaderMap::new(), text));
        }
        let versioned: Versioned = serde_json::from_slice(text)?;
        if !versioned.metadata.resource_version.is_empty() {
            *place = versioned.metadata.resource_version;
        }
        match &*event.kind {
            "ADDED" | "MODIFIED" => take(of_item(&Item::Text(text), part, false)?),
            "DELETED" => take(Event::Delete(parts::read(text, part)?.value)),
            _ => {}
        }
        Ok(())
    }

    /// Sends a request whose answer must begin within [`PATIENCE`], so that a silently dead connection is given up
    /// early.
    async fn open_in_time(&self, call: &Call<'_>, uri: &str) -> Result<Opened, Failure> {
        let opening = tokio::time::timeout(PATIENCE, self.open(call, get(uri)?));
        opening.await.unwrap_or_else(|_| Err(Endpoint::timed_out(PATIENCE)))
    }

    /// Reads the next piece of an answer; `None` at its end.
    async fn next_piece(&self, body: &mut Body) -> Result<Option<Bytes>, Failure> {
        loop {
            match tokio::time::timeout(PATIENCE, body.frame()).await {
                Ok(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
                Ok(None) => return Ok(None),
                Ok(Some(Err(_))) | Err(_) => return Err(self.endpoint.broke_off()),
            }
        }
    }
}

/// A list without its items.
#[derive(Deserialize)]
struct Framed {
    metadata: Head,
}

/// A line of a watch.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    object: Option<&'a RawValue>,
}

/// The resourceVersion of an object in a watch.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Versioned {
    metadata: Head,
}

/// Returns the event for an item of a list or for the object of a watch line.
fn of_item(item: &Item<'_>, part: &'static Part, is_listed: bool) -> serde_json::Result<Event> {
    let Item::Text(text) = item else { return Ok(Event::TooLarge(None)) };
    let read = parts::read(text, part)?;
    Ok(if read.is_truncated {
        Event::TooLarge(Some(NamespacedName::of(&read.value)))
    } else if is_listed {
        Event::InitApply(read.value)
    } else {
        Event::Apply(read.value)
    })
}

#[cfg(test)]
mod tests;
