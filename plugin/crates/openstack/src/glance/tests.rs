//! Glance's bodies, read and written.

use proptest::prelude::*;

use super::*;

const IMAGES: &str = include_str!("../../../../../tests/data/openstack/images.json");

fn first() -> Image {
    let listed: Value = serde_json::from_str(IMAGES).unwrap();
    read_image(&listed["images"][0]).unwrap()
}

#[test]
fn properties_are_everything_else() {
    let image = first();
    assert_eq!(
        (image.min_disk_gb, image.min_ram_mb, image.size),
        (50, 2048, Some(14_000_000_000))
    );
    assert_eq!(
        (image.status, image.protected, image.tags.as_slice()),
        (ImageStatus::Active, true, &["_AVAILABLE_".to_owned()][..])
    );
    assert_eq!(image.created_at, Some("2026-03-10T02:00:00Z".parse().unwrap()));
    assert_eq!(image.properties["login_username"], "Administrator");
    assert!(
        ["self", "file", "schema", "owner", "checksum"]
            .iter()
            .all(|key| !image.properties.contains_key(*key))
    );
}

#[test]
fn conditions_are_looked_at_here_too() {
    let image = first();
    let with = |key: &str, value: &str| ImageQuery {
        properties: [(key.to_owned(), value.to_owned())].into(),
        ..ImageQuery::default()
    };
    assert!(fits(&image, &with("os_type", "Windows")));
    assert!(!fits(&image, &with("os_type", "Linux")));
    assert!(!fits(
        &image,
        &ImageQuery {
            name: Some("Windows".to_owned()),
            ..ImageQuery::default()
        }
    ));
}

#[test]
fn all_changes_are_one_patch() {
    let id = ImageId::new("5");
    let changes = ImageChanges {
        min_disk_gb: Some(50),
        protected: Some(true),
        set: [
            ("os_type".to_owned(), "windows".to_owned()),
            ("a/b~c".to_owned(), "1".to_owned()),
        ]
        .into(),
        remove: vec!["password_0".to_owned(), "not_there".to_owned(), "os_type".to_owned()],
        ..ImageChanges::default()
    };
    let present = [
        ("password_0".to_owned(), "x".to_owned()),
        ("os_type".to_owned(), "x".to_owned()),
    ]
    .into();
    let request = update(&id, &changes, &present).unwrap();
    assert_eq!(request.media, "application/openstack-images-v2.1-json-patch");
    assert_eq!(
        request.body.unwrap(),
        json!([
            { "op": "replace", "path": "/min_disk", "value": 50 },
            { "op": "remove", "path": "/password_0" },
            { "op": "add", "path": "/a~1b~0c", "value": "1" },
            { "op": "add", "path": "/os_type", "value": "windows" },
            { "op": "replace", "path": "/protected", "value": true },
        ])
    );
    assert!(update(&id, &ImageChanges::default(), &BTreeMap::new()).is_none());
}

#[test]
fn a_name_that_looks_like_a_list_is_not_sent() {
    let query = ImageQuery {
        name: Some("in:a,b".to_owned()),
        visibility: Some("private".to_owned()),
        ..ImageQuery::default()
    };
    let sent = images(&query, "1000").request.query;
    assert!(sent.iter().all(|(key, _)| key != "name"));
    assert!(sent.contains(&("visibility".to_owned(), "private".to_owned())));
}

proptest! {
    #[test]
    fn mutated_images_never_panic(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = IMAGES.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(value) = serde_json::from_slice::<Value>(&bytes) {
            for entry in json::list(&value, "images") {
                let _ = read_image(entry);
            }
        }
    }
}
