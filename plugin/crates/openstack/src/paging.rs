//! Lists over all their pages.
//!
//! A link of a reply is never followed, because it may point to another host or an old name of ours: only its `marker`
//! is taken, and the next page is asked of our own address.

use std::collections::BTreeSet;

use reqwest::Url;
use reseal_machine::CloudError;
use serde_json::Value;

use crate::http::Client;
use crate::http::request::Request;
use crate::json;

/// How a list goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paging {
    /// After the last one of the page (Nova, Glance, Neutron).
    Marker,
    /// After so many (Cinder).
    Offset,
}

/// A list to ask for.
#[derive(Debug, Clone)]
pub(crate) struct List {
    pub(crate) request: Request,
    /// The member of the reply that holds the items.
    pub(crate) key: &'static str,
    pub(crate) paging: Paging,
}

/// More pages, and more items, than any project has; a list that does not end is a broken one.
const PAGES: usize = 500;
const ITEMS: usize = 100_000;

impl Client {
    /// All items of a list.
    pub(crate) async fn list(&self, list: &List) -> Result<Vec<Value>, CloudError> {
        let mut all = Vec::new();
        let mut asked = BTreeSet::new();
        let mut request = list.request.clone();
        for _ in 0..PAGES {
            let reply = self.call(&request).await?;
            let mut page = reply.json()?;
            let Some(Value::Array(items)) = page.get_mut(list.key).map(Value::take) else {
                return Err(reply.unexpected(&format!("the answer has no list `{}`", list.key)));
            };
            let next = next(list, &page, &items, all.len());
            // Who does not know the parameter gives the same page again.
            let same = !items.is_empty() && all.ends_with(&items);
            all.extend(items);
            let Some((key, value)) = next else { return Ok(all) };
            if same || !asked.insert(value.clone()) {
                return Err(reply.unexpected("the list turns in a circle"));
            }
            if all.len() >= ITEMS {
                break;
            }
            request = request.requery(key, value);
        }
        Err(CloudError::new(
            reseal_machine::CloudErrorKind::Unexpected,
            list.request.operation,
            "the list does not end",
        ))
    }
}

/// The parameter that asks for the next page, if there is one.
fn next(list: &List, page: &Value, items: &[Value], before: usize) -> Option<(&'static str, String)> {
    let tail = items.last()?;
    let link = link(page, list.key);
    match list.paging {
        Paging::Marker => {
            let marker = link.as_deref().and_then(marker).or_else(|| json::text(tail, "id"));
            marker.filter(|_| link.is_some()).map(|marker| ("marker", marker))
        }
        Paging::Offset => {
            let limit = list
                .request
                .query
                .iter()
                .find(|(name, _)| name == "limit")
                .and_then(|(_, limit)| limit.parse().ok());
            let full = limit.is_some_and(|limit: usize| items.len() >= limit);
            (link.is_some() || full).then(|| ("offset", (before + items.len()).to_string()))
        }
    }
}

/// Glance's `next`, or the `next` of `servers_links` and its like.
fn link(page: &Value, key: &str) -> Option<String> {
    json::text(page, "next").or_else(|| {
        let links = json::list(page, &format!("{key}_links"));
        links
            .iter()
            .find(|link| json::text(link, "rel").as_deref() == Some("next"))
            .and_then(|link| json::text(link, "href"))
    })
}

/// The `marker` of an absolute or relative link.
fn marker(link: &str) -> Option<String> {
    let here = Url::parse("http://here.invalid/").ok()?;
    let link = here.join(link).ok()?;
    link.query_pairs()
        .find(|(key, _)| key == "marker")
        .map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::catalog::Service;

    fn list(key: &'static str, paging: Paging) -> List {
        let request = Request::get(Service::Image, "list", &[key]).query("limit", "2");
        List { request, key, paging }
    }

    #[test]
    fn only_the_marker_of_a_link_counts() {
        let items = [json!({ "id": "b" })];
        let images = list("images", Paging::Marker);
        let page = json!({ "next": "http://evil.example/v2/images?limit=2&marker=a%20b" });
        assert_eq!(next(&images, &page, &items, 0), Some(("marker", "a b".to_owned())));
        let page = json!({ "next": "/v2/images?limit=2" });
        assert_eq!(next(&images, &page, &items, 0), Some(("marker", "b".to_owned())));
        assert_eq!(next(&images, &json!({}), &items, 0), None);
        assert_eq!(next(&images, &json!({ "next": "/v2/images?marker=b" }), &[], 0), None);
    }

    proptest! {
        #[test]
        fn damaged_links_are_taken_or_left(link in ".{0,80}", at in any::<prop::sample::Index>(), byte in 0_u8..128) {
            let mut text = b"https://[::1]:9292/v2/images?limit=2&marker=a%20b#x".to_vec();
            let at = at.index(text.len());
            text[at] = byte;
            for link in [link, String::from_utf8(text).unwrap()] {
                let page = json!({ "next": link, "images_links": [{ "rel": "next", "href": link }, 7] });
                let found = next(&list("images", Paging::Marker), &page, &[json!({ "id": "b" })], 0);
                prop_assert!(found.is_none_or(|(key, _)| key == "marker"));
            }
        }
    }

    #[test]
    fn servers_have_their_links_aside() {
        let page = json!({ "servers_links": [{ "rel": "next", "href": "http://x/servers?marker=7" }] });
        assert_eq!(
            next(&list("servers", Paging::Marker), &page, &[json!({})], 0),
            Some(("marker", "7".to_owned()))
        );
    }

    #[test]
    fn volumes_go_on_by_offset_while_pages_are_full() {
        let volumes = list("volumes", Paging::Offset);
        let two = [json!({}), json!({})];
        assert_eq!(next(&volumes, &json!({}), &two, 4), Some(("offset", "6".to_owned())));
        assert_eq!(next(&volumes, &json!({}), &two[..1], 4), None);
    }
}
