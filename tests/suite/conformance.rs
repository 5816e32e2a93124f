//! The sentences of `machine::Cloud`, on the OpenStack client over both families of cloud, with real machines.
//!
//! What needs no machine is tested beside the client; here it meets servers that boot, volumes that are busy and images
//! that come later.

use std::sync::Arc;
use std::time::Duration;

use reseal::rim::env::Env;
use reseal::scrub::Scrubber;
use reseal::wiring;
use reseal_lab::Mode;
use reseal_machine::cloud::{
    ImageChanges, ImageQuery, ImageSource, ImageStatus, IngressRule, NewFloatingIp, NewImage, NewKeypair,
    NewSecurityGroup, NewServer, Observed, ResourceKind, RootVolume, ServerStatus,
};
use reseal_machine::{
    BuildId, Clock, Cloud, CloudErrorKind, FlavorId, FloatingIpId, ImageId, Marks, NetworkId, SecurityGroupId,
    ServerId, Status, VolumeId,
};

use crate::support::World;

const BUILD: &str = "0199aaaa-bbbb-7ccc-8ddd-eeeeffff0000";
const NAME: &str = "reseal-ffff0000";

fn marks(step: &str) -> Marks {
    Marks::new(BuildId::new(BUILD), step)
}

struct Case {
    world: World,
    cloud: Arc<dyn Cloud>,
}

/// What a server is made of.
struct Parts {
    image: ImageId,
    flavor: FlavorId,
    inner: (NetworkId, Option<String>),
    outer: NetworkId,
}

impl Case {
    async fn open(mode: Mode) -> Self {
        let world = World::open(mode, &[]).await;
        let provider = match mode {
            Mode::Nhn => "nhn",
            Mode::Openstack => "openstack",
        };
        let wanted = serde_json::from_value(serde_json::json!({ "provider": provider })).unwrap();
        let clock: Arc<dyn Clock> = Arc::<reseal_lab::clock::JumpClock>::clone(&world.clock);
        let client = wiring::cloud(&wanted, &Env::of(world.lab.env()), clock, &Scrubber::default()).await;
        Self {
            cloud: client.unwrap(),
            world,
        }
    }

    async fn wait(&self, seconds: u64) {
        self.world.clock.sleep(Duration::from_secs(seconds)).await;
    }

    async fn parts(&self) -> Parts {
        let images = self.cloud.images(&ImageQuery::default()).await.unwrap();
        let image = images
            .iter()
            .find(|image| image.name.to_lowercase().contains("windows") && image.name.contains("2022"));
        let flavors = self.cloud.flavors().await.unwrap();
        let flavor = flavors
            .iter()
            .find(|flavor| flavor.ram_mb == 4096 && flavor.disk_gb == 0)
            .unwrap();
        let networks = self.cloud.networks().await.unwrap();
        let inner = networks.iter().find(|network| !network.external).unwrap();
        let outer = networks.iter().find(|network| network.external).unwrap();
        Parts {
            image: image.unwrap().id.clone(),
            flavor: flavor.id.clone(),
            inner: (inner.id.clone(), inner.subnets.first().cloned()),
            outer: outer.id.clone(),
        }
    }

    /// A key, a group and a server that is ACTIVE.
    async fn server(&self, parts: &Parts) -> ServerId {
        let identity = reseal_pipeline::identity::ssh_key(NAME).unwrap();
        let key = NewKeypair {
            name: NAME.to_owned(),
            public_key: identity.public,
        };
        self.cloud.create_keypair(&key).await.unwrap();
        let again = self.cloud.create_keypair(&key).await.unwrap_err();
        assert_eq!(
            again.kind,
            CloudErrorKind::Conflict,
            "an equal name is a conflict: {again:?}"
        );
        let group = NewSecurityGroup {
            name: NAME.to_owned(),
            marks: marks("cloud/security-group"),
            ingress: vec![IngressRule {
                port: 5986,
                cidr: "127.0.0.1/32".to_owned(),
            }],
        };
        self.cloud.create_security_group(&group).await.unwrap();
        let new = NewServer {
            name: NAME.to_owned(),
            marks: marks("cloud/server"),
            image: parts.image.clone(),
            flavor: parts.flavor.clone(),
            network: parts.inner.0.clone(),
            subnet: parts.inner.1.clone(),
            key_name: NAME.to_owned(),
            security_groups: vec![NAME.to_owned()],
            availability_zone: None,
            root_volume: Some(RootVolume {
                size_gb: 60,
                volume_type: None,
                delete_on_termination: false,
            }),
            user_data: None,
        };
        let id = self.cloud.create_server(&new).await.unwrap();
        for _ in 0..100 {
            match self.cloud.server(&id).await.unwrap() {
                Observed::Present(server) if server.status == ServerStatus::Active => return id,
                Observed::Present(server) => assert_eq!(server.status, ServerStatus::Build, "{server:?}"),
                Observed::Gone => {}
            }
            self.wait(10).await;
        }
        panic!("never ACTIVE")
    }

    async fn marked(&self) -> Vec<(ResourceKind, String)> {
        let found = self.cloud.find_marked(Some(&BuildId::new(BUILD))).await.unwrap();
        found.into_iter().map(|found| (found.kind, found.id)).collect()
    }

