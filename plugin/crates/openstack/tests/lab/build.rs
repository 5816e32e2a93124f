//! The calls of one build, as the engine would make them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::future::Future;

use reseal_lab::Mode;
use reseal_machine::cloud::{
    Capture, ImageChanges, ImageQuery, ImageSource, ImageStatus, IngressRule, NewFloatingIp, NewImage, NewKeypair,
    NewSecurityGroup, NewServer, Observed, ResourceKind, RootVolume, ServerPassword, ServerStatus,
};
use reseal_machine::{
    BuildId, Cloud, CloudError, CloudErrorKind, FloatingIpId, ImageId, Marks, SecurityGroupId, ServerId, Status,
    VolumeId,
};
use reseal_openstack::OpenStack;

use crate::room::Site;

pub(crate) const BUILD: &str = "0199aaaa-bbbb-7ccc-8ddd-eeeeffff0000";
const NAME: &str = "reseal-ffff0000";
/// A number of the right size; nobody has the private half, because there is none.
pub(crate) const KEY: &str = include_str!("../../../../../tests/data/openstack/key.pub");

pub(crate) fn marks(step: &str) -> Marks {
    Marks::new(BuildId::new(BUILD), step)
}

/// Tries again what the client says is temporary, as the engine does after looking.
pub(crate) async fn patient<T, F: Future<Output = Result<T, CloudError>>>(site: &Site, call: impl Fn() -> F) -> T {
    for _ in 0..60 {
        match call().await {
            Ok(done) => return done,
            Err(error) if error.status == Status::Temporary && !error.perhaps => site.wait(5).await,
            Err(error) => panic!("{error:?}"),
        }
    }
    panic!("patience ended")
}

/// Looks until `done` has an answer.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(site: &Site, what: &str, look: impl Fn() -> F) -> T {
    for _ in 0..400 {
        if let Some(seen) = look().await {
            return seen;
        }
        site.wait(10).await;
    }
    panic!("{what} never came")
}

/// What the first half of a build has made.
pub(crate) struct Half {
    pub(crate) server: ServerId,
    pub(crate) group: SecurityGroupId,
    pub(crate) address: FloatingIpId,
    pub(crate) volume: VolumeId,
}

/// From nothing to a running machine with an address.
pub(crate) async fn launch(site: &Site, cloud: &OpenStack) -> Half {
    let query = ImageQuery {
        visibility: Some("public".to_owned()),
        ..ImageQuery::default()
    };
    let images = cloud.images(&query).await.unwrap();
    let image = images
        .iter()
        .find(|image| image.name.to_lowercase().contains("windows") && image.name.contains("2022"))
        .unwrap();
    let flavors = cloud.flavors().await.unwrap();
    let flavor = flavors
        .iter()
        .find(|flavor| flavor.ram_mb == 4096 && flavor.disk_gb == 0)
        .unwrap();
    let networks = cloud.networks().await.unwrap();
    let inner = networks.iter().find(|network| !network.external).unwrap();
    let outer = networks.iter().find(|network| network.external).unwrap();

    cloud
        .create_keypair(&NewKeypair {
            name: NAME.to_owned(),
            public_key: KEY.trim().to_owned(),
        })
        .await
        .unwrap();
    let rule = IngressRule {
        port: 5986,
        cidr: "127.0.0.1/32".to_owned(),
    };
    let group = NewSecurityGroup {
        name: NAME.to_owned(),
        marks: marks("cloud/group"),
        ingress: vec![rule],
    };
    let group = cloud.create_security_group(&group).await.unwrap();
    let server = cloud
        .create_server(&NewServer {
            name: NAME.to_owned(),
            marks: marks("cloud/server"),
            image: image.id.clone(),
            flavor: flavor.id.clone(),
            network: inner.id.clone(),
            subnet: inner.subnets.first().cloned(),
            key_name: NAME.to_owned(),
            security_groups: vec![NAME.to_owned()],
            availability_zone: None,
            root_volume: Some(RootVolume {
                size_gb: 60,
                volume_type: None,
                delete_on_termination: false,
            }),
            user_data: Some("#ps1_sysnative\r\n'hello'".to_owned().into()),
        })
        .await
        .unwrap();
    until(site, "ACTIVE", async || match cloud.server(&server).await.unwrap() {
        Observed::Present(found) if found.status == ServerStatus::Error => panic!("{found:?}"),
        Observed::Present(found) => (found.status == ServerStatus::Active).then_some(()),
        // A new server may take a moment to appear.
        Observed::Gone => None,
    })
    .await;
    let attached = until(site, "the root volume", async || {
        cloud.attachments(&server).await.unwrap().into_iter().next()
    })
    .await;
    cloud
        .mark_volume(&attached.volume, &marks("cloud/server"))
        .await
        .unwrap();
    let wanted = NewFloatingIp {
        network: outer.id.clone(),
        server: server.clone(),
        marks: marks("cloud/address"),
    };
    let address = patient(site, || cloud.create_floating_ip(&wanted)).await;
    Half {
        server,
        group: group.id,
        address: address.id,
        volume: attached.volume,
    }
}

