//! Catalogues of both kinds.

use serde_json::Value;

use super::*;

fn v2() -> Catalog {
    let body: Value = serde_json::from_str(include_str!("../../../../../tests/data/openstack/token-v2.json")).unwrap();
    Catalog::from_v2(&body["access"]["serviceCatalog"])
}

fn v3() -> Catalog {
    let body: Value = serde_json::from_str(include_str!("../../../../../tests/data/openstack/token-v3.json")).unwrap();
    Catalog::from_v3(&body["token"]["catalog"])
}

#[test]
fn nhn_has_volumev2_and_several_regions() {
    let catalog = v2();
    assert_eq!(catalog.regions(), ["KR1", "KR2"]);
    let url = &catalog
        .endpoint(Service::BlockStorage, "KR1", Interface::Public)
        .unwrap()
        .url;
    assert!(url.ends_with("/v2/11112222333344445555666677778888"), "{url}");
    let several = catalog.region(None).unwrap_err();
    assert!(several.hints[0].contains("KR1, KR2"), "{several:?}");
    assert_eq!(catalog.region(Some("kr2")).unwrap(), "KR2");
    assert!(catalog.region(Some("US1")).unwrap_err().hints[0].contains("KR1"));
}

#[test]
fn a_missing_service_says_what_there_is() {
    let error = v2().endpoint(Service::Image, "KR2", Interface::Public).unwrap_err();
    assert_eq!(error.kind, CloudErrorKind::NotFound);
    assert!(
        error.message.contains("image") && error.message.contains("KR2"),
        "{error}"
    );
    assert!(error.hints[1].contains("compute (public)"), "{error:?}");
    let inner = v2().endpoint(Service::Compute, "KR1", Interface::Internal).unwrap_err();
    assert!(inner.message.contains("internal compute"), "{inner}");
}

#[test]
fn upstream_has_one_region_and_block_storage() {
    let catalog = v3();
    assert_eq!(catalog.region(None).unwrap(), "RegionOne");
    assert_eq!(
        catalog
            .endpoint(Service::BlockStorage, "regionone", Interface::Public)
            .unwrap()
            .kind,
        "block-storage"
    );
}

#[test]
fn the_best_type_wins_and_the_first_cinder_is_passed_over() {
    let entry = |kind: &str, url: &str| Endpoint {
        kind: kind.to_owned(),
        regions: vec!["R".to_owned()],
        interface: Interface::Public,
        url: url.to_owned(),
    };
    let catalog = Catalog {
        endpoints: vec![
            entry("volume", "http://c/v1/p"),
            entry("volumev2", "http://c/v2/p"),
            entry("volumev3", "http://c/v3/p"),
        ],
    };
    assert_eq!(
        catalog
            .endpoint(Service::BlockStorage, "R", Interface::Public)
            .unwrap()
            .url,
        "http://c/v3/p"
    );
    let old = Catalog {
        endpoints: catalog.endpoints.into_iter().take(1).collect(),
    };
    assert!(old.endpoint(Service::BlockStorage, "R", Interface::Public).is_err());
}

#[test]
fn addresses_get_their_version_once() {
    let check = |service: Service, address: &str, expect: &str| assert_eq!(service.base(address, "p1"), expect);
    check(
        Service::Image,
        "https://kr1-api-image.example",
        "https://kr1-api-image.example/v2",
    );
    check(
        Service::Image,
        "https://os.example/image/",
        "https://os.example/image/v2",
    );
    check(
        Service::Image,
        "https://os.example/image/v2/",
        "https://os.example/image/v2",
    );
    check(
        Service::Network,
        "https://os.example:9696",
        "https://os.example:9696/v2.0",
    );
    check(
        Service::Network,
        "https://os.example:9696/v2.0",
        "https://os.example:9696/v2.0",
    );
    check(
        Service::Compute,
        "https://os.example/compute/v2.1",
        "https://os.example/compute/v2.1",
    );
    check(Service::Compute, "https://kr1/v2/p1", "https://kr1/v2/p1");
    check(
        Service::BlockStorage,
        "https://os.example/volume/v3",
        "https://os.example/volume/v3",
    );
    check(
        Service::BlockStorage,
        "https://os.example/volume",
        "https://os.example/volume/v3/p1",
    );
    check(Service::Compute, "https://vm.example", "https://vm.example/v2.1");
}

#[test]
fn a_global_identity_service_is_no_second_region() {
    let mut catalog = v3();
    catalog.endpoints.push(Endpoint {
        kind: "identity".to_owned(),
        regions: vec!["Global".to_owned()],
        interface: Interface::Public,
        url: "https://id.example/v3".to_owned(),
    });
    assert_eq!(catalog.region(None).unwrap(), "RegionOne");
    assert_eq!(Catalog::default().region(None).unwrap(), "");
}
