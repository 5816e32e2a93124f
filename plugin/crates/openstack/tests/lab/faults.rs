//! A whole build under each fault that a client must take without a word.

use reseal_lab::Mode;
use reseal_machine::{Cloud, CloudErrorKind};
use reseal_openstack::OpenStack;

use crate::build::whole;
use crate::room::Site;

/// Each fault with the status by which its strike is seen; 0 is no answer at all.
const SURVIVED: &[(&str, Option<u16>)] = &[
    ("unauthorized-once", Some(401)),
    ("token-expires", Some(401)),
    ("rate-limit", Some(429)),
    ("html-503", Some(503)),
    ("reset", Some(0)),
    ("sg-in-use", Some(409)),
    ("floating-500-once", Some(500)),
    ("reset-after-create=server", Some(0)),
    ("reset-after-create=floatingip", Some(0)),
    ("reset-after-create=security-group", Some(0)),
    ("reset-after-create=keypair", Some(0)),
    ("reset-after-create=image", Some(0)),
    ("503-after-create=server", Some(503)),
    ("503-after-create=floatingip", Some(503)),
    ("503-after-create=security-group", Some(503)),
    ("503-after-create=keypair", Some(503)),
    ("503-after-create=image", Some(503)),
    ("slow-shutoff", None),
    ("image-queued-long", None),
    ("slow-upload", None),
];

#[tokio::test]
async fn a_build_survives_what_it_should() {
    for mode in [Mode::Nhn, Mode::Openstack] {
        for (fault, status) in SURVIVED {
            let site = whole(mode, &[fault]).await;
            let struck = |status| site.lab.requests().iter().any(|exchange| exchange.status == status);
            assert!(status.is_none_or(struck), "{mode:?} {fault}: it never struck");
        }
    }
}

#[tokio::test]
async fn a_wrong_password_ends_at_once() {
    for mode in [Mode::Nhn, Mode::Openstack] {
        let site = Site::open(mode, &["wrong-password"]).await;
        let error = OpenStack::connect(site.config(site.lab.env())).await.unwrap_err();
        assert_eq!(error.kind, CloudErrorKind::Auth);
        assert!(!error.hints.is_empty());
        assert_eq!(site.lab.request_count(), 1);
    }
}

#[tokio::test]
async fn a_catalogue_without_volumes_says_so() {
    let site = Site::open(Mode::Nhn, &["catalog-without-volume"]).await;
    let cloud = site.connect().await;
    let error = cloud.volume(&reseal_machine::VolumeId::new("v")).await.unwrap_err();
    assert_eq!(error.kind, CloudErrorKind::NotFound);
    assert!(error.message.contains("block storage"), "{error}");
    assert!(cloud.find_marked(None).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_doctor_likes_both_clouds() {
    for mode in [Mode::Nhn, Mode::Openstack] {
        let site = Site::open(mode, &[]).await;
        let checks = reseal_openstack::check(site.config(site.lab.env())).await;
        assert!(checks.iter().all(|check| check.ok), "{checks:?}");
        assert_eq!(checks.len(), 7);
    }
}
