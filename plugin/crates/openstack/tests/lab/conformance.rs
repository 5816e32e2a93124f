//! The sentences of the contract, one by one.

use reseal_lab::Mode;
use reseal_machine::cloud::{ImageQuery, NewKeypair, NewSecurityGroup, Observed};
use reseal_machine::{Cloud, CloudErrorKind, FloatingIpId, ImageId, SecurityGroupId, ServerId, Status, VolumeId};

use crate::build::{KEY, launch, marks};
use crate::room::Site;

const BOTH: [Mode; 2] = [Mode::Nhn, Mode::Openstack];
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

#[tokio::test]
async fn deleting_what_is_gone_succeeds_and_observing_it_is_gone() {
    for mode in BOTH {
        let site = Site::open(mode, &[]).await;
        let cloud = site.connect().await;
        cloud.delete_server(&ServerId::new(NOBODY)).await.unwrap();
        cloud.delete_volume(&VolumeId::new(NOBODY)).await.unwrap();
        cloud.delete_image(&ImageId::new(NOBODY)).await.unwrap();
        cloud.delete_floating_ip(&FloatingIpId::new(NOBODY)).await.unwrap();
        cloud
            .delete_security_group(&SecurityGroupId::new(NOBODY))
            .await
            .unwrap();
        cloud.delete_keypair("nobody").await.unwrap();
        assert_eq!(cloud.server(&ServerId::new(NOBODY)).await.unwrap(), Observed::Gone);
        assert_eq!(cloud.volume(&VolumeId::new(NOBODY)).await.unwrap(), Observed::Gone);
        assert_eq!(cloud.image(&ImageId::new(NOBODY)).await.unwrap(), Observed::Gone);
        assert_eq!(cloud.console_output(&ServerId::new(NOBODY)).await.unwrap(), None);
        assert!(cloud.attachments(&ServerId::new(NOBODY)).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn all_images_come_newest_first_over_all_pages() {
    for mode in BOTH {
        let site = Site::open(mode, &[]).await;
        let cloud = site.connect().await;
        let images = cloud.images(&ImageQuery::default()).await.unwrap();
        assert!(
            images.len() > 5 && images.is_sorted_by(|a, b| a.created_at >= b.created_at),
            "{images:?}"
        );
        let one = &images[images.len() / 2];
        let named = ImageQuery {
            name: Some(one.name.clone()),
            ..ImageQuery::default()
        };
        assert!(
            cloud
                .images(&named)
                .await
                .unwrap()
                .iter()
                .all(|image| image.name == one.name)
        );
        let wrong = ImageQuery {
            properties: [("os_type".to_owned(), "beos".to_owned())].into(),
            ..ImageQuery::default()
        };
        assert!(cloud.images(&wrong).await.unwrap().is_empty());
        assert_eq!(cloud.image(&one.id).await.unwrap().present().as_ref(), Some(one));
    }
}

#[tokio::test]
async fn an_equal_key_name_is_a_conflict() {
    for mode in BOTH {
        let site = Site::open(mode, &["keypair-conflict"]).await;
        let cloud = site.connect().await;
        let new = NewKeypair {
            name: "reseal-ffff0000".to_owned(),
            public_key: KEY.trim().to_owned(),
        };
        let error = cloud.create_keypair(&new).await.unwrap_err();
        assert_eq!(
            (error.kind, error.perhaps),
            (CloudErrorKind::Conflict, false),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_group_in_use_and_an_attached_volume_are_temporary_conflicts() {
    for mode in BOTH {
        let site = Site::open(mode, &[]).await;
        let cloud = site.connect().await;
        let half = launch(&site, &cloud).await;
        let group = cloud.delete_security_group(&half.group).await.unwrap_err();
        assert_eq!(
            (group.kind, group.status),
            (CloudErrorKind::Conflict, Status::Temporary),
            "{group:?}"
        );
        let volume = cloud.delete_volume(&half.volume).await.unwrap_err();
        assert_eq!(
            (volume.kind, volume.status),
            (CloudErrorKind::Conflict, Status::Temporary),
            "{volume:?}"
        );
    }
}

#[tokio::test]
async fn a_full_quota_has_its_own_kind() {
    for (mode, fault) in [(Mode::Nhn, "floating-quota"), (Mode::Openstack, "floating-quota")] {
        let site = Site::open(mode, &[fault]).await;
        let cloud = site.connect().await;
        let group = NewSecurityGroup {
            name: "g".to_owned(),
            marks: marks("s"),
            ingress: Vec::new(),
        };
        let made = cloud.create_security_group(&group).await.unwrap();
        cloud.delete_security_group(&made.id).await.unwrap();
        let networks = cloud.networks().await.unwrap();
        let outer = networks.iter().find(|network| network.external).unwrap();
        let nobody = reseal_machine::cloud::NewFloatingIp {
            network: outer.id.clone(),
            server: ServerId::new(NOBODY),
            marks: marks("s"),
        };
        let early = cloud.create_floating_ip(&nobody).await.unwrap_err();
        assert_eq!(
            (early.kind, early.status),
            (CloudErrorKind::Conflict, Status::Temporary),
            "no port yet"
        );
    }
}