    /// Deletes with patience for what is busy, and waits until it is gone for whoever looks.
    async fn end(&self, kind: ResourceKind, id: &str) {
        for _ in 0..60 {
            let done = match kind {
                ResourceKind::Server => self.cloud.delete_server(&ServerId::new(id)).await,
                ResourceKind::Volume => self.cloud.delete_volume(&VolumeId::new(id)).await,
                ResourceKind::FloatingIp => self.cloud.delete_floating_ip(&FloatingIpId::new(id)).await,
                ResourceKind::SecurityGroup => self.cloud.delete_security_group(&SecurityGroupId::new(id)).await,
                ResourceKind::Keypair => self.cloud.delete_keypair(id).await,
                ResourceKind::Image => self.cloud.delete_image(&ImageId::new(id)).await,
            };
            match done {
                Ok(()) => return,
                Err(error) => assert_eq!(error.status, Status::Temporary, "{error:?}"),
            }
            self.wait(10).await;
        }
        panic!("{kind:?} {id} stays busy")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn marked_things_are_found_in_the_order_in_which_they_must_go() {
    for mode in [Mode::Nhn, Mode::Openstack] {
        let case = Case::open(mode).await;
        let parts = case.parts().await;
        let server = case.server(&parts).await;
        let root = case.cloud.attachments(&server).await.unwrap().remove(0).volume;
        case.cloud
            .mark_volume(&root, &marks("cloud/server-ready"))
            .await
            .unwrap();
        let new = NewFloatingIp {
            network: parts.outer.clone(),
            server: server.clone(),
            marks: marks("cloud/address"),
        };
        case.cloud.create_floating_ip(&new).await.unwrap();
        case.wait(120).await;
        let found = case.marked().await;
        let kinds: Vec<ResourceKind> = found.iter().map(|(kind, _)| *kind).collect();
        assert!(kinds.is_sorted(), "{kinds:?}");
        for kind in [
            ResourceKind::Server,
            ResourceKind::FloatingIp,
            ResourceKind::SecurityGroup,
            ResourceKind::Keypair,
        ] {
            assert!(kinds.contains(&kind), "{mode:?} {kind:?}: {kinds:?}");
        }
        let others = case
            .cloud
            .find_marked(Some(&BuildId::new("somebody-elses")))
            .await
            .unwrap();
        assert!(others.is_empty(), "{others:?}");
        for (kind, id) in &found {
            case.end(*kind, id).await;
            case.end(*kind, id).await;
            case.wait(120).await;
        }
        case.end(ResourceKind::Volume, root.as_str()).await;
        case.wait(120).await;
        assert_eq!(case.cloud.server(&server).await.unwrap(), Observed::Gone);
        assert_eq!(case.cloud.volume(&root).await.unwrap(), Observed::Gone);
        assert_eq!(case.marked().await, []);
        assert_eq!(case.world.lab.leftovers(), [], "{mode:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_busy_is_a_temporary_conflict() {
    for mode in [Mode::Nhn, Mode::Openstack] {
        let case = Case::open(mode).await;
        let parts = case.parts().await;
        let server = case.server(&parts).await;
        let root = case.cloud.attachments(&server).await.unwrap().remove(0).volume;
        let busy = case.cloud.delete_volume(&root).await.unwrap_err();
        assert_eq!(
            (busy.kind, busy.status),
            (CloudErrorKind::Conflict, Status::Temporary),
            "{busy:?}"
        );
        let group = case.marked_group().await;
        let busy = case
            .cloud
            .delete_security_group(&SecurityGroupId::new(group))
            .await
            .unwrap_err();
        assert_eq!(
            (busy.kind, busy.status),
            (CloudErrorKind::Conflict, Status::Temporary),
            "{busy:?}"
        );
    }
}

impl Case {
    async fn marked_group(&self) -> String {
        self.wait(120).await;
        let marked = self.marked().await.into_iter();
        marked
            .into_iter()
            .find(|(kind, _)| *kind == ResourceKind::SecurityGroup)
            .unwrap()
            .1
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_of_a_free_volume_is_changed_in_one_request() {
    for mode in [Mode::Nhn, Mode::Openstack] {
        let case = Case::open(mode).await;
        let parts = case.parts().await;
        let server = case.server(&parts).await;
        let volume = case.cloud.attachments(&server).await.unwrap().remove(0).volume;
        case.end(ResourceKind::Server, server.as_str()).await;
        case.wait(300).await;
        let source = ImageSource::Volume { volume, force: false };
        let new = NewImage {
            name: NAME.to_owned(),
            source,
            disk_format: "qcow2".to_owned(),
        };
        let id = case.cloud.create_image(&new).await.unwrap();
        case.wait(3600).await;
        let image = case.cloud.image(&id).await.unwrap().present().expect("the image");
        assert_eq!(image.status, ImageStatus::Active);
        let before = case.world.lab.request_count();
        let changes = ImageChanges {
            name: Some("golden".to_owned()),
            min_disk_gb: Some(60),
            set: [("os_distro".to_owned(), "windows".to_owned())].into(),
            remove: vec!["never_there".to_owned()],
            tags: vec!["one".to_owned()],
            ..ImageChanges::default()
        };
        case.cloud.update_image(&id, &changes).await.unwrap();
        assert!(case.world.lab.request_count() - before <= 3);
        let image = case.cloud.image(&id).await.unwrap().present().unwrap();
        assert_eq!((image.name.as_str(), image.min_disk_gb), ("golden", 60));
        assert_eq!(image.properties["os_distro"], "windows");
        assert!(image.tags.contains(&"one".to_owned()));
        case.end(ResourceKind::Image, id.as_str()).await;
        case.wait(120).await;
        assert_eq!(case.cloud.image(&id).await.unwrap(), Observed::Gone);
    }
}