/// The guest turns itself off; the cloud sees it later.
pub(crate) async fn shut_down(site: &Site, cloud: &OpenStack, server: &ServerId) {
    site.room.guests_shut_down();
    until(site, "SHUTOFF", async || {
        let found = cloud.server(server).await.unwrap().present().unwrap();
        (found.status == ServerStatus::Shutoff && found.task_state.is_none()).then_some(())
    })
    .await;
}

async fn end_server(site: &Site, cloud: &OpenStack, server: &ServerId) {
    patient(site, || cloud.delete_server(server)).await;
    until(site, "the server's end", async || {
        (cloud.server(server).await.unwrap() == Observed::Gone).then_some(())
    })
    .await;
}

/// Forced first; where that is refused, without the server.
pub(crate) async fn capture(site: &Site, cloud: &OpenStack, half: &Half) -> ImageId {
    let image = |force| NewImage {
        name: "win2022-web".to_owned(),
        source: ImageSource::Volume {
            volume: half.volume.clone(),
            force,
        },
        disk_format: "qcow2".to_owned(),
    };
    let found_by_name = async || {
        let query = ImageQuery {
            name: Some("win2022-web".to_owned()),
            ..ImageQuery::default()
        };
        cloud
            .images(&query)
            .await
            .unwrap()
            .into_iter()
            .next()
            .map(|image| image.id)
    };
    match cloud.create_image(&image(true)).await {
        Ok(id) => return id,
        Err(error) if error.perhaps => return until(site, "the image", found_by_name).await,
        Err(error) => {
            assert_eq!(error.kind, CloudErrorKind::Invalid, "{error:?}");
            assert!(error.message.contains("status must be available"), "{error}");
        }
    }
    end_server(site, cloud, &half.server).await;
    until(site, "available", async || {
        let volume = cloud.volume(&half.volume).await.unwrap().present().unwrap();
        (volume.status == "available").then_some(())
    })
    .await;
    match cloud.create_image(&image(false)).await {
        Ok(id) => id,
        Err(error) if error.perhaps => until(site, "the image", found_by_name).await,
        Err(error) => panic!("{error:?}"),
    }
}

pub(crate) async fn finish(site: &Site, cloud: &OpenStack, half: &Half, image: &ImageId) {
    until(site, "active", async || match cloud.image(image).await.unwrap() {
        Observed::Present(found) if found.status == ImageStatus::Active => Some(()),
        Observed::Present(found) => {
            assert!(
                matches!(found.status, ImageStatus::Queued | ImageStatus::Saving),
                "{found:?}"
            );
            None
        }
        Observed::Gone => None,
    })
    .await;
    let changes = ImageChanges {
        min_disk_gb: Some(60),
        min_ram_mb: Some(2048),
        set: [("os_distro".to_owned(), "windows".to_owned())].into(),
        remove: vec!["never_there".to_owned()],
        tags: vec!["golden".to_owned()],
        ..ImageChanges::default()
    };
    cloud.update_image(image, &changes).await.unwrap();
    until(site, "the end of the upload", async || {
        let volume = cloud.volume(&half.volume).await.unwrap().present().unwrap();
        (volume.status != "uploading").then_some(())
    })
    .await;
    end_server(site, cloud, &half.server).await;
    patient(site, || cloud.delete_volume(&half.volume)).await;
    until(site, "the volume's end", async || {
        (cloud.volume(&half.volume).await.unwrap() == Observed::Gone).then_some(())
    })
    .await;
    cloud.delete_floating_ip(&half.address).await.unwrap();
    patient(site, || cloud.delete_security_group(&half.group)).await;
    cloud.delete_keypair(NAME).await.unwrap();
}

/// A whole build; at the end only the image is left.
pub(crate) async fn whole(mode: Mode, faults: &[&str]) -> Site {
    let site = Site::open(mode, faults).await;
    let cloud = site.connect().await;
    let half = launch(&site, &cloud).await;
    // New things are listed a little later than they are made.
    let all = [
        ResourceKind::Server,
        ResourceKind::Volume,
        ResourceKind::FloatingIp,
        ResourceKind::SecurityGroup,
        ResourceKind::Keypair,
    ];
    until(&site, "all that is marked", async || {
        let marked = cloud.find_marked(Some(&BuildId::new(BUILD))).await.unwrap();
        let kinds: Vec<_> = marked.iter().map(|marked| marked.kind).collect();
        (kinds == all).then_some(())
    })
    .await;
    shut_down(&site, &cloud, &half.server).await;
    let image = capture(&site, &cloud, &half).await;
    finish(&site, &cloud, &half, &image).await;
    let left: Vec<_> = site
        .lab
        .leftovers()
        .iter()
        .map(|left| (left.kind, left.id.clone()))
        .collect();
    assert_eq!(left, [(ResourceKind::Image, image.to_string())], "{mode:?} {faults:?}");
    let image_made = &site.lab.images()[0];
    assert_eq!(
        (
            image_made.min_disk_gb,
            image_made.min_ram_mb,
            image_made.taken_while_running
        ),
        (60, 2048, false)
    );
    assert_eq!(
        (image_made.properties["os_distro"].as_str(), image_made.tags.as_slice()),
        ("windows", &["golden".to_owned()][..])
    );
    cloud.delete_image(&image).await.unwrap();
    assert!(site.lab.leftovers().is_empty());
    site
}

#[tokio::test]
async fn on_nhn() {
    let site = whole(Mode::Nhn, &[]).await;
    assert_eq!(
        site.room.booted.lock().unwrap()[0].user_data.as_deref(),
        Some(&b"#ps1_sysnative\r\n'hello'"[..])
    );
    assert!(
        site.lab
            .requests()
            .iter()
            .all(|exchange| exchange.status < 400 || exchange.status == 404),
        "nothing was refused"
    );
}

#[tokio::test]
async fn on_openstack() {
    let site = whole(Mode::Openstack, &[]).await;
    let refused: Vec<_> = site
        .lab
        .requests()
        .into_iter()
        .filter(|exchange| exchange.status == 400)
        .collect();
    assert_eq!(refused.len(), 1, "only force is refused: {refused:?}");
}

#[tokio::test]
async fn with_an_application_credential() {
    let site = Site::open(Mode::Openstack, &[]).await;
    let cloud = OpenStack::connect(site.config(site.lab.application_credential_env().unwrap()))
        .await
        .unwrap();
    assert!(!cloud.flavors().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_a_plan_asks_is_six_calls_at_the_most() {
    for mode in [Mode::Nhn, Mode::Openstack] {
        let site = Site::open(mode, &[]).await;
        let cloud = site.connect().await;
        let capabilities = cloud.capabilities().await.unwrap();
        assert_eq!(
            capabilities.capture,
            Capture::Volume {
                force: mode == Mode::Nhn
            }
        );
        cloud
            .images(&ImageQuery {
                visibility: Some("public".to_owned()),
                ..ImageQuery::default()
            })
            .await
            .unwrap();
        cloud
            .images(&ImageQuery {
                visibility: Some("private".to_owned()),
                ..ImageQuery::default()
            })
            .await
            .unwrap();
        cloud.flavors().await.unwrap();
        cloud.networks().await.unwrap();
        cloud.quota().await.unwrap();
        assert!(cloud.stats().calls <= 6, "{:?}", site.lab.requests());
        assert_eq!(u64::try_from(site.lab.request_count()).unwrap(), cloud.stats().calls);
    }
}

#[tokio::test]
async fn the_posted_password_is_offered_upstream() {
    let site = Site::open(Mode::Openstack, &[]).await;
    let cloud = site.connect().await;
    let half = launch(&site, &cloud).await;
    let posted = until(&site, "the password", async || {
        match cloud.server_password(&half.server).await.unwrap() {
            ServerPassword::Encrypted(text) => Some(text),
            ServerPassword::NotYet => None,
            ServerPassword::NotOffered => panic!("upstream offers it"),
        }
    })
    .await;
    assert_eq!(posted, "cGFzc3dvcmQ=");
    let nhn = Site::open(Mode::Nhn, &[]).await;
    let cloud = nhn.connect().await;
    let half = launch(&nhn, &cloud).await;
    assert_eq!(
        cloud.server_password(&half.server).await.unwrap(),
        ServerPassword::NotOffered
    );
}
